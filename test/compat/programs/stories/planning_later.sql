-- What goes wrong while a statement is planned is told when it runs, not when it is prepared.
PREPARE divided AS SELECT 1 / 0;
EXECUTE divided;
PREPARE overflowing(int) AS SELECT $1, 2147483647 + 1;
EXECUTE overflowing(1);
DEALLOCATE overflowing;
PREPARE misspelt AS SELECT 'x'::int;
CREATE TABLE short (a varchar(3) DEFAULT 'too long', b char(4) DEFAULT 'x', c numeric(5, 2) DEFAULT '1.5');
PREPARE long AS INSERT INTO short (a) VALUES ('abcdef');
EXECUTE long;
INSERT INTO short (b) VALUES ('y');
INSERT INTO short (a) VALUES ('abc  ') RETURNING a || '|', b || '|', c;
SELECT 'abcdef'::varchar(3), 'abc'::char(5) || '|', '{abcd,efg}'::varchar(2)[], '1.2345'::numeric(4, 2);
SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'short'::regclass ORDER BY adnum;

-- EXPLAIN of what has a query inside
EXPLAIN (COSTS OFF) DECLARE c CURSOR FOR SELECT 1;
EXPLAIN (COSTS OFF) CREATE TABLE made AS SELECT 1;
EXPLAIN (COSTS OFF) CREATE TABLE short AS SELECT 1;
EXPLAIN (COSTS OFF) CREATE MATERIALIZED VIEW made AS SELECT 1;
EXPLAIN (COSTS OFF) EXECUTE divided;
SELECT count(*) FROM pg_class WHERE relname = 'made';
