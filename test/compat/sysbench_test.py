"""sysbench's oltp_* scripts, unmodified."""
import shutil
import sys

from server import expect, run, running, skip

SCRIPTS = ("oltp_point_select", "oltp_read_only", "oltp_read_write", "oltp_write_only", "oltp_update_index",
           "oltp_update_non_index", "oltp_insert", "oltp_delete")


def main(pando):
    if shutil.which("sysbench") is None:
        skip("sysbench is not installed")
    with running(pando) as server:
        options = ["--db-driver=pgsql", "--pgsql-host=127.0.0.1", f"--pgsql-port={server.port}",
                   "--pgsql-user=postgres", "--pgsql-db=postgres", "--tables=2", "--table-size=1000", "--threads=2",
                   "--events=100", "--time=30"]
        run(["sysbench", "oltp_read_write"] + options + ["prepare"])
        for script in SCRIPTS:
            report = run(["sysbench", script] + options + ["run"])
            expect("transactions:" in report, f"{script}:\n{report}")
        run(["sysbench", "oltp_read_write"] + options + ["cleanup"])


if __name__ == "__main__":
    main(sys.argv[1])
