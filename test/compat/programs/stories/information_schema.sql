-- Views of information_schema beside those of tables and columns.
CREATE SCHEMA app;
SET search_path = app;
CREATE DOMAIN email AS varchar(80) DEFAULT 'none' CHECK (VALUE LIKE '%@%' OR VALUE = 'none');
CREATE DOMAIN price AS numeric(8, 2) NOT NULL;
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE customers (id serial PRIMARY KEY, mail email, feels mood, names text[] NOT NULL, limits numeric[]);
CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, total price CHECK (total > 0), UNIQUE (customer, total));
CREATE VIEW busy AS SELECT c.mail, o.total FROM customers c JOIN orders o ON o.customer = c.id;
CREATE VIEW busier AS SELECT * FROM busy;
CREATE SEQUENCE numbers;
CREATE ROLE clerk;
CREATE ROLE boss;
\t on
SELECT * FROM information_schema.information_schema_catalog_name;
SELECT * FROM information_schema.domains WHERE domain_schema = 'app' ORDER BY domain_name;
SELECT * FROM information_schema.domain_constraints WHERE domain_schema = 'app' ORDER BY constraint_name;
SELECT * FROM information_schema.domain_udt_usage WHERE domain_schema = 'app' ORDER BY domain_name;
SELECT * FROM information_schema.column_domain_usage WHERE table_schema = 'app' AND table_name IN ('customers', 'orders') ORDER BY table_name, column_name;
SELECT * FROM information_schema.column_udt_usage WHERE table_schema = 'app' ORDER BY table_name, column_name;
SELECT * FROM information_schema.element_types WHERE object_schema = 'app' ORDER BY object_name, collection_type_identifier;
SELECT * FROM information_schema.data_type_privileges WHERE object_schema = 'app' ORDER BY object_name, dtd_identifier;
SELECT * FROM information_schema.constraint_table_usage WHERE table_schema = 'app' ORDER BY constraint_name;
SELECT * FROM information_schema.view_table_usage WHERE view_schema = 'app' ORDER BY view_name, table_name;
SELECT * FROM information_schema.table_privileges WHERE table_schema = 'app' ORDER BY table_name, privilege_type;
SELECT * FROM information_schema.role_table_grants WHERE table_schema = 'app' AND table_name = 'orders' ORDER BY privilege_type;
SELECT * FROM information_schema.column_privileges WHERE table_schema = 'app' AND table_name = 'orders' ORDER BY column_name, privilege_type;
SELECT * FROM information_schema.usage_privileges WHERE object_schema = 'app' ORDER BY object_name, grantee;
SELECT * FROM information_schema.enabled_roles WHERE role_name IN ('postgres', 'boss', 'clerk') ORDER BY 1;
SELECT count(*) FROM information_schema.administrable_role_authorizations WHERE role_name = 'clerk';
SELECT * FROM information_schema.character_sets;
SELECT * FROM information_schema.collations WHERE collation_name IN ('C', 'POSIX', 'default') ORDER BY collation_name;
SELECT count(*) FROM information_schema.triggers;
SELECT count(*) FROM information_schema.routines WHERE routine_schema = 'app';
SELECT count(*) FROM information_schema.foreign_tables;
SELECT count(*) FROM information_schema.user_mappings;
SELECT specific_schema, specific_name, routine_name, routine_type, data_type, type_udt_name, external_language, is_deterministic, is_null_call
FROM information_schema.routines WHERE specific_name IN ('length_1317', 'now_1299', 'upper_871') ORDER BY specific_name;
SELECT specific_name, ordinal_position, parameter_mode, parameter_name, data_type, dtd_identifier
FROM information_schema.parameters WHERE specific_name LIKE 'json\_each\_text%' OR specific_name LIKE 'make\_interval%' ORDER BY 1, 2;
