#pragma once

// Who writes the rows of each virtual table. One function per relation, grouped by subject; system_rows.cc has the
// table.

#include "catalog/system_relations.h"

namespace pando::catalog {

using SystemRowFunction = void (*)(const SystemRowContext& context, SystemRowWriter& writer);

// pg_catalog_objects.cc: what users make.
void write_pg_namespace(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_class(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_attribute(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_attrdef(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_index(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_constraint(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_enum(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_sequence(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_rewrite(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_description(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_depend(const SystemRowContext& context, SystemRowWriter& writer);

// pg_catalog_fixtures.cc: what every database has.
void write_pg_type(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_database(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_authid(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_am(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_language(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_collation(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_tablespace(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_opclass(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_opfamily(const SystemRowContext& context, SystemRowWriter& writer);
void write_pg_extension(const SystemRowContext& context, SystemRowWriter& writer);

// OIDs of fixtures, as in PostgreSQL.
inline constexpr Oid kBtreeMethod = 403;
inline constexpr Oid kHashMethod = 405;
inline constexpr Oid kHeapMethod = 2;
inline constexpr Oid kDefaultCollation = 100;
inline constexpr Oid kCCollation = 950;
inline constexpr Oid kPosixCollation = 951;

// Databases that are only shown: tools expect them.
inline constexpr Oid kTemplate1Database = 1;
inline constexpr Oid kTemplate0Database = 4;
inline constexpr Oid kPlpgsqlExtension = 13559;

// View rules have no OID of their own: they get one from their view's. The space does not overlap with what
// Catalog::allocate_oid gives in practice.
inline constexpr Oid kRuleOidBase = 0xC0000000;

// The schema pando and what is in it are shown as an extension's: that is how dumps know to leave them out.
inline constexpr Oid kPandoExtension = 13002;

// The default btree operator class for a type; 0 when it has none.
Oid default_operator_class(Oid type);

}  // namespace pando::catalog
