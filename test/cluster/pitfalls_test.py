#!/usr/bin/env python3
"""Mistakes that other distributed databases have made, where SQL would show them (docs/specs/pitfalls.md has the whole list).

    pitfalls_test.py BINARY
"""
import shutil
import sys
import tempfile
import threading
import unittest

import psycopg2
from psycopg2 import errors

from processes import Cluster, free_port_base

BINARY = sys.argv.pop(1)
ROWS = 20000


def run(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


class PitfallsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.mkdtemp(prefix="pando_pitfalls_")
        cls.addClassCleanup(shutil.rmtree, directory, ignore_errors=True)
        cls.cluster = Cluster(BINARY, nodes=3, base_port=free_port_base(), directory=directory)
        cls.cluster.form()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__()

    def setUp(self):
        self.one, self.two, self.three = (node.connect() for node in self.cluster.nodes)
        run(self.one, "DROP TABLE IF EXISTS t")
        run(self.one, "CREATE TABLE t (k int PRIMARY KEY, v int, w int)")
        run(self.one, f"INSERT INTO t SELECT g, g / 10, g % 10 FROM generate_series(0, {ROWS - 1}) g")
        run(self.one, "CREATE INDEX ON t (v)")
        run(self.one, f"CALL pando.split('t', {ROWS // 2})")

    def tearDown(self):
        for connection in (self.one, self.two, self.three):
            connection.close()

    def test_p10_a_unique_index_misses_no_writer(self):
        run(self.one, "CREATE TABLE u (k int PRIMARY KEY, v int)")
        run(self.one, f"INSERT INTO u SELECT g, g FROM generate_series(1, {ROWS}) g")
        stop, refused = threading.Event(), []

        def write():
            k = ROWS
            while not stop.is_set():
                k += 1
                try:
                    run(self.two, f"INSERT INTO u VALUES ({k}, {k - ROWS})")
                    run(self.two, f"DELETE FROM u WHERE k = {k}")
                except errors.UniqueViolation:
                    refused.append(k)
                except errors.SerializationFailure:
                    pass

        writer = threading.Thread(target=write)
        writer.start()
        made = False
        while not made and not refused:
            try:
                run(self.one, "CREATE UNIQUE INDEX u_v ON u (v)")
                made = True
            except (errors.UniqueViolation, errors.SerializationFailure):
                pass
        stop.set()
        writer.join()
        twice = run(self.one, "SELECT v FROM u GROUP BY v HAVING count(*) > 1")
        self.assertTrue(made)
        self.assertEqual(twice, [])
        with self.assertRaises(errors.UniqueViolation):
            run(self.three, f"INSERT INTO u VALUES (-1, {ROWS})")
        run(self.one, "DROP TABLE u")

    def test_p11_nobody_repeats_a_transaction_that_a_client_has_seen(self):
        run(self.one, "BEGIN ISOLATION LEVEL REPEATABLE READ")
        seen = run(self.one, "SELECT v FROM t WHERE k = 1")[0][0]
        run(self.two, "UPDATE t SET v = v + 100 WHERE k = 1")
        with self.assertRaises(errors.SerializationFailure):
            run(self.one, f"UPDATE t SET v = {seen + 1} WHERE k = 1")
        with self.assertRaises(errors.InFailedSqlTransaction):
            run(self.one, "SELECT 1")
        run(self.one, "ROLLBACK")
        self.assertEqual(run(self.three, "SELECT v FROM t WHERE k = 1"), [(seen + 100,)])

    def test_p12_a_lock_that_was_not_had_in_time_is_none(self):
        run(self.one, "BEGIN")
        run(self.one, "UPDATE t SET w = -1 WHERE k = 1")
        run(self.two, "SET lock_timeout = '100ms'")
        run(self.two, "BEGIN")
        with self.assertRaises(errors.LockNotAvailable):
            run(self.two, "UPDATE t SET w = -2 WHERE k = 1")
        run(self.two, "ROLLBACK")
        run(self.one, "COMMIT")
        # What was given up is not had later either.
        self.assertEqual(run(self.three, "SELECT w FROM t WHERE k = 1 FOR UPDATE NOWAIT"), [(-1,)])

    def test_p14_a_statement_that_starts_over_sends_no_row_twice(self):
        stop = threading.Event()

        def write():
            k = ROWS - 1
            while not stop.is_set():
                try:
                    run(self.two, f"UPDATE t SET w = w + 1 WHERE k = {k}")
                except errors.SerializationFailure:
                    pass

        writer = threading.Thread(target=write)
        writer.start()
        for _ in range(5):
            # Few rows are still here when the last one turns out to have changed: the statement starts over unseen.
            rows = run(self.one, f"SELECT k FROM t WHERE k >= {ROWS - 50} ORDER BY k FOR UPDATE")
            self.assertEqual([k for k, in rows], list(range(ROWS - 50, ROWS)))
            try:
                rows = run(self.one, "SELECT k FROM t ORDER BY k FOR UPDATE")
                self.assertEqual([k for k, in rows], list(range(ROWS)))
            except errors.SerializationFailure:
                # Most of them had left already.
                pass
        stop.set()
        writer.join()

    def test_p15_a_row_that_an_index_finds_is_locked_itself(self):
        run(self.one, "BEGIN")
        self.assertEqual(len(run(self.one, "SELECT k FROM t WHERE v = 7 FOR UPDATE")), 10)
        for statement in ("SELECT k FROM t WHERE k = 71 FOR UPDATE NOWAIT", "SELECT k FROM t WHERE k = 79 FOR SHARE NOWAIT"):
            with self.assertRaises(errors.LockNotAvailable):
                run(self.two, statement)
        run(self.one, "COMMIT")

    def test_p16_a_row_that_is_filtered_out_is_not_locked(self):
        run(self.one, "BEGIN")
        self.assertEqual(run(self.one, "SELECT k FROM t WHERE v = 7 AND w = 3 FOR UPDATE"), [(73,)])
        self.assertEqual(len(run(self.two, "SELECT k FROM t WHERE v = 7 AND k <> 73 FOR UPDATE NOWAIT")), 9)
        with self.assertRaises(errors.LockNotAvailable):
            run(self.two, "SELECT k FROM t WHERE k = 73 FOR UPDATE NOWAIT")
        run(self.one, "COMMIT")


if __name__ == "__main__":
    unittest.main()
