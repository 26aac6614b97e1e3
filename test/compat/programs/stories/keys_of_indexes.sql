-- ADD PRIMARY KEY and UNIQUE take an index that is there.
CREATE TABLE written (a int, b varchar(10), c text);
INSERT INTO written VALUES (1, '2', 'x'), (3, '4', 'y'), (5, '6', 'z');
CREATE UNIQUE INDEX written_ab ON written (a, b);
CREATE UNIQUE INDEX written_c ON written (c);
CREATE UNIQUE INDEX written_down ON written (a DESC);
CREATE UNIQUE INDEX written_some ON written (a) WHERE b > '2';
CREATE UNIQUE INDEX written_lower ON written (lower(b));
CREATE INDEX written_twice ON written (b);
ALTER TABLE written ADD PRIMARY KEY USING INDEX written_nobody;
ALTER TABLE written ADD PRIMARY KEY USING INDEX written_down;
ALTER TABLE written ADD UNIQUE USING INDEX written_some;
ALTER TABLE written ADD UNIQUE USING INDEX written_lower;
ALTER TABLE written ADD CONSTRAINT two UNIQUE USING INDEX written_twice;
ALTER TABLE written ADD CONSTRAINT written_pkey PRIMARY KEY USING INDEX written_ab;
ALTER TABLE written ADD UNIQUE USING INDEX written_c;
ALTER TABLE written ADD UNIQUE USING INDEX written_c;
\d written
SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'written'::regclass ORDER BY 1;
INSERT INTO written VALUES (1, '2', 'again');
INSERT INTO written VALUES (NULL, '2', 'null');
INSERT INTO written VALUES (7, '7', 'x');
INSERT INTO written VALUES (7, '7', 'w') ON CONFLICT ON CONSTRAINT written_pkey DO NOTHING;
CREATE TABLE refers (a int, b varchar(10), FOREIGN KEY (a, b) REFERENCES written, c text REFERENCES written (c));
INSERT INTO refers VALUES (1, '2', 'z'), (9, '9', 'x');
INSERT INTO refers VALUES (1, '2', 'z');
SELECT * FROM written ORDER BY a, b;
-- Under its own name, and in the way of a key that is there.
CREATE TABLE own (a int);
CREATE UNIQUE INDEX own_index ON own (a);
ALTER TABLE own ADD PRIMARY KEY USING INDEX own_index;
ALTER TABLE own ADD PRIMARY KEY (a);
\d own
ALTER TABLE own DROP CONSTRAINT own_index;
\d own
-- A row that is NULL.
CREATE TABLE holes (a int);
INSERT INTO holes VALUES (NULL);
CREATE UNIQUE INDEX holes_a ON holes (a);
ALTER TABLE holes ADD PRIMARY KEY USING INDEX holes_a;
\d holes
