-- A row that goes by one foreign key's action is in nobody's way by another's.
CREATE TABLE parents (a int PRIMARY KEY, b int);
CREATE TABLE children (id int PRIMARY KEY, a int CONSTRAINT goes REFERENCES parents ON DELETE CASCADE,
                       b int CONSTRAINT stays REFERENCES parents);
INSERT INTO parents SELECT i, i FROM generate_series(1, 9) AS i;
INSERT INTO children VALUES (1, 1, 2), (2, 3, 3), (3, 4, 5);
DELETE FROM parents WHERE a IN (1, 2);
DELETE FROM parents WHERE a = 3;
DELETE FROM parents WHERE a = 5;
SELECT * FROM children ORDER BY id;
SELECT a FROM parents ORDER BY a;
-- Through another table.
CREATE TABLE grandchildren (id int PRIMARY KEY, child int REFERENCES children ON DELETE CASCADE, a int REFERENCES parents);
INSERT INTO grandchildren VALUES (1, 3, 4);
DELETE FROM parents WHERE a = 4;
SELECT * FROM grandchildren;
-- What an action sets must be there.
CREATE TABLE defaults (a int DEFAULT 7 REFERENCES parents ON DELETE SET DEFAULT);
INSERT INTO defaults VALUES (6);
DELETE FROM parents WHERE a = 6;
SELECT * FROM defaults;
DELETE FROM parents WHERE a = 7;
SELECT * FROM defaults;
-- Updates.
CREATE TABLE followers (a int CONSTRAINT follows REFERENCES parents ON UPDATE CASCADE, b int CONSTRAINT refuses REFERENCES parents);
INSERT INTO followers VALUES (8, 9);
UPDATE parents SET a = 80 WHERE a = 8;
UPDATE parents SET a = 90 WHERE a = 9;
SELECT * FROM followers;
-- Several columns of one row that refer to the same row, each by a foreign key of its own.
CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE tasks (id int PRIMARY KEY, owner int REFERENCES users ON UPDATE CASCADE ON DELETE SET NULL,
                    worker int REFERENCES users ON UPDATE CASCADE ON DELETE SET NULL,
                    checker int DEFAULT 5 REFERENCES users ON UPDATE CASCADE ON DELETE SET DEFAULT,
                    boss int REFERENCES users ON UPDATE SET NULL ON DELETE CASCADE);
INSERT INTO users SELECT generate_series(1, 5);
INSERT INTO tasks VALUES (1, 1, NULL, NULL), (2, 2, 2, 1, NULL), (3, 3, 3, 3, 3);
UPDATE users SET id = 40 WHERE id = 3;
SELECT * FROM tasks ORDER BY id;
DELETE FROM users WHERE id = 40;
SELECT * FROM tasks ORDER BY id;
UPDATE tasks SET boss = 5 WHERE id = 2;
DELETE FROM users WHERE id < 3;
SELECT * FROM tasks ORDER BY id;
UPDATE tasks SET owner = 5, worker = 5 WHERE id = 3;
DELETE FROM users WHERE id = 5;
SELECT * FROM tasks ORDER BY id;
DELETE FROM tasks WHERE checker = 5;
DELETE FROM users WHERE id = 5;
SELECT * FROM tasks ORDER BY id;
-- Types that cannot be compared with those of the other side.
CREATE TABLE artists (id int PRIMARY KEY, name text);
CREATE TABLE albums (artist int CONSTRAINT made_by REFERENCES artists, id int PRIMARY KEY, before int REFERENCES albums);
ALTER TABLE albums ALTER COLUMN artist TYPE text;
ALTER TABLE artists ALTER COLUMN id TYPE text;
ALTER TABLE albums ALTER COLUMN artist TYPE bigint, ALTER COLUMN before TYPE bigint;
ALTER TABLE artists ALTER COLUMN id TYPE smallint, ALTER COLUMN name TYPE varchar(10);
ALTER TABLE albums ALTER COLUMN before TYPE text, ALTER COLUMN id TYPE text;
ALTER TABLE albums ALTER COLUMN id TYPE text;
\d albums
