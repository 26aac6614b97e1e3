"""A Pando server for a test: on a directory and a port of its own, stopped by its process id."""
import contextlib
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 30


class Server:
    def __init__(self, pando, directory):
        self.log = open(pathlib.Path(directory) / "server.log", "w+")
        self.process = subprocess.Popen(
            [pando, "start", "--dir", str(pathlib.Path(directory) / "data"), "--listen", "127.0.0.1:0"],
            stdout=self.log, stderr=self.log)
        self.port = self._wait_for_port()

    def _wait_for_port(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            self.log.seek(0)
            found = re.search(r"listening on 127\.0\.0\.1:(\d+)", self.log.read())
            if found:
                return int(found.group(1))
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.log.seek(0)
        raise RuntimeError("the server did not start:\n" + self.log.read())

    def stop(self):
        """SIGTERM must end it, cleanly."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_SECONDS_MAX)
        if code != 0:
            self.log.seek(0)
            raise RuntimeError(f"the server ended with {code}:\n" + self.log.read())


@contextlib.contextmanager
def running(pando):
    with tempfile.TemporaryDirectory(prefix="pando-compat-") as directory:
        server = Server(pando, directory)
        try:
            yield server
        finally:
            if server.process.poll() is None:
                server.stop()


def run(command, **options):
    """Runs a client; its output is shown when it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=600, **options)
    if done.returncode != 0:
        print(done.stdout)
        print(done.stderr, file=sys.stderr)
        raise RuntimeError(f"{command[0]} ended with {done.returncode}")
    return done.stdout + done.stderr


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


SKIPPED = 77


def skip(why):
    print("skipped:", why)
    sys.exit(SKIPPED)
