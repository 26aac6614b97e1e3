"""A PostgreSQL 15 of its own for a test: a fresh cluster on a free port, in a temporary directory."""
import contextlib
import os
import pathlib
import pwd
import socket
import subprocess
import tempfile

BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def postgresql():
    """Yields the port; initdb refuses root, so root becomes postgres for it."""
    with tempfile.TemporaryDirectory(prefix="pando-postgresql-") as directory:
        become = {}
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(directory, user.pw_uid, user.pw_gid)
            become = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        data = pathlib.Path(directory) / "data"
        port = free_port()

        def run(program, *arguments):
            done = subprocess.run([BINARIES / program, *arguments], capture_output=True, text=True, cwd=directory, **become)
            if done.returncode != 0:
                raise RuntimeError(f"{program} ended with {done.returncode}: {done.stdout}{done.stderr}")

        run("initdb", "-D", data, "-U", "postgres", "--locale=C", "--encoding=UTF8", "-A", "trust", "-N")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c timezone=UTC"
        run("pg_ctl", "-D", data, "-o", options, "-l", pathlib.Path(directory) / "log", "-w", "start")
        try:
            yield port
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
