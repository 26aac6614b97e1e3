-- Files of the server that are not there.
CREATE TABLE t (a int, b text);
COPY t FROM '/nowhere/t.csv' CSV;
COPY t TO '/nowhere/t.csv' CSV;
COPY t TO 'here';
COPY (SELECT 1) TO '/nowhere/else';
