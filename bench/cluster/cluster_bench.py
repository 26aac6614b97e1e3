#!/usr/bin/env python3
"""Three Pando nodes beside three etcd nodes on one machine, in one run: single-row upserts of an 8-byte key and a 256-byte value.

    cluster_bench.py BINARY [SECONDS] [--directory D]

etcd is driven natively (etcdload.go, gRPC), Pando through SQL (pgbench, prepared). Prints throughput, p50, p99 and ratios for 32
clients and for 1, and point reads.
"""
import argparse
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../test/cluster"))
from processes import Cluster, free_port_base  # noqa: E402  pylint: disable=wrong-import-position

PGBENCH = shutil.which("pgbench") or "/usr/lib/postgresql/15/bin/pgbench"
KEYS = 1_000_000
UPSERT = """\\set k random(1, %d)
INSERT INTO kv (k, v) VALUES (:k, '%s') ON CONFLICT (k) DO UPDATE SET v = excluded.v;
""" % (KEYS, "x" * 256)
READ = "\\set k random(1, %d)\nSELECT v FROM kv WHERE k = :k;\n" % KEYS


def build_etcdload(directory):
    binary = os.path.join(directory, "etcdload")
    subprocess.run(["go", "build", "-o", binary, os.path.join(HERE, "etcdload.go")], check=True,
                   env={**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode"})
    return binary


class Etcd:
    def __init__(self, directory, base_port):
        ports = [(base_port + 2 * i, base_port + 2 * i + 1) for i in range(3)]
        initial = ",".join(f"n{i}=http://127.0.0.1:{peer}" for i, (_, peer) in enumerate(ports))
        self.endpoints = ",".join(f"127.0.0.1:{client}" for client, _ in ports)
        self.processes = []
        for i, (client, peer) in enumerate(ports):
            log = open(os.path.join(directory, f"etcd{i}.log"), "wb")  # pylint: disable=consider-using-with
            self.processes.append(subprocess.Popen(
                ["etcd", "--name", f"n{i}", "--data-dir", os.path.join(directory, f"etcd{i}"),
                 "--listen-client-urls", f"http://127.0.0.1:{client}",
                 "--advertise-client-urls", f"http://127.0.0.1:{client}", "--listen-peer-urls", f"http://127.0.0.1:{peer}",
                 "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}", "--initial-cluster", initial,
                 "--log-level", "error"], stdout=log, stderr=log))
        time.sleep(4)

    def load(self, binary, clients, seconds, operation):
        output = subprocess.run([binary, self.endpoints, str(min(clients, 6)), str(clients), str(seconds), operation],
                                capture_output=True, text=True, check=True).stdout
        return tuple(float(number) for number in output.split())

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()


def pgbench(cluster, script, clients, seconds):
    """One pgbench per gateway; transactions/s in sum, and latencies of all."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "script.sql")
        with open(path, "w", encoding="ascii") as file:
            file.write(script)
        shares = [clients // 3 + (i < clients % 3) for i in range(3)]
        runs = []
        for node, share in zip(cluster.nodes, shares):
            if share:
                runs.append(subprocess.Popen(
                    [PGBENCH, "-n", "-h", "127.0.0.1", "-p", str(node.sql_port), "-U", "postgres", "-M", "prepared", "-f", path,
                     "-c", str(share), "-T", str(seconds), "--log", f"--log-prefix={directory}/n{node.number}", "postgres"],
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        for run in runs:
            _, errors = run.communicate()
            if run.returncode != 0:
                raise RuntimeError(errors)
        latencies = []
        for name in glob.glob(f"{directory}/n*.*"):
            with open(name, encoding="ascii") as log:
                latencies += [float(line.split()[2]) / 1000 for line in log]
    latencies.sort()
    return len(latencies) / seconds, latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]


def report(what, ours, theirs):
    print(f"{what:<28} pando {ours[0]:>8.0f}/s p50 {ours[1]:6.2f} ms p99 {ours[2]:6.2f} ms | "
          f"etcd {theirs[0]:>8.0f}/s p50 {theirs[1]:6.2f} ms p99 {theirs[2]:6.2f} ms | "
          f"throughput {ours[0] / theirs[0]:.2f}x, p50 {ours[1] / theirs[1]:.2f}x, p99 {ours[2] / theirs[2]:.2f}x", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("seconds", nargs="?", type=int, default=8)
    parser.add_argument("--directory", default="/tmp/pando_cluster_bench")
    arguments = parser.parse_args()
    seconds = arguments.seconds
    shutil.rmtree(arguments.directory, ignore_errors=True)
    os.makedirs(arguments.directory)
    loader = build_etcdload(arguments.directory)
    base = free_port_base()
    # One after the other: each has the machine to itself.
    etcd = Etcd(arguments.directory, base)
    try:
        etcd.load(loader, 32, 3, "put")
        theirs = {"put32": etcd.load(loader, 32, seconds, "put"), "put1": etcd.load(loader, 1, seconds, "put"),
                  "get32": etcd.load(loader, 32, seconds, "get")}
    finally:
        etcd.stop()
    with Cluster(arguments.binary, nodes=3, base_port=base, directory=arguments.directory + "/pando") as cluster:
        cluster.form()
        with cluster.node(1).connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE kv (k bigint PRIMARY KEY, v text NOT NULL)")
        time.sleep(1)
        pgbench(cluster, UPSERT, 32, 3)
        report("upserts, 32 clients", pgbench(cluster, UPSERT, 32, seconds), theirs["put32"])
        report("upserts, 1 client", pgbench(cluster, UPSERT, 1, seconds), theirs["put1"])
        report("point reads, 32 clients", pgbench(cluster, READ, 32, seconds), theirs["get32"])


if __name__ == "__main__":
    main()
