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
