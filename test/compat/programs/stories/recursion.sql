CREATE TABLE edge (f int, t int, label text);
INSERT INTO edge VALUES (1, 2, 'a'), (1, 3, 'b'), (2, 4, 'c'), (3, 4, 'd'), (4, 5, 'e');
WITH RECURSIVE walk (f, t, label) AS (SELECT * FROM edge WHERE f = 1 UNION ALL SELECT e.* FROM edge e, walk w WHERE e.f = w.t)
  SEARCH DEPTH FIRST BY f, t SET seq SELECT f, t, label, seq FROM walk ORDER BY seq;
WITH RECURSIVE walk (f, t, label) AS (SELECT * FROM edge WHERE f = 1 UNION ALL SELECT e.f, e.t, e.label FROM edge e JOIN walk w ON e.f = w.t)
  SEARCH BREADTH FIRST BY f, t SET seq SELECT f, t FROM walk ORDER BY seq, label;
WITH RECURSIVE walk (f, t) AS (SELECT f, t FROM edge WHERE f = 1 UNION ALL SELECT e.f, e.t FROM edge e, walk w WHERE e.f = w.t)
  SEARCH BREADTH FIRST BY f, t SET seq SELECT f, t, seq FROM walk ORDER BY seq;
WITH RECURSIVE walk (f, t) AS (SELECT f, t FROM edge WHERE f = 1 UNION ALL SELECT e.f, e.t FROM edge e, walk w WHERE e.f = w.t)
  SEARCH DEPTH FIRST BY f, t SET seq SELECT f, t, seq FROM walk ORDER BY seq;
INSERT INTO edge VALUES (5, 1, 'back');
WITH RECURSIVE walk (f, t) AS (SELECT f, t FROM edge WHERE f = 1 UNION ALL SELECT e.f, e.t FROM edge e, walk w WHERE e.f = w.t)
  CYCLE f, t SET is_cycle USING path SELECT f, t, is_cycle, path FROM walk ORDER BY path;
WITH RECURSIVE walk (f, t) AS (SELECT f, t FROM edge WHERE f = 1 UNION SELECT e.f, e.t FROM edge e, walk w WHERE e.f = w.t)
  CYCLE f, t SET is_cycle TO 'Y' DEFAULT 'N' USING path SELECT f, t, is_cycle FROM walk ORDER BY path;
WITH RECURSIVE walk (f, t) AS (SELECT f, t FROM edge WHERE f = 1 UNION ALL SELECT e.f, e.t FROM edge e, walk w WHERE e.f = w.t)
  SEARCH DEPTH FIRST BY f SET seq CYCLE f, t SET is_cycle USING path SELECT count(*), count(*) FILTER (WHERE is_cycle) FROM walk;

-- What a view's WITH tables hide, they hide for good; and what a recursive query may not have.
CREATE TABLE hidden (n int);
INSERT INTO hidden VALUES (100);
CREATE VIEW of_with AS WITH hidden AS (SELECT 1 AS n) SELECT n FROM hidden;
SELECT * FROM of_with;
CREATE VIEW of_itself AS WITH hidden AS (SELECT n + 1 AS n FROM hidden) SELECT n FROM hidden;
SELECT * FROM of_itself;
CREATE RECURSIVE VIEW numbers (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 3;
SELECT * FROM numbers;
CREATE OR REPLACE RECURSIVE VIEW numbers (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 4;
SELECT * FROM numbers;
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t FOR UPDATE) SELECT * FROM t;
SELECT 1 UNION SELECT 2 FOR NO KEY UPDATE;
