-- UPDATE and DELETE of the row that a cursor is on.
CREATE TABLE accounts (id int PRIMARY KEY, owner text, balance int);
INSERT INTO accounts SELECT i, 'owner ' || i, i * 10 FROM generate_series(1, 6) i;
CREATE TABLE notes (account int, note text);
INSERT INTO notes SELECT i, 'note ' || i FROM generate_series(1, 6) i;

BEGIN;
DECLARE plain CURSOR FOR SELECT * FROM accounts ORDER BY id FOR UPDATE;
FETCH 2 FROM plain;
UPDATE accounts SET balance = balance + 1 WHERE CURRENT OF plain RETURNING *;
UPDATE accounts SET balance = balance + 1 WHERE CURRENT OF plain RETURNING balance;
FETCH 1 FROM plain;
DELETE FROM accounts WHERE CURRENT OF plain RETURNING id;
DELETE FROM accounts WHERE CURRENT OF plain RETURNING id;
MOVE 1 FROM plain;
UPDATE accounts a SET owner = 'moved to' WHERE CURRENT OF plain;
COMMIT;
TABLE accounts ORDER BY id;

-- without FOR UPDATE, and back and forth
BEGIN;
DECLARE scrolled SCROLL CURSOR FOR SELECT note FROM notes WHERE account > 1;
FETCH LAST FROM scrolled;
FETCH PRIOR FROM scrolled;
UPDATE notes SET note = '-' WHERE CURRENT OF scrolled RETURNING account;
FETCH FIRST FROM scrolled;
DELETE FROM notes WHERE CURRENT OF scrolled RETURNING account;
ROLLBACK;

-- a table without a key, and a join whose locks name one side
BEGIN;
DECLARE keyless CURSOR FOR SELECT note FROM notes WHERE account > 2 FOR UPDATE;
FETCH keyless;
UPDATE notes SET note = note || '!' WHERE CURRENT OF keyless RETURNING note;
DECLARE joined CURSOR FOR SELECT a.id, n.note FROM accounts a JOIN notes n ON n.account = a.id ORDER BY a.id FOR UPDATE OF a;
FETCH joined;
UPDATE accounts SET balance = 0 WHERE CURRENT OF joined RETURNING *;
SAVEPOINT s;
UPDATE notes SET note = '' WHERE CURRENT OF joined;
ROLLBACK TO s;
PREPARE change AS UPDATE accounts SET owner = $1 WHERE CURRENT OF joined RETURNING id;
EXECUTE change('first');
FETCH joined;
EXECUTE change('second');
COMMIT;

-- what is not possible
DELETE FROM accounts WHERE CURRENT OF nothing;
BEGIN;
DECLARE before_all CURSOR FOR SELECT * FROM accounts;
SAVEPOINT s;
DELETE FROM accounts WHERE CURRENT OF before_all;
ROLLBACK TO s;
MOVE ALL FROM before_all;
DELETE FROM accounts WHERE CURRENT OF before_all;
ROLLBACK TO s;
DECLARE grouped CURSOR FOR SELECT balance, count(*) FROM accounts GROUP BY balance ORDER BY balance;
FETCH grouped;
DELETE FROM accounts WHERE CURRENT OF grouped;
ROLLBACK TO s;
DECLARE other CURSOR FOR SELECT * FROM notes;
FETCH other;
DELETE FROM accounts WHERE CURRENT OF other;
ROLLBACK;
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT id FROM accounts ORDER BY id;
COMMIT;
FETCH held;
DELETE FROM accounts WHERE CURRENT OF held;
CLOSE held;
TABLE accounts ORDER BY id;
TABLE notes ORDER BY account;
