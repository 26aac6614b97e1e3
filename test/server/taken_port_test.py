#!/usr/bin/env python3
"""A port that is taken, for clients or for HTTP, is said in one line, and the directory opens again afterwards."""

import socket
import subprocess
import sys
import tempfile


def start(pando, *flags):
    return subprocess.run([pando, "start", *flags], capture_output=True, text=True, timeout=60)


def main(pando):
    with socket.socket() as taken, tempfile.TemporaryDirectory() as directory:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        for flags in (["--listen", address], ["--listen", "127.0.0.1:0", "--http", address]):
            done = start(pando, "--dir", directory + "/d", *flags)
            said = done.stdout + done.stderr
            assert done.returncode == 1, f"{flags}: ended with {done.returncode}\n{said}"
            assert "Address already in use" in said, f"{flags}: {said}"
    print("taken ports are refused with a message")


main(sys.argv[1])
