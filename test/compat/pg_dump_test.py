"""pg_dump --schema-only, unmodified; what it prints must make the same schema again."""
import re
import sys

from server import expect, run, running

SCHEMA = """
CREATE SCHEMA shop;
CREATE TABLE shop.customer (id serial PRIMARY KEY, email varchar(100) UNIQUE, joined timestamptz DEFAULT now());
CREATE TABLE shop.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer int NOT NULL REFERENCES shop.customer ON DELETE CASCADE, total numeric(12,2) CHECK (total >= 0));
CREATE INDEX orders_by_customer ON shop.orders (customer, total DESC);
CREATE VIEW shop.totals AS SELECT customer, sum(total) AS total FROM shop.orders GROUP BY customer;
CREATE SEQUENCE shop.numbers START 5 INCREMENT 3;
CREATE TYPE shop.mood AS ENUM ('sad', 'glad');
CREATE TYPE shop.z_part AS (length numeric(6,2), feel shop.mood);
CREATE TYPE shop.a_whole AS (part shop.z_part, parts shop.z_part[], name text);
CREATE TABLE shop.made (id int, whole shop.a_whole DEFAULT '("(1,sad)",{},x)', wholes shop.a_whole[], who shop.customer);
CREATE VIEW shop.names AS SELECT (whole).name, ((whole).part).length, ROW(1, 'glad')::shop.z_part AS made FROM shop.made;
"""


def dump(server):
    text = run(["pg_dump", "--schema-only", "-h", "127.0.0.1", "-p", server.port, "-U", "postgres", "postgres"])
    # pg_dump draws a new key for these two lines each time.
    return re.sub(r"^\\(un)?restrict .*$", "", text, flags=re.MULTILINE)


def psql(server, text):
    return run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", server.port, "-U", "postgres"],
               input=text)


def main(pando):
    with running(pando) as first:
        psql(first, SCHEMA)
        dumped = dump(first)
    for part in ("CREATE TABLE shop.customer", "CREATE TABLE shop.orders", "CREATE VIEW shop.totals",
                 "CREATE INDEX orders_by_customer", "CREATE SEQUENCE shop.numbers", "ON DELETE CASCADE",
                 "CREATE TYPE shop.a_whole AS (\n\tpart shop.z_part,\n\tparts shop.z_part[],\n\tname text\n);",
                 "who shop.customer"):
        expect(part in dumped, f"pg_dump prints {part}:\n{dumped}")
    with running(pando) as second:
        psql(second, dumped)
        expect(dump(second) == dumped, "a dump of the restored schema is the same dump")


if __name__ == "__main__":
    main(sys.argv[1])
