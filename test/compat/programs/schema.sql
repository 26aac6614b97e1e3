CREATE SCHEMA shop;
CREATE TABLE shop.customer (id serial PRIMARY KEY, email varchar(100) UNIQUE, joined timestamptz DEFAULT now(), note text DEFAULT 'x', flags boolean NOT NULL DEFAULT false);
CREATE TABLE shop.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer int NOT NULL REFERENCES shop.customer ON DELETE CASCADE, total numeric(12,2) CHECK (total >= 0), twice numeric GENERATED ALWAYS AS (total * 2) STORED, tags text[] DEFAULT '{}', data jsonb, CONSTRAINT named CHECK (id > 0 AND total < 100000));
CREATE INDEX orders_by_customer ON shop.orders (customer, total DESC);
CREATE UNIQUE INDEX orders_lower ON shop.orders (lower(tags[1])) WHERE total > 10;
CREATE VIEW shop.totals AS SELECT customer, sum(total) AS total FROM shop.orders GROUP BY customer;
CREATE SEQUENCE shop.numbers START 5 INCREMENT 3;
COMMENT ON TABLE shop.customer IS 'people who buy';
COMMENT ON COLUMN shop.customer.email IS 'where to write';
CREATE TABLE pair (a int, b int, c text COLLATE "C", PRIMARY KEY (b, a));
CREATE TABLE ref (x int, y int, z int REFERENCES shop.customer (id) ON UPDATE SET NULL ON DELETE SET DEFAULT DEFERRABLE INITIALLY DEFERRED, FOREIGN KEY (y, x) REFERENCES pair MATCH FULL);
COMMENT ON CONSTRAINT ref_z_fkey ON ref IS 'a comment';
CREATE VIEW "Odd View" AS SELECT a AS "A b", c FROM pair WHERE a > 1 OR c IS NOT NULL ORDER BY 1;
