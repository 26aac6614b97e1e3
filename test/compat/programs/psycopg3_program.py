"""psycopg 3: types in both formats, prepared statements, pipelines with errors, server-side cursors, COPY, notices,
LISTEN and NOTIFY, two-way cancel."""
import contextlib
import datetime
import decimal
import ipaddress
import sys
import threading
import time
import uuid

import psycopg
from psycopg.rows import dict_row
from psycopg.types.composite import CompositeInfo, register_composite
from psycopg.types.json import Jsonb


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def check_types(connection):
    values = {
        "bool": True, "int2": -2, "int4": 2**31 - 1, "int8": -(2**63), "float4": 0.5, "float8": 1e300,
        "numeric": decimal.Decimal("123456789.000000001"), "text": "tekst \u00e9 \U0001f332", "varchar(9)": "nine",
        "bytea": b"\x00\xff", "date": datetime.date(2020, 2, 29), "time": datetime.time(1, 2, 3, 4),
        "timestamp": datetime.datetime(2021, 1, 2, 3, 4, 5, 600),
        "timestamptz": datetime.datetime(2021, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
        "interval": datetime.timedelta(days=3, seconds=4, microseconds=5), "uuid": uuid.uuid4(),
        "int4[]": [1, None, 3], "text[]": ["a", 'b"c', None, ""], "numeric[]": [decimal.Decimal("1.5")],
        "timestamptz[]": [datetime.datetime(2021, 1, 2, tzinfo=datetime.timezone.utc)],
    }
    for binary in (False, True):
        with connection.cursor(binary=binary) as cursor:
            for name, value in values.items():
                placeholder = "%b" if binary else "%t"
                got = cursor.execute(f"SELECT {placeholder}::{name}", [value]).fetchone()[0]
                expect(got == value, f"{name} binary={binary}: {got!r} is not {value!r}")
                expect(cursor.execute(f"SELECT %s::{name}", [None]).fetchone()[0] is None, f"NULL {name}")
            got = cursor.execute("SELECT %s::jsonb", [Jsonb({"a": [1, None, "x"]})]).fetchone()[0]
            expect(got == {"a": [1, None, "x"]}, f"jsonb: {got}")


def check_statements(connection):
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("CREATE TABLE item (id serial PRIMARY KEY, name text UNIQUE, price numeric(8,2))")
        cursor.executemany("INSERT INTO item (name, price) VALUES (%s, %s) RETURNING id",
                           [(f"n{i}", i) for i in range(100)], returning=True)
        ids = [cursor.fetchone()["id"]]
        while cursor.nextset():
            ids.append(cursor.fetchone()["id"])
        expect(ids == list(range(1, 101)), "RETURNING of a batch")
        for i in range(20):
            cursor.execute("SELECT name FROM item WHERE id = %s", [i + 1], prepare=True)
            expect(cursor.fetchone() == {"name": f"n{i}"}, "a prepared statement")
        cursor.execute("ALTER TABLE item ADD COLUMN extra text DEFAULT 'x'")
        cursor.execute("SELECT * FROM item WHERE id = 5", prepare=True)
        expect(cursor.fetchone()["extra"] == "x", "a prepared statement after ALTER TABLE")
    connection.commit()


def check_composites(connection):
    connection.execute("CREATE TYPE place AS (street text, number int)")
    register_composite(CompositeInfo.fetch(connection, "place"), connection)
    for binary in (False, True):
        cursor = connection.cursor(binary=binary)
        place = cursor.execute("SELECT ROW('Elm', 13)::place").fetchone()[0]
        expect((place.street, place.number) == ("Elm", 13), f"a composite: {place}")
        expect(cursor.execute("SELECT (%s::place).number", (place,)).fetchone() == (13,), "a composite parameter")
        places = cursor.execute("SELECT array_agg(p) FROM (VALUES (%s::place), (NULL)) v (p)", (place,)).fetchone()[0]
        expect(places == [place, None], f"an array of composites: {places}")


def check_pipeline(connection):
    refused = None
    # What was sent behind the duplicate before its answer came is aborted, which the end of the pipeline tells.
    with contextlib.suppress(psycopg.errors.PipelineAborted):
        with connection.pipeline() as pipeline, connection.cursor() as cursor:
            cursor.execute("INSERT INTO item (name) VALUES ('p1')")
            pipeline.sync()
            try:
                cursor.execute("INSERT INTO item (name) VALUES ('p1')")
                cursor.execute("INSERT INTO item (name) VALUES ('p2')")
                pipeline.sync()
            except psycopg.errors.UniqueViolation as error:
                refused = error
    expect(refused is not None, "a duplicate in a pipeline")
    expect(refused.diag.constraint_name == "item_name_key", "the constraint's name")
    connection.rollback()
    with connection.pipeline(), connection.cursor() as cursor:
        results = [connection.execute("SELECT %s::int", [i]) for i in range(50)]
        expect([r.fetchone()[0] for r in results] == list(range(50)), "fifty statements in a pipeline")
    connection.commit()


def check_cursors_and_copy(connection):
    with connection.cursor(name="walk") as cursor:
        cursor.itersize = 7
        cursor.execute("SELECT * FROM generate_series(1, 100)")
        expect([row[0] for row in cursor] == list(range(1, 101)), "a server-side cursor")
    with connection.cursor(name="scrolls", scrollable=True, withhold=True) as cursor:
        cursor.execute("SELECT * FROM generate_series(1, 10)")
        cursor.fetchmany(5)
        cursor.scroll(-3)
        expect(cursor.fetchone() == (3,), "scrolling back")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE copied (id int, data text, at timestamptz)")
        moment = datetime.datetime(2022, 3, 4, 5, 6, 7, tzinfo=datetime.timezone.utc)
        rows = [(i, f"t\t{i}\n\\", moment) for i in range(3000)] + [(None, None, None)]
        with cursor.copy("COPY copied FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        with cursor.copy("COPY copied FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "text", "timestamptz"])
            for row in rows:
                copy.write_row(row)
        expect(cursor.execute("SELECT count(*), count(id) FROM copied").fetchone() == (6002, 6000), "COPY in")
        with cursor.copy("COPY (SELECT * FROM copied ORDER BY id NULLS LAST LIMIT 2) TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["int4", "text", "timestamptz"])
            expect(list(copy.rows()) == [rows[0], rows[0]], "COPY out")
        try:
            with cursor.copy("COPY copied FROM STDIN") as copy:
                copy.write("not\ta\tnumber\n")
            expect(False, "bad COPY data")
        except psycopg.errors.InvalidTextRepresentation:
            pass
    connection.rollback()


def check_notifications(target):
    with psycopg.connect(target, autocommit=True) as listener, psycopg.connect(target) as sender:
        listener.execute("LISTEN news")
        sender.execute("NOTIFY news, 'one'")
        sender.execute("NOTIFY news, 'one'")
        sender.execute("SELECT pg_notify('news', 'two')")
        expect(list(listener.notifies(timeout=0.3)) == [], "nothing before the commit")
        sender.commit()
        got = list(listener.notifies(timeout=5, stop_after=2))
        expect([(n.channel, n.payload) for n in got] == [("news", "one"), ("news", "two")], f"notifications: {got}")
        expect(got[0].pid == sender.info.backend_pid, "the sender's process id")
        expect(listener.execute("SELECT pg_listening_channels()").fetchall() == [("news",)], "channels")
        sender.execute("NOTIFY news, 'three'")
        sender.rollback()
        listener.execute("UNLISTEN news")
        sender.execute("NOTIFY news, 'four'")
        sender.commit()
        expect(list(listener.notifies(timeout=0.3)) == [], "nothing after a rollback or UNLISTEN")


def check_advisory_locks(target):
    with psycopg.connect(target, autocommit=True) as one, psycopg.connect(target, autocommit=True) as two:
        one.execute("SELECT pg_advisory_lock(7)")
        expect(two.execute("SELECT pg_try_advisory_lock(7)").fetchone() == (False,), "held by another")
        expect(two.execute("SELECT pg_try_advisory_lock(7, 7)").fetchone() == (True,), "another key space")
        two.execute("SET lock_timeout = '100ms'")
        try:
            two.execute("SELECT pg_advisory_lock_shared(7)")
            expect(False, "lock_timeout")
        except psycopg.errors.LockNotAvailable:
            two.execute("RESET lock_timeout")
        taken = threading.Event()
        waiter = threading.Thread(target=lambda: (two.execute("SELECT pg_advisory_lock(7)"), taken.set()))
        waiter.start()
        time.sleep(0.2)
        expect(not taken.is_set(), "waits")
        expect(one.execute("SELECT pg_advisory_unlock(7)").fetchone() == (True,), "unlock")
        waiter.join(10)
        expect(taken.is_set(), "granted after the unlock")
        expect(one.execute("SELECT pg_advisory_unlock(7)").fetchone() == (False,), "unlock of what is not held")
        with one.transaction():
            one.execute("SELECT pg_advisory_xact_lock(8)")
            expect(two.execute("SELECT pg_try_advisory_xact_lock(8)").fetchone() == (False,), "a transaction's lock")
        expect(two.execute("SELECT pg_try_advisory_lock(8)").fetchone() == (True,), "freed at its end")
        expect(one.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (3,), "pg_locks")


def check_cancel_and_notices(target):
    with psycopg.connect(target, autocommit=True) as connection:
        timer = threading.Timer(0.3, connection.cancel)
        timer.start()
        try:
            connection.execute("SELECT pg_sleep(20)")
            expect(False, "cancel")
        except psycopg.errors.QueryCanceled:
            pass
        notices = []
        connection.add_notice_handler(lambda diag: notices.append((diag.severity, diag.message_primary)))
        connection.execute("CREATE TABLE IF NOT EXISTS item (id int)")
        expect(notices == [("NOTICE", 'relation "item" already exists, skipping')], f"notices: {notices}")
        info = connection.info
        expect(info.server_version // 10000 == 15 and info.encoding == "utf-8" and info.timezone is not None, "info")
        connection.execute("SET TIME ZONE 'Europe/Amsterdam'")
        expect(str(connection.info.timezone) == "Europe/Amsterdam", "ParameterStatus")


def main(port):
    target = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
    with psycopg.connect(target) as connection:
        check_types(connection)
        check_statements(connection)
        check_composites(connection)
        check_pipeline(connection)
        check_cursors_and_copy(connection)
    check_notifications(target)
    check_advisory_locks(target)
    check_cancel_and_notices(target)


if __name__ == "__main__":
    main(int(sys.argv[1]))
