#include "catalog/catalog.h"

#include <gtest/gtest.h>

#include "catalog/descriptor_codec.h"
#include "catalog/sequences.h"
#include "catalog/system_relations.h"

namespace pando::catalog {
namespace {

TableDescriptor sample_table() {
  TableDescriptor table;
  table.oid = 16384;
  table.schema = kPublicSchema;
  table.name = "t";
  table.id = TableId(16384);
  ColumnDescriptor column;
  column.number = 1;
  column.name = "a";
  column.type = {types::oid::kNumeric, 655366};
  column.not_null = true;
  column.default_sql = "1.5";
  column.missing_value = types::Value::of_bytes("x");
  table.columns.push_back(column);
  IndexDescriptor index;
  index.oid = 16385;
  index.id = kRowIndexId;
  index.name = "t_pkey";
  index.primary = index.unique = true;
  index.columns.push_back({.attribute = 1});
  table.indexes.push_back(index);
  ConstraintDescriptor constraint;
  constraint.oid = 16386;
  constraint.name = "t_pkey";
  constraint.kind = ConstraintKind::kPrimary;
  constraint.columns = {1};
  constraint.index = 16385;
  table.constraints.push_back(constraint);
  return table;
}

TEST(DescriptorCodec, KeepsATable) {
  const TableDescriptor table = sample_table();
  const Bytes bytes = encode(table);
  const auto decoded = decode_table(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status().to_string();
  EXPECT_EQ(encode(*decoded), bytes);
  EXPECT_EQ(decoded->columns[0].missing_value, types::Value::of_bytes("x"));
  EXPECT_EQ(decoded->find_index(16385)->name, "t_pkey");
}

TEST(DescriptorCodec, RefusesEveryTruncationAndNewerVersions) {
  Bytes bytes = encode(sample_table());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_TRUE(decode_table(ByteView(bytes).substr(0, cut)).status().is(sql_state::kDataCorrupted)) << cut;
  }
  bytes[0] = 99;
  EXPECT_TRUE(decode_table(bytes).status().is(sql_state::kFeatureNotSupported));
}

TEST(DescriptorCodec, ReadsVersionOne) {
  TableDescriptor table = sample_table();
  table.columns[0].comment = "the last field";
  table.columns[0].domain = 16400;
  table.check_option = CheckOption::kLocal;
  Bytes bytes = encode(table);
  const auto now = decode_table(bytes);
  ASSERT_TRUE(now.ok());
  EXPECT_EQ(now->columns[0].domain, 16400U);
  EXPECT_EQ(now->check_option, CheckOption::kLocal);
  // Version 2 added a column's domain behind its comment, and a view's check option at the end.
  table.columns[0].domain = 0;
  table.check_option = CheckOption::kNone;
  bytes = encode(table);
  bytes[0] = 1;
  bytes.erase(bytes.find("the last field") + std::string_view("the last field").size(), 1);
  bytes.pop_back();
  const auto before = decode_table(bytes);
  ASSERT_TRUE(before.ok()) << before.status().to_string();
  EXPECT_EQ(before->columns[0].domain, 0U);
  EXPECT_EQ(before->check_option, CheckOption::kNone);
  EXPECT_EQ(before->constraints[0].name, "t_pkey");
}

TEST(DescriptorCodec, KeepsAType) {
  TypeDescriptor type;
  type.oid = types::oid::kUserEnum + 16500;
  type.schema = kPublicSchema;
  type.name = "mood";
  type.labels = {{16501, int64_t{1} << 32, "sad"}, {16502, int64_t{2} << 32, "happy"}};
  type.checks = {{16503, "mood_check", "(VALUE > 0)"}};
  const Bytes bytes = encode(type);
  const auto decoded = decode_type(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status().to_string();
  EXPECT_EQ(encode(*decoded), bytes);
  EXPECT_EQ(decoded->labels[1].text, "happy");
}

TEST(DescriptorCodec, KeepsACompositeAndReadsTypesOfVersionTwo) {
  TypeDescriptor type;
  type.oid = types::oid::kUserComposite + 16500;
  type.name = "place";
  type.kind = UserTypeKind::kComposite;
  type.attributes = {{"street", {types::oid::kText}},
                     {"number", {types::oid::kNumeric, 655366}, 16501, "of the house"}};
  Bytes bytes = encode(type);
  const auto decoded = decode_type(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status().to_string();
  EXPECT_EQ(encode(*decoded), bytes);
  EXPECT_EQ(decoded->attributes[1].domain, 16501U);
  EXPECT_EQ(bytes[0], 3);
  // Version 3 added the attributes at the end, and is for those that have any.
  type.kind = UserTypeKind::kEnum;
  type.attributes.clear();
  bytes = encode(type);
  EXPECT_EQ(bytes[0], 2);
  EXPECT_EQ(encode(sample_table())[0], 2);
  const auto before = decode_type(bytes);
  ASSERT_TRUE(before.ok()) << before.status().to_string();
  EXPECT_EQ(before->name, "place");
  EXPECT_TRUE(before->attributes.empty());
}

TEST(Snapshot, KnowsCompositesAndRowTypes) {
  Snapshot snapshot;
  TypeDescriptor type;
  type.oid = types::oid::kUserComposite + 16500;
  type.schema = kPublicSchema;
  type.name = "place";
  type.kind = UserTypeKind::kComposite;
  type.attributes = {{"street", {types::oid::kText}}};
  snapshot.put(std::make_shared<const TypeDescriptor>(type));
  TableDescriptor table = sample_table();
  table.row_type = 16390;
  snapshot.put(std::make_shared<const TableDescriptor>(table));
  const Oid rows = row_type_of(table);
  const Snapshot before = snapshot;
  EXPECT_EQ(snapshot.user_types()->find_composite(type.oid)->attributes[0].name, "street");
  EXPECT_EQ(snapshot.find_type(types::array_of(type.oid))->oid, type.oid);
  EXPECT_EQ(snapshot.user_types()->find_composite(rows)->attributes[0].name, "a");
  EXPECT_EQ(snapshot.find_row_table(types::array_of(rows))->oid, table.oid);
  snapshot.remove_type(type.oid);
  snapshot.remove_table(table.oid);
  EXPECT_EQ(snapshot.user_types()->find_composite(type.oid), nullptr);
  EXPECT_EQ(snapshot.user_types()->find_composite(rows), nullptr);
  EXPECT_EQ(snapshot.find_row_table(rows), nullptr);
  EXPECT_NE(before.user_types()->find_composite(rows), nullptr);
}

TEST(Snapshot, KnowsEnums) {
  Snapshot snapshot;
  TypeDescriptor type;
  type.oid = types::oid::kUserEnum + 16500;
  type.schema = kPublicSchema;
  type.name = "mood";
  type.labels = {{16501, 7, "sad"}};
  snapshot.put(std::make_shared<const SchemaDescriptor>(SchemaDescriptor{.oid = kPublicSchema, .name = "public"}));
  snapshot.put(std::make_shared<const TypeDescriptor>(type));
  EXPECT_EQ(snapshot.resolve_type({"public"}, "", "mood")->oid, type.oid);
  EXPECT_EQ(snapshot.find_type(types::array_of(type.oid))->oid, type.oid);
  EXPECT_EQ(snapshot.user_types()->find_enum(type.oid)->label_at(7), "sad");
  snapshot.remove_type(type.oid);
  EXPECT_EQ(snapshot.user_types()->find_enum(type.oid), nullptr);
  EXPECT_EQ(snapshot.resolve_type({"public"}, "", "mood"), nullptr);
}

TEST(Snapshot, ResolvesThroughTheSearchPath) {
  Snapshot snapshot;
  snapshot.put(std::make_shared<const SchemaDescriptor>(SchemaDescriptor{.oid = kPublicSchema, .name = "public"}));
  snapshot.put(std::make_shared<const SchemaDescriptor>(SchemaDescriptor{.oid = 20000, .name = "other"}));
  snapshot.put(std::make_shared<const TableDescriptor>(sample_table()));
  EXPECT_EQ(snapshot.resolve_table({"public"}, "", "t")->oid, 16384U);
  EXPECT_EQ(snapshot.resolve_table({"other"}, "", "t"), nullptr);
  EXPECT_EQ(snapshot.resolve_table({"other"}, "public", "t")->oid, 16384U);
  EXPECT_TRUE(snapshot.is_visible({"public"}, 16384));
  EXPECT_FALSE(snapshot.is_visible({"other"}, 16384));
  EXPECT_EQ(snapshot.find_index_table(kPublicSchema, "t_pkey")->oid, 16384U);
  snapshot.remove_table(16384);
  EXPECT_FALSE(snapshot.relation_name_taken(kPublicSchema, "t"));
  EXPECT_FALSE(snapshot.relation_name_taken(kPublicSchema, "t_pkey"));
}

TEST(SystemRelations, HavePostgresOids) {
  Snapshot snapshot;
  for (const auto& relation : system_relations()) {
    snapshot.put(relation);
  }
  EXPECT_EQ(snapshot.find_table(kPgCatalogSchema, "pg_class")->oid, 1259U);
  EXPECT_EQ(snapshot.find_table(kPgCatalogSchema, "pg_tables")->kind, RelationKind::kView);
  EXPECT_NE(snapshot.find_table(kInformationSchema, "columns"), nullptr);
}

TEST(SystemRelations, ShowATable) {
  Snapshot snapshot;
  for (const auto& relation : system_relations()) {
    snapshot.put(relation);
  }
  snapshot.put(std::make_shared<const TableDescriptor>(sample_table()));
  const auto rows_of = [&](std::string_view relation) {
    const auto table = snapshot.find_table(kPgCatalogSchema, relation);
    const auto chunks = system_rows(*table, {.snapshot = snapshot, .database_name = "postgres"});
    EXPECT_TRUE(chunks.ok()) << relation << ": " << chunks.status().to_string();
    std::size_t rows = 0;
    for (const auto& chunk : *chunks) {
      rows += chunk.rows;
    }
    return rows;
  };
  EXPECT_EQ(rows_of("pg_index"), 1U);
  EXPECT_EQ(rows_of("pg_constraint"), 1U);
  EXPECT_EQ(rows_of("pg_attrdef"), 1U);
  EXPECT_GT(rows_of("pg_attribute"), 1000U);
  EXPECT_GT(rows_of("pg_type"), 60U);
}

}  // namespace
}  // namespace pando::catalog
