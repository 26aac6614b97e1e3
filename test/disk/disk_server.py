"""A Pando server for the tests of failing disks: started, killed and started again on one directory."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
SKIPPED = 77


class DiskServer:
    def __init__(self, pando, directory, log_directory, environment=None):
        self.pando = pando
        self.directory = pathlib.Path(directory)
        self.log_path = pathlib.Path(log_directory) / "server.log"
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.port = None

    def start(self):
        with open(self.log_path, "a") as log:
            start = self.log_path.stat().st_size
            self.process = subprocess.Popen(
                [self.pando, "start", "--dir", str(self.directory), "--listen", "127.0.0.1:0"],
                stdout=log, stderr=log, env=self.environment)
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            found = re.search(r"listening on 127\.0\.0\.1:(\d+)", self.log_path.read_text()[start:])
            if found:
                self.port = int(found.group(1))
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError("the server did not start:\n" + self.log_path.read_text())

    def connect(self):
        import psycopg2
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="postgres", dbname="postgres")
        connection.autocommit = True
        return connection

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_SECONDS_MAX)
        expect(code == 0, f"the server ended with {code}:\n" + self.log_path.read_text())

    def check(self):
        done = subprocess.run([self.pando, "check", "--dir", str(self.directory)], capture_output=True, text=True)
        expect(done.returncode == 0, "pando check:\n" + done.stdout + done.stderr)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        if self.process is not None and self.process.poll() is None:
            self.kill()


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def needs_psycopg2():
    try:
        import psycopg2  # noqa: F401
    except ImportError:
        print("skipped: psycopg2 is missing")
        sys.exit(SKIPPED)


def error_of(connection, statement):
    """The SQLSTATE and message a statement fails with; fails when it does not."""
    import psycopg2
    try:
        connection.cursor().execute(statement)
    except psycopg2.Error as error:
        return error.pgcode, str(error)
    raise AssertionError(f"did not fail: {statement[:100]}")


def ids_of(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT id FROM t ORDER BY id")
    return [row[0] for row in cursor]


def insert_until_it_works(connection, row, seconds=20):
    """Inserts one row, which must work again before long."""
    import psycopg2
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection.cursor().execute("INSERT INTO t VALUES (%s, 'after')", (row,))
            return
        except psycopg2.Error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
