-- Volatile functions of a select list are called after ORDER BY and LIMIT.
CREATE TABLE t AS SELECT i AS a, 100 - i AS b FROM generate_series(1, 50) i;
CREATE SEQUENCE s;
SELECT a, nextval('s') FROM t ORDER BY b LIMIT 3;
SELECT nextval('s') * b AS n, b FROM t ORDER BY a OFFSET 47;
SELECT currval('s');
SELECT nextval('s') AS n FROM t ORDER BY n DESC LIMIT 1;
SELECT currval('s');
CREATE TABLE numbered (n int, a int);
INSERT INTO numbered SELECT nextval('s'), a FROM t ORDER BY b LIMIT 2;
SELECT * FROM numbered ORDER BY n;
SELECT count(*), nextval('s') FROM t GROUP BY b % 2 ORDER BY b % 2;
SELECT count(DISTINCT nextval('s') <> nextval('s')) FROM t;
-- Grouping: a HAVING alone, constants of sets, DISTINCT by what was written.
SELECT 1 AS one FROM t WHERE 1 / (a - a) = 1 HAVING 1 < 2;
SELECT 1 AS one FROM t HAVING false;
SELECT * FROM (SELECT 1 AS x, a, sum(b) FROM t GROUP BY GROUPING SETS (1, 2)) q WHERE x = 1 AND a = 3;
SELECT 1 AS x, a, count(*) FROM t WHERE a < 3 GROUP BY GROUPING SETS (1, 2) ORDER BY a;
CREATE TABLE v (f varchar);
INSERT INTO v VALUES ('b'), ('a'), ('b');
SELECT string_agg(DISTINCT f, ',' ORDER BY f DESC) FROM v;
SELECT string_agg(DISTINCT f, ',' ORDER BY f || 'x') FROM v;
-- void has no content
SELECT setseed(0.5);
SELECT setseed(i / 10.0) FROM generate_series(1, 3) i;
SELECT setseed(2);
