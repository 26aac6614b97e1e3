"""SIGTERM while sessions are in the middle of things: each is closed before the store is."""
import sys

import psycopg2

from server import expect, run, running

SESSIONS = 40


def session_in_the_middle(port, number):
    """Returns one with a temporary table, a lock and a cursor that has read a part of its rows."""
    connection = psycopg2.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres")
    statements = connection.cursor()
    statements.execute("CREATE TEMPORARY TABLE mine AS SELECT i FROM generate_series(1, 100) AS i")
    connection.commit()
    statements.execute("DECLARE rows CURSOR FOR SELECT * FROM t ORDER BY i; FETCH 10 FROM rows")
    expect(len(statements.fetchall()) == 10, "the cursor reads")
    statements.execute(f"SELECT * FROM t WHERE i = {number} FOR UPDATE; INSERT INTO mine VALUES (0)")
    return connection


def main(pando):
    with running(pando) as server:
        psql = ["psql", "-X", "-At", "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres"]
        run(psql + ["-c", "CREATE TABLE t AS SELECT i, repeat('x', 100) AS filler FROM generate_series(1, 100000) AS i"])
        sessions = [session_in_the_middle(server.port, number) for number in range(SESSIONS)]
        server.stop()
        for session in sessions:
            try:
                session.cursor().execute("SELECT 1")
                raise AssertionError("a session outlives its server")
            except psycopg2.Error:
                pass
        server.log.seek(0)
        expect("pando: stopped\n" in server.log.read(), "all sessions ended")


if __name__ == "__main__":
    main(sys.argv[1])
