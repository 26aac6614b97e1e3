"""A real server whose disk gives ENOSPC or EIO: writes fail with 53100 or 58030, reads go on, nothing acknowledged is
lost, and writes work again when the error is gone. The errors come from a preloaded library."""
import io
import os
import pathlib
import sys
import tempfile

from disk_server import DiskServer, error_of, expect, ids_of, insert_until_it_works, needs_psycopg2

ROWS = 500
# More than a transaction keeps in memory, so that it has to write before it commits.
BULK_ROWS = 40_000
BULK_FILLER = "x" * 5000


class BulkRows(io.RawIOBase):
    def __init__(self, first):
        self.rows = iter(range(first, first + BULK_ROWS))
        self.rest = b""

    def read(self, size=-1):
        while len(self.rest) < size:
            row = next(self.rows, None)
            if row is None:
                break
            self.rest += f"{row}\t{BULK_FILLER}\n".encode()
        piece, self.rest = self.rest[:size], self.rest[size:]
        return piece


def copy_error(connection, first):
    import psycopg2
    try:
        connection.cursor().copy_expert("COPY t FROM STDIN", BulkRows(first), size=1 << 20)
    except psycopg2.Error as error:
        return error.pgcode
    raise AssertionError("COPY did not fail")


def try_error(pando, library, error, code, part):
    """`part`: which files fail, by a part of their paths."""
    with tempfile.TemporaryDirectory(prefix="pando-disk-") as scratch:
        fault = pathlib.Path(scratch) / "fault"
        environment = {"LD_PRELOAD": library, "PANDO_FAULT_FILE": str(fault), "PANDO_FAULT_PATH": part}
        with DiskServer(pando, scratch + "/data", scratch, environment) as server:
            connection = server.connect()
            cursor = connection.cursor()
            cursor.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
            for row in range(ROWS):
                cursor.execute("INSERT INTO t VALUES (%s, 'before')", (row,))
            kept = list(range(ROWS))
            fault.write_text(error)
            if part == "/journal/":
                for row in range(3):
                    found, message = error_of(connection, f"INSERT INTO t VALUES ({ROWS + row}, 'lost')")
                    expect(found == code, f"expected {code}, got {found}: {message}")
                    expect(ids_of(connection) == kept, "rows changed although every write failed")
                found, _ = error_of(connection, "CREATE TABLE u (id int)")
                expect(found == code, f"CREATE TABLE: expected {code}, got {found}")
            expect(copy_error(connection, 1_000_000) == code, f"COPY: expected {code}")
            expect(ids_of(connection) == kept, "a failed COPY left rows")
            expect(ids_of(server.connect()) == kept, "a new connection sees other rows")
            fault.unlink()
            insert_until_it_works(connection, 10_000)
            kept.append(10_000)
            connection.cursor().copy_expert("COPY t FROM STDIN", BulkRows(1_000_000), size=1 << 20)
            kept.extend(range(1_000_000, 1_000_000 + BULK_ROWS))
            expect(ids_of(connection) == kept, "rows after the error was gone")
            server.kill()
            server.start()
            expect(ids_of(server.connect()) == kept, "rows after kill -9 and a restart")
            server.stop()
            server.check()
            runs = list((server.directory / "state" / "runs").iterdir())
            expect(runs == [], f"files are left behind: {runs}")
        print(f"{error} in {part}: {code}, and all is well again")


def main():
    needs_psycopg2()
    pando, library = sys.argv[1:3]
    for part in ("/journal/", "/state/"):
        try_error(pando, library, "ENOSPC", "53100", part)
        try_error(pando, library, "EIO", "58030", part)


if __name__ == "__main__":
    os.environ.pop("LD_PRELOAD", None)
    main()
