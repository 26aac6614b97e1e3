CREATE TYPE pair AS (a int, b text);
CREATE TYPE pair AS (c int);
CREATE TYPE twice AS (a int, a text);
CREATE TYPE pseudo AS (a record);
CREATE TYPE unknown_part AS (a nothing);
CREATE TYPE empty AS ();
SELECT '()'::empty;
CREATE TYPE nested AS (p pair, ps pair[], n numeric(6,2), v varchar(3));
-- Values.
SELECT ROW(1, 'x')::pair, (1, 'x')::pair, '(1,x)'::pair, '(2,"a ""quoted"", \\ text")'::pair, '(,)'::pair, '( 3 ,"")'::pair, NULL::pair;
SELECT '(1,2,3)'::pair;
SELECT '(1)'::pair;
SELECT '1,2'::pair;
SELECT '(1,2'::pair;
SELECT '(1,2) x'::pair;
SELECT '(x,2)'::pair;
SELECT ROW(1, 'x', 3)::pair;
SELECT ROW(1)::pair;
SELECT ROW(ARRAY[1], 'x')::pair;
SELECT ROW('7', 8)::pair;
SELECT ('(1,x)'::pair).a, ('(1,x)'::pair).b;
SELECT ('(1,x)'::pair).*;
SELECT pg_typeof('(1,x)'::pair), pg_typeof(ARRAY['(1,x)'::pair]), pg_typeof(('(1,x)'::pair).b);
SELECT ROW(ROW(1, 'a'), ARRAY[ROW(2, 'b'), ROW(3, 'c')]::pair[], 1.005, 'abc')::nested;
SELECT '("(1,a)","{""(2,b)"",""(3,\\""c d\\"")""}",1.5,ab)'::nested;
SELECT (('("(1,a)","{""(2,b)""}",1.5,ab)'::nested).p).b, (('("(1,a)","{""(2,b)""}",1.5,ab)'::nested).ps)[1].a;
SELECT '("(1,a)",{},1.5,abcd)'::nested;
-- Columns.
CREATE TABLE t (id int PRIMARY KEY, p pair, ps pair[], n nested DEFAULT '("(1,a)",{},1.5,ab)');
\d t
INSERT INTO t VALUES (1, (1, 'one'), ARRAY[(1, 'x')::pair, (2, 'y')::pair]);
INSERT INTO t VALUES (2, ROW(2, 'two'), '{"(3,z)"}'), (3, NULL, NULL), (4, '(4,)', '{}');
INSERT INTO t (id, p) SELECT 5, ROW(5, 'five')::pair;
INSERT INTO t (id, p.b) VALUES (6, 'only b');
INSERT INTO t (id, p) VALUES (7, ROW(1, 2, 3));
INSERT INTO t (id, p) VALUES (7, 5);
SELECT * FROM t ORDER BY id;
SELECT id, (p).a, (p).b, (t.p).*, ((n).p).b FROM t ORDER BY id;
SELECT id FROM t WHERE (p).a > 1 ORDER BY (p).b DESC;
SELECT id, p IS NULL, p IS NOT NULL FROM t ORDER BY id;
SELECT id FROM t WHERE p = ROW(2, 'two')::pair;
SELECT id FROM t WHERE p IN ((1, 'one')::pair, '(4,)');
SELECT id FROM t WHERE p < ROW(3, 'a')::pair ORDER BY p;
SELECT p, count(*) FROM t GROUP BY p ORDER BY p;
SELECT DISTINCT (p).a FROM t ORDER BY 1;
SELECT max(id), array_agg(p ORDER BY id) FROM t;
SELECT id, u.* FROM t, unnest(ps) u ORDER BY id, a;
SELECT id, unnest(ps) FROM t ORDER BY id;
UPDATE t SET p.a = 10 WHERE id = 1 RETURNING p;
UPDATE t SET p.a = 11, p.b = 'both' WHERE id = 3 RETURNING p;
UPDATE t SET p.c = 1;
UPDATE t SET p.a = 'x';
UPDATE t SET p = ROW((p).a + 1, upper((p).b)) WHERE id = 2 RETURNING *;
UPDATE t SET ps[1] = (9, 'nine') WHERE id = 4 RETURNING ps;
CREATE INDEX t_p ON t (p);
SET enable_seqscan = off;
SELECT id FROM t WHERE p = '(5,five)'::pair;
RESET enable_seqscan;
CREATE TABLE keyed (p pair PRIMARY KEY, v int);
INSERT INTO keyed VALUES ((1, 'a'), 1), ((1, 'b'), 2);
INSERT INTO keyed VALUES ((1, 'b'), 3);
SELECT * FROM keyed ORDER BY p DESC;
CREATE VIEW w AS SELECT id, (p).b AS b, ROW(id, 'v')::pair AS made, p = ROW(1, 'a')::pair AS same FROM t;
SELECT * FROM w WHERE id < 3 ORDER BY id;
SELECT pg_get_viewdef('w');
CREATE TABLE copied AS SELECT p FROM t WHERE id = 1;
SELECT (p).b FROM copied;
-- JSON.
SELECT to_json(p), row_to_json(p), to_jsonb(n) FROM t WHERE id = 2;
SELECT json_agg(p ORDER BY id) FROM t WHERE id < 3;
SELECT * FROM json_populate_record(NULL::pair, '{"a": 1, "b": "x", "c": 3}');
SELECT json_populate_record('(5,five)'::pair, '{"b": "x"}');
SELECT (jsonb_populate_record(NULL::nested, '{"p": {"a": 1}, "ps": [{"a": 2, "b": "y"}, null], "n": 1.239, "v": "abc"}')).*;
SELECT * FROM jsonb_populate_recordset(NULL::pair, '[{"a": 1}, {"b": "x"}]');
SELECT json_populate_recordset(NULL::pair, '[{"a": 1}, {"b": "x"}]');
-- Rows of tables.
CREATE TABLE item (name text, price int);
INSERT INTO item VALUES ('pen', 2), ('ink', 5);
SELECT '(cup,3)'::item, ('(cup,3)'::item).price, ROW('cup', 3)::item;
SELECT item, pg_typeof(item), (item).name FROM item ORDER BY price;
CREATE TABLE holder (i item, many item[]);
INSERT INTO holder SELECT item, ARRAY[item] FROM item;
INSERT INTO holder VALUES (ROW('box', 7), NULL), ('(jar,8)', '{"(a,1)"}');
SELECT (i).*, many FROM holder ORDER BY (i).price;
SELECT array_to_json(array_agg(item ORDER BY price)), json_agg(item ORDER BY price) FROM item;
SELECT * FROM json_populate_recordset(NULL::item, '[{"name": "x", "price": 1}]');
DROP TABLE item;
DROP TABLE item CASCADE;
\d holder
-- Definitions.
\dT
\dT+ pair
\d pair
SELECT typname, typtype, typcategory, typrelid = 'pair'::regclass, typarray = 'pair[]'::regtype FROM pg_type WHERE typname = 'pair';
SELECT relname, relkind, relnatts, reltype = 'pair'::regtype FROM pg_class WHERE relname = 'pair';
SELECT attname, atttypid::regtype, attnum, attnotnull FROM pg_attribute WHERE attrelid = 'nested'::regclass ORDER BY attnum;
SELECT format_type('nested'::regtype, -1), 'pair'::regtype;
SELECT udt_name, data_type FROM information_schema.columns WHERE table_name = 't' ORDER BY ordinal_position;
CREATE TABLE pair (x int);
CREATE TYPE t AS (x int);
CREATE TYPE free AS (a int, b text);
ALTER TYPE free ADD ATTRIBUTE c date;
ALTER TYPE free ADD ATTRIBUTE c date;
ALTER TYPE free DROP ATTRIBUTE b;
ALTER TYPE free DROP ATTRIBUTE b;
ALTER TYPE free DROP ATTRIBUTE IF EXISTS b;
ALTER TYPE free ALTER ATTRIBUTE a TYPE bigint, ADD ATTRIBUTE d text;
ALTER TYPE free RENAME ATTRIBUTE a TO first;
ALTER TYPE free RENAME ATTRIBUTE a TO second;
SELECT '(1,2020-01-02,x)'::free, ('(1,2020-01-02,x)'::free).first;
ALTER TYPE pair ALTER ATTRIBUTE a TYPE bigint;
ALTER TYPE free RENAME TO freer;
CREATE SCHEMA s;
ALTER TYPE freer SET SCHEMA s;
SELECT '(1,,)'::s.freer;
COMMENT ON TYPE s.freer IS 'said';
SELECT obj_description('s.freer'::regtype, 'pg_type');
DROP TYPE s.freer;
DROP TYPE IF EXISTS s.freer;
DROP TYPE nothing;
COPY (SELECT p, ps FROM t ORDER BY id) TO STDOUT;
COPY (SELECT p FROM t ORDER BY id) TO STDOUT WITH CSV;
CREATE TABLE loaded (p pair);
COPY loaded FROM STDIN;
(1,"x y")
\N
(,)
\.
SELECT p, p IS NULL FROM loaded;
CREATE TYPE used AS (a int);
CREATE TABLE uses_it (id int, u used);
DROP TYPE used;
DROP TYPE used CASCADE;
\d uses_it
CREATE TYPE outer_one AS (p pair, x int);
ALTER TYPE outer_one ADD ATTRIBUTE me outer_one[];
CREATE TABLE selfish (a int);
ALTER TABLE selfish ADD COLUMN s selfish;
SELECT udt_name, attribute_name, ordinal_position, data_type, numeric_precision FROM information_schema.attributes ORDER BY 1, 3;
SELECT user_defined_type_name, user_defined_type_category FROM information_schema.user_defined_types ORDER BY 1;
ALTER TYPE outer_one DROP ATTRIBUTE p;
DROP TYPE nested CASCADE;
SELECT '(5)'::outer_one;
-- A row of NULLs is not NULL, but for IS NULL, which does not look into rows within.
CREATE TYPE spot AS (a int, b text);
CREATE TABLE spots (id int, s spot);
INSERT INTO spots VALUES (1, ROW(1, NULL)), (2, ROW(NULL, NULL)), (3, NULL), (4, (1, 'x'));
SELECT id, s IS NULL, s IS NOT NULL, s IS DISTINCT FROM NULL, s IS NOT DISTINCT FROM NULL FROM spots ORDER BY id;
SELECT ROW(NULL, NULL)::spot IS DISTINCT FROM NULL, ROW(NULL, NULL) IS DISTINCT FROM NULL, NULL::spot IS NOT DISTINCT FROM NULL;
SELECT count(DISTINCT s), count(s) FROM spots;
SELECT r, r IS NULL AS isnull, r IS NOT NULL AS isnotnull
  FROM (VALUES (1, ROW(1, 2)), (1, ROW(NULL, NULL)), (1, NULL), (NULL, ROW(1, 2)), (NULL, ROW(NULL, NULL)), (NULL, NULL)) r(a, b);
-- Rows in rows take their types from the column.
CREATE TYPE place AS (r float8, i int);
CREATE TYPE two_places AS (c1 place, c2 place);
CREATE TABLE pairs_of_places (f1 int, q two_places);
INSERT INTO pairs_of_places VALUES (2, ((NULL, 4), (5.5, '6'))), (3, ROW(ROW('1', 4), NULL)), (4, NULL);
SELECT f1, q, (q).c1.r FROM pairs_of_places ORDER BY f1;
SELECT ROW(ROW(1, 2), 2) = ROW(ROW(1, 2), 2);
-- The name that arrays have in pg_type.
CREATE TYPE tint AS ENUM ('red', 'blue');
CREATE DOMAIN few AS int CHECK (VALUE < 10);
SELECT '_tint'::regtype, '_spot'::regtype, '_spots'::regtype, to_regtype('_nobody'), 'public._spot'::regtype;
CREATE TABLE of_arrays (x _tint, y _spot, z public._spots);
INSERT INTO of_arrays VALUES ('{red}', '{"(1,a)"}', NULL);
SELECT x, y, '{blue}'::_tint, pg_typeof(z) FROM of_arrays;
\d of_arrays
SELECT '{1}'::_nobody;
