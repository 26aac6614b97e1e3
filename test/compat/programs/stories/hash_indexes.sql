-- USING hash: accepted, shown as such, and limited as PostgreSQL's.
CREATE TABLE t (a int, b text);
INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 100) i;
CREATE INDEX by_a ON t USING hash (a);
CREATE INDEX ON t USING hash (lower(b)) WHERE a > 10;
CREATE UNIQUE INDEX ON t USING hash (a);
CREATE INDEX ON t USING hash (a, b);
CREATE INDEX ON t USING hash (a DESC);
CREATE INDEX ON t USING hash (a NULLS FIRST);
CREATE INDEX ON t USING hash (a) INCLUDE (b);
CREATE INDEX ON t USING nothing (a);
SELECT * FROM t WHERE a = 42;
INSERT INTO t VALUES (42, 'again');
DELETE FROM t WHERE a = 41;
SELECT b FROM t WHERE a IN (41, 42) ORDER BY b;
\d t
SELECT indexdef FROM pg_indexes WHERE tablename = 't' ORDER BY 1;
SELECT relname, amname FROM pg_class c JOIN pg_am ON pg_am.oid = relam WHERE relname IN ('by_a', 't');
DROP INDEX by_a;
