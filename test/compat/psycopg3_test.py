"""psycopg 3, unmodified, from PyPI; skipped where pip cannot fetch it."""
import sys

from runtimes import run_python
from server import running


def main(pando):
    with running(pando) as server:
        run_python("psycopg3_program.py", ["psycopg[binary]>=3.2,<4"], server.port)


if __name__ == "__main__":
    main(sys.argv[1])
