#!/usr/bin/env python3
"""Advisory locks are those of the whole cluster, whatever moves and whoever is killed.

    advisory_locks_test.py BINARY
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
ROUNDS = 30


def run(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


class AdvisoryLocksTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.mkdtemp(prefix="pando_advisory_locks_")
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        base = free_port_base(int(os.environ.get("PORTS_FROM", "27000")), int(os.environ.get("PORTS_TO", "28000")))
        self.cluster = self.enterContext(Cluster(BINARY, nodes=3, base_port=base, directory=directory))
        self.cluster.form()
        self.connections = [node.connect() for node in self.cluster.nodes]

    def test_sessions_of_all_nodes_take_turns(self):
        run(self.connections[0], "CREATE TABLE t (v int)")
        run(self.connections[0], "INSERT INTO t VALUES (0)")

        def add_one(connection):
            # Without the lock one of two that read the same value is lost.
            value = run(connection, "SELECT v FROM t")[0][0]
            run(connection, f"UPDATE t SET v = {value + 1}")

        def add_one_in_a_block(connection):
            try:
                run(connection, "BEGIN")
                run(connection, "SELECT pg_advisory_xact_lock(1)")
                add_one(connection)
                run(connection, "COMMIT")
                return True
            except psycopg2.errors.SerializationFailure:
                # It had the row locked when the lease moved.
                run(connection, "ROLLBACK")
                return False

        def work(node):
            connection = node.connect()
            for turn in range(ROUNDS):
                run(connection, "SELECT pg_advisory_lock(1)")
                if turn % 2 == 0:
                    add_one(connection)
                run(connection, "SELECT pg_advisory_unlock(1)")
                while turn % 2 == 1 and not add_one_in_a_block(connection):
                    pass

        workers = [threading.Thread(target=work, args=(node,)) for node in self.cluster.nodes for _ in range(2)]
        for worker in workers:
            worker.start()
        shard = run(self.connections[0], "SELECT shard_id FROM pando.shards LIMIT 1")[0][0]
        while any(worker.is_alive() for worker in workers):
            for node in (1, 2, 3):
                run(self.connections[0], f"CALL pando.transfer_lease({shard}, {node})")
                time.sleep(0.3)
        self.assertEqual(run(self.connections[1], "SELECT v FROM t"), [(6 * ROUNDS,)])

    def test_the_holder_is_killed(self):
        one, two, three = self.connections
        run(one, "SELECT pg_advisory_lock(7), pg_advisory_lock_shared(1, 2)")
        self.assertEqual(run(two, "SELECT pg_try_advisory_lock(7), pg_try_advisory_lock(1, 2), pg_try_advisory_lock_shared(1, 2)"),
                         [(False, False, True)])
        run(three, "SET lock_timeout = 200")
        with self.assertRaises(psycopg2.errors.LockNotAvailable):
            run(three, "SELECT pg_advisory_lock(7)")
        run(three, "SET lock_timeout = 0")
        self.cluster.node(1).kill()
        began = time.monotonic()
        run(three, "SELECT pg_advisory_lock(7)")
        self.assertLess(time.monotonic() - began, 15)
        self.cluster.node(1).start()
        self.cluster.wait_serving([1])
        again = self.cluster.node(1).connect()
        self.assertEqual(run(again, "SELECT pg_try_advisory_lock(7)"), [(False,)])
        # A connection that goes takes its locks with it.
        three.close()
        run(again, "SELECT pg_advisory_lock(7)")


if __name__ == "__main__":
    unittest.main(verbosity=2)
