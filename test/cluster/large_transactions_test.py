#!/usr/bin/env python3
"""Real nodes: transactions of more than a message holds, which go to a shard in parts.

    large_transactions_test.py BINARY
"""
import os
import shutil
import sys
import tempfile
import threading
import time
import unittest

import psycopg2

from processes import Cluster, free_port_base

BINARY = sys.argv.pop(1)
# 100 MB.
ROWS = 100_000
ROW_BYTES = 1000
# How long after its COMMIT the gateway is killed.
KILLS_AFTER_S = (0.2, 0.8)
INSERT = f"INSERT INTO t SELECT i, repeat('x', {ROW_BYTES}) FROM generate_series(1, {ROWS}) i"


def run(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


class LargeTransactionsTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="pando_large_transactions_")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        base = free_port_base(int(os.environ.get("PORTS_FROM", "27000")), int(os.environ.get("PORTS_TO", "28000")))
        self.cluster = Cluster(BINARY, nodes=3, base_port=base, directory=self.directory)

    def test_all_of_it_is_there_for_everybody(self):
        with self.cluster as cluster:
            cluster.form()
            connections = [node.connect() for node in cluster.nodes]
            # The place is the transaction's own: nothing is locked.
            run(connections[0], f"BEGIN; CREATE TABLE t (k int PRIMARY KEY, s text); {INSERT}; COMMIT")
            for connection in connections:
                self.assertEqual(run(connection, "SELECT count(*), sum(k), sum(length(s)) FROM t"),
                                 [(ROWS, ROWS * (ROWS + 1) // 2, ROWS * ROW_BYTES)])
            # It is not: every row is.
            run(connections[1], "UPDATE t SET s = s || 'y'")
            self.assertEqual(run(connections[2], "SELECT count(*), sum(length(s)) FROM t"),
                             [(ROWS, ROWS * (ROW_BYTES + 1))])
            run(connections[2], "BEGIN; DELETE FROM t; ROLLBACK")
            with self.assertRaises(psycopg2.errors.UniqueViolation):
                run(connections[0], INSERT.replace("SELECT i", "SELECT i + 1"))
            self.assertEqual(run(connections[1], "SELECT count(*) FROM t"), [(ROWS,)])

    def test_all_or_nothing_when_the_gateway_is_killed(self):
        with self.cluster as cluster:
            cluster.form()
            witness = cluster.node(1).connect(statement_timeout_ms=60_000)
            run(witness, "CREATE TABLE t (k int PRIMARY KEY, s text)")
            for after_s in KILLS_AFTER_S:
                gateway = cluster.node(3)
                connection = gateway.connect()
                run(connection, f"BEGIN; {INSERT}")
                outcome = []

                def commit():
                    try:
                        run(connection, "COMMIT")
                        outcome.append("committed")
                    except psycopg2.Error as error:
                        outcome.append(error.pgcode)
                client = threading.Thread(target=commit)
                client.start()
                time.sleep(after_s)
                gateway.kill()
                client.join()
                count = self.count(witness)
                print(f"killed after {after_s} s: the client heard {outcome[0]}, {count} rows are there", file=sys.stderr)
                self.assertIn(count, (ROWS,) if outcome == ["committed"] else (0, ROWS))
                gateway.start()
                cluster.wait_serving()
                self.assertEqual(self.count(gateway.connect(statement_timeout_ms=60_000)), count)
                run(witness, "TRUNCATE t")

    def count(self, connection):
        """Whoever meets what is prepared waits until it is known what became of it."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return run(connection, "SELECT count(*) FROM t")[0][0]
            except psycopg2.Error as error:
                # While the killed node's shards have no leader.
                if error.pgcode is None or error.pgcode[:2] not in ("40", "57") or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
