-- Keys that the other table's type cannot hold: no row there has them.
CREATE TABLE wide (a bigint PRIMARY KEY);
CREATE TABLE narrow (a int REFERENCES wide ON DELETE CASCADE, b smallint REFERENCES wide, c numeric);
INSERT INTO wide VALUES (1), (2), (3), (5000000000), (6000000000);
INSERT INTO narrow VALUES (1, 2);
DELETE FROM wide WHERE a = 5000000000;
DELETE FROM wide WHERE a IN (1, 6000000000);
DELETE FROM wide WHERE a IN (2, 3);
SELECT * FROM wide ORDER BY a;
CREATE TABLE narrow_key (a int PRIMARY KEY);
CREATE TABLE back (a bigint REFERENCES narrow_key);
INSERT INTO narrow_key VALUES (1);
INSERT INTO back VALUES (1), (5000000000);
INSERT INTO back VALUES (1);
SELECT * FROM back;
