"""A real PostgreSQL 15 for tests that compare with one: on a directory and a port of its own."""
import contextlib
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile

from server import skip

BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command(directory, *words):
    """initdb and postgres refuse to run as root: then they run as the user postgres."""
    words = [str(word) for word in words]
    if os.geteuid() != 0:
        return words
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *words]


@contextlib.contextmanager
def real_postgres():
    """Gives its port."""
    if not (BINARIES / "initdb").exists():
        skip("PostgreSQL 15 is not installed")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="pando-postgres-"))
    try:
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(directory, account.pw_uid, account.pw_gid)
        data = directory / "data"
        subprocess.run(command(directory, BINARIES / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                               "--locale=C.UTF-8", "--no-sync"), check=True, capture_output=True, cwd=directory)
        port = free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={directory} -c fsync=off"
        control = command(directory, BINARIES / "pg_ctl", "-D", data, "-l", directory / "log", "-w")
        subprocess.run(control + ["-o", options, "start"], check=True, capture_output=True, cwd=directory)
        try:
            yield port
        finally:
            subprocess.run(control + ["-m", "immediate", "stop"], check=True, capture_output=True, cwd=directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
