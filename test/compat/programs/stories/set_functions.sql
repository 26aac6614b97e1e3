-- Set-returning functions beside columns of their rows: as many rows as there were, but not one of each.
CREATE TABLE few (id int, tag text, tags text[]);
INSERT INTO few VALUES (1, 'a', '{x,y}'), (2, 'a', '{y}'), (3, 'b', '{}');
SELECT id, unnest(tags) FROM few ORDER BY 1, 2;
SELECT id, upper(unnest(tags)), tag FROM few ORDER BY 1, 2;
SELECT id, generate_series(1, id - 1) FROM few ORDER BY 1, 2;
