#!/usr/bin/env python3
"""Three Pando nodes on one machine, beside three etcd nodes and a PostgreSQL server in the same run: the speed table of a cluster.

    cluster_bench.py BINARY [SECONDS] [--directory D] [--only REGEX]

etcd is driven natively (etcdload.go, gRPC), Pando and PostgreSQL through SQL (pgbench, prepared). Keys of 8 bytes and values of 256;
TPC-B-like with SCALE branches. Each system has the machine to itself while it is measured. Every line ends with the ratio and what it
should at least be.
"""
import argparse
import contextlib
import glob
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../test/cluster"))
from processes import Cluster, free_port_base  # noqa: E402  pylint: disable=wrong-import-position

PG_BIN = "/usr/lib/postgresql/15/bin"
PGBENCH = shutil.which("pgbench") or f"{PG_BIN}/pgbench"
CLIENTS = 32
KEYS = 1_000_000
SCALE = 50
ACCOUNTS = 10_000 * SCALE
VALUE = "x" * 256
TABLE = "CREATE TABLE kv (k bigint PRIMARY KEY, v text NOT NULL)"
UPSERT = f"""\\set k random(1, {KEYS})
INSERT INTO kv (k, v) VALUES (:k, '{VALUE}') ON CONFLICT (k) DO UPDATE SET v = excluded.v;
"""
READ = f"\\set k random(1, {KEYS})\nSELECT v FROM kv WHERE k = :k;\n"
TWO_SHARDS = f"""\\set a random(1, {KEYS // 2 - 1})
\\set b random({KEYS // 2}, {KEYS})
INSERT INTO kv (k, v) VALUES (:a, '{VALUE}'), (:b, '{VALUE}') ON CONFLICT (k) DO UPDATE SET v = excluded.v;
"""
# pgbench's own script, with fewer accounts per branch.
TPCB = f"""\\set aid random(1, {ACCOUNTS})
\\set bid random(1, {SCALE})
\\set tid random(1, {10 * SCALE})
\\set delta random(-5000, 5000)
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;
UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, :bid, :aid, :delta, CURRENT_TIMESTAMP);
END;
"""


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


@contextlib.contextmanager
def postgresql(directory, port):
    """A fresh server with its default durability. Gives its port."""
    data = os.path.join(directory, "postgresql")
    os.makedirs(data)
    as_server = []
    if os.geteuid() == 0:
        # The server does not run as root.
        user = pwd.getpwnam("postgres")
        os.chown(data, user.pw_uid, user.pw_gid)
        as_server = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    run = lambda *words: subprocess.run([*as_server, *words], check=True, stdout=subprocess.DEVNULL)  # noqa: E731
    run(f"{PG_BIN}/initdb", "-D", f"{data}/data", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8")
    run(f"{PG_BIN}/pg_ctl", "-D", f"{data}/data", "-l", f"{data}/log", "-w", "-o",
        f"-p {port} -k {data} -c listen_addresses=127.0.0.1", "start")
    try:
        yield port
    finally:
        run(f"{PG_BIN}/pg_ctl", "-D", f"{data}/data", "-m", "immediate", "stop")


def psql(port, *statements):
    words = [word for statement in statements for word in ("-c", statement)]
    return subprocess.run(["psql", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-qAt", "-v", "ON_ERROR_STOP=1", *words,
                           "postgres"], check=True, capture_output=True, text=True).stdout


def pgbench(ports, script, clients, seconds):
    """One pgbench for each server, which share the clients; transactions/s in sum, and p50 and p99 over all."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "script.sql")
        with open(path, "w", encoding="ascii") as file:
            file.write(script)
        runs = []
        for i, port in enumerate(ports):
            share = clients // len(ports) + (i < clients % len(ports))
            if share:
                runs.append(subprocess.Popen(
                    [PGBENCH, "-n", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-M", "prepared", "-f", path,
                     "-c", str(share), "-T", str(seconds), "--log", f"--log-prefix={directory}/n{i}", "postgres"],
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


def load_kv(port):
    """Half of the keys, in transactions of a size that every store takes."""
    step = KEYS // 20
    for first in range(1, KEYS, step):
        psql(port, f"INSERT INTO kv SELECT k, '{VALUE}' FROM generate_series({first}, {first + step - 1}, 2) AS k "
                   "ON CONFLICT DO NOTHING")


def load_tpcb(port):
    psql(port,
         "CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88))",
         "CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84))",
         "CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84))",
         "CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22))",
         f"INSERT INTO pgbench_branches SELECT b, 0, '' FROM generate_series(1, {SCALE}) AS b",
         f"INSERT INTO pgbench_tellers SELECT t, (t - 1) / 10 + 1, 0, '' FROM generate_series(1, {10 * SCALE}) AS t")
    step = ACCOUNTS // 20
    for first in range(1, ACCOUNTS, step):
        psql(port, f"INSERT INTO pgbench_accounts SELECT a, (a - 1) / {ACCOUNTS // SCALE} + 1, 0, '' "
                   f"FROM generate_series({first}, {first + step - 1}) AS a")
    psql(port, "ANALYZE")


class Table:
    """What was measured of Pando beside a peer."""

    def __init__(self, peers):
        self.peers = peers

    @staticmethod
    def line(what, ours, theirs, peer, verdict):
        print(f"{what:<34} pando {ours[0]:>7.0f}/s p50 {ours[1]:6.2f} ms p99 {ours[2]:6.2f} ms | "
              f"{peer:<10} {theirs[0]:>7.0f}/s p50 {theirs[1]:6.2f} ms p99 {theirs[2]:6.2f} ms | {verdict}", flush=True)

    def throughput(self, what, ours, peer, key, at_least):
        theirs = self.peers[key]
        self.line(what, ours, theirs, peer, f"{ours[0] / theirs[0]:5.2f}x, at least {at_least}x")

    def latency(self, what, ours, peer, key):
        theirs = self.peers[key]
        self.line(what, ours, theirs, peer,
                  f"p50 {ours[1] / theirs[1]:.2f}x, p99 {ours[2] / theirs[2]:.2f}x of its time, at most 1x")


def measure_etcd(directory, base, seconds):
    loader = build_etcdload(directory)
    etcd = Etcd(directory, base)
    try:
        etcd.load(loader, CLIENTS, 3, "put")
        return {"put": etcd.load(loader, CLIENTS, seconds, "put"), "put1": etcd.load(loader, 1, seconds, "put"),
                "get": etcd.load(loader, CLIENTS, seconds, "get")}
    finally:
        etcd.stop()


def measure_postgresql(directory, port, seconds):
    with postgresql(directory, port):
        psql(port, TABLE)
        load_kv(port)
        load_tpcb(port)
        pgbench([port], READ, CLIENTS, 2)
        return {"pg_read": pgbench([port], READ, CLIENTS, seconds), "pg_tpcb": pgbench([port], TPCB, CLIENTS, seconds)}


def measure_two_shards(cluster, port, seconds):
    """A statement on two shards with leaseholders on two nodes, beside one on one shard: both at the gateway of one of them."""
    psql(port, f"CALL pando.split('kv', {KEYS // 2})")
    # A shard that was split just now is listed within half a second.
    time.sleep(1)
    right = max(int(line) for line in psql(port, "SELECT shard_id FROM pando.shards").split())
    psql(port, f"CALL pando.transfer_lease({right}, {cluster.leader() % 3 + 1})")
    time.sleep(1)
    one = pgbench([port], UPSERT.replace(f"random(1, {KEYS})", f"random(1, {KEYS // 2 - 1})"), 1, seconds)
    two = pgbench([port], TWO_SHARDS, 1, seconds)
    Table.line("two shards, 1 client", two, one, "one shard", f"p50 + {two[1] - one[1]:.2f} ms, at most 0.50 ms")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("seconds", nargs="?", type=int, default=8)
    parser.add_argument("--directory", default="/tmp/pando_cluster_bench")
    parser.add_argument("--base-port", type=int, default=0)
    parser.add_argument("--only", default=".", help="loads whose names match: upserts, reads, tpcb, shards")
    arguments = parser.parse_args()
    seconds = arguments.seconds
    wanted = lambda name: re.search(arguments.only, name)  # noqa: E731
    shutil.rmtree(arguments.directory, ignore_errors=True)
    os.makedirs(arguments.directory)
    base = arguments.base_port or free_port_base()
    peers = {}
    if wanted("upserts"):
        peers |= measure_etcd(arguments.directory, base, seconds)
    if wanted("reads") or wanted("tpcb"):
        peers |= measure_postgresql(arguments.directory, base + 8, seconds)
    table = Table(peers)
    with Cluster(arguments.binary, nodes=3, base_port=base, directory=arguments.directory + "/pando") as cluster:
        cluster.form()
        ports = [node.sql_port for node in cluster.nodes]
        psql(ports[0], TABLE)
        if wanted("upserts"):
            pgbench(ports, UPSERT, CLIENTS, 3)
            table.throughput("upserts, 32 clients", pgbench(ports, UPSERT, CLIENTS, seconds), "etcd", "put", 3)
            table.latency("upserts, 1 client", pgbench(ports, UPSERT, 1, seconds), "etcd", "put1")
        if wanted("reads"):
            load_kv(ports[0])
            pgbench(ports, READ, CLIENTS, 2)
            table.throughput("point reads, 32 clients", pgbench(ports, READ, CLIENTS, seconds), "postgresql", "pg_read", 1)
        if wanted("tpcb"):
            load_tpcb(ports[0])
            pgbench(ports, TPCB, CLIENTS, 2)
            table.throughput("TPC-B-like, 32 clients", pgbench(ports, TPCB, CLIENTS, seconds), "postgresql", "pg_tpcb", 0.5)
        if wanted("shards"):
            measure_two_shards(cluster, ports[cluster.leader() - 1], seconds)


if __name__ == "__main__":
    main()
