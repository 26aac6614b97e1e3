"""psql's backslash commands that describe objects, on PostgreSQL 15 and on Pando: the same output for the same schema."""
import sys

from postgres import real_postgres
from runtimes import PROGRAMS
from server import expect, run, running

COMMANDS = r"""
\d
\d shop.customer
\d+ shop.customer
\d pair
\d+ pair
\d ref
\d+ ref
\d shop.totals
\d shop.numbers
\d+ shop.numbers
\d shop.orders_by_customer
\d shop.customer_id_seq
\dt
\dt shop.*
\di
\di shop.*
\dv
\dv shop.*
\ds
\ds shop.*
\dm
\df int4pl
\df generate_series
\du
\dg
\db
\dp shop.*
\dd
\ddp
\dD
\dE
\des
\dX
\dy
\drds
\dRp
\dRs
\dP
\dconfig work_mem
\encoding
SELECT 1 AS a, 'x'::varchar(3) AS b, now() AS c, 2.5::numeric(5,2) AS d \gdesc
""".strip().splitlines()


def load(port):
    run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-f",
         PROGRAMS / "schema.sql", "postgres"])


def describe(port, command):
    return run(["psql", "-X", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "postgres"], input=command + "\n")


def main(pando):
    with running(pando) as server, real_postgres() as port:
        load(server.port)
        load(port)
        for command in COMMANDS:
            theirs = describe(port, command)
            ours = describe(server.port, command)
            expect(ours == theirs, f"{command}: PostgreSQL says\n{theirs}\nand Pando\n{ours}")


if __name__ == "__main__":
    main(sys.argv[1])
