"""psycopg2, unmodified: types, transactions, server-side cursors, COPY, errors."""
import datetime
import decimal
import io
import sys
import threading
import time

from server import expect, running, skip

try:
    import psycopg2
    import psycopg2.errors
    import psycopg2.extras
except ImportError:
    skip("psycopg2 is not installed")


def check_types(connection):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kinds (i int, b bigint, n numeric, f float8, t text, y bytea, d date,"
                       " ts timestamp, flag bool, j jsonb, a int[])")
        row = (1, 2**40, decimal.Decimal("1.50"), 0.5, "tekst \u00e9", b"\x00\xff", datetime.date(2020, 2, 29),
               datetime.datetime(2021, 1, 2, 3, 4, 5, 600), True, psycopg2.extras.Json({"k": [1, None]}), [1, 2])
        cursor.execute("INSERT INTO kinds VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)", row)
        cursor.execute("SELECT * FROM kinds")
        read = cursor.fetchone()
    expect(read[:5] == row[:5], f"numbers and text: {read}")
    expect(bytes(read[5]) == row[5] and read[6:9] == row[6:9], f"bytes and dates: {read}")
    expect(read[9] == {"k": [1, None]} and read[10] == [1, 2], f"json and arrays: {read}")


def check_transactions(connection):
    connection.rollback()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id int PRIMARY KEY)")
        connection.commit()
        cursor.execute("INSERT INTO t VALUES (1)")
        try:
            cursor.execute("INSERT INTO t VALUES (1)")
            expect(False, "a duplicate key must fail")
        except psycopg2.errors.UniqueViolation as error:
            expect(error.diag.constraint_name == "t_pkey", "the constraint's name")
        try:
            cursor.execute("SELECT 1")
            expect(False, "a failed transaction must refuse")
        except psycopg2.errors.InFailedSqlTransaction:
            connection.rollback()
        cursor.execute("SELECT count(*) FROM t")
        expect(cursor.fetchone() == (0,), "ROLLBACK undoes")
    connection.commit()


def check_cursors_and_copy(connection):
    with connection.cursor() as cursor:
        rows = "".join(f"{i}\tname {i}\n" for i in range(5000))
        cursor.execute("CREATE TABLE many (id int PRIMARY KEY, name text)")
        cursor.copy_expert("COPY many FROM STDIN", io.StringIO(rows))
        expect(cursor.rowcount == 5000, "COPY counts")
        back = io.StringIO()
        cursor.copy_expert("COPY (SELECT * FROM many ORDER BY id) TO STDOUT", back)
        expect(back.getvalue() == rows, "COPY gives back what it took")
    with connection.cursor(name="server_side") as cursor:
        cursor.itersize = 100
        cursor.execute("SELECT id FROM many ORDER BY id")
        expect([row[0] for row in cursor] == list(range(5000)), "a server-side cursor gives every row")
    connection.commit()


def check_waits(connect):
    """Who keeps whom waiting, by row locks and by advisory locks, as isolationtester asks for it."""
    holder, waiter, watcher = connect(), connect(), connect()
    watcher.autocommit = True

    def blocked():
        with watcher.cursor() as cursor:
            cursor.execute("SELECT pg_blocking_pids(%s), pg_isolation_test_session_is_blocked(%s, %s)",
                           (waiter.info.backend_pid, waiter.info.backend_pid, [holder.info.backend_pid]))
            return cursor.fetchone()

    with watcher.cursor() as cursor:
        cursor.execute("CREATE TABLE waits (id int PRIMARY KEY, v int); INSERT INTO waits VALUES (1, 1)")
    for held, statement, row in (("UPDATE waits SET v = v + 1", "SELECT v FROM waits FOR UPDATE", (2,)),
                                 ("SELECT pg_advisory_xact_lock(7)", "SELECT 3 FROM pg_advisory_xact_lock(7)", (3,))):
        expect(blocked() == ([], False), f"nobody waits yet: {blocked()}")
        holder.cursor().execute(held)
        cursor = waiter.cursor()
        thread = threading.Thread(target=cursor.execute, args=(statement,))
        thread.start()
        deadline = time.monotonic() + 20
        while blocked() != ([holder.info.backend_pid], True):
            expect(time.monotonic() < deadline, f"{statement} does not wait: {blocked()}")
            time.sleep(0.01)
        # What changed meanwhile the waiting statement sees: it starts over.
        holder.commit()
        thread.join()
        expect(cursor.fetchone() == row, f"{statement} after the wait")
        waiter.rollback()
    for connection in (holder, waiter, watcher):
        connection.close()


def main(pando):
    with running(pando) as server:
        def connect():
            return psycopg2.connect(host="127.0.0.1", port=server.port, user="postgres", dbname="postgres")

        connection = connect()
        check_types(connection)
        check_transactions(connection)
        check_cursors_and_copy(connection)
        check_waits(connect)
        connection.close()


if __name__ == "__main__":
    main(sys.argv[1])
