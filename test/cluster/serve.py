#!/usr/bin/env python3
"""A cluster of three nodes for other programs' tests, until it is told to end (SIGTERM).

    serve.py BINARY DIRECTORY BASE_PORT          clients connect to BASE_PORT + 10, + 20 and + 30; says "ready" once they can
"""
import signal
import sys

from processes import Cluster


def main():
    binary, directory, base_port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Cluster(binary, nodes=3, base_port=base_port, directory=directory) as cluster:
        cluster.form()
        print("ready", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
