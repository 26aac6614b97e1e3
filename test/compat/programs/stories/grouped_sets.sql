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
