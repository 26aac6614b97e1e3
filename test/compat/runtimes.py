"""Runtimes of the clients under test. What a test needs beyond Debian's packages comes from the language's own registry
into a cache beside other caches of the user's; a test is skipped, with a message, where the runtime is not installed or
the registry does not answer."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from server import skip

FETCH_SECONDS_MAX = 400
PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"


def cache_directory():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    directory = pathlib.Path(base) / "pando-compat"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def fetch(command, what, **options):
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              timeout=FETCH_SECONDS_MAX, **options)
    except subprocess.TimeoutExpired:
        skip(f"{what} does not arrive in time")
    if done.returncode != 0:
        skip(f"{what} cannot be fetched: {(done.stderr or done.stdout).strip()[-300:]}")


def made_once(name, make):
    """The directory `name` of the cache, filled by make(directory) when it is not there yet."""
    final = cache_directory() / name
    if not final.exists():
        with tempfile.TemporaryDirectory(dir=cache_directory(), prefix="making-") as scratch:
            made = pathlib.Path(scratch) / name
            make(made)
            try:
                made.rename(final)
            except OSError:
                pass  # another run was faster
    return final


def python_packages(*requirements):
    """A directory to put on PYTHONPATH that has the packages."""
    digest = hashlib.sha256(repr((sys.version_info[:2], requirements)).encode()).hexdigest()[:12]
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode != 0:
        # Debian's Python has no pip; a virtual environment brings its own.
        skip("pip is not installed")
    return made_once(f"python-{digest}",
                     lambda made: fetch([sys.executable, "-m", "pip", "install", "-q", "--only-binary", ":all:",
                                         "--target", made, *requirements], " ".join(requirements)))


def run_python(program, requirements, *arguments):
    """Runs programs/`program` with the packages; its output is shown when it fails."""
    from server import run
    environment = dict(os.environ, PYTHONPATH=str(python_packages(*requirements)))
    return run([sys.executable, PROGRAMS / program, *arguments], env=environment)


def java_driver():
    """pgjdbc's jar: Debian's libpostgresql-jdbc-java, or Maven Central's through Maven."""
    debian = pathlib.Path("/usr/share/java/postgresql.jar")
    if shutil.which("javac") is None or shutil.which("java") is None:
        skip("no Java compiler is installed")
    if debian.exists():
        return debian
    if shutil.which("mvn") is None:
        skip("neither libpostgresql-jdbc-java nor Maven is installed")
    version = "42.7.4"
    jar = pathlib.Path.home() / f".m2/repository/org/postgresql/postgresql/{version}/postgresql-{version}.jar"
    if not jar.exists():
        fetch(["mvn", "-q", "-B", "dependency:get", f"-Dartifact=org.postgresql:postgresql:{version}"], "pgjdbc")
    return jar
