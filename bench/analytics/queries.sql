-- count(*)
SELECT count(*) FROM facts
-- sum
SELECT sum(b), count(*) FROM facts
-- sum with filter
SELECT sum(b) FROM facts WHERE c < 500
-- group by, 50 groups
SELECT a % 50, sum(b), avg(b) FROM facts GROUP BY a % 50
-- group by, 1000 groups
SELECT c, count(*), sum(b), max(a) FROM facts GROUP BY c
-- group by, many groups
SELECT count(*) FROM (SELECT b, count(*) FROM facts GROUP BY b) AS g
-- group by text
SELECT t, count(*), min(a) FROM facts GROUP BY t
-- distinct
SELECT count(*) FROM (SELECT DISTINCT c, t FROM facts) AS d
-- sort 1,000,000 rows
SELECT max(r) FROM (SELECT b AS r FROM facts WHERE a <= 1000000 ORDER BY t, b OFFSET 0) AS s
-- top 10
SELECT a, b FROM facts ORDER BY b DESC, a LIMIT 10
-- window
SELECT max(r) FROM (SELECT row_number() OVER (PARTITION BY c ORDER BY b) AS r FROM facts WHERE a <= 1000000) AS w
-- min and max by index
SELECT min(a), max(a), min(c), max(c) FROM facts
-- index range
SELECT count(*), sum(b) FROM facts WHERE c BETWEEN 100 AND 101
-- index only range
SELECT count(*) FROM facts WHERE c BETWEEN 100 AND 120
-- IN list
SELECT sum(b) FROM facts WHERE a IN (1, 50, 5000, 77777, 123456, 234567, 345678, 456789, 567890, 678901)
-- LIKE prefix on an index
SELECT count(*) FROM facts WHERE t LIKE 'name 12%'
-- primary key range
SELECT sum(b) FROM facts WHERE a BETWEEN 100000 AND 200000
-- hash join
SELECT count(*), sum(f.b) FROM facts f JOIN dims d ON f.c = d.id WHERE d.kind = 3
-- join of large tables
SELECT count(*) FROM facts f JOIN facts g ON f.a = g.b WHERE f.c < 300
