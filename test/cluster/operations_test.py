#!/usr/bin/env python3
"""Real nodes: what an operator does to a cluster, and what sessions of one node may expect of the others.

    operations_test.py BINARY
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import psycopg2

from processes import Cluster, free_port_base

BINARY = sys.argv.pop(1)


def run(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


class OperationsTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="pando_operations_")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.base = free_port_base(int(os.environ.get("PORTS_FROM", "27000")), int(os.environ.get("PORTS_TO", "28000")))

    def test_a_node_leaves_for_good(self):
        with Cluster(BINARY, nodes=4, base_port=self.base, directory=self.directory) as cluster:
            cluster.form()
            connections = [node.connect() for node in cluster.nodes]
            run(connections[0], "CREATE TABLE t (k int PRIMARY KEY, v int)")
            run(connections[0], "INSERT INTO t SELECT g, g FROM generate_series(1, 1000) g")
            run(connections[0], "CALL pando.split('t', 500)")
            # Any node shows all shards.
            cluster.wait(lambda: {run(each, "SELECT count(*) FROM pando.shards")[0][0] for each in connections} == {2}, 15,
                         "not every node shows both shards")
            leaving = cluster.wait_leader()
            host = cluster.node(leaving % 4 + 1)
            done = cluster.run("node", "decommission", str(leaving), "--host", f"127.0.0.1:{host.peer_port}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("is decommissioned: it has no replicas any more", done.stdout)
            status = cluster.run("node", "status", "--host", f"127.0.0.1:{host.peer_port}")
            self.assertIn("decommissioned", status.stdout)
            self.assertEqual(run(connections[host.number - 1], "SELECT count(*), sum(v) FROM t"), [(1000, 500500)])
            replicas = run(connections[host.number - 1], "SELECT replicas FROM pando.shards")
            self.assertTrue(all(leaving not in row[0] for row in replicas), replicas)
            cluster.node(leaving).kill()
            run(connections[host.number - 1], "UPDATE t SET v = v + 1")

    def merges(self, connection):
        """Not while a node is behind, as after its restart."""
        try:
            run(connection, "CALL pando.merge('t', 50)")
            return True
        except psycopg2.errors.ObjectNotInPrerequisiteState:
            return False

    def test_sessions_of_other_nodes(self):
        with Cluster(BINARY, nodes=3, base_port=self.base, directory=self.directory) as cluster:
            cluster.form()
            connections = [node.connect() for node in cluster.nodes]
            # A sequence that is set on one node is set on all.
            run(connections[0], "CREATE SEQUENCE s")
            for each in connections:
                run(each, "SELECT nextval('s')")
            run(connections[1], "SELECT setval('s', 5000)")
            values = [run(each, "SELECT nextval('s')")[0][0] for each in connections]
            self.assertEqual(len(set(values)), 3)
            self.assertGreater(min(values), 5000)
            # What is committed on one node is heard on all that it knows, in order, and nobody takes it for its own.
            cluster.wait(lambda: {run(each, "SELECT count(*) FROM pando.nodes WHERE is_live")[0][0] for each in connections} == {3},
                         30, "the nodes do not know each other")
            for each in connections:
                run(each, "LISTEN news")
            for i in range(20):
                run(connections[1], f"SELECT pg_notify('news', '{i}'), pg_notify('other', '')")
            self.assertEqual(len({each.get_backend_pid() for each in connections}), 3)
            for each in connections:
                cluster.wait(lambda each=each: each.poll() or len(each.notifies) >= 20, 15, "notifications are missing")
                self.assertEqual([(notify.pid, notify.payload) for notify in each.notifies],
                                 [(connections[1].get_backend_pid(), str(i)) for i in range(20)])
            # A node that starts does not take temporary tables from sessions of others.
            run(connections[0], "CREATE TEMPORARY TABLE mine (k int)")
            run(connections[0], "INSERT INTO mine VALUES (1)")
            run(connections[2], "CREATE TEMPORARY TABLE gone (k int)")
            cluster.node(3).kill()
            cluster.node(3).start()
            cluster.wait_serving([3])
            self.assertEqual(run(connections[0], "SELECT k FROM mine"), [(1,)])
            left = run(connections[1], "SELECT count(*) FROM pg_class WHERE relname = 'gone'")
            self.assertEqual(left, [(0,)])
            # Both sides of a boundary, and the lease, are where they were put.
            run(connections[0], "CREATE TABLE t (k int PRIMARY KEY)")
            run(connections[0], "INSERT INTO t SELECT generate_series(1, 100)")
            for _ in range(3):
                run(connections[0], "CALL pando.split('t', 50)")
                time.sleep(0.2)
                cluster.wait(lambda: self.merges(connections[1]), 30, "the shards are not merged")
                self.assertEqual(run(connections[1], "SELECT count(*) FROM t"), [(100,)])

    def test_statements_without_a_block_survive_what_moves(self):
        with Cluster(BINARY, nodes=3, base_port=self.base, directory=self.directory) as cluster:
            cluster.form()
            operator = cluster.node(1).connect()
            run(operator, "CREATE TABLE t (k int PRIMARY KEY, v int)")
            run(operator, "INSERT INTO t SELECT g, 0 FROM generate_series(1, 100) g")
            stop, done, failures = threading.Event(), [], []

            def work(number):
                connection = cluster.nodes[number % 3].connect()
                while not stop.is_set():
                    # A row of its own, and one that all change.
                    for k in (number, 100):
                        try:
                            returned = run(connection, f"UPDATE t SET v = v + 1 WHERE k = {k} RETURNING k")
                            self.assertEqual(returned, [(k,)])
                            done.append(k)
                        except psycopg2.Error as error:
                            failures.append(str(error))

            script = os.path.join(self.directory, "change.sql")
            with open(script, "w", encoding="utf-8") as file:
                file.write("UPDATE t SET v = v + 1 WHERE k = 99;\n")
            # The extended protocol, with a Sync after each statement.
            pgbench = subprocess.Popen(
                ["pgbench", "-n", "--verbose-errors", "-M", "prepared", "-c", "2", "-T", "6", "-f", script, "-h", "127.0.0.1", "-p",
                 str(cluster.node(2).sql_port), "-U", "postgres", "postgres"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            workers = [threading.Thread(target=work, args=(number,)) for number in range(1, 7)]
            for worker in workers:
                worker.start()
            shard = run(operator, "SELECT shard_id FROM pando.shards LIMIT 1")[0][0]
            try:
                for turn in range(20):
                    run(operator, f"CALL pando.transfer_lease({shard}, {turn % 3 + 1})")
                    run(operator, f"CALL pando.split('t', {turn + 10})")
                    time.sleep(0.3)
            finally:
                stop.set()
            for worker in workers:
                worker.join()
            said = pgbench.communicate(timeout=30)[0]
            self.assertIn("number of failed transactions: 0 ", said)
            processed = int(re.search(r"actually processed: (\d+)", said).group(1))
            self.assertEqual(run(operator, "SELECT v FROM t WHERE k = 99"), [(processed,)])
            self.assertEqual(failures, [])
            self.assertGreater(len(done), 100)
            for k in (*range(1, 7), 100):
                self.assertEqual(run(operator, f"SELECT v FROM t WHERE k = {k}"), [(done.count(k),)])

    def test_a_wait_for_a_lock_is_given_up(self):
        with Cluster(BINARY, nodes=3, base_port=self.base, directory=self.directory) as cluster:
            cluster.form()
            holder = cluster.node(1).connect()
            run(holder, "CREATE TABLE t (k int PRIMARY KEY, v int)")
            run(holder, "INSERT INTO t VALUES (1, 0)")
            run(holder, "BEGIN")
            run(holder, "UPDATE t SET v = 1 WHERE k = 1")
            waiters = [node.connect() for node in cluster.nodes]
            for waiter in waiters:
                run(waiter, "SET statement_timeout = 200")
                with self.assertRaises(psycopg2.errors.QueryCanceled) as caught:
                    run(waiter, "UPDATE t SET v = 2 WHERE k = 1")
                self.assertIn("due to statement timeout", str(caught.exception))
                run(waiter, "SET statement_timeout = 0")
                timer = threading.Timer(0.3, waiter.cancel)
                timer.start()
                with self.assertRaises(psycopg2.errors.QueryCanceled) as caught:
                    run(waiter, "UPDATE t SET v = 2 WHERE k = 1")
                self.assertIn("due to user request", str(caught.exception))
                timer.join()
            run(holder, "COMMIT")
            for waiter in waiters:
                run(waiter, "UPDATE t SET v = v + 1 WHERE k = 1")
            self.assertEqual(run(holder, "SELECT v FROM t"), [(4,)])


if __name__ == "__main__":
    unittest.main()
