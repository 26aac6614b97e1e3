// The views of information_schema that list privileges, routines, types of columns and the like, and those that are
// empty for want of what they list.

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "catalog/system_views.h"

namespace pando::catalog {
namespace {

// A view as its columns, how those that are not NULL are computed, and the rest of the query.
struct Definition {
  std::string_view name;
  // "name:type oid,...": 19 name, 23 int4, 25 text, 1184 timestamptz.
  std::string_view columns;
  std::vector<std::pair<std::string_view, std::string_view>> expressions;
  std::string_view from;
};

// What a type and its modifier say, of `b` in pg_type and t.typtypmod.
constexpr std::string_view kDataType =
    "CASE WHEN b.typelem <> 0 AND b.typlen = -1 THEN 'ARRAY' WHEN bn.nspname = 'pg_catalog' THEN "
    "pg_catalog.format_type(b.oid, NULL) ELSE 'USER-DEFINED' END";
constexpr std::string_view kCharacterLength =
    "CASE WHEN b.oid IN (1042, 1043) AND t.typtypmod <> -1 THEN t.typtypmod - 4 END";
constexpr std::string_view kOctetLength =
    R"sql(CASE WHEN b.oid IN (1042, 1043) AND t.typtypmod <> -1 THEN (t.typtypmod - 4) * 4
            WHEN b.oid IN (25, 1042, 1043) THEN 1073741824 END)sql";
constexpr std::string_view kNumericPrecision =
    R"sql(CASE b.oid WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53
            WHEN 1700 THEN CASE WHEN t.typtypmod <> -1 THEN ((t.typtypmod - 4) >> 16) & 65535 END END)sql";
constexpr std::string_view kNumericRadix =
    "CASE WHEN b.oid IN (21, 23, 20, 700, 701) THEN 2 WHEN b.oid = 1700 THEN 10 END";
constexpr std::string_view kNumericScale = R"sql(CASE WHEN b.oid IN (21, 23, 20) THEN 0
            WHEN b.oid = 1700 AND t.typtypmod <> -1 THEN (t.typtypmod - 4) & 2047 END)sql";
constexpr std::string_view kDatetimePrecision = R"sql(CASE WHEN b.oid = 1082 THEN 0
            WHEN b.oid IN (1083, 1114, 1184, 1266) THEN CASE WHEN t.typtypmod < 0 THEN 6 ELSE t.typtypmod END
            WHEN b.oid = 1186 THEN CASE WHEN t.typtypmod < 0 OR t.typtypmod & 65535 = 65535 THEN 6
              ELSE t.typtypmod & 65535 END END)sql";

const std::vector<Definition>& definitions() {
  static const std::vector<Definition> kDefinitions = {
      {"administrable_role_authorizations",
       "grantee:19,role_name:19,is_grantable:25",
       {{"grantee", "grantee"}, {"role_name", "role_name"}, {"is_grantable", "is_grantable"}},
       R"sql(FROM information_schema.applicable_roles WHERE is_grantable = 'YES')sql"},
      {"applicable_roles",
       "grantee:19,role_name:19,is_grantable:25",
       {{"grantee", "m.rolname"},
        {"role_name", "r.rolname"},
        {"is_grantable", "CASE WHEN a.admin_option THEN 'YES' ELSE 'NO' END"}},
       R"sql(FROM pg_catalog.pg_auth_members a JOIN pg_catalog.pg_authid m ON m.oid = a.member
     JOIN pg_catalog.pg_authid r ON r.oid = a.roleid
WHERE pg_catalog.pg_has_role(a.member, 'USAGE'))sql"},
      {"attributes",
       "udt_catalog:19,udt_schema:19,udt_name:19,attribute_name:19,ordinal_position:23,attribute_default:25,"
       "is_nullable:25,data_type:25,character_maximum_length:23,character_octet_length:23,character_set_catalog:19,"
       "character_set_schema:19,character_set_name:19,collation_catalog:19,collation_schema:19,collation_name:19,"
       "numeric_precision:23,numeric_precision_radix:23,numeric_scale:23,datetime_precision:23,interval_type:25,"
       "interval_precision:23,attribute_udt_catalog:19,attribute_udt_schema:19,attribute_udt_name:19,"
       "scope_catalog:19,scope_schema:19,scope_name:19,maximum_cardinality:23,dtd_identifier:19,"
       "is_derived_reference_attribute:25",
       {{"udt_catalog", "pg_catalog.current_database()"},
        {"udt_schema", "n.nspname"},
        {"udt_name", "t.relname"},
        {"attribute_name", "t.attname"},
        {"ordinal_position", "t.attnum"},
        {"is_nullable", "CASE WHEN b.typtype = 'd' AND b.typnotnull THEN 'NO' ELSE 'YES' END"},
        {"data_type", kDataType},
        {"character_maximum_length", kCharacterLength},
        {"character_octet_length", kOctetLength},
        {"numeric_precision", kNumericPrecision},
        {"numeric_precision_radix", kNumericRadix},
        {"numeric_scale", kNumericScale},
        {"datetime_precision", kDatetimePrecision},
        {"attribute_udt_catalog", "pg_catalog.current_database()"},
        {"attribute_udt_schema", "bn.nspname"},
        {"attribute_udt_name", "b.typname"},
        {"dtd_identifier", "t.attnum::text"},
        {"is_derived_reference_attribute", "'NO'"}},
       R"sql(FROM (SELECT c.relnamespace, c.relname, a.attname, a.attnum, a.atttypid, a.atttypmod AS typtypmod
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
      WHERE c.relkind = 'c' AND a.attnum > 0 AND NOT a.attisdropped) t
     JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
     JOIN pg_catalog.pg_type b ON b.oid = t.atttypid JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace)sql"},
      {"character_sets",
       "character_set_catalog:19,character_set_schema:19,character_set_name:19,character_repertoire:19,"
       "form_of_use:19,default_collate_catalog:19,default_collate_schema:19,default_collate_name:19",
       {{"character_set_name", "pg_catalog.pg_encoding_to_char(encoding)"},
        {"character_repertoire", "'UCS'"},
        {"form_of_use", "pg_catalog.pg_encoding_to_char(encoding)"},
        {"default_collate_catalog", "pg_catalog.current_database()"}},
       R"sql(FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())sql"},
      {"collation_character_set_applicability",
       "collation_catalog:19,collation_schema:19,collation_name:19,character_set_catalog:19,"
       "character_set_schema:19,character_set_name:19",
       {{"collation_catalog", "pg_catalog.current_database()"},
        {"collation_schema", "n.nspname"},
        {"collation_name", "c.collname"},
        {"character_set_name", "pg_catalog.pg_encoding_to_char(d.encoding)"}},
       R"sql(FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
     JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database())sql"},
      {"collations",
       "collation_catalog:19,collation_schema:19,collation_name:19,pad_attribute:25",
       {{"collation_catalog", "pg_catalog.current_database()"},
        {"collation_schema", "n.nspname"},
        {"collation_name", "c.collname"},
        {"pad_attribute", "'NO PAD'"}},
       R"sql(FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace)sql"},
      {"column_domain_usage",
       "domain_catalog:19,domain_schema:19,domain_name:19,table_catalog:19,table_schema:19,table_name:19,"
       "column_name:19",
       {{"domain_catalog", "pg_catalog.current_database()"},
        {"domain_schema", "tn.nspname"},
        {"domain_name", "t.typname"},
        {"table_catalog", "pg_catalog.current_database()"},
        {"table_schema", "n.nspname"},
        {"table_name", "c.relname"},
        {"column_name", "a.attname"}},
       R"sql(FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
     JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
WHERE t.typtype = 'd' AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v'))sql"},
      {"column_privileges",
       "grantor:19,grantee:19,table_catalog:19,table_schema:19,table_name:19,column_name:19,privilege_type:25,"
       "is_grantable:25",
       {{"grantor", "o.rolname"},
        {"grantee", "o.rolname"},
        {"table_catalog", "pg_catalog.current_database()"},
        {"table_schema", "n.nspname"},
        {"table_name", "c.relname"},
        {"column_name", "a.attname"},
        {"privilege_type", "p.privilege"},
        {"is_grantable", "'YES'"}},
       R"sql(FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_authid o ON o.oid = c.relowner
     CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) AS p(privilege)
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v'))sql"},
      {"column_udt_usage",
       "udt_catalog:19,udt_schema:19,udt_name:19,table_catalog:19,table_schema:19,table_name:19,column_name:19",
       {{"udt_catalog", "pg_catalog.current_database()"},
        {"udt_schema", "COALESCE(bn.nspname, tn.nspname)"},
        {"udt_name", "COALESCE(b.typname, t.typname)"},
        {"table_catalog", "pg_catalog.current_database()"},
        {"table_schema", "n.nspname"},
        {"table_name", "c.relname"},
        {"column_name", "a.attname"}},
       R"sql(FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
     JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
     LEFT JOIN (pg_catalog.pg_type b JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace)
       ON t.typtype = 'd' AND b.oid = t.typbasetype
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v'))sql"},
      {"constraint_table_usage",
       "table_catalog:19,table_schema:19,table_name:19,constraint_catalog:19,constraint_schema:19,"
       "constraint_name:19",
       {{"table_catalog", "pg_catalog.current_database()"},
        {"table_schema", "n.nspname"},
        {"table_name", "c.relname"},
        {"constraint_catalog", "pg_catalog.current_database()"},
        {"constraint_schema", "nc.nspname"},
        {"constraint_name", "o.conname"}},
       R"sql(FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_namespace nc ON nc.oid = o.connamespace
     JOIN pg_catalog.pg_class c ON c.oid = CASE o.contype WHEN 'f' THEN o.confrelid ELSE o.conrelid END
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE o.contype IN ('f', 'p', 'u') AND c.relkind = 'r')sql"},
      {"data_type_privileges",
       "object_catalog:19,object_schema:19,object_name:19,object_type:25,dtd_identifier:19",
       {{"object_catalog", "pg_catalog.current_database()"},
        {"object_schema", "x.schema"},
        {"object_name", "x.name"},
        {"object_type", "x.kind"},
        {"dtd_identifier", "x.identifier"}},
       R"sql(FROM (SELECT table_schema AS schema, table_name AS name, 'TABLE' AS kind, dtd_identifier AS identifier
      FROM information_schema.columns
      UNION ALL
      SELECT domain_schema, domain_name, 'DOMAIN', dtd_identifier FROM information_schema.domains
      UNION ALL
      SELECT specific_schema, specific_name, 'ROUTINE', dtd_identifier FROM information_schema.parameters
      UNION ALL
      SELECT specific_schema, specific_name, 'ROUTINE', dtd_identifier FROM information_schema.routines) x)sql"},
      {"domain_constraints",
       "constraint_catalog:19,constraint_schema:19,constraint_name:19,domain_catalog:19,domain_schema:19,"
       "domain_name:19,is_deferrable:25,initially_deferred:25",
       {{"constraint_catalog", "pg_catalog.current_database()"},
        {"constraint_schema", "n.nspname"},
        {"constraint_name", "o.conname"},
        {"domain_catalog", "pg_catalog.current_database()"},
        {"domain_schema", "n.nspname"},
        {"domain_name", "t.typname"},
        {"is_deferrable", "CASE WHEN o.condeferrable THEN 'YES' ELSE 'NO' END"},
        {"initially_deferred", "CASE WHEN o.condeferred THEN 'YES' ELSE 'NO' END"}},
       R"sql(FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_type t ON t.oid = o.contypid
     JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace)sql"},
      {"domain_udt_usage",
       "udt_catalog:19,udt_schema:19,udt_name:19,domain_catalog:19,domain_schema:19,domain_name:19",
       {{"udt_catalog", "pg_catalog.current_database()"},
        {"udt_schema", "bn.nspname"},
        {"udt_name", "b.typname"},
        {"domain_catalog", "pg_catalog.current_database()"},
        {"domain_schema", "n.nspname"},
        {"domain_name", "t.typname"}},
       R"sql(FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
     JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
WHERE t.typtype = 'd')sql"},
      {"domains",
       "domain_catalog:19,domain_schema:19,domain_name:19,data_type:25,character_maximum_length:23,"
       "character_octet_length:23,character_set_catalog:19,character_set_schema:19,character_set_name:19,"
       "collation_catalog:19,collation_schema:19,collation_name:19,numeric_precision:23,"
       "numeric_precision_radix:23,numeric_scale:23,datetime_precision:23,interval_type:25,"
       "interval_precision:23,domain_default:25,udt_catalog:19,udt_schema:19,udt_name:19,scope_catalog:19,"
       "scope_schema:19,scope_name:19,maximum_cardinality:23,dtd_identifier:19",
       {{"domain_catalog", "pg_catalog.current_database()"},
        {"domain_schema", "n.nspname"},
        {"domain_name", "t.typname"},
        {"data_type", kDataType},
        {"character_maximum_length", kCharacterLength},
        {"character_octet_length", kOctetLength},
        {"numeric_precision", kNumericPrecision},
        {"numeric_precision_radix", kNumericRadix},
        {"numeric_scale", kNumericScale},
        {"datetime_precision", kDatetimePrecision},
        {"domain_default", "t.typdefault"},
        {"udt_catalog", "pg_catalog.current_database()"},
        {"udt_schema", "bn.nspname"},
        {"udt_name", "b.typname"},
        {"dtd_identifier", "'1'"}},
       R"sql(FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
     JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
WHERE t.typtype = 'd')sql"},
      {"element_types",
       "object_catalog:19,object_schema:19,object_name:19,object_type:25,collection_type_identifier:19,"
       "data_type:25,character_maximum_length:23,character_octet_length:23,character_set_catalog:19,"
       "character_set_schema:19,character_set_name:19,collation_catalog:19,collation_schema:19,"
       "collation_name:19,numeric_precision:23,numeric_precision_radix:23,numeric_scale:23,"
       "datetime_precision:23,interval_type:25,interval_precision:23,domain_default:25,udt_catalog:19,"
       "udt_schema:19,udt_name:19,scope_catalog:19,scope_schema:19,scope_name:19,maximum_cardinality:23,"
       "dtd_identifier:19",
       {{"object_catalog", "pg_catalog.current_database()"},
        {"object_schema", "n.nspname"},
        {"object_name", "x.name"},
        {"object_type", "x.kind"},
        {"collection_type_identifier", "x.position::text"},
        {"data_type",
         "CASE bn.nspname WHEN 'pg_catalog' THEN pg_catalog.format_type(b.oid, NULL) ELSE 'USER-DEFINED' END"},
        {"udt_catalog", "pg_catalog.current_database()"},
        {"udt_schema", "bn.nspname"},
        {"udt_name", "b.typname"},
        {"dtd_identifier", "'a' || x.position::text"}},
       R"sql(FROM (SELECT c.relnamespace AS schema, c.relname AS name, 'TABLE' AS kind, a.attnum::int4 AS position,
             a.atttypid AS type
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
      WHERE c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL
      SELECT typnamespace, typname, 'DOMAIN', 1, typbasetype FROM pg_catalog.pg_type WHERE typtype = 'd'
      UNION ALL
      SELECT pronamespace, (proname || '_' || oid::text)::name, 'ROUTINE', 0, prorettype FROM pg_catalog.pg_proc
      UNION ALL
      SELECT pronamespace, (proname || '_' || p.oid::text)::name, 'ROUTINE', y.position::int4, y.type
      FROM pg_catalog.pg_proc p
           CROSS JOIN LATERAL unnest(COALESCE(proallargtypes, proargtypes::oid[]))
             WITH ORDINALITY AS y(type, position)) x
     JOIN pg_catalog.pg_namespace n ON n.oid = x.schema
     JOIN pg_catalog.pg_type t ON t.oid = x.type AND t.typelem <> 0 AND t.typlen = -1
     JOIN pg_catalog.pg_type b ON b.oid = t.typelem JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace)sql"},
      {"enabled_roles",
       "role_name:19",
       {{"role_name", "rolname"}},
       R"sql(FROM pg_catalog.pg_authid WHERE pg_catalog.pg_has_role(oid, 'USAGE'))sql"},
      {"information_schema_catalog_name", "catalog_name:19", {{"catalog_name", "pg_catalog.current_database()"}}, ""},
      {"parameters",
       "specific_catalog:19,specific_schema:19,specific_name:19,ordinal_position:23,parameter_mode:25,"
       "is_result:25,as_locator:25,parameter_name:19,data_type:25,character_maximum_length:23,"
       "character_octet_length:23,character_set_catalog:19,character_set_schema:19,character_set_name:19,"
       "collation_catalog:19,collation_schema:19,collation_name:19,numeric_precision:23,"
       "numeric_precision_radix:23,numeric_scale:23,datetime_precision:23,interval_type:25,"
       "interval_precision:23,udt_catalog:19,udt_schema:19,udt_name:19,scope_catalog:19,scope_schema:19,"
       "scope_name:19,maximum_cardinality:23,dtd_identifier:19,parameter_default:25",
       {{"specific_catalog", "pg_catalog.current_database()"},
        {"specific_schema", "n.nspname"},
        {"specific_name", "p.proname || '_' || p.oid::text"},
        {"ordinal_position", "x.position"},
        {"parameter_mode",
         "CASE p.proargmodes[x.position::int4] WHEN 'o' THEN 'OUT' WHEN 't' THEN 'OUT' WHEN 'b' THEN 'INOUT' ELSE 'IN' "
         "END"},
        {"is_result", "'NO'"},
        {"as_locator", "'NO'"},
        {"parameter_name", "NULLIF(p.proargnames[x.position::int4], '')"},
        {"data_type",
         "CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY' WHEN tn.nspname = 'pg_catalog' THEN "
         "pg_catalog.format_type(t.oid, NULL) ELSE 'USER-DEFINED' END"},
        {"udt_catalog", "pg_catalog.current_database()"},
        {"udt_schema", "tn.nspname"},
        {"udt_name", "t.typname"},
        {"dtd_identifier", "x.position::text"},
        {"parameter_default", "pg_catalog.pg_get_function_arg_default(p.oid, x.position::int4)"}},
       R"sql(FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     CROSS JOIN LATERAL unnest(COALESCE(p.proallargtypes, p.proargtypes::oid[]))
       WITH ORDINALITY AS x(type, position)
     JOIN pg_catalog.pg_type t ON t.oid = x.type JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace)sql"},
      {"role_column_grants",
       "grantor:19,grantee:19,table_catalog:19,table_schema:19,table_name:19,column_name:19,privilege_type:25,"
       "is_grantable:25",
       {{"grantor", "o.rolname"},
        {"grantee", "o.rolname"},
        {"table_catalog", "pg_catalog.current_database()"},
        {"table_schema", "n.nspname"},
        {"table_name", "c.relname"},
        {"column_name", "a.attname"},
        {"privilege_type", "p.privilege"},
        {"is_grantable", "'YES'"}},
       R"sql(FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_authid o ON o.oid = c.relowner
     CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) AS p(privilege)
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v'))sql"},
      {"role_table_grants",
       "grantor:19,grantee:19,table_catalog:19,table_schema:19,table_name:19,privilege_type:25,is_grantable:25,"
       "with_hierarchy:25",
       {{"grantor", "o.rolname"},
        {"grantee", "o.rolname"},
        {"table_catalog", "pg_catalog.current_database()"},
        {"table_schema", "n.nspname"},
        {"table_name", "c.relname"},
        {"privilege_type", "p.privilege"},
        {"is_grantable", "'YES'"},
        {"with_hierarchy", "CASE p.privilege WHEN 'SELECT' THEN 'YES' ELSE 'NO' END"}},
       R"sql(FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_catalog.pg_authid o ON o.oid = c.relowner
     CROSS JOIN unnest(ARRAY['INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
       AS p(privilege)
WHERE c.relkind IN ('r', 'v'))sql"},
      {"role_usage_grants",
       "grantor:19,grantee:19,object_catalog:19,object_schema:19,object_name:19,object_type:25,"
       "privilege_type:25,is_grantable:25",
       {{"grantor", "o.rolname"},
        {"grantee", "CASE WHEN x.is_public THEN 'PUBLIC'::name ELSE o.rolname END"},
        {"object_catalog", "pg_catalog.current_database()"},
        {"object_schema", "n.nspname"},
        {"object_name", "x.name"},
        {"object_type", "x.kind"},
        {"privilege_type", "'USAGE'"},
        {"is_grantable", "CASE WHEN x.is_public THEN 'NO' ELSE 'YES' END"}},
       R"sql(FROM (SELECT t.typnamespace AS schema, t.typname AS name, 'DOMAIN' AS kind, t.typowner AS owner,
             false AS is_public
      FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
      UNION ALL
      SELECT t.typnamespace, t.typname, 'DOMAIN', t.typowner, true FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
      UNION ALL
      SELECT c.collnamespace, c.collname, 'COLLATION', c.collowner, true FROM pg_catalog.pg_collation c) x
     JOIN pg_catalog.pg_namespace n ON n.oid = x.schema JOIN pg_catalog.pg_authid o ON o.oid = x.owner
WHERE NOT x.is_public)sql"},
      {"routines",
       "specific_catalog:19,specific_schema:19,specific_name:19,routine_catalog:19,routine_schema:19,"
       "routine_name:19,routine_type:25,module_catalog:19,module_schema:19,module_name:19,udt_catalog:19,"
       "udt_schema:19,udt_name:19,data_type:25,character_maximum_length:23,character_octet_length:23,"
       "character_set_catalog:19,character_set_schema:19,character_set_name:19,collation_catalog:19,"
       "collation_schema:19,collation_name:19,numeric_precision:23,numeric_precision_radix:23,numeric_scale:23,"
       "datetime_precision:23,interval_type:25,interval_precision:23,type_udt_catalog:19,type_udt_schema:19,"
       "type_udt_name:19,scope_catalog:19,scope_schema:19,scope_name:19,maximum_cardinality:23,"
       "dtd_identifier:19,routine_body:25,routine_definition:25,external_name:25,external_language:25,"
       "parameter_style:25,is_deterministic:25,sql_data_access:25,is_null_call:25,sql_path:25,"
       "schema_level_routine:25,max_dynamic_result_sets:23,is_user_defined_cast:25,is_implicitly_invocable:25,"
       "security_type:25,to_sql_specific_catalog:19,to_sql_specific_schema:19,to_sql_specific_name:19,"
       "as_locator:25,created:1184,last_altered:1184,new_savepoint_level:25,is_udt_dependent:25,"
       "result_cast_from_data_type:25,result_cast_as_locator:25,result_cast_char_max_length:23,"
       "result_cast_char_octet_length:23,result_cast_char_set_catalog:19,result_cast_char_set_schema:19,"
       "result_cast_char_set_name:19,result_cast_collation_catalog:19,result_cast_collation_schema:19,"
       "result_cast_collation_name:19,result_cast_numeric_precision:23,result_cast_numeric_precision_radix:23,"
       "result_cast_numeric_scale:23,result_cast_datetime_precision:23,result_cast_interval_type:25,"
       "result_cast_interval_precision:23,result_cast_type_udt_catalog:19,result_cast_type_udt_schema:19,"
       "result_cast_type_udt_name:19,result_cast_scope_catalog:19,result_cast_scope_schema:19,"
       "result_cast_scope_name:19,result_cast_maximum_cardinality:23,result_cast_dtd_identifier:19",
       {{"specific_catalog", "pg_catalog.current_database()"},
        {"specific_schema", "n.nspname"},
        {"specific_name", "p.proname || '_' || p.oid::text"},
        {"routine_catalog", "pg_catalog.current_database()"},
        {"routine_schema", "n.nspname"},
        {"routine_name", "p.proname"},
        {"routine_type", "CASE p.prokind WHEN 'f' THEN 'FUNCTION' WHEN 'p' THEN 'PROCEDURE' END"},
        {"data_type",
         "CASE WHEN p.prokind <> 'p' THEN CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY' WHEN tn.nspname = "
         "'pg_catalog' THEN pg_catalog.format_type(t.oid, NULL) ELSE 'USER-DEFINED' END END"},
        {"type_udt_catalog", "CASE WHEN tn.nspname IS NOT NULL THEN pg_catalog.current_database() END"},
        {"type_udt_schema", "tn.nspname"},
        {"type_udt_name", "t.typname"},
        {"dtd_identifier", "CASE WHEN p.prokind <> 'p' THEN '0' END"},
        {"routine_body", "CASE l.lanname WHEN 'sql' THEN 'SQL' ELSE 'EXTERNAL' END"},
        {"routine_definition", "p.prosrc"},
        {"external_name", "CASE l.lanname WHEN 'c' THEN p.prosrc END"},
        {"external_language", "pg_catalog.upper(l.lanname)"},
        {"parameter_style", "'GENERAL'"},
        {"is_deterministic", "CASE p.provolatile WHEN 'i' THEN 'YES' ELSE 'NO' END"},
        {"sql_data_access", "'MODIFIES'"},
        {"is_null_call", "CASE WHEN p.prokind <> 'p' THEN CASE WHEN p.proisstrict THEN 'YES' ELSE 'NO' END END"},
        {"schema_level_routine", "'YES'"},
        {"max_dynamic_result_sets", "0"},
        {"security_type", "CASE WHEN p.prosecdef THEN 'DEFINER' ELSE 'INVOKER' END"},
        {"as_locator", "'NO'"},
        {"is_udt_dependent", "'NO'"}},
       R"sql(FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     JOIN pg_catalog.pg_language l ON l.oid = p.prolang
     LEFT JOIN (pg_catalog.pg_type t JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace)
       ON t.oid = p.prorettype AND p.prokind <> 'p')sql"},
      {"table_privileges",
       "grantor:19,grantee:19,table_catalog:19,table_schema:19,table_name:19,privilege_type:25,is_grantable:25,"
       "with_hierarchy:25",
       {{"grantor", "o.rolname"},
        {"grantee", "o.rolname"},
        {"table_catalog", "pg_catalog.current_database()"},
        {"table_schema", "n.nspname"},
        {"table_name", "c.relname"},
        {"privilege_type", "p.privilege"},
        {"is_grantable", "'YES'"},
        {"with_hierarchy", "CASE p.privilege WHEN 'SELECT' THEN 'YES' ELSE 'NO' END"}},
       R"sql(FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_catalog.pg_authid o ON o.oid = c.relowner
     CROSS JOIN unnest(ARRAY['INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
       AS p(privilege)
WHERE c.relkind IN ('r', 'v'))sql"},
      {"usage_privileges",
       "grantor:19,grantee:19,object_catalog:19,object_schema:19,object_name:19,object_type:25,"
       "privilege_type:25,is_grantable:25",
       {{"grantor", "o.rolname"},
        {"grantee", "CASE WHEN x.is_public THEN 'PUBLIC'::name ELSE o.rolname END"},
        {"object_catalog", "pg_catalog.current_database()"},
        {"object_schema", "n.nspname"},
        {"object_name", "x.name"},
        {"object_type", "x.kind"},
        {"privilege_type", "'USAGE'"},
        {"is_grantable", "CASE WHEN x.is_public THEN 'NO' ELSE 'YES' END"}},
       R"sql(FROM (SELECT t.typnamespace AS schema, t.typname AS name, 'DOMAIN' AS kind, t.typowner AS owner,
             false AS is_public
      FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
      UNION ALL
      SELECT t.typnamespace, t.typname, 'DOMAIN', t.typowner, true FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
      UNION ALL
      SELECT c.collnamespace, c.collname, 'COLLATION', c.collowner, true FROM pg_catalog.pg_collation c) x
     JOIN pg_catalog.pg_namespace n ON n.oid = x.schema JOIN pg_catalog.pg_authid o ON o.oid = x.owner)sql"},
      {"view_table_usage",
       "view_catalog:19,view_schema:19,view_name:19,table_catalog:19,table_schema:19,table_name:19",
       {{"view_catalog", "pg_catalog.current_database()"},
        {"view_schema", "vn.nspname"},
        {"view_name", "v.relname"},
        {"table_catalog", "pg_catalog.current_database()"},
        {"table_schema", "n.nspname"},
        {"table_name", "c.relname"}},
       R"sql(FROM (SELECT DISTINCT w.ev_class, d.refobjid
      FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
      WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
        AND d.refobjid <> w.ev_class) u
     JOIN pg_catalog.pg_class v ON v.oid = u.ev_class JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace
     JOIN pg_catalog.pg_class c ON c.oid = u.refobjid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE v.relkind = 'v' AND c.relkind IN ('r', 'v'))sql"},
      {"check_constraint_routine_usage",
       "constraint_catalog:19,constraint_schema:19,constraint_name:19,specific_catalog:19,specific_schema:19,"
       "specific_name:19",
       {},
       "WHERE false"},
      {"column_options",
       "table_catalog:19,table_schema:19,table_name:19,column_name:19,option_name:19,option_value:25",
       {},
       "WHERE false"},
      {"foreign_data_wrapper_options",
       "foreign_data_wrapper_catalog:19,foreign_data_wrapper_name:19,option_name:19,option_value:25",
       {},
       "WHERE false"},
      {"foreign_data_wrappers",
       "foreign_data_wrapper_catalog:19,foreign_data_wrapper_name:19,authorization_identifier:19,"
       "library_name:25,foreign_data_wrapper_language:25",
       {},
       "WHERE false"},
      {"foreign_server_options",
       "foreign_server_catalog:19,foreign_server_name:19,option_name:19,option_value:25",
       {},
       "WHERE false"},
      {"foreign_servers",
       "foreign_server_catalog:19,foreign_server_name:19,foreign_data_wrapper_catalog:19,"
       "foreign_data_wrapper_name:19,foreign_server_type:25,foreign_server_version:25,"
       "authorization_identifier:19",
       {},
       "WHERE false"},
      {"foreign_table_options",
       "foreign_table_catalog:19,foreign_table_schema:19,foreign_table_name:19,option_name:19,option_value:25",
       {},
       "WHERE false"},
      {"foreign_tables",
       "foreign_table_catalog:19,foreign_table_schema:19,foreign_table_name:19,foreign_server_catalog:19,"
       "foreign_server_name:19",
       {},
       "WHERE false"},
      {"routine_column_usage",
       "specific_catalog:19,specific_schema:19,specific_name:19,routine_catalog:19,routine_schema:19,"
       "routine_name:19,table_catalog:19,table_schema:19,table_name:19,column_name:19",
       {},
       "WHERE false"},
      {"routine_routine_usage",
       "specific_catalog:19,specific_schema:19,specific_name:19,routine_catalog:19,routine_schema:19,"
       "routine_name:19",
       {},
       "WHERE false"},
      {"routine_sequence_usage",
       "specific_catalog:19,specific_schema:19,specific_name:19,routine_catalog:19,routine_schema:19,"
       "routine_name:19,sequence_catalog:19,sequence_schema:19,sequence_name:19",
       {},
       "WHERE false"},
      {"routine_table_usage",
       "specific_catalog:19,specific_schema:19,specific_name:19,routine_catalog:19,routine_schema:19,"
       "routine_name:19,table_catalog:19,table_schema:19,table_name:19",
       {},
       "WHERE false"},
      {"transforms",
       "udt_catalog:19,udt_schema:19,udt_name:19,specific_catalog:19,specific_schema:19,specific_name:19,"
       "group_name:19,transform_type:25",
       {},
       "WHERE false"},
      {"triggered_update_columns",
       "trigger_catalog:19,trigger_schema:19,trigger_name:19,event_object_catalog:19,event_object_schema:19,"
       "event_object_table:19,event_object_column:19",
       {},
       "WHERE false"},
      {"triggers",
       "trigger_catalog:19,trigger_schema:19,trigger_name:19,event_manipulation:25,event_object_catalog:19,"
       "event_object_schema:19,event_object_table:19,action_order:23,action_condition:25,action_statement:25,"
       "action_orientation:25,action_timing:25,action_reference_old_table:19,action_reference_new_table:19,"
       "action_reference_old_row:19,action_reference_new_row:19,created:1184",
       {},
       "WHERE false"},
      {"user_defined_types",
       "user_defined_type_catalog:19,user_defined_type_schema:19,user_defined_type_name:19,"
       "user_defined_type_category:25,is_instantiable:25,is_final:25,ordering_form:25,ordering_category:25,"
       "ordering_routine_catalog:19,ordering_routine_schema:19,ordering_routine_name:19,reference_type:25,"
       "data_type:25,character_maximum_length:23,character_octet_length:23,character_set_catalog:19,"
       "character_set_schema:19,character_set_name:19,collation_catalog:19,collation_schema:19,collation_name:19,"
       "numeric_precision:23,numeric_precision_radix:23,numeric_scale:23,datetime_precision:23,interval_type:25,"
       "interval_precision:23,source_dtd_identifier:19,ref_dtd_identifier:19",
       {{"user_defined_type_catalog", "pg_catalog.current_database()"},
        {"user_defined_type_schema", "n.nspname"},
        {"user_defined_type_name", "c.relname"},
        {"user_defined_type_category", "'STRUCTURED'"},
        {"is_instantiable", "'YES'"}},
       R"sql(FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'c')sql"},
      {"user_mapping_options",
       "authorization_identifier:19,foreign_server_catalog:19,foreign_server_name:19,option_name:19,"
       "option_value:25",
       {},
       "WHERE false"},
      {"user_mappings",
       "authorization_identifier:19,foreign_server_catalog:19,foreign_server_name:19",
       {},
       "WHERE false"},
      {"view_routine_usage",
       "table_catalog:19,table_schema:19,table_name:19,specific_catalog:19,specific_schema:19,specific_name:19",
       {},
       "WHERE false"},
  };
  return kDefinitions;
}

std::string_view type_of(std::string_view oid) {
  return oid == "19" ? "name" : oid == "23" ? "int4" : oid == "1184" ? "timestamptz" : "text";
}

std::string query_of(const Definition& view) {
  std::string sql = "SELECT ";
  std::string_view rest = view.columns;
  while (!rest.empty()) {
    const std::string_view column = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), column.size() + 1));
    const std::size_t colon = column.find(':');
    const std::string_view name = column.substr(0, colon);
    std::string_view value = "NULL";
    for (const auto& [computed, expression] : view.expressions) {
      value = computed == name ? expression : value;
    }
    sql.append("(").append(value).append(")::").append(type_of(column.substr(colon + 1)));
    sql.append(" AS ").append(name).append(rest.empty() ? " " : ", ");
  }
  return sql.append(view.from);
}

}  // namespace

std::span<const SystemView> information_schema_views() {
  static const std::deque<std::string> kQueries = [] {
    std::deque<std::string> queries;
    for (const Definition& view : definitions()) {
      queries.push_back(query_of(view));
    }
    return queries;
  }();
  static const std::vector<SystemView> kViews = [] {
    std::vector<SystemView> views;
    for (std::size_t i = 0; i < definitions().size(); ++i) {
      views.push_back({kInformationSchema, definitions()[i].name, definitions()[i].columns, kQueries[i]});
    }
    return views;
  }();
  return kViews;
}

}  // namespace pando::catalog
