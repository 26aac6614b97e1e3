-- Literals in rows take the type of what they are compared with.
CREATE SCHEMA shop;
CREATE TABLE shop.items (id serial PRIMARY KEY, name text, price numeric);
INSERT INTO shop.items (name, price) VALUES ('pen', 1.5) RETURNING shop.items.id, shop.items.*;
INSERT INTO shop.items (id, name) VALUES (1, 'ink') ON CONFLICT (id) DO UPDATE SET name = shop.items.name || excluded.name
RETURNING shop.items.name;
INSERT INTO shop.items AS i (name) VALUES ('paper') RETURNING shop.items.name;
SELECT id FROM shop.items WHERE (id, price) IN ((NULL, NULL)) AND 1 <> 1;
SELECT id FROM shop.items WHERE (id, name, price) IN (('1', 'penink', '1.50'), (2, 'x', NULL));
SELECT id FROM shop.items WHERE (id, name) NOT IN ((7, 'x'));
SELECT (1, '2') IS DISTINCT FROM (1, 2), (1, NULL) IS NOT DISTINCT FROM ('1', NULL), (1, 2) BETWEEN ('0', 1) AND (2, '3');
SELECT (1, 2) IN (('a', 2));

-- a partial index is found by a condition that means the same
CREATE TABLE names (id int PRIMARY KEY, name varchar(50), kind varchar(50));
CREATE UNIQUE INDEX ON names (name, kind) WHERE kind = 'main';
INSERT INTO names VALUES (1, 'a', 'main') ON CONFLICT (name, kind) WHERE kind = 'main' DO UPDATE SET name = 'b';
INSERT INTO names VALUES (2, 'a', 'main') ON CONFLICT (name, kind) WHERE kind = 'main' DO UPDATE SET name = 'b' RETURNING *;
INSERT INTO names VALUES (3, 'b', 'main') ON CONFLICT (name, kind) WHERE kind = 'main' AND name <> 'z' DO NOTHING;
INSERT INTO names VALUES (3, 'b', 'main') ON CONFLICT (name, kind) WHERE kind = 'other' DO NOTHING;
