"""Every method of pgjdbc's DatabaseMetaData, on PostgreSQL 15 and on Pando: the same answers for the same schema."""
import subprocess
import sys
import tempfile

from postgres import real_postgres
from runtimes import PROGRAMS, java_driver
from server import expect, run, running

# Answers that differ by nature: versions, what each server comes with, and privileges that are not kept.
DIFFERENT = ("getDatabaseMinorVersion", "getDatabaseProductVersion", "== schemas", "== typeinfo", "== udts", "== functions",
             "== procs", "== functioncols", "== procedurecols", "== catalogs")


def sections(text):
    """The output by section: single answers, and result sets under their names."""
    found = {}
    name = ""
    for line in text.splitlines():
        if line.startswith(("== ", "!! ")):
            name = line
        elif " = " in line and not name.startswith("=="):
            name = line.split(" = ")[0]
        found.setdefault(name, []).append(line)
    return {name: lines for name, lines in found.items() if not name.startswith(DIFFERENT)}


def load(port):
    run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-f",
         PROGRAMS / "schema.sql", "postgres"])


def describe(directory, driver, port):
    return run(["java", "-cp", f"{directory}:{driver}", "JdbcMetadata", port, "postgres"], cwd=directory)


def main(pando):
    driver = java_driver()
    with tempfile.TemporaryDirectory(prefix="pando-jdbc-") as directory:
        subprocess.run(["javac", "-d", directory, PROGRAMS / "JdbcMetadata.java"], check=True)
        with running(pando) as server:
            load(server.port)
            ours = sections(describe(directory, driver, server.port))
        with real_postgres() as port:
            load(port)
            theirs = sections(describe(directory, driver, port))
    for name in theirs:
        expect(ours.get(name) == theirs[name], f"{name}: PostgreSQL says\n" + "\n".join(theirs[name]) +
               "\nand Pando\n" + "\n".join(ours.get(name, ["nothing"])))


if __name__ == "__main__":
    main(sys.argv[1])
