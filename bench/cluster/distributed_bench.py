#!/usr/bin/env python3
"""Statements over a large table in several shards on three nodes: with the work at the leaseholders, with all of it at the gateway,
and on a node of its own.

    distributed_bench.py BINARY [--baseline BINARY] [--rows N] [--shards S] [--repeat R]

With --baseline another binary (that of an earlier commit) takes the place of the statements that work at the gateway. One line a
statement: the median of R runs each, and how many times as fast the first is. All nodes share the machine's cores.
"""
import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import time

import psycopg2

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../test/cluster"))
from processes import Cluster, free_port_base  # noqa: E402  pylint: disable=wrong-import-position

TABLE = "CREATE TABLE t (k bigint PRIMARY KEY, g int, v bigint, n numeric, s text)"
STATEMENTS = (
    ("count", "SELECT count(*) FROM t"),
    ("sum", "SELECT sum(v), min(v), max(v), avg(n) FROM t"),
    ("sum, group by", "SELECT g, count(*), sum(v), avg(n) FROM t GROUP BY g"),
    ("filter, few rows", "SELECT k, v FROM t WHERE s = 'row 77777'"),
    ("filter, sum", "SELECT sum(v) FROM t WHERE g BETWEEN 10 AND 19 AND s LIKE '%7'"),
    ("one column", "SELECT max(x) FROM (SELECT v + 0 AS x FROM t OFFSET 0) AS t"),
)
GATEWAY_ONLY = "SET max_parallel_workers_per_gather = 0"


def load(connection, rows):
    step = 100_000
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
        for first in range(1, rows, step):
            cursor.execute(f"""INSERT INTO t SELECT k, k % 100, k * 7, k * 0.01, 'row ' || k
                               FROM generate_series({first}, {min(rows, first + step - 1)}) AS k""")
        cursor.execute("ANALYZE t")


def spread(cluster, connection, rows, shards):
    with connection.cursor() as cursor:
        for shard in range(1, shards):
            cursor.execute(f"CALL pando.split('t', {shard * rows // shards})")
        cursor.execute("SELECT shard_id FROM pando.shards ORDER BY start_key")
        for i, (shard,) in enumerate(cursor.fetchall()):
            for _ in range(100):
                try:
                    cursor.execute(f"CALL pando.transfer_lease({shard}, {i % len(cluster.nodes) + 1})")
                    break
                except psycopg2.Error:
                    time.sleep(0.05)


def measure(connection, repeat):
    times = {}
    with connection.cursor() as cursor:
        for name, statement in STATEMENTS:
            took = []
            for _ in range(repeat + 1):
                start = time.monotonic()
                cursor.execute(statement)
                cursor.fetchall()
                took.append(time.monotonic() - start)
            times[name] = statistics.median(took[1:])
    return times


@contextlib.contextmanager
def cluster_of(binary, arguments, base, name):
    with Cluster(binary, nodes=3, base_port=base, directory=f"{arguments.directory}/{name}") as cluster:
        cluster.form()
        connection = cluster.node(1).connect()
        load(connection, arguments.rows)
        spread(cluster, connection, arguments.rows, arguments.shards)
        yield connection


@contextlib.contextmanager
def single(binary, arguments, port):
    process = subprocess.Popen([binary, "start", "--dir", f"{arguments.directory}/single", "--listen", f"127.0.0.1:{port}"],
                               stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                connection = psycopg2.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres")
                break
            except psycopg2.Error:
                time.sleep(0.05)
        connection.autocommit = True
        load(connection, arguments.rows)
        yield connection
    finally:
        process.kill()
        process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--baseline", help="the binary of an earlier commit")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=9)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--directory", default="/tmp/pando_distributed_bench")
    parser.add_argument("--base-port", type=int, default=0)
    arguments = parser.parse_args()
    shutil.rmtree(arguments.directory, ignore_errors=True)
    os.makedirs(arguments.directory)
    base = arguments.base_port or free_port_base()
    with cluster_of(arguments.binary, arguments, base, "cluster") as connection:
        distributed = measure(connection, arguments.repeat)
        if not arguments.baseline:
            with connection.cursor() as cursor:
                cursor.execute(GATEWAY_ONLY)
            gateway = measure(connection, arguments.repeat)
    if arguments.baseline:
        with cluster_of(arguments.baseline, arguments, base, "baseline") as connection:
            gateway = measure(connection, arguments.repeat)
    with single(arguments.binary, arguments, base) as connection:
        alone = measure(connection, arguments.repeat)
    other = "baseline" if arguments.baseline else "gateway"
    for name, _ in STATEMENTS:
        print(f"{name:<18} leaseholders {distributed[name] * 1000:8.1f} ms | {other} {gateway[name] * 1000:8.1f} ms "
              f"({gateway[name] / distributed[name]:5.2f}x) | one node {alone[name] * 1000:8.1f} ms "
              f"({alone[name] / distributed[name]:5.2f}x)", flush=True)
    shutil.rmtree(arguments.directory, ignore_errors=True)


if __name__ == "__main__":
    main()
