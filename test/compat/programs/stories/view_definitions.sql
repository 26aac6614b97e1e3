-- The query of a view, laid out as PostgreSQL lays it out.
CREATE SCHEMA other;
CREATE TABLE t (a int PRIMARY KEY, b text, c numeric(10,2), d timestamptz, e int[], f boolean, j jsonb);
CREATE TABLE u (a int, x int, "Odd Name" text);
CREATE TABLE other.w (a int, y varchar(10));
CREATE VIEW v1 AS SELECT a, b FROM t;
CREATE VIEW v2 AS SELECT a + 1 AS next, upper(b) AS big, c * 2 + a - 3, 'x' AS word, NULL AS nothing FROM t WHERE a > 1 AND (b = 'q' OR NOT f) ORDER BY b DESC, 1 LIMIT 10 OFFSET 2;
CREATE VIEW v3 AS SELECT t.a, u.x, w.y FROM t JOIN u ON t.a = u.a LEFT JOIN other.w ON w.a = u.x AND w.y <> 'n' WHERE u.x IN (1, 2, 3);
CREATE VIEW v4 AS SELECT * FROM t NATURAL JOIN u;
CREATE VIEW v5 AS SELECT a, x FROM t FULL JOIN u USING (a);
CREATE VIEW v6 AS SELECT b, count(*), sum(c) FILTER (WHERE f) AS s, array_agg(DISTINCT a ORDER BY a DESC) FROM t GROUP BY b HAVING count(*) > 1 AND max(a) < 100;
CREATE VIEW v7 AS WITH q AS (SELECT a FROM t WHERE f), r(z) AS MATERIALIZED (SELECT a FROM q) SELECT r.z, q.a FROM q, r WHERE q.a = r.z;
CREATE VIEW v8 AS WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT sum(i) FROM n;
CREATE VIEW v9 AS SELECT a, b FROM t UNION SELECT x, "Odd Name" FROM u ORDER BY 1;
CREATE VIEW v10 AS (SELECT a FROM t UNION ALL SELECT a FROM u) EXCEPT (SELECT x FROM u INTERSECT SELECT a FROM other.w);
CREATE VIEW v11 AS SELECT CASE a WHEN 1 THEN 'one' WHEN 2 THEN 'two' ELSE 'many' END AS word, CASE WHEN f THEN 1 END AS maybe, coalesce(b, 'none') AS b, nullif(a, 0) AS n, greatest(a, 2) AS g FROM t;
CREATE VIEW v12 AS SELECT a, (SELECT max(x) FROM u WHERE u.a = t.a) AS m, EXISTS (SELECT 1 FROM u WHERE u.x = t.a) AS e, a IN (SELECT x FROM u) AS i, a > ALL (SELECT x FROM u) AS al, ARRAY(SELECT x FROM u) AS ar FROM t;
CREATE VIEW v13 AS SELECT s.a, s.k FROM (SELECT a, count(*) AS k FROM t GROUP BY a) s WHERE s.k > 0;
CREATE VIEW v14 AS SELECT a, row_number() OVER (PARTITION BY b ORDER BY a DESC), sum(a) OVER w, lag(a, 1) OVER (w ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t WINDOW w AS (ORDER BY b);
CREATE VIEW v15 AS SELECT DISTINCT ON (b) b, a FROM t ORDER BY b, a;
CREATE VIEW v16 AS SELECT extract(year FROM d) AS y, d AT TIME ZONE 'UTC' AS z, position('a' IN b) AS p, substring(b FROM 2 FOR 3) AS s, trim(both 'x' FROM b) AS tr, overlay(b placing 'z' from 1) AS o FROM t;
CREATE VIEW v17 AS SELECT e[1] AS first, e[1:2] AS some, j -> 'k' AS k, j ->> 'l' AS l, b LIKE 'a%' AS li, b ~~* 'B' AS il, a BETWEEN 1 AND 5 AS be, a IS NULL AS isn, f IS NOT TRUE AS nt, a IS DISTINCT FROM 3 AS df FROM t;
CREATE VIEW v18 AS SELECT i, n.* FROM generate_series(1, 3) i, LATERAL (SELECT i * 2 AS twice) n;
CREATE VIEW v19 AS SELECT t1.a, t2.a AS other FROM t t1, t t2 WHERE t1.a < t2.a;
CREATE VIEW v20 AS SELECT x.p, x.q FROM u x(p, q);
CREATE VIEW v21 AS VALUES (1, 'one'), (2, 'two');
CREATE VIEW v22 AS SELECT b, a, grouping(a) FROM t GROUP BY ROLLUP (b, a);
CREATE VIEW v23 AS SELECT a::bigint, '2020-01-01'::date AS day, b::varchar(3), -5 AS neg, 1.5 AS dec, true AS yes FROM t;
CREATE VIEW v24 AS SELECT a FROM t WHERE a = ANY (ARRAY[1, 2]) FOR UPDATE;
CREATE VIEW v25 (first, second) AS SELECT a, b FROM t;
CREATE VIEW v26 AS SELECT t FROM t;
CREATE VIEW v27 AS SELECT a FROM (VALUES (1), (2)) v(a);
CREATE VIEW v28 AS SELECT current_date AS d, current_user AS u, now() AS n;
CREATE VIEW v29 AS SELECT t.a FROM t CROSS JOIN (u JOIN other.w ON u.a = w.a);
CREATE MATERIALIZED VIEW m1 AS SELECT a, b FROM t;
SELECT relname, pg_get_viewdef(oid) FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace ORDER BY oid;
SELECT relname, pg_get_viewdef(oid, true) FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace ORDER BY oid;
SELECT pg_get_viewdef('v3'::regclass, 60), pg_get_viewdef('v1', true), pg_get_viewdef('v1');
\d+ v2
\sv v6
SELECT definition FROM pg_views WHERE viewname = 'v1';
SELECT view_definition FROM information_schema.views WHERE table_name = 'v13';
SET search_path = other, public;
SELECT pg_get_viewdef('v3', true);
RESET search_path;
-- Under other names.
CREATE VIEW q1 AS SELECT t.a, t.b AS bee FROM t WHERE t.a > 0;
CREATE VIEW q2 AS SELECT s.a FROM (SELECT a, b FROM t) s JOIN q1 ON q1.a = s.a;
CREATE VIEW q3 AS SELECT x.a FROM t x(a);
ALTER TABLE t RENAME TO t_new;
SELECT pg_get_viewdef('q1', true), pg_get_viewdef('q2', true), pg_get_viewdef('q3', true), pg_get_viewdef('v12', true);
SELECT * FROM q1, q2, q3;
ALTER TABLE t_new RENAME COLUMN b TO be;
SELECT pg_get_viewdef('q1', true), pg_get_viewdef('q2', true), pg_get_viewdef('v6', true);
ALTER VIEW q1 RENAME COLUMN a TO first;
SELECT pg_get_viewdef('q1', true), pg_get_viewdef('q2', true);
SELECT * FROM q1, q2, q3;
\d q1
ALTER SCHEMA other RENAME TO elsewhere;
SELECT pg_get_viewdef('v3', true);
SELECT * FROM v3;
CREATE TABLE serials (id serial, b int DEFAULT nextval('serials_id_seq'));
ALTER TABLE serials SET SCHEMA elsewhere;
INSERT INTO elsewhere.serials DEFAULT VALUES;
SELECT * FROM elsewhere.serials;
\d elsewhere.serials
ALTER SCHEMA elsewhere RENAME TO other;
INSERT INTO other.serials DEFAULT VALUES;
-- Expressions of tables, for people and for programs.
CREATE TABLE k (a int CHECK (a > 0 AND a + 1 < 10), b int DEFAULT 1 + 2, c int GENERATED ALWAYS AS (a * 2 - 1) STORED, d text CHECK (d IN ('x', 'y')), CONSTRAINT n CHECK (b <> 3) NO INHERIT);
CREATE INDEX k_sum ON k ((a + b)) WHERE a > 5 AND b IS NOT NULL;
\d k
SELECT conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) FROM pg_constraint WHERE conrelid = 'k'::regclass ORDER BY conname;
SELECT pg_get_indexdef('k_sum'::regclass), pg_get_indexdef('k_sum'::regclass, 0, true);
-- Joins under a name of their own.
CREATE TABLE ja (id int, x text);
CREATE TABLE jb (id int, y text);
INSERT INTO ja VALUES (1, 'a'), (2, 'b');
INSERT INTO jb VALUES (1, 'c');
CREATE VIEW j1 AS SELECT j.p, j.q, j.r FROM (ja JOIN jb ON ja.id = jb.id) AS j (p, q, r);
CREATE VIEW j2 AS SELECT * FROM (ja LEFT JOIN jb USING (id)) AS j;
CREATE VIEW j3 AS SELECT j.i, k.x FROM (ja JOIN jb ON ja.id = jb.id) AS j (i) JOIN ja k ON k.id = j.i;
SELECT * FROM j1, j2, j3 ORDER BY 1, 2, 3, 4;
SELECT relname, pg_get_viewdef(oid), pg_get_viewdef(oid, true) FROM pg_class WHERE relname ~ '^j[1-3]$' ORDER BY relname;
