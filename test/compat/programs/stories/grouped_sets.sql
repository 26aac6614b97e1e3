-- Grouping by set-returning functions.
CREATE TABLE few (id int, tag text, tags text[]);
INSERT INTO few VALUES (1, 'a', '{x,y}'), (2, 'a', '{y}'), (3, 'b', '{}');
SELECT unnest(tags) AS t, count(*) FROM few GROUP BY t ORDER BY t;
SELECT unnest(tags), count(*), sum(id) FROM few GROUP BY unnest(tags) ORDER BY 1;
SELECT tag, generate_series(1, 2) AS g, count(*) FROM few GROUP BY tag, g ORDER BY tag, g;
SELECT tag, generate_series(1, 2), count(*) FROM few GROUP BY tag, 2 HAVING count(*) > 1 ORDER BY 1, 2;
SELECT upper(unnest(tags)) || '!' AS u, max(id) FROM few GROUP BY u ORDER BY u;
SELECT tag, unnest(ARRAY['a', 'b']), count(*) FROM few GROUP BY tag ORDER BY 1, 2;
SELECT generate_series(1, 2) AS g FROM few GROUP BY g ORDER BY g;
SELECT generate_series(1, generate_series(1, 3)) AS g, count(*) FROM few GROUP BY g ORDER BY g;
SELECT id, generate_series(1, 2) g FROM few GROUP BY g;
SELECT count(generate_series(1, 2)) FROM few;
SELECT generate_series(1, 3) AS g, count(*) FROM few GROUP BY ROLLUP (1) ORDER BY g;
-- Grouped by a subquery of the select list.
CREATE TABLE grouped (i int);
INSERT INTO grouped VALUES (1), (2), (2);
SELECT (SELECT max(x.i) FROM grouped x WHERE x.i = grouped.i) AS g, count(*) FROM grouped GROUP BY g ORDER BY g;
SELECT 1 + (SELECT max(x.i) FROM grouped x WHERE x.i = grouped.i) AS g, count(*) FROM grouped GROUP BY 1 ORDER BY 1;
SELECT EXISTS (SELECT 1 FROM grouped x WHERE x.i > grouped.i) AS g, count(*), sum(i) FROM grouped GROUP BY g HAVING count(*) > 1 ORDER BY g;
SELECT (SELECT x.i FROM grouped x WHERE x.i = grouped.i LIMIT 1) AS g, count(*), rank() OVER (ORDER BY count(*)) FROM grouped GROUP BY 1 ORDER BY 1;
SELECT (SELECT grouped.i), count(*) FROM grouped GROUP BY i + 1;
SELECT count(*) FROM grouped GROUP BY i + 1 HAVING EXISTS (SELECT 1 FROM grouped x WHERE x.i = grouped.i);
SELECT count(*) FROM grouped GROUP BY i + 1 ORDER BY (SELECT grouped.i);
SELECT count(*) FROM grouped GROUP BY i ORDER BY (SELECT grouped.i);
SELECT count(*) OVER (ORDER BY (SELECT grouped.i)) FROM grouped GROUP BY i + 1;
