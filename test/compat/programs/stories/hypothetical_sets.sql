-- Where a row would come among others.
CREATE TABLE scores (team text, points int, seconds float8);
INSERT INTO scores VALUES ('a', 1, 0.5), ('a', 3, 1), ('a', 3, 2), ('a', NULL, 4), ('b', 7, 1), ('b', 8, NULL), ('c', NULL, NULL);
SELECT team, rank(3) WITHIN GROUP (ORDER BY points), dense_rank(4) WITHIN GROUP (ORDER BY points),
       percent_rank(3) WITHIN GROUP (ORDER BY points), cume_dist(3) WITHIN GROUP (ORDER BY points)
FROM scores GROUP BY team ORDER BY team;
SELECT rank(3) WITHIN GROUP (ORDER BY points DESC), rank(3) WITHIN GROUP (ORDER BY points NULLS FIRST),
       rank(NULL::int) WITHIN GROUP (ORDER BY points), rank(NULL::int) WITHIN GROUP (ORDER BY points DESC),
       dense_rank(NULL::int) WITHIN GROUP (ORDER BY points DESC NULLS LAST) FROM scores;
SELECT rank(3, 1.5) WITHIN GROUP (ORDER BY points, seconds DESC), dense_rank(3, 1.5) WITHIN GROUP (ORDER BY points, seconds),
       cume_dist(3, 2) WITHIN GROUP (ORDER BY points, seconds) FROM scores;
SELECT rank(4) WITHIN GROUP (ORDER BY points) FILTER (WHERE team = 'b'),
       percent_rank(4) WITHIN GROUP (ORDER BY points) FILTER (WHERE team = 'zz') FROM scores;
SELECT rank('fred') WITHIN GROUP (ORDER BY team), rank('b'::text) WITHIN GROUP (ORDER BY team) FROM scores;
SELECT rank(1) WITHIN GROUP (ORDER BY x) FROM generate_series(1, 0) x;
SELECT team, rank(3) WITHIN GROUP (ORDER BY points) FROM scores GROUP BY team HAVING rank(3) WITHIN GROUP (ORDER BY points) > 1 ORDER BY 2, 1;
SELECT rank(x.n) WITHIN GROUP (ORDER BY s.points) FROM scores s, (VALUES (2), (5)) x(n) GROUP BY x.n ORDER BY 1;
SELECT rank(1, 2) WITHIN GROUP (ORDER BY points) FROM scores;
SELECT rank('x') WITHIN GROUP (ORDER BY points) FROM scores;
