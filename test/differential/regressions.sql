-- Statements on which Pando and PostgreSQL once differed, one a line. Both run all of them, in order; every answer must be
-- the same. Tables made here are dropped here.

-- The smallest integer is an integer.
SELECT -2147483648, pg_typeof(-2147483648), 5 << (-2147483648)
SELECT date '2020-01-01' - (-2147483648)
-- Constants decide what is computed, and what is not computed raises no error.
SELECT + CASE - 59 WHEN + 55 * - 56 + - - 95 THEN - 78 + CASE - COUNT(*) WHEN NULLIF(- AVG(DISTINCT - NULLIF(-(11), 89 / (0))), - COUNT(*)) + 62 THEN 37 END / 79 END * 60
SELECT - 37 * COUNT(*) - CASE - 36 WHEN - NULLIF(- 2, 37 + (76) * - 69) * 92 THEN - 67 * 91 + 67 / - 0 ELSE COALESCE(- 52, 16) * - 97 END
SELECT CASE WHEN false THEN 1/0 ELSE 1 END, CASE 1 WHEN 2 THEN 1/0 ELSE 3 END, COALESCE(1, 1/0)
SELECT 1 WHERE false AND 1/0 = 1
-- What they reach does, though no row would.
SELECT CASE WHEN h THEN 1/0 ELSE 1 END FROM (VALUES (false)) AS v(h)
SELECT 1/0 WHERE false
SELECT count(*) FROM (SELECT 1/0 AS x FROM generate_series(1, 2)) AS t
-- Conditions and errors of the same text with other constants.
SELECT CASE WHEN 1 = 2 THEN 1/0 ELSE 7 END
SELECT CASE WHEN 1 = 1 THEN 8 ELSE 1/0 END
-- A column of an outer query that a subquery passes on.
SELECT (SELECT count(*) FILTER (WHERE outer_c <> 0) FROM (VALUES (1)) t0(inner_c)) FROM (VALUES (2),(3)) t1(outer_c)
SELECT (SELECT max(outer_c)) FROM (VALUES (2),(3)) t1(outer_c)
SELECT * FROM (VALUES (2),(3)) a(x), LATERAL (SELECT a.x AS z LIMIT 1) s
SELECT * FROM (SELECT 1 AS x) a LEFT JOIN (SELECT 2 AS y) b ON true, LATERAL (SELECT b.y AS z) c
SELECT * FROM (VALUES (1),(2)) x(lb), LATERAL (SELECT lb UNION ALL SELECT lb + 10) y(c) ORDER BY 1, 2
-- NOT IN with a left side that names no column.
SELECT 1 FROM (VALUES (1)) t(a) WHERE 2 NOT IN (SELECT b FROM (VALUES (1), (NULL)) u(b))
SELECT a FROM (VALUES (1), (NULL), (3)) t(a) WHERE a NOT IN (SELECT b FROM (VALUES (1)) u(b))
-- The same CASE twice.
SELECT CASE a WHEN 1 THEN 'x' END, count(*) FROM (VALUES (1), (2)) t(a) GROUP BY CASE a WHEN 1 THEN 'x' END ORDER BY 1
SELECT array_agg(DISTINCT CASE a WHEN 1 THEN 'x' END ORDER BY CASE a WHEN 1 THEN 'x' END) FROM (VALUES (1), (2)) t(a)
-- Grouping sets.
SELECT a, b, sum(c), grouping(a, b) FROM (VALUES (1,1,10),(1,2,20),(2,2,5)) v(a,b,c) GROUP BY ROLLUP (a, b) ORDER BY 1, 2
SELECT a, b, count(*), grouping(b) FROM (VALUES (1,1),(1,2),(2,2)) v(a,b) GROUP BY CUBE (a, b) HAVING count(*) > 1 ORDER BY 1, 2, 3
SELECT a, count(*) FROM (VALUES (1), (2)) v(a) WHERE false GROUP BY GROUPING SETS ((a), (), ())
SELECT grouping(a), a FROM (VALUES (1), (2)) v(a) GROUP BY a ORDER BY 2
SELECT a, b, c, count(*) FROM (VALUES (1,2,3),(1,3,3)) v(a,b,c) GROUP BY a, ROLLUP (b), GROUPING SETS ((c), ()) ORDER BY 1, 2, 3, 4
SELECT a, b, count(*) FROM (VALUES (1,2),(1,3)) v(a,b) GROUP BY DISTINCT ROLLUP (a, b), ROLLUP (a) ORDER BY 1, 2, 3
SELECT a + 1, count(*) FROM (VALUES (1), (2)) v(a) GROUP BY ROLLUP (a + 1), a ORDER BY 1, 2
SELECT a, grouping(b) FROM (VALUES (1,2)) v(a,b) GROUP BY a
SELECT grouping(a) FROM (VALUES (1)) v(a) WHERE grouping(a) = 0 GROUP BY a
SELECT a FROM (VALUES (1)) v(a) GROUP BY CUBE (a,a,a,a,a,a,a,a,a,a,a,a,a)
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY b), a FROM (VALUES (1,2),(1,3),(2,5)) v(a,b) GROUP BY CUBE (a) ORDER BY 2
-- Rows against subqueries.
SELECT (1,2) < (SELECT 1,3), (1,2) = (SELECT 1,2), (1,2) > ANY (SELECT 1,1), (1,2) = ALL (SELECT 3,4 WHERE false)
SELECT (1,NULL) < (SELECT 1,3), (1,2) < ALL (SELECT 2,NULL), ROW(1,2) = (SELECT 1,2 WHERE false)
SELECT (1,2) = (SELECT a, b FROM (VALUES (1,2),(3,4)) t(a,b))
SELECT (1,2) = (SELECT 1)
-- Elements of arrays.
CREATE TABLE r_array (i int PRIMARY KEY, a int[], b int[], g int GENERATED ALWAYS AS (i * 2) STORED)
INSERT INTO r_array VALUES (1, '{1,2}', '{{1,2},{3,4}}'), (2, NULL, NULL)
UPDATE r_array SET a[2] = 22, a[5] = 55, b[1][1] = 9 WHERE i = 1 RETURNING *
UPDATE r_array SET a[3] = i, b[1:1][1:2] = '{{7,8}}' RETURNING *
INSERT INTO r_array (i, a[1], a[3]) VALUES (3, 10, 30) RETURNING *
INSERT INTO r_array (i, a[2:3]) SELECT 4, '{5,6}' RETURNING *
INSERT INTO r_array (i, a) VALUES (4, '{1}') ON CONFLICT (i) DO UPDATE SET a[1] = EXCLUDED.i RETURNING *
UPDATE r_array SET a = '{1}', a[2] = 3
UPDATE r_array SET a[1] = DEFAULT
UPDATE r_array SET a[NULL] = 1
UPDATE r_array SET a['x'] = 1
UPDATE r_array SET i[1] = 1
UPDATE r_array SET a[1].f = 1
WITH w AS (SELECT 77 AS v) INSERT INTO r_array (i, a) VALUES (1, '{}') ON CONFLICT (i) DO UPDATE SET a[1] = (SELECT v FROM w) RETURNING a
DROP TABLE r_array
-- WITH inside a recursive WITH.
WITH RECURSIVE r(n) AS (WITH w AS (SELECT 1 AS x) SELECT x FROM w UNION ALL SELECT n + 1 FROM r, w WHERE n < 3) SELECT * FROM r
-- A new key column of rows that are there.
CREATE TABLE r_key (a int)
INSERT INTO r_key VALUES (1)
ALTER TABLE r_key ADD COLUMN k int PRIMARY KEY
ALTER TABLE r_key ADD COLUMN k int DEFAULT 3 PRIMARY KEY
SELECT * FROM r_key
DROP TABLE r_key
-- Functions.
SELECT concat_ws(',', VARIADIC 10)
SELECT concat_ws(',', VARIADIC ARRAY[1, 2])
SELECT ''::bytea || ''::bytea, length(''::bytea || '')
SELECT pg_sleep(0)
SELECT CAST(1 - 1 AS oid), ('16384'::oid)::int4
SELECT regexp_replace('abc', 'o*', 'gi', 5, 1, 'x'), regexp_count('abc', 'o*', 5), regexp_count('abc', 'o*', 4)
SELECT to_number('.0', '99999999.99999999'), to_number('0', '99.99'), to_number('5.01', '9.999999')
SELECT DISTINCT 'a' AS c, 1
SELECT 'today'::date = current_date, 'now'::timestamptz = now()
SELECT 'tomorrow'::date - current_date
-- Subqueries in ON.
SELECT count(*) FROM generate_series(1, 50) a(x) LEFT JOIN generate_series(1, 50) b(y) ON a.x = b.y AND EXISTS (SELECT 1 FROM generate_series(1, 25) c(z) WHERE c.z = b.y)
SELECT count(y) FROM generate_series(1, 50) a(x) LEFT JOIN generate_series(1, 50) b(y) ON a.x = b.y AND b.y IN (SELECT z FROM generate_series(1, 25) c(z))
SELECT count(*) FROM generate_series(1, 9) a(x) JOIN generate_series(1, 9) b(y) ON EXISTS (SELECT 1 WHERE x + y = 9)
-- More relations than are ordered exactly.
SELECT count(*) FROM (VALUES (1),(2)) a(a), (VALUES (1),(2)) b(b), (VALUES (1),(2)) c(c), (VALUES (1),(2)) d(d), (VALUES (1),(2)) e(e), (VALUES (1),(2)) f(f), (VALUES (1),(2)) g(g), (VALUES (1),(2)) h(h), (VALUES (1),(2)) i(i), (VALUES (1),(2)) j(j), (VALUES (1),(2)) k(k), (VALUES (1),(2)) l(l) WHERE a = b AND b = c AND c = d AND e = f AND f + a = 3 AND g = h AND i = j AND j = a AND k > l AND g + i + k = 5
-- A row that an outer join did not find is no row.
CREATE TABLE rl (a int PRIMARY KEY, b text)
CREATE TABLE rr (a int, d date)
INSERT INTO rl VALUES (1, 'one'), (2, 'two'), (3, NULL)
INSERT INTO rr VALUES (1, '2020-01-01'), (5, NULL), (2, NULL)
SELECT count(rr.*), count(*) FROM rl LEFT JOIN rr USING (a)
SELECT count(rr), count(rl), count(*) FROM rl FULL JOIN rr ON rl.a = rr.a
SELECT count(rl.*) FROM rl RIGHT JOIN rr USING (a)
SELECT rl.a, rr IS NULL, rr IS NOT NULL, to_jsonb(rr), (rr).d FROM rl LEFT JOIN rr ON rl.a = rr.a ORDER BY rl.a
SELECT count(s.*), count(s.x) FROM rl LEFT JOIN (SELECT a AS y, NULL::int AS x FROM rr) AS s ON s.y = rl.a
SELECT count(x.*), count(y.*), count(z) FROM rl x LEFT JOIN (rr y LEFT JOIN rl z ON y.d IS NULL AND y.a = z.a) ON x.a = y.a
SELECT x.a, json_agg(y) FROM rl x LEFT JOIN rr y ON x.a = y.a GROUP BY x.a ORDER BY 1
SELECT count(v) FROM rl LEFT JOIN (VALUES (1, 2)) v(p, q) ON v.p = rl.a
SELECT count(w) FROM rl LEFT JOIN LATERAL (SELECT rl.b AS b WHERE rl.a > 1) w ON true
DROP TABLE rl, rr
-- A CASE of rows is none of these.
SELECT (CASE WHEN x THEN ROW(1, 2) END) IS NULL FROM (VALUES (true), (false)) v(x)
-- Sequences go from row to row, not from column to column.
CREATE SEQUENCE rs
SELECT nextval('rs'), nextval('rs') FROM generate_series(1, 3)
CREATE TABLE rt (a int DEFAULT nextval('rs'), b int DEFAULT nextval('rs'), c int)
INSERT INTO rt (c) SELECT * FROM generate_series(1, 3)
INSERT INTO rt SELECT nextval('rs'), nextval('rs'), g FROM generate_series(4, 6) g
INSERT INTO rt (c) VALUES (7), (8)
SELECT * FROM rt ORDER BY c
SELECT nextval('rs'), currval('rs'), g FROM generate_series(1, 2) g
DROP TABLE rt
DROP SEQUENCE rs
-- Constants of one part decide before others are computed, or raise their error.
SELECT (''::text)::int2 >> (NULL::float4)::int4
SELECT ('a'::text)::jsonb #- NULL::text[]
SELECT (('[1]'::json)::jsonb)::int2 - lcm(NULL::int8, 0)
SELECT NULL::interval + ('true'::text)::timestamptz
SELECT CAST('b'::text AS uuid) FROM generate_series(1, 2) WHERE false
-- Shortest digits inside of the half way points.
SELECT '3e10'::float4, sum('1e10'::float4) FROM generate_series(1, 3)
-- What comes first in a text is judged first.
SELECT '214748364{8'::int2
SELECT '1e40e'::float4
SELECT jsonb_set('"a"', '{{a},{b}}', '1')
SELECT '1'::jsonb #- '{"x y",NULL,""}'::text[]
SELECT jsonb_agg(DISTINCT (x = 'NaN'::float8) ORDER BY (x = 'NaN'::float8)) FROM (VALUES (1.5::float8)) v(x)
SELECT format_type(25, 5), format_type(1009, 7)
SELECT regexp_substr('abc', '[a-c]', 1, 1, 'x', 1), regexp_instr('abc', 'b', 1, 1, 0, '', 1), regexp_substr('abc', 'b', 1, 1, '', 2)
SELECT extract(year FROM age('infinity'::timestamp, '2000-01-01')), age('-infinity'::timestamp, '2000-01-01')
-- A generated column names no generated column.
CREATE TABLE gg (a int, b int GENERATED ALWAYS AS (a) STORED, c int GENERATED ALWAYS AS (b) STORED)
CREATE TABLE gg (a int, b int GENERATED ALWAYS AS (b + 1) STORED)
-- What a view reads keeps its type.
CREATE TABLE ts (a int PRIMARY KEY, b text)
CREATE VIEW vv AS SELECT a FROM ts
ALTER TABLE ts ALTER a TYPE bigint
ALTER TABLE ts ALTER b TYPE varchar
DROP VIEW vv
ALTER TABLE ts ALTER a TYPE bigint
DROP TABLE ts
-- ARRAY(SELECT ...) of arrays has one dimension more.
SELECT ARRAY(SELECT ARRAY[i, i / 2] FROM generate_series(1, 5) i)
SELECT ARRAY(SELECT ARRAY['a', i::text] FROM generate_series(9, 11) i), ARRAY(SELECT ARRAY[1] WHERE false)
SELECT ARRAY(SELECT CASE WHEN i = 1 THEN ARRAY[1] END FROM generate_series(1, 2) i)
SELECT ARRAY(SELECT array_fill(0, ARRAY[i]) FROM generate_series(1, 2) i)
-- A subquery that reads a CTE of an outer query, which is correlated itself.
SELECT (WITH c(f) AS (VALUES (g)) SELECT (SELECT f FROM c)) FROM generate_series(1, 5) g
SELECT (WITH c(f) AS (VALUES (g)) VALUES ((SELECT f FROM c))) FROM generate_series(1, 5) g
SELECT (WITH c(f) AS (SELECT g + 1) SELECT (SELECT (SELECT f FROM c) + h FROM generate_series(1, 1) h)) FROM generate_series(1, 3) g
-- The array of VARIADIC, when it is constant.
SELECT num_nonnulls(VARIADIC '{1,2,NULL,3}'::int[]), num_nulls(VARIADIC '{1,2,NULL,3}'::int[]), num_nulls(VARIADIC '{}'::text[])
SELECT num_nonnulls(VARIADIC NULL::text[])
-- Windows.
SELECT count() OVER () FROM generate_series(1, 2) g
SELECT count(*) OVER w FROM generate_series(1, 2) g WINDOW w AS (ORDER BY g), w AS (ORDER BY g)
SELECT sum(g) OVER (ROWS BETWEEN x PRECEDING AND x FOLLOWING) FROM generate_series(1, 2) g, (VALUES (1)) v(x)
SELECT sum(g) OVER (ORDER BY g RANGE BETWEEN '1 day'::interval PRECEDING AND CURRENT ROW) FROM generate_series(1, 2) g
-- The types of a foreign key and of what it references.
CREATE TABLE pki (a int PRIMARY KEY)
CREATE TABLE pkn (a numeric PRIMARY KEY)
CREATE TABLE pkt (a text PRIMARY KEY)
CREATE TABLE fkx (a numeric REFERENCES pki)
CREATE TABLE fkx (a real REFERENCES pki)
CREATE TABLE fk1 (a bigint REFERENCES pki)
CREATE TABLE fk2 (a int REFERENCES pkn)
CREATE TABLE fk3 (a varchar(5) REFERENCES pkt)
CREATE TABLE fkx (a int REFERENCES pkt)
DROP TABLE pki, pkn, pkt, fk1, fk2, fk3
CREATE TABLE pkf (a int, b int, PRIMARY KEY (a, b))
CREATE TABLE fkf (a int, b int, c int, FOREIGN KEY (a, b) REFERENCES pkf ON DELETE SET NULL (c))
CREATE TABLE fkf (a int, b int, c int, FOREIGN KEY (a, b) REFERENCES pkf ON DELETE SET NULL (d))
CREATE TABLE fkf (a int, b int)
INSERT INTO fkf VALUES (1, NULL)
ALTER TABLE fkf ADD FOREIGN KEY (a, b) REFERENCES pkf MATCH FULL
DROP TABLE fkf, pkf
