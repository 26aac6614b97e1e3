CREATE TEMP TABLE t (id serial PRIMARY KEY, v text);
INSERT INTO t (v) VALUES ('a'), ('b') RETURNING id;
SELECT relpersistence, relnamespace = pg_my_temp_schema() FROM pg_class WHERE relname = 't';
-- A temporary table hides a permanent one.
CREATE TABLE public.t (other int);
SELECT * FROM t ORDER BY id;
SELECT * FROM public.t;
SELECT count(*) FROM pg_temp.t;
-- The schema is not where plain objects go.
SELECT current_schema(), (current_schemas(true))[2:];
CREATE TABLE u (id int);
SELECT relnamespace::regnamespace FROM pg_class WHERE relname = 'u';
DROP TABLE t;
SELECT * FROM t;
CREATE TEMP TABLE public.x (a int);
CREATE TABLE y (a int) ON COMMIT DROP;
-- ON COMMIT.
CREATE TEMP TABLE d (a int) ON COMMIT DELETE ROWS;
BEGIN;
INSERT INTO d VALUES (1), (2);
SELECT count(*) FROM d;
COMMIT;
SELECT count(*) FROM d;
BEGIN;
CREATE TEMP TABLE gone (a int) ON COMMIT DROP;
INSERT INTO gone VALUES (1);
COMMIT;
SELECT * FROM gone;
-- A view of a temporary table is temporary.
CREATE VIEW v AS SELECT a FROM d;
SELECT relpersistence FROM pg_class WHERE relname = 'v';
CREATE TEMP SEQUENCE s;
SELECT nextval('s'), nextval('pg_temp.s');
BEGIN;
CREATE TEMP TABLE rolled_back (a int);
ROLLBACK;
SELECT * FROM rolled_back;
DISCARD TEMP;
SELECT count(*) FROM pg_class WHERE relpersistence = 't';
SELECT * FROM d;
CREATE TEMP TABLE again AS SELECT 1 AS a;
SELECT * FROM again;
DISCARD ALL;
SELECT * FROM again;
