#include "catalog/system_views.h"

#include <array>

namespace pando::catalog {
namespace {

// Column types in the lists below, by OID: 16 bool, 19 name, 23 int4, 25 text.

constexpr std::string_view kRoles = R"sql(
SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolconnlimit,
       '********'::text AS rolpassword, rolvaliduntil, rolbypassrls, NULL::text[] AS rolconfig, oid
FROM pg_catalog.pg_authid)sql";

constexpr std::string_view kShadow = R"sql(
SELECT rolname AS usename, oid AS usesysid, rolcreatedb AS usecreatedb, rolsuper AS usesuper, rolreplication
         AS userepl,
       rolbypassrls AS usebypassrls, rolpassword AS passwd, rolvaliduntil AS valuntil, NULL::text[] AS useconfig
FROM pg_catalog.pg_authid WHERE rolcanlogin)sql";

constexpr std::string_view kUser = R"sql(
SELECT rolname AS usename, oid AS usesysid, rolcreatedb AS usecreatedb, rolsuper AS usesuper, rolreplication
         AS userepl,
       rolbypassrls AS usebypassrls, '********'::text AS passwd, rolvaliduntil AS valuntil, NULL::text[] AS useconfig
FROM pg_catalog.pg_authid WHERE rolcanlogin)sql";

constexpr std::string_view kGroup = R"sql(
SELECT rolname AS groname, oid AS grosysid,
         ARRAY(SELECT member FROM pg_catalog.pg_auth_members WHERE roleid = a.oid) AS grolist
FROM pg_catalog.pg_authid a WHERE NOT rolcanlogin)sql";

constexpr std::string_view kTables = R"sql(
SELECT n.nspname AS schemaname, c.relname AS tablename, pg_catalog.pg_get_userbyid(c.relowner) AS tableowner,
       t.spcname AS tablespace, c.relhasindex AS hasindexes, c.relhasrules AS hasrules, c.relhastriggers
         AS hastriggers,
       c.relrowsecurity AS rowsecurity
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace
WHERE c.relkind IN ('r', 'p'))sql";

constexpr std::string_view kViews = R"sql(
SELECT n.nspname AS schemaname, c.relname AS viewname, pg_catalog.pg_get_userbyid(c.relowner) AS viewowner,
       pg_catalog.pg_get_viewdef(c.oid) AS definition
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v')sql";

constexpr std::string_view kMaterializedViews = R"sql(
SELECT n.nspname AS schemaname, c.relname AS matviewname, pg_catalog.pg_get_userbyid(c.relowner) AS matviewowner,
       t.spcname AS tablespace, c.relhasindex AS hasindexes, c.relispopulated AS ispopulated,
       pg_catalog.pg_get_viewdef(c.oid) AS definition
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace
WHERE c.relkind = 'm')sql";

constexpr std::string_view kIndexes = R"sql(
SELECT n.nspname AS schemaname, c.relname AS tablename, i.relname AS indexname, t.spcname AS tablespace,
       pg_catalog.pg_get_indexdef(i.oid) AS indexdef
FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
     JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = i.reltablespace
WHERE c.relkind IN ('r', 'm', 'p') AND i.relkind IN ('i', 'I'))sql";

constexpr std::string_view kSequences = R"sql(
SELECT n.nspname AS schemaname, c.relname AS sequencename, pg_catalog.pg_get_userbyid(c.relowner) AS sequenceowner,
       s.seqtypid::regtype AS data_type, s.seqstart AS start_value, s.seqmin AS min_value, s.seqmax AS max_value,
       s.seqincrement AS increment_by, s.seqcycle AS cycle, s.seqcache AS cache_size,
       pg_catalog.pg_sequence_last_value(c.oid) AS last_value
FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace)sql";

constexpr std::string_view kStatUserTables = R"sql(
SELECT * FROM pg_catalog.pg_stat_all_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'pando'))sql";

// --- information_schema ---

constexpr std::string_view kSchemataColumns =
    "catalog_name:19,schema_name:19,schema_owner:19,default_character_set_catalog:19,default_character_set_schema:19,"
    "default_character_set_name:19,sql_path:25";
constexpr std::string_view kSchemata = R"sql(
SELECT pg_catalog.current_database() AS catalog_name, nspname AS schema_name,
         pg_catalog.pg_get_userbyid(nspowner) AS schema_owner,
       NULL::name AS default_character_set_catalog, NULL::name AS default_character_set_schema,
       NULL::name AS default_character_set_name, NULL::text AS sql_path
FROM pg_catalog.pg_namespace)sql";

constexpr std::string_view kInfoTablesColumns =
    "table_catalog:19,table_schema:19,table_name:19,table_type:25,self_referencing_column_name:19,"
    "reference_generation:25,user_defined_type_catalog:19,user_defined_type_schema:19,user_defined_type_name:19,"
    "is_insertable_into:25,is_typed:25,commit_action:25";
constexpr std::string_view kInfoTables = R"sql(
SELECT pg_catalog.current_database() AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,
       CASE WHEN c.relpersistence = 't' THEN 'LOCAL TEMPORARY' WHEN c.relkind = 'r' THEN 'BASE TABLE'
         ELSE 'VIEW' END AS table_type,
       NULL::name AS self_referencing_column_name, NULL::text AS reference_generation,
       NULL::name AS user_defined_type_catalog, NULL::name AS user_defined_type_schema,
       NULL::name AS user_defined_type_name,
       CASE WHEN c.relkind = 'r' OR (c.relkind = 'v' AND pg_catalog.pg_relation_is_updatable(c.oid, false) & 8 = 8)
         THEN 'YES' ELSE 'NO' END AS is_insertable_into,
       'NO'::text AS is_typed, NULL::text AS commit_action
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v'))sql";

constexpr std::string_view kColumnsColumns =
    "table_catalog:19,table_schema:19,table_name:19,column_name:19,ordinal_position:23,column_default:25,"
    "is_nullable:25,data_type:25,character_maximum_length:23,character_octet_length:23,numeric_precision:23,"
    "numeric_precision_radix:23,numeric_scale:23,datetime_precision:23,interval_type:25,interval_precision:23,"
    "character_set_catalog:19,character_set_schema:19,character_set_name:19,collation_catalog:19,collation_schema:19,"
    "collation_name:19,domain_catalog:19,domain_schema:19,domain_name:19,udt_catalog:19,udt_schema:19,udt_name:19,"
    "scope_catalog:19,scope_schema:19,scope_name:19,maximum_cardinality:23,dtd_identifier:19,"
    "is_self_referencing:25,is_identity:25,identity_generation:25,identity_start:25,identity_increment:25,"
    "identity_maximum:25,identity_minimum:25,identity_cycle:25,is_generated:25,generation_expression:25,"
    "is_updatable:25";
constexpr std::string_view kColumns = R"sql(
SELECT pg_catalog.current_database() AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,
       a.attname AS column_name, a.attnum::int4 AS ordinal_position,
       CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END AS column_default,
       CASE WHEN a.attnotnull THEN 'NO' ELSE 'YES' END AS is_nullable,
       CASE WHEN t.typtype = 'd' THEN CASE WHEN bt.typelem <> 0 AND bt.typlen = -1 THEN 'ARRAY'
              WHEN bt.typnamespace = 11 THEN pg_catalog.format_type(t.typbasetype, NULL) ELSE 'USER-DEFINED' END
            WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY'
            WHEN t.typnamespace = 11 THEN pg_catalog.format_type(a.atttypid, NULL) ELSE 'USER-DEFINED' END
         AS data_type,
       CASE WHEN COALESCE(bt.oid, t.oid) IN (1042, 1043) AND GREATEST(a.atttypmod, t.typtypmod) <> -1
            THEN GREATEST(a.atttypmod, t.typtypmod) - 4 END AS character_maximum_length,
       CASE WHEN COALESCE(bt.oid, t.oid) IN (1042, 1043) AND GREATEST(a.atttypmod, t.typtypmod) <> -1
            THEN (GREATEST(a.atttypmod, t.typtypmod) - 4) * 4
            WHEN COALESCE(bt.oid, t.oid) IN (25, 1042, 1043) THEN 1073741824 END AS character_octet_length,
       CASE COALESCE(bt.oid, t.oid) WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53
            WHEN 1700 THEN CASE WHEN GREATEST(a.atttypmod, t.typtypmod) <> -1
              THEN ((GREATEST(a.atttypmod, t.typtypmod) - 4) >> 16) & 65535 END END AS numeric_precision,
       CASE WHEN COALESCE(bt.oid, t.oid) IN (21, 23, 20, 700, 701) THEN 2
            WHEN COALESCE(bt.oid, t.oid) = 1700 THEN 10 END AS numeric_precision_radix,
       CASE WHEN COALESCE(bt.oid, t.oid) IN (21, 23, 20) THEN 0
            WHEN COALESCE(bt.oid, t.oid) = 1700 AND GREATEST(a.atttypmod, t.typtypmod) <> -1
            THEN (GREATEST(a.atttypmod, t.typtypmod) - 4) & 2047 END AS numeric_scale,
       CASE WHEN COALESCE(bt.oid, t.oid) = 1082 THEN 0
            WHEN COALESCE(bt.oid, t.oid) IN (1083, 1114, 1184, 1266)
            THEN CASE WHEN GREATEST(a.atttypmod, t.typtypmod) < 0 THEN 6 ELSE GREATEST(a.atttypmod, t.typtypmod) END
            WHEN COALESCE(bt.oid, t.oid) = 1186
            THEN CASE WHEN GREATEST(a.atttypmod, t.typtypmod) < 0
                   OR GREATEST(a.atttypmod, t.typtypmod) & 65535 = 65535 THEN 6
                 ELSE GREATEST(a.atttypmod, t.typtypmod) & 65535 END
       END AS datetime_precision,
       NULL::text AS interval_type, NULL::int4 AS interval_precision, NULL::name AS character_set_catalog,
       NULL::name AS character_set_schema, NULL::name AS character_set_name, NULL::name AS collation_catalog,
       NULL::name AS collation_schema, NULL::name AS collation_name,
       CASE WHEN t.typtype = 'd' THEN pg_catalog.current_database() END AS domain_catalog,
       CASE WHEN t.typtype = 'd' THEN tn.nspname END AS domain_schema,
       CASE WHEN t.typtype = 'd' THEN t.typname END AS domain_name, pg_catalog.current_database() AS udt_catalog,
       COALESCE(btn.nspname, tn.nspname) AS udt_schema, COALESCE(bt.typname, t.typname) AS udt_name,
       NULL::name AS scope_catalog, NULL::name AS scope_schema,
       NULL::name AS scope_name, NULL::int4 AS maximum_cardinality, a.attnum::text::name AS dtd_identifier,
       'NO'::text AS is_self_referencing, CASE WHEN a.attidentity IN ('a', 'd') THEN 'YES' ELSE 'NO' END
         AS is_identity,
       CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END AS identity_generation,
       s.seqstart::text AS identity_start, s.seqincrement::text AS identity_increment,
       s.seqmax::text AS identity_maximum, s.seqmin::text AS identity_minimum,
       CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END AS identity_cycle,
       CASE WHEN a.attgenerated <> '' THEN 'ALWAYS' ELSE 'NEVER' END AS is_generated,
       CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END AS generation_expression,
       CASE WHEN c.relkind = 'r' OR (c.relkind = 'v' AND pg_catalog.pg_column_is_updatable(c.oid, a.attnum, false))
         THEN 'YES' ELSE 'NO' END AS is_updatable
FROM pg_catalog.pg_attribute a
     JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
     JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
     LEFT JOIN (pg_catalog.pg_type bt JOIN pg_catalog.pg_namespace btn ON btn.oid = bt.typnamespace)
         ON t.typtype = 'd' AND bt.oid = t.typbasetype
     LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     LEFT JOIN pg_catalog.pg_depend dep ON dep.refobjid = a.attrelid AND dep.refobjsubid = a.attnum
         AND dep.deptype = 'i'
     LEFT JOIN pg_catalog.pg_sequence s ON s.seqrelid = dep.objid
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v'))sql";

constexpr std::string_view kInfoViewsColumns =
    "table_catalog:19,table_schema:19,table_name:19,view_definition:25,check_option:25,is_updatable:25,"
    "is_insertable_into:25,is_trigger_updatable:25,is_trigger_deletable:25,is_trigger_insertable_into:25";
constexpr std::string_view kInfoViews = R"sql(
SELECT pg_catalog.current_database() AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,
       pg_catalog.pg_get_viewdef(c.oid) AS view_definition,
       CASE WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED'
            WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL' ELSE 'NONE' END AS check_option,
       CASE WHEN pg_catalog.pg_relation_is_updatable(c.oid, false) & 20 = 20 THEN 'YES' ELSE 'NO' END AS is_updatable,
       CASE WHEN pg_catalog.pg_relation_is_updatable(c.oid, false) & 8 = 8 THEN 'YES' ELSE 'NO' END
         AS is_insertable_into, 'NO'::text AS is_trigger_updatable, 'NO'::text AS is_trigger_deletable,
       'NO'::text AS is_trigger_insertable_into
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v')sql";

constexpr std::string_view kTableConstraintsColumns =
    "constraint_catalog:19,constraint_schema:19,constraint_name:19,table_catalog:19,table_schema:19,table_name:19,"
    "constraint_type:25,is_deferrable:25,initially_deferred:25,enforced:25,nulls_distinct:25";
constexpr std::string_view kTableConstraints = R"sql(
SELECT pg_catalog.current_database() AS constraint_catalog, nc.nspname AS constraint_schema, co.conname
         AS constraint_name,
       pg_catalog.current_database() AS table_catalog, nr.nspname AS table_schema, r.relname AS table_name,
       CASE co.contype WHEN 'c' THEN 'CHECK' WHEN 'f' THEN 'FOREIGN KEY' WHEN 'p' THEN 'PRIMARY KEY'
         WHEN 'u' THEN 'UNIQUE' END AS constraint_type,
       CASE WHEN co.condeferrable THEN 'YES' ELSE 'NO' END AS is_deferrable,
       CASE WHEN co.condeferred THEN 'YES' ELSE 'NO' END AS initially_deferred, 'YES'::text AS enforced,
       CASE WHEN co.contype = 'u' THEN CASE WHEN i.indnullsnotdistinct THEN 'NO' ELSE 'YES' END END AS nulls_distinct
FROM pg_catalog.pg_constraint co
     JOIN pg_catalog.pg_namespace nc ON nc.oid = co.connamespace
     JOIN pg_catalog.pg_class r ON r.oid = co.conrelid
     JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace
     LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = co.conindid AND co.contype = 'u'
UNION ALL
SELECT pg_catalog.current_database(), nr.nspname,
       (nr.oid::text || '_' || r.oid::text || '_' || a.attnum::text || '_not_null')::name,
       pg_catalog.current_database(), nr.nspname, r.relname, 'CHECK', 'NO', 'NO', 'YES', NULL
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class r ON r.oid = a.attrelid
     JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace
WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND r.relkind = 'r')sql";

constexpr std::string_view kKeyColumnUsageColumns =
    "constraint_catalog:19,constraint_schema:19,constraint_name:19,table_catalog:19,table_schema:19,table_name:19,"
    "column_name:19,ordinal_position:23,position_in_unique_constraint:23";
constexpr std::string_view kKeyColumnUsage = R"sql(
SELECT pg_catalog.current_database() AS constraint_catalog, nc.nspname AS constraint_schema, co.conname
         AS constraint_name,
       pg_catalog.current_database() AS table_catalog, nr.nspname AS table_schema, r.relname AS table_name,
       a.attname AS column_name, k.position::int4 AS ordinal_position,
       CASE WHEN co.contype = 'f' THEN pg_catalog.array_position(i.indkey::int2[],
         co.confkey[k.position::int4])::int4 + 1 END
         AS position_in_unique_constraint
FROM pg_catalog.pg_constraint co
     CROSS JOIN LATERAL unnest(co.conkey) WITH ORDINALITY AS k(attribute, position)
     JOIN pg_catalog.pg_namespace nc ON nc.oid = co.connamespace
     JOIN pg_catalog.pg_class r ON r.oid = co.conrelid
     JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace
     JOIN pg_catalog.pg_attribute a ON a.attrelid = co.conrelid AND a.attnum = k.attribute
     LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = co.conindid
WHERE co.contype IN ('p', 'u', 'f'))sql";

constexpr std::string_view kConstraintColumnUsageColumns =
    "table_catalog:19,table_schema:19,table_name:19,column_name:19,constraint_catalog:19,constraint_schema:19,"
    "constraint_name:19";
constexpr std::string_view kConstraintColumnUsage = R"sql(
SELECT DISTINCT pg_catalog.current_database() AS table_catalog, nr.nspname AS table_schema, r.relname AS table_name,
       a.attname AS column_name, pg_catalog.current_database() AS constraint_catalog, nc.nspname AS constraint_schema,
       co.conname AS constraint_name
FROM pg_catalog.pg_constraint co
     JOIN pg_catalog.pg_namespace nc ON nc.oid = co.connamespace
     JOIN pg_catalog.pg_class r ON r.oid = CASE co.contype WHEN 'f' THEN co.confrelid ELSE co.conrelid END
     JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace
     JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid
       AND a.attnum = ANY (CASE co.contype WHEN 'f' THEN co.confkey ELSE co.conkey END))sql";

constexpr std::string_view kReferentialConstraintsColumns =
    "constraint_catalog:19,constraint_schema:19,constraint_name:19,unique_constraint_catalog:19,"
    "unique_constraint_schema:19,unique_constraint_name:19,match_option:25,update_rule:25,delete_rule:25";
constexpr std::string_view kReferentialConstraints = R"sql(
SELECT pg_catalog.current_database() AS constraint_catalog, nc.nspname AS constraint_schema, co.conname
         AS constraint_name,
       pg_catalog.current_database() AS unique_constraint_catalog, nu.nspname AS unique_constraint_schema,
       u.conname AS unique_constraint_name,
       CASE co.confmatchtype WHEN 'f' THEN 'FULL' ELSE 'NONE' END AS match_option,
       CASE co.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
         WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END AS update_rule,
       CASE co.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
         WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END AS delete_rule
FROM pg_catalog.pg_constraint co
     JOIN pg_catalog.pg_namespace nc ON nc.oid = co.connamespace
     LEFT JOIN pg_catalog.pg_constraint u ON u.conindid = co.conindid AND u.contype IN ('p', 'u')
     LEFT JOIN pg_catalog.pg_namespace nu ON nu.oid = u.connamespace
WHERE co.contype = 'f')sql";

constexpr std::string_view kCheckConstraintsColumns =
    "constraint_catalog:19,constraint_schema:19,constraint_name:19,check_clause:25";
constexpr std::string_view kCheckConstraints = R"sql(
SELECT pg_catalog.current_database() AS constraint_catalog, nc.nspname AS constraint_schema, co.conname
         AS constraint_name,
       co.conbin::text AS check_clause
FROM pg_catalog.pg_constraint co JOIN pg_catalog.pg_namespace nc ON nc.oid = co.connamespace
WHERE co.contype = 'c'
UNION ALL
SELECT pg_catalog.current_database(), n.nspname,
       (n.oid::text || '_' || r.oid::text || '_' || a.attnum::text || '_not_null')::name,
       (a.attname || ' IS NOT NULL')::text
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class r ON r.oid = a.attrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND r.relkind = 'r')sql";

constexpr std::string_view kInfoSequencesColumns =
    "sequence_catalog:19,sequence_schema:19,sequence_name:19,data_type:25,numeric_precision:23,"
    "numeric_precision_radix:23,numeric_scale:23,start_value:25,minimum_value:25,maximum_value:25,increment:25,"
    "cycle_option:25";
constexpr std::string_view kInfoSequences = R"sql(
SELECT pg_catalog.current_database() AS sequence_catalog, n.nspname AS sequence_schema, c.relname AS sequence_name,
       pg_catalog.format_type(s.seqtypid, NULL) AS data_type,
       CASE s.seqtypid WHEN 21 THEN 16 WHEN 23 THEN 32 ELSE 64 END AS numeric_precision,
       2 AS numeric_precision_radix, 0 AS numeric_scale, s.seqstart::text AS start_value, s.seqmin::text
         AS minimum_value,
       s.seqmax::text AS maximum_value, s.seqincrement::text AS increment,
       CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END AS cycle_option
FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace)sql";

constexpr std::array kSystemViews = {
    SystemView{kPgCatalogSchema, "pg_roles", "", kRoles},
    SystemView{kPgCatalogSchema, "pg_shadow", "", kShadow},
    SystemView{kPgCatalogSchema, "pg_user", "", kUser},
    SystemView{kPgCatalogSchema, "pg_group", "", kGroup},
    SystemView{kPgCatalogSchema, "pg_tables", "", kTables},
    SystemView{kPgCatalogSchema, "pg_views", "", kViews},
    SystemView{kPgCatalogSchema, "pg_matviews", "", kMaterializedViews},
    SystemView{kPgCatalogSchema, "pg_indexes", "", kIndexes},
    SystemView{kPgCatalogSchema, "pg_sequences", "", kSequences},
    SystemView{kPgCatalogSchema, "pg_stat_user_tables", "", kStatUserTables},
    SystemView{kInformationSchema, "schemata", kSchemataColumns, kSchemata},
    SystemView{kInformationSchema, "tables", kInfoTablesColumns, kInfoTables},
    SystemView{kInformationSchema, "columns", kColumnsColumns, kColumns},
    SystemView{kInformationSchema, "views", kInfoViewsColumns, kInfoViews},
    SystemView{kInformationSchema, "table_constraints", kTableConstraintsColumns, kTableConstraints},
    SystemView{kInformationSchema, "key_column_usage", kKeyColumnUsageColumns, kKeyColumnUsage},
    SystemView{kInformationSchema, "constraint_column_usage", kConstraintColumnUsageColumns, kConstraintColumnUsage},
    SystemView{kInformationSchema, "referential_constraints", kReferentialConstraintsColumns, kReferentialConstraints},
    SystemView{kInformationSchema, "check_constraints", kCheckConstraintsColumns, kCheckConstraints},
    SystemView{kInformationSchema, "sequences", kInfoSequencesColumns, kInfoSequences},
    SystemView{kPandoSchema, "settings", "name:25,setting:25,unit:25,short_desc:25,context:25,source:25",
               "SELECT name, setting, unit, short_desc, context, source FROM pg_catalog.pg_settings"},
};

}  // namespace

std::span<const SystemView> system_views() { return kSystemViews; }

}  // namespace pando::catalog
