"""asyncpg, unmodified, from PyPI; skipped where pip cannot fetch it."""
import sys

from runtimes import run_python
from server import running


def main(pando):
    with running(pando) as server:
        run_python("asyncpg_program.py", ["asyncpg>=0.29,<1"], server.port)


if __name__ == "__main__":
    main(sys.argv[1])
