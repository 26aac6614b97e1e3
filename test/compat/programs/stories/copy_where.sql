CREATE TABLE t (id int PRIMARY KEY, v text, d int DEFAULT 7);
COPY t (id, v) FROM STDIN WHERE id > 1 AND d = 7;
1	one
2	two
3	\N
\.
SELECT * FROM t ORDER BY id;
COPY t FROM STDIN WHERE nothing > 1;
1	one	2
\.
COPY t FROM STDIN WHERE v;
1	one	2
\.
SELECT count(*) FROM t;
