"""A real server on a file system of 600 MB that fills up: 53100, reads go on, nothing acknowledged is lost, and writes
work again when there is room. Needs to mount a tmpfs, and is skipped where that is not allowed."""
import pathlib
import subprocess
import sys
import tempfile

from disk_server import SKIPPED, DiskServer, expect, ids_of, insert_until_it_works, needs_psycopg2

SIZE = "600M"
FILLER_BYTES = 50_000
ROWS_MAX = 100_000


def fill_by_writing(connection):
    """Inserts rows until the disk is full; returns how many were acknowledged."""
    import psycopg2
    cursor = connection.cursor()
    for row in range(ROWS_MAX):
        try:
            # Not compressible, or the disk would last.
            cursor.execute("INSERT INTO t SELECT %s, string_agg(md5(random()::text), '') "
                           "FROM generate_series(1, %s)", (row, FILLER_BYTES // 32))
        except psycopg2.Error as error:
            expect(error.pgcode == "53100", f"a full disk gives {error.pgcode}: {error}")
            return row
    raise AssertionError("the disk did not fill up")


def run_on(pando, mount, scratch):
    # Gives way later, and leaves room enough to bring what is in the journal into the state.
    ballast = mount / "ballast"
    with open(ballast, "wb") as file:
        file.write(b"x" * (350 << 20))
    with DiskServer(pando, mount / "data", scratch) as server:
        connection = server.connect()
        connection.cursor().execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
        acknowledged = fill_by_writing(connection)
        expect(acknowledged > 0, "no row was written at all")
        kept = list(range(acknowledged))
        expect(ids_of(connection) == kept, "reads on a full disk")
        ballast.unlink()
        insert_until_it_works(connection, ROWS_MAX + 1)
        kept.append(ROWS_MAX + 1)
        expect(ids_of(connection) == kept, "rows once there is room")
        server.kill()
        server.start()
        expect(ids_of(server.connect()) == kept, "rows after kill -9 and a restart")
        server.stop()
        server.check()
    print(f"{acknowledged} rows until the disk was full; all there")


def main():
    needs_psycopg2()
    with tempfile.TemporaryDirectory(prefix="pando-full-") as scratch:
        mount = pathlib.Path(scratch) / "disk"
        mount.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(mount)],
                                 capture_output=True, text=True)
        if mounted.returncode != 0:
            print("skipped: no tmpfs can be mounted here:", mounted.stderr.strip())
            sys.exit(SKIPPED)
        try:
            run_on(sys.argv[1], mount, scratch)
        finally:
            subprocess.run(["umount", str(mount)], check=True)


if __name__ == "__main__":
    main()
