"""psql, unmodified: queries, the extended protocol, COPY, errors, \\d."""
import sys

from server import expect, run, running

TABLE = """
CREATE TABLE places (id int PRIMARY KEY, name text NOT NULL, area numeric(10,2) DEFAULT 0, founded date);
CREATE INDEX places_name ON places (name);
INSERT INTO places VALUES (1, 'Here', 1.50, '2001-02-03'), (2, 'There', 20, NULL);
"""


def main(pando):
    with running(pando) as server:
        psql = ["psql", "-X", "-h", "127.0.0.1", "-p", server.port, "-U", "postgres", "-v", "ON_ERROR_STOP=1"]

        def sql(text, *options):
            return run(psql + list(options) + ["-c", text])

        expect(sql("SELECT 1", "-At") == "1\n", "SELECT 1")
        run(psql, input=TABLE)
        expect(sql("SELECT name FROM places WHERE id = 2", "-At") == "There\n", "a point read")
        expect(sql("SELECT count(*), sum(area) FROM places", "-At") == "2|21.50\n", "aggregates")
        expect("UPDATE 1" in sql("UPDATE places SET area = area + 1 WHERE id = 1"), "UPDATE's tag")
        rolled_back = run(psql + ["-At"], input="BEGIN; DELETE FROM places; SELECT count(*) FROM places; ROLLBACK;"
                                                "SELECT count(*) FROM places;")
        expect(rolled_back.split("\n")[-2] == "2", "ROLLBACK brings the rows back")
        copied = run(psql + ["-At"], input="COPY places FROM STDIN;\n3\tFar\t3\t\\N\n4\tNear\t4\t2020-01-01\n\\.\n"
                                           "COPY (SELECT id, name FROM places ORDER BY id) TO STDOUT WITH (FORMAT csv);\n")
        expect("1,Here\n2,There\n3,Far\n4,Near\n" in copied, "COPY both ways:\n" + copied)
        described = sql("\\d places")
        for part in ("numeric(10,2)", '"places_pkey" PRIMARY KEY, btree (id)', '"places_name" btree (name)'):
            expect(part in described, f"\\d shows {part}:\n{described}")
        for command in ("\\d", "\\dt", "\\di", "\\dn", "\\df", "\\du", "\\l", "\\dv", "\\ds", "\\dT", "\\dp"):
            sql(command)
        prepared = run(psql + ["-At"], input="PREPARE p(int) AS SELECT name FROM places WHERE id = $1;\nEXECUTE p(3);\n"
                                             "BEGIN; DECLARE c CURSOR FOR SELECT id FROM places ORDER BY id;\n"
                                             "FETCH 2 FROM c; FETCH ALL FROM c; COMMIT;\n")
        expect("Far\n" in prepared and "1\n2\n3\n4\n" in prepared, "PREPARE and cursors:\n" + prepared)


if __name__ == "__main__":
    main(sys.argv[1])
