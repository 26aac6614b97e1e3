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

    def test_what_ended_is_free_everywhere_at_once(self):
        one, two, _ = self.connections
        ends = {
            "COMMIT": ["BEGIN", "SELECT pg_advisory_xact_lock(3)", "COMMIT"],
            "ROLLBACK": ["BEGIN", "SELECT pg_advisory_xact_lock(3)", "ROLLBACK"],
            "ROLLBACK TO": ["BEGIN", "SAVEPOINT s", "SELECT pg_advisory_xact_lock(3)", "ROLLBACK TO s"],
            "statement": ["SELECT pg_advisory_xact_lock(3)"],
            "unlock": ["SELECT pg_advisory_lock(3)", "SELECT pg_advisory_unlock(3)"],
            "unlock all": ["SELECT pg_advisory_lock(g) FROM generate_series(1, 9) g", "SELECT pg_advisory_unlock_all()"],
            "DISCARD ALL": ["SELECT pg_advisory_lock(3)", "DISCARD ALL"],
        }
        for name, statements in ends.items():
            for _ in range(10):
                for statement in statements:
                    run(one, statement)
                with self.subTest(name):
                    self.assertEqual(run(two, "SELECT pg_try_advisory_lock(3), pg_advisory_unlock(3)"), [(True, True)])
            run(one, "ROLLBACK")

    def test_another_node_than_the_holders_is_killed(self):
        leader = self.cluster.wait_leader()
        holder, other = self.cluster.others(leader)
        connections = {node.number: node.connect() for node in (holder, other)}
        run(connections[holder.number], "SELECT pg_advisory_lock(7)")
        self.cluster.node(leader).kill()
        until = time.monotonic() + 12
        while time.monotonic() < until:
            self.assertEqual(run(connections[other.number], "SELECT pg_try_advisory_lock(7)"), [(False,)])
        self.assertEqual(run(connections[holder.number], "SELECT pg_advisory_unlock(7)"), [(True,)])
        self.assertEqual(run(connections[other.number], "SELECT pg_try_advisory_lock(7)"), [(True,)])

    def test_a_holder_that_slept_is_told(self):
        one, two, _ = self.connections
        run(one, "CREATE TABLE t (v int)")
        run(one, "SELECT pg_advisory_lock(7)")
        self.cluster.node(1).pause()
        run(two, "SELECT pg_advisory_lock(7)")
        # It is on its way when the node goes on.
        doing = threading.Thread(target=self.insert_and_fail, args=(one,))
        doing.start()
        time.sleep(0.5)
        self.cluster.node(1).resume()
        doing.join()
        self.assertEqual(run(two, "SELECT count(*) FROM t"), [(0,)])

    def insert_and_fail(self, connection):
        try:
            run(connection, "INSERT INTO t VALUES (1)")
        except psycopg2.Error:
            pass


if __name__ == "__main__":
    unittest.main(verbosity=2)
