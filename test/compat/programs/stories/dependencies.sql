-- Objects that one statement drops may depend on each other.
CREATE TABLE pk (a int PRIMARY KEY);
CREATE TABLE fk (a int REFERENCES pk);
DROP TABLE pk, fk;
CREATE TABLE base (a int, b int);
CREATE VIEW over1 AS SELECT a FROM base;
CREATE VIEW over2 AS SELECT a FROM over1;
CREATE VIEW beside AS SELECT b FROM base;
DROP VIEW over1;
DROP VIEW over1, beside;
DROP TABLE base;
DROP TABLE base CASCADE;
CREATE TABLE base (a int);
CREATE VIEW over1 AS SELECT a FROM base;
DROP VIEW over1, nowhere;
DROP VIEW IF EXISTS nowhere, over1;
DROP TABLE base, base;
CREATE SCHEMA s;
CREATE TABLE s.t (a int PRIMARY KEY);
CREATE SEQUENCE s.q;
CREATE VIEW sv AS SELECT a FROM s.t;
CREATE TABLE sfk (a int REFERENCES s.t);
DROP SCHEMA s;
DROP SCHEMA s CASCADE;
-- A default that draws from a sequence keeps it, under every name.
CREATE SEQUENCE q;
CREATE TABLE draws (a int DEFAULT nextval('q'), b serial);
DROP SEQUENCE q;
ALTER SEQUENCE q RENAME TO q2;
INSERT INTO draws DEFAULT VALUES;
INSERT INTO draws DEFAULT VALUES;
SELECT * FROM draws ORDER BY b;
\d draws
DROP SEQUENCE q2 CASCADE;
\d draws
-- Roles that a session takes.
CREATE USER clerk;
SET ROLE clerk;
SELECT current_user, session_user, current_setting('role');
RESET ROLE;
SET SESSION AUTHORIZATION clerk;
SELECT current_user, session_user;
RESET SESSION AUTHORIZATION;
SELECT current_user, session_user;
SET ROLE nobody;
BEGIN;
SET LOCAL ROLE clerk;
SELECT current_user;
COMMIT;
SELECT current_user;
DROP ROLE clerk;
-- What is there already is told with its code.
\set VERBOSITY sqlstate
CREATE TABLE IF NOT EXISTS draws (a int);
CREATE INDEX di ON draws (a);
CREATE INDEX IF NOT EXISTS di ON draws (a);
CREATE SEQUENCE qq;
CREATE SEQUENCE IF NOT EXISTS qq;
CREATE SCHEMA IF NOT EXISTS public;
ALTER TABLE draws ADD COLUMN IF NOT EXISTS a int;
CREATE TYPE mood AS ENUM ('sad');
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'sad';
DROP TABLE IF EXISTS nowhere;
\set VERBOSITY default
-- Read-only transactions write to temporary tables, and to no others.
CREATE TEMP TABLE tt (a int);
BEGIN READ ONLY;
INSERT INTO tt VALUES (1);
UPDATE tt SET a = 2;
SELECT * FROM tt;
INSERT INTO draws (a) VALUES (1);
ROLLBACK;
BEGIN READ ONLY;
CREATE TABLE no (a int);
ROLLBACK;
BEGIN READ ONLY;
DROP TABLE draws;
ROLLBACK;
-- A cursor whose query failed stays so.
CREATE TABLE numbers AS SELECT g AS n FROM generate_series(1, 5) g;
BEGIN;
DECLARE c CURSOR FOR SELECT 1 / (n - 3) FROM numbers ORDER BY n;
SAVEPOINT s;
FETCH 10 FROM c;
ROLLBACK TO s;
FETCH 10 FROM c;
ROLLBACK TO s;
FETCH 10 FROM c;
COMMIT;
-- Words for what a default cannot be.
CREATE TABLE bad (a int DEFAULT (b));
CREATE TABLE bad (a int DEFAULT (avg(1)));
CREATE TABLE bad (a int DEFAULT (SELECT 1));
CREATE TABLE bad (a int DEFAULT (generate_series(1, 3)));
CREATE TABLE bad (a int DEFAULT true);
-- Checks go by their names.
CREATE TABLE checked (a int CONSTRAINT z CHECK (a > 0), b int CONSTRAINT y CHECK (b > 0));
INSERT INTO checked VALUES (0, 0);
-- System columns in views.
CREATE VIEW sysv AS SELECT tableoid::regclass AS t, a FROM checked;
INSERT INTO checked VALUES (1, 1);
SELECT * FROM sysv;
-- SET TRANSACTION READ ONLY ends with the savepoint inside which it was said.
BEGIN;
SAVEPOINT x;
SET TRANSACTION READ ONLY;
ROLLBACK TO SAVEPOINT x;
SHOW transaction_read_only;
SAVEPOINT y;
SET TRANSACTION READ ONLY;
SHOW transaction_read_only;
RELEASE SAVEPOINT y;
SHOW transaction_read_only;
COMMIT;
-- Storage details are taken and have no effect.
CREATE TABLE stored (a int GENERATED ALWAYS AS IDENTITY, b text);
ALTER TABLE stored ALTER b SET STORAGE EXTERNAL;
ALTER TABLE stored ALTER b SET STATISTICS 200;
ALTER TABLE stored ALTER b SET (n_distinct = 5);
ALTER TABLE stored ALTER b RESET (n_distinct);
ALTER TABLE stored ALTER missing SET STORAGE PLAIN;
ALTER TABLE stored SET UNLOGGED;
ALTER TABLE stored SET LOGGED;
ALTER TABLE stored ALTER a TYPE text;
ALTER TABLE stored ALTER a TYPE bigint;
-- IF EXISTS for what cannot be there.
CREATE TABLE plain (a int);
DROP FUNCTION IF EXISTS nothing();
DROP FUNCTION IF EXISTS nothing(int, text[]), nothing2;
DROP PROCEDURE IF EXISTS nothing(int);
DROP TRIGGER IF EXISTS tr ON plain;
DROP TRIGGER IF EXISTS tr ON nowhere;
DROP RULE IF EXISTS r ON plain;
DROP POLICY IF EXISTS p ON plain;
DROP EXTENSION IF EXISTS nothing;
DROP PUBLICATION IF EXISTS nothing, nothing2;
