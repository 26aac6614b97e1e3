CREATE TABLE target (id int PRIMARY KEY, balance int CHECK (balance >= 0), note text DEFAULT 'new');
CREATE TABLE source (id int, delta int);
INSERT INTO target VALUES (1, 10), (2, 20), (3, 30);
INSERT INTO source VALUES (2, 5), (3, -30), (4, 40);
MERGE INTO target AS t USING source AS s ON t.id = s.id
  WHEN MATCHED AND t.balance + s.delta = 0 THEN DELETE
  WHEN MATCHED THEN UPDATE SET balance = t.balance + s.delta, note = 'changed'
  WHEN NOT MATCHED THEN INSERT (id, balance) VALUES (s.id, s.delta);
SELECT * FROM target ORDER BY id;
MERGE INTO target USING source ON target.id = source.id WHEN MATCHED THEN DO NOTHING;
MERGE INTO target USING source ON target.id = source.id WHEN NOT MATCHED THEN DO NOTHING;
MERGE INTO target t USING (SELECT id + 100 AS id, delta FROM source WHERE delta > 0) s ON t.id = s.id
  WHEN NOT MATCHED AND s.delta > 10 THEN INSERT VALUES (s.id, s.delta, 'big')
  WHEN NOT MATCHED THEN INSERT (balance, id) VALUES (DEFAULT, s.id);
SELECT * FROM target ORDER BY id;
MERGE INTO target t USING (VALUES (1), (1)) s (id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET balance = 0;
MERGE INTO target t USING (VALUES (1), (1)) s (id) ON t.id = s.id WHEN MATCHED THEN DELETE;
MERGE INTO target t USING (VALUES (900), (900)) s (id) ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id, 1);
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET balance = -1;
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET nothing = 1;
MERGE INTO nothing t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE;
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE WHEN MATCHED THEN DO NOTHING;
MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (t.id, 1);
WITH w AS (SELECT 1 AS id, 7 AS delta) MERGE INTO target t USING w ON t.id = w.id WHEN MATCHED THEN UPDATE SET (balance, note) = (w.delta, 'with');
SELECT * FROM target WHERE id = 1;
CREATE VIEW view_of_target AS SELECT * FROM target;
MERGE INTO view_of_target t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE;
PREPARE m(int) AS MERGE INTO target t USING (SELECT $1 AS id) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET note = 'again' WHEN NOT MATCHED THEN INSERT VALUES (s.id, 0);
EXECUTE m(1);
EXECUTE m(500);
SELECT * FROM target ORDER BY id;
