"""SQL stories through psql, on PostgreSQL 15 and on Pando: the same rows, notices, errors and tags."""
import difflib
import re
import subprocess
import sys

from postgres import real_postgres
from runtimes import PROGRAMS
from server import expect, running


def tell(port, story):
    """What psql shows of a story, with errors in their place; process ids and cursor lines differ by nature."""
    psql = ["psql", "-X", "-At", "-e", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "postgres"]
    done = subprocess.run(psql, stdin=story.open(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120)
    return re.sub(r"with PID \d+", "with PID", done.stdout)


def main(pando):
    differences = []
    for story in sorted((PROGRAMS / "stories").glob("*.sql")):
        with running(pando) as server, real_postgres() as port:
            ours = tell(server.port, story).splitlines()
            theirs = tell(port, story).splitlines()
        if ours != theirs:
            differences += [f"{story.name}: - is PostgreSQL, + is Pando"]
            differences += difflib.unified_diff(theirs, ours, lineterm="", n=2)
    expect(not differences, "\n".join(differences))


if __name__ == "__main__":
    main(sys.argv[1])
