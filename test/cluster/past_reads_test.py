#!/usr/bin/env python3
"""Reads of the past, on a node of its own and in a cluster, and reads from followers.

    past_reads_test.py BINARY
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import psycopg2

from processes import Cluster, free_port_base

BINARY = sys.argv.pop(1)


def run(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


class PastReadsTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="pando_past_")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.base = free_port_base(int(os.environ.get("PORTS_FROM", "27000")), int(os.environ.get("PORTS_TO", "28000")))

    def refused(self, connection, sql, code):
        with self.assertRaises(psycopg2.Error) as caught:
            run(connection, sql)
        self.assertEqual(caught.exception.pgcode, code, caught.exception)

    def read_past(self, connection, others):
        """`others`: connections to other gateways of the same database."""
        run(connection, "CREATE TABLE t (k int PRIMARY KEY, v int)")
        run(connection, "INSERT INTO t SELECT g, 1 FROM generate_series(1, 100) g")
        time.sleep(0.3)
        then = run(connection, "SELECT clock_timestamp()")[0][0]
        time.sleep(0.3)
        run(connection, "UPDATE t SET v = 2")
        run(connection, "DELETE FROM t WHERE k > 50")
        for each in [connection, *others]:
            run(each, f"SET pando.as_of = '{then.isoformat()}'")
            self.assertEqual(run(each, "SELECT count(*), sum(v) FROM t"), [(100, 100)])
            self.assertEqual(run(each, "SELECT v FROM t WHERE k = 99"), [(1,)])
            self.refused(each, "UPDATE t SET v = 3", "25006")
            self.refused(each, "CREATE TABLE u (k int)", "25006")
            self.refused(each, "SELECT * FROM t FOR UPDATE", "25006")
            run(each, "SET pando.as_of = ''")
            self.assertEqual(run(each, "SELECT count(*), sum(v) FROM t"), [(50, 100)])
            run(each, "SET pando.as_of = '-100 days'")
            self.refused(each, "SELECT count(*) FROM t", "72000")
            run(each, "SET pando.as_of = '2100-01-01'")
            self.refused(each, "SELECT count(*) FROM t", "22023")
            run(each, "RESET pando.as_of")
        # What was defined otherwise then cannot be read; other tables can.
        run(connection, "CREATE TABLE w (k int)")
        run(connection, "ALTER TABLE t ADD COLUMN x int")
        for each in [connection, *others]:
            run(each, f"SET pando.as_of = '{then.isoformat()}'")
            self.refused(each, "SELECT count(*) FROM t", "55000")
            self.refused(each, "SELECT count(*) FROM w", "42P01")
            run(each, "RESET pando.as_of")

    def shards(self, connections):
        return {run(each, "SELECT count(*) FROM pando.shards")[0][0] for each in connections}

    def test_a_node_of_its_own(self):
        process = subprocess.Popen([BINARY, "start", "--dir", self.directory + "/d", "--listen", f"127.0.0.1:{self.base + 1}"],
                                   stderr=subprocess.DEVNULL)
        try:
            for _ in range(200):
                try:
                    connection = psycopg2.connect(host="127.0.0.1", port=self.base + 1, user="postgres", dbname="postgres")
                    break
                except psycopg2.Error:
                    time.sleep(0.05)
            connection.autocommit = True
            self.read_past(connection, [])
            run(connection, "SET pando.read_staleness = '5s'")
            self.assertEqual(run(connection, "SELECT count(*) FROM t"), [(50,)])
        finally:
            process.kill()
            process.wait()

    def test_a_cluster(self):
        with Cluster(BINARY, nodes=3, base_port=self.base, directory=self.directory + "/c") as cluster:
            cluster.form()
            connections = [node.connect() for node in cluster.nodes]
            self.read_past(connections[0], connections[1:])
            run(connections[0], "CALL pando.split('t', 25)")
            cluster.wait(lambda: self.shards(connections) == {2}, 10, "the split is not seen everywhere")
            run(connections[2], "CALL pando.merge('t', 25)")
            cluster.wait(lambda: self.shards(connections) == {1}, 10, "the merge is not seen everywhere")
            self.assertEqual(run(connections[0], "SELECT count(*), sum(v) FROM t"), [(50, 100)])
            run(connections[0], "CALL pando.split('t', 25)")
            leader = cluster.wait_leader()
            follower = leader % 3 + 1
            other = follower % 3 + 1
            reader = connections[follower - 1]
            run(reader, "SET pando.read_staleness = '5s'")
            self.refused(reader, "UPDATE t SET v = 3", "25006")
            time.sleep(2)
            self.assertEqual(run(reader, "SELECT count(*), sum(v) FROM t"), [(50, 100)])
            # Nobody else is left, and nobody leads: the follower has what was acknowledged seconds ago.
            run(reader, "SET pando.read_staleness = '60s'")
            cluster.node(leader).kill()
            cluster.node(other).kill()
            time.sleep(1)
            self.assertEqual(run(reader, "SELECT count(*), sum(v) FROM t"), [(50, 100)])
            self.assertEqual(run(reader, "SELECT v FROM t WHERE k = 30"), [(2,)])
            run(reader, "RESET pando.read_staleness")
            run(reader, "SET statement_timeout = '2s'")
            self.refused(reader, "SELECT count(*) FROM t", "57014")


if __name__ == "__main__":
    unittest.main()
