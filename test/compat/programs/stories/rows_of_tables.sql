-- Rows cast to the row type of a table, and made of JSON.
CREATE TABLE people (id int, name text, born date, tags text[], more jsonb, size numeric(5, 1));
SELECT NULL::people, (NULL::people).name IS NULL, NULL::people IS NULL;
SELECT (1, 'ann', '2001-02-03', '{a}', '{}', '1.25')::people;
SELECT (ROW(1, 'ann', '2001-02-03', '{a}', '{}', 1.25)::people).*;
SELECT ((1, 'ann', NULL, NULL, NULL, NULL)::people).name, ((1, 'ann', NULL, NULL, NULL, NULL)::public.people).id;
SELECT (1, 2)::people;
SELECT (1, 2, NULL, NULL, NULL, 3, 4)::people;
SELECT * FROM json_populate_record(NULL::people, '{"id": 1, "name": "bob", "tags": ["x", "y"], "more": {"a": 1}}');
SELECT * FROM jsonb_populate_record(NULL::people, '{"id": "7", "born": "2000-01-01", "size": 12.34, "other": 1}') AS p(a, b);
SELECT p.name, p.born FROM json_populate_recordset(NULL::people, '[{"id": 1, "name": "x"}, {"name": null, "born": "1999-12-31"}]') p;
INSERT INTO people SELECT * FROM jsonb_populate_recordset(NULL::people, '[{"id": 1, "name": "x"}, {"id": 2, "tags": ["q"]}]') RETURNING *;
SELECT ord, id FROM json_populate_recordset(NULL::people, '[{"id": 5}, {"id": 4}]') WITH ORDINALITY AS t(id, n, b, t, m, s, ord);
-- what the object lacks comes from the row that is given
SELECT q.* FROM people p, jsonb_populate_record(p, '{"name": "changed"}') q ORDER BY q.id;
SELECT (jsonb_populate_record(p, '{"size": 3, "tags": null}')).* FROM people p ORDER BY p.id;
SELECT jsonb_populate_record(p, '{"name": null}') FROM people p ORDER BY p.id;
SELECT json_populate_record(p, NULL) FROM people p ORDER BY p.id;
SELECT (json_populate_recordset(NULL::people, '[{"id": 1}, {"id": 2}]')).id;
SELECT json_populate_record(NULL::people, '{"id": 3, "name": "z"}');
SELECT * FROM json_populate_record(NULL::record, '{"a": 1}') AS (a int, b text);
SELECT * FROM json_populate_record(NULL::people, NULL);
SELECT * FROM json_populate_recordset(NULL::people, NULL);
SELECT * FROM json_populate_record(NULL::record, '{"a": 1}');
SELECT * FROM json_populate_record(NULL::people, '{"id": "x"}');
SELECT * FROM json_populate_record(NULL::nothing, '{"id": "x"}');
SELECT * FROM json_populate_record(1, '{"id": "x"}');
