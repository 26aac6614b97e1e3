"""pgbench, unmodified: -i and every built-in script in every protocol mode."""
import re
import sys

from server import expect, run, running

CLIENTS = 4
TRANSACTIONS = 50


def main(pando):
    with running(pando) as server:
        target = ["-h", "127.0.0.1", "-p", server.port, "-U", "postgres", "postgres"]
        run(["pgbench", "-i", "-s", "1", "-q"] + target)
        for script in ("tpcb-like", "simple-update", "select-only"):
            for mode in ("simple", "extended", "prepared"):
                report = run(["pgbench", "-n", "-b", script, "-M", mode, "-c", CLIENTS, "-j", "2", "-t", TRANSACTIONS] +
                             target)
                done = re.search(r"number of transactions actually processed: (\d+)/(\d+)", report)
                expect(done and done.group(1) == done.group(2), f"{script} {mode}:\n{report}")
                failed = re.search(r"number of failed transactions: (\d+)", report)
                expect(failed and failed.group(1) == "0", f"{script} {mode} failed:\n{report}")
        sums = run(["psql", "-X", "-At", "-c",
                    "SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history),"
                    " (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(tbalance) FROM pgbench_tellers)"] +
                   target)
        expect(sums == "t|t\n", "TPC-B's books must balance: " + sums)


if __name__ == "__main__":
    main(sys.argv[1])
