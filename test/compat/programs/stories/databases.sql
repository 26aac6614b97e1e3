CREATE DATABASE other;
CREATE DATABASE other;
SELECT datname FROM pg_database WHERE datname IN ('postgres', 'other') ORDER BY 1;
CREATE TABLE t (a int);
\connect other
SELECT current_database();
SELECT * FROM t;
CREATE TABLE t (a text PRIMARY KEY);
CREATE SEQUENCE s;
INSERT INTO t VALUES ('other''s') RETURNING *;
SELECT nextval('s');
DROP DATABASE other;
\connect postgres
INSERT INTO t VALUES (1);
SELECT * FROM t;
BEGIN;
CREATE DATABASE inside;
ROLLBACK;
DROP DATABASE nothing;
DROP DATABASE IF EXISTS nothing;
DROP DATABASE other;
CREATE DATABASE other TEMPLATE template0 ENCODING 'UTF8';
\connect other
SELECT * FROM t;
\connect postgres
CREATE EXTENSION IF NOT EXISTS plpgsql;
CREATE EXTENSION plpgsql;
SELECT 'pg_class'::regclass::text, 1259::oid::regclass::text, (SELECT oid::regtype::text FROM pg_type WHERE typname = 'int4');
PREPARE p(text, int) AS SELECT $1, $2;
SELECT name, array_length(parameter_types, 1) FROM pg_prepared_statements;
SELECT interval '5' minute, interval '90' minute, interval '1' day, interval '10' second;
SELECT i, to_timestamp('2018-11-02 12:34:56.123456', 'YYYY-MM-DD HH24:MI:SS.FF' || i) AT TIME ZONE current_setting('TimeZone') FROM generate_series(1, 6) AS i;
SELECT int4send(258), textsend('ab'), float8send(1.5);
CREATE TABLE g (a timestamptz, b text GENERATED ALWAYS AS (a::text) STORED);
CREATE TABLE g (a int, t timestamptz);
CREATE INDEX ON g ((t::text));
CREATE INDEX ON g (a) WHERE t > now();
CREATE TABLE with_identity (a int GENERATED ALWAYS AS IDENTITY, b text);
CREATE TABLE like_it (LIKE with_identity INCLUDING IDENTITY);
INSERT INTO like_it (b) VALUES ('x') RETURNING *;
REINDEX TABLE nothing;
