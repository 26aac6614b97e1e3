"""asyncpg: binary formats of every type, prepared statements, cursors, COPY, listeners, transactions, introspection."""
import asyncio
import datetime
import decimal
import sys
import uuid

import asyncpg


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


VALUES = {
    "bool": True, "int2": -2, "int4": 2**31 - 1, "int8": -(2**63), "float4": 0.5, "float8": 1e300,
    "numeric": decimal.Decimal("-123456789.000000001"), "text": "tekst \u00e9 \U0001f332", "varchar": "v",
    "bpchar": "b", "name": "n", "bytea": b"\x00\xff", "date": datetime.date(2020, 2, 29),
    "time": datetime.time(1, 2, 3, 4), "timestamp": datetime.datetime(2021, 1, 2, 3, 4, 5, 600),
    "timestamptz": datetime.datetime(2021, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
    "interval": datetime.timedelta(days=3, seconds=4, microseconds=5), "uuid": uuid.uuid4(), "oid": 2**32 - 1,
    "json": '{"a": 1}', "jsonb": '{"a": 1}', "int4[]": [1, None, 3], "text[]": ["a", 'b"c', None, ""],
    "int4[][]": [[1, 2], [3, 4]], "numeric[]": [decimal.Decimal("1.5")], "uuid[]": [uuid.uuid4()],
    "timestamptz[]": [datetime.datetime(2021, 1, 2, tzinfo=datetime.timezone.utc)], "bytea[]": [b"x", b""],
}


async def check_types(connection):
    for name, value in VALUES.items():
        got = await connection.fetchval(f"SELECT $1::{name}", value)
        expect(got == value, f"{name}: {got!r} is not {value!r}")
        expect(await connection.fetchval(f"SELECT $1::{name}", None) is None, f"NULL {name}")
    record = await connection.fetchval("SELECT ROW(1, 'a', NULL)")
    expect(tuple(record) == (1, "a", None), f"a record: {record}")


async def check_statements(connection):
    await connection.execute("CREATE TABLE item (id serial PRIMARY KEY, name text UNIQUE, price numeric(8,2))")
    await connection.executemany("INSERT INTO item (name, price) VALUES ($1, $2)", [(f"n{i}", i) for i in range(200)])
    expect(await connection.fetchval("SELECT count(*) FROM item") == 200, "executemany")
    statement = await connection.prepare("SELECT name, price FROM item WHERE id = ANY($1::int[]) ORDER BY id")
    expect([p.name for p in statement.get_parameters()] == ["int4[]"], "parameters")
    expect([a.name for a in statement.get_attributes()] == ["name", "price"], "attributes")
    expect([tuple(r) for r in await statement.fetch([2, 3])] == [("n1", decimal.Decimal(1)), ("n2", decimal.Decimal(2))],
           "a prepared statement")
    async with connection.transaction():
        seen = [row["id"] async for row in connection.cursor("SELECT id FROM item ORDER BY id", prefetch=13)]
        expect(seen == list(range(1, 201)), "a cursor")
    try:
        await connection.execute("INSERT INTO item (name) VALUES ('n1')")
        expect(False, "a duplicate")
    except asyncpg.UniqueViolationError as error:
        expect(error.constraint_name == "item_name_key" and error.table_name == "item" and
               error.schema_name == "public" and "already exists" in error.detail, "error fields")
    for isolation in ("serializable", "repeatable_read", "read_committed"):
        async with connection.transaction(isolation=isolation, readonly=True):
            await connection.fetchval("SELECT 1")
    async with connection.transaction():
        try:
            async with connection.transaction():
                await connection.execute("DELETE FROM item")
                raise KeyError
        except KeyError:
            pass
        expect(await connection.fetchval("SELECT count(*) FROM item") == 200, "a savepoint")
    rows = await connection.fetch("INSERT INTO item (name) SELECT 'm' || g FROM generate_series(1, 3) g RETURNING id")
    expect(len(rows) == 3, "RETURNING")
    expect((await connection.execute("UPDATE item SET price = 1 WHERE id < 4")) == "UPDATE 3", "the tag")


async def check_composites(connection):
    await connection.execute("CREATE TYPE place AS (street text, number int, tags text[])")
    await connection.execute("CREATE TYPE visit AS (at place, cost numeric)")
    visit = (("Elm", 13, ["a", None]), decimal.Decimal("1.5"))
    expect(await connection.fetchval("SELECT $1::visit", visit) == visit, "a composite")
    expect(await connection.fetchval("SELECT $1::place[]", [visit[0], None]) == [visit[0], None], "an array of composites")
    await connection.execute("CREATE TABLE visited (id int, what visit)")
    await connection.execute("INSERT INTO visited VALUES (1, $1)", visit)
    await connection.copy_records_to_table("visited", records=[(2, visit), (3, None)])
    rows = await connection.fetch("SELECT what, ((what).at).street FROM visited ORDER BY id")
    expect([tuple(row) for row in rows] == [(visit, "Elm"), (visit, "Elm"), (None, None)], f"columns: {rows}")
    expect(rows[0]["what"]["at"]["number"] == 13, "names of attributes")
    expect(await connection.fetchval("SELECT v FROM visited v WHERE id = 1") == (1, visit), "a table's row")
    expect(await connection.fetchval("SELECT $1::visited", (9, None)) == (9, None), "a table's row type")


async def check_copy(connection):
    await connection.execute("CREATE TABLE copied (id int, data text, at timestamptz)")
    moment = datetime.datetime(2022, 3, 4, 5, 6, 7, tzinfo=datetime.timezone.utc)
    rows = [(i, f"t\t{i}\n\\", moment) for i in range(5000)] + [(None, None, None)]
    expect(await connection.copy_records_to_table("copied", records=rows) == "COPY 5001", "binary COPY")
    received = bytearray()

    async def sink(data):
        received.extend(data)
    await connection.copy_from_query("SELECT id FROM copied WHERE id < $1 ORDER BY id", 3, output=sink, format="csv")
    expect(bytes(received) == b"0\n1\n2\n", f"COPY out: {bytes(received)}")


async def check_listeners(target):
    one, two = await asyncpg.connect(**target), await asyncpg.connect(**target)
    queue = asyncio.Queue()
    await one.add_listener("news", lambda connection, pid, channel, payload: queue.put_nowait((channel, payload)))
    await two.execute("NOTIFY news, 'hello'")
    expect(await asyncio.wait_for(queue.get(), 5) == ("news", "hello"), "a notification")
    await one.reset()
    await one.close()
    await two.close()


async def check_timeout_and_pool(target):
    connection = await asyncpg.connect(**target)
    try:
        await connection.fetch("SELECT pg_sleep(20)", timeout=0.3)
        expect(False, "a timeout")
    except asyncio.TimeoutError:
        pass
    expect(await connection.fetchval("SELECT 1") == 1, "after a timeout")
    await connection.close()
    async with asyncpg.create_pool(min_size=2, max_size=5, **target) as pool:
        values = await asyncio.gather(*(pool.fetchval("SELECT $1::int", i) for i in range(40)))
        expect(values == list(range(40)), "a pool")


async def main(port):
    target = {"host": "127.0.0.1", "port": port, "user": "postgres", "database": "postgres"}
    connection = await asyncpg.connect(**target)
    expect(connection.get_server_version()[0] == 15, "the version")
    await check_types(connection)
    await check_statements(connection)
    await check_composites(connection)
    await check_copy(connection)
    await connection.close()
    await check_listeners(target)
    await check_timeout_and_pool(target)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
