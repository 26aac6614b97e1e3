"""A cluster of real pando processes on loopback, and the faults that a test does to them.

    with Cluster(binary, nodes=3, base_port=27000, directory="/tmp/x", network=Proxies) as cluster:
        cluster.form()
        cluster.node(1).kill(); cluster.node(1).start()
        cluster.network.block(1, 2)

Each node has four ports: for clients, for other nodes, for metrics, and that of a proxy in front of it where there is one.
"""
import contextlib
import mmap
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import time
import urllib.request

import psycopg2

PORTS_PER_NODE = 10


class Loopback:
    """How nodes reach each other, and how the test reaches them: here all as they are. See proxies.py and namespaces.py."""

    def __init__(self, cluster):
        self.cluster = cluster

    def peer_host(self, _node):
        """The address of a node's for other nodes."""
        return "127.0.0.1"

    def advertised(self, node):
        return f"{self.peer_host(node)}:{node.peer_port}"

    def arguments(self):
        """What every command to and of a node needs besides."""
        return []

    def prefix(self, _node):
        """What starts a command where the node is."""
        return []

    def inside(self, _node):
        """While it is entered, this thread is where the node is."""
        return contextlib.nullcontext()

    def block(self, source, target):
        """What flows from one node to the other stops."""
        raise NotImplementedError

    def partition(self, side, other):
        for a in side:
            for b in other:
                self.block(a, b)
                self.block(b, a)

    def heal(self):
        raise NotImplementedError

    def close(self):
        pass


class FaultySystem:
    """The disk and the clock of one node (faulty_system.c)."""

    LAYOUT = "qqq"

    def __init__(self, library, path):
        self.library, self.path = library, path
        with open(path, "wb") as file:
            file.write(bytes(struct.calcsize(self.LAYOUT)))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)

    @staticmethod
    def library_beside(binary):
        """Where it is built."""
        return os.path.join(os.path.dirname(os.path.abspath(binary)), "test", "cluster", "libpando_faulty_system.so")

    def environment(self):
        return {**os.environ, "LD_PRELOAD": self.library, "PANDO_FAULTY_SYSTEM": self.path}

    def set(self, sync_delay_ms=0, disk_hangs=False, wall_offset_ms=0):
        self.map[:] = struct.pack(self.LAYOUT, sync_delay_ms * 1000, int(disk_hangs), wall_offset_ms)

    def heal(self):
        self.set()


class Node:
    def __init__(self, cluster, number):
        self.cluster = cluster
        self.number = number
        base = cluster.base_port + number * PORTS_PER_NODE
        self.sql_port, self.peer_port, self.http_port, self.proxy_port = base, base + 1, base + 2, base + 3
        self.directory = os.path.join(cluster.directory, f"n{number}")
        self.log_path = os.path.join(cluster.directory, f"n{number}.log")
        self.process = None
        self.system = None
        if cluster.faulty_system is not None:
            self.system = FaultySystem(cluster.faulty_system, os.path.join(cluster.directory, f"n{number}.faults"))

    def command(self):
        network = self.cluster.network
        join = ",".join(network.advertised(node) for node in self.cluster.nodes if node is not self)
        return network.prefix(self) + [
            self.cluster.binary, "start", "--cluster", "--dir", self.directory, "--listen", f"127.0.0.1:{self.sql_port}",
            "--listen-peer", f"{network.peer_host(self)}:{self.peer_port}", "--advertise", network.advertised(self),
            "--join", join, "--http", f"127.0.0.1:{self.http_port}"] + network.arguments() + self.cluster.extra_arguments

    def start(self):
        assert self.process is None
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=self.system.environment() if self.system else None)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """As if the machine's power went, except that the page cache stays."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self, timeout=20):
        """A clean end. Returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout)
        self.process = None
        return code

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def connect(self, timeout_s=5, statement_timeout_ms=0):
        # A paused node accepts connections and answers nothing: the socket's own timeouts end the wait.
        with self.cluster.network.inside(self):
            connection = psycopg2.connect(host="127.0.0.1", port=self.sql_port, user="postgres", dbname="postgres",
                                          connect_timeout=timeout_s, keepalives=1, keepalives_idle=1,
                                          keepalives_interval=1, tcp_user_timeout=timeout_s * 1000)
        connection.autocommit = True
        if statement_timeout_ms:
            with connection.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = {statement_timeout_ms}")
        return connection

    def metrics(self):
        try:
            with self.cluster.network.inside(self):
                with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/metrics", timeout=3) as answer:
                    text = answer.read().decode()
        except OSError:
            return {}
        return {name: float(value) for name, value in re.findall(r"^(pando_\w+(?:\{[^}]*\})?) (\S+)$", text, re.M)}

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()


class Cluster:
    def __init__(self, binary, nodes=3, base_port=27000, directory="/tmp/pando_cluster", network=Loopback,
                 faulty_system=None, extra_arguments=()):
        self.binary = binary
        self.base_port = base_port
        self.directory = directory
        self.faulty_system = faulty_system
        self.extra_arguments = list(extra_arguments)
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        self.nodes = []
        self.nodes = [Node(self, number) for number in range(1, nodes + 1)]
        self.network = network(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            if node.process is not None:
                node.process.kill()
                node.process.wait()
        self.network.close()

    def node(self, number):
        return self.nodes[number - 1]

    def others(self, number):
        return [node for node in self.nodes if node.number != number]

    def start_all(self):
        for node in self.nodes:
            node.start()

    def run(self, *words):
        return subprocess.run([self.binary, *words], capture_output=True, text=True, timeout=90, check=False)

    def administer(self, node, *words):
        """A command of administration to a node, from where it is."""
        network = self.network
        command = [*network.prefix(node), self.binary, *words, "--host", f"{network.peer_host(node)}:{node.peer_port}"]
        return subprocess.run(command + network.arguments(), capture_output=True, text=True, timeout=90, check=False)

    def initialize(self, timeout_s=20):
        """Makes the cluster at the first node; later ones get their numbers in the order in which they join."""
        deadline = time.monotonic() + timeout_s
        while True:
            made = self.administer(self.node(1), "init")
            if made.returncode == 0:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"init failed: {made.stderr}")
            time.sleep(0.05)

    def form(self, timeout_s=60):
        """Starts all nodes one after the other, so that numbers here and in the cluster are the same, and waits until every node
        serves clients and the data has as many replicas as it shall have."""
        self.node(1).start()
        self.initialize()
        for node in self.nodes[1:]:
            node.start()
            self.wait(lambda node=node: f"node {node.number} of cluster" in node.log(), timeout_s,
                      f"node {node.number} does not join")
        self.wait_serving(timeout_s=timeout_s)
        self.wait(lambda: sum(node.metrics().get("pando_replicas", 0) >= 1 for node in self.nodes) >= min(3, len(self.nodes)),
                  timeout_s, "the data is not replicated")
        self.wait_caught_up(timeout_s)

    def wait(self, condition, timeout_s, complaint):
        deadline = time.monotonic() + timeout_s
        while not condition():
            for node in self.nodes:
                if node.process is not None and node.process.poll() is not None:
                    raise RuntimeError(f"node {node.number} ended by itself:\n{node.log()[-2000:]}")
            if time.monotonic() > deadline:
                logs = "\n".join(f"--- node {node.number}\n{node.log()[-1500:]}" for node in self.nodes)
                raise RuntimeError(f"{complaint}\n{logs}")
            time.sleep(0.05)

    def wait_serving(self, numbers=None, timeout_s=60):
        def serves(node):
            try:
                node.connect(timeout_s=2).close()
                return True
            except psycopg2.Error:
                return False
        for node in self.nodes:
            if (numbers is None and node.process is not None) or (numbers and node.number in numbers):
                self.wait(lambda node=node: serves(node), timeout_s, f"node {node.number} does not serve clients")

    def wait_caught_up(self, timeout_s=60):
        """Until every running replica has applied the same, and nothing is behind."""
        def settled():
            metrics = [node.metrics() for node in self.nodes if node.running()]
            applied = {m.get('pando_shard_applied_index{shard="1"}') for m in metrics} - {None}
            return len(applied) == 1 and self.leader() is not None
        self.wait(settled, timeout_s, "the replicas do not catch up")

    def leader(self):
        """The node that leads the most shards; nothing while none leads."""
        led = {node.number: node.metrics().get("pando_shards_led", 0) for node in self.nodes if node.running()}
        best = max(led, key=led.get, default=None)
        return best if best is not None and led[best] > 0 else None

    def wait_leader(self, timeout_s=30):
        self.wait(lambda: self.leader() is not None, timeout_s, "nobody leads")
        return self.leader()


# The last port of every ten that were given, which no node uses, bound until the process ends.
_held_ports = []


def free_port_base(start=27000, end=28000, count=60):
    """A port from which on `count` are free, and are given to no other process before this one ends."""
    for base in range(start, end - count, PORTS_PER_NODE):
        held = []
        try:
            for port in range(base, base + count):
                probe = socket.socket()
                held.append(probe)
                if port % PORTS_PER_NODE != PORTS_PER_NODE - 1:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            for probe in held:
                probe.close()
            continue
        for probe in held:
            if probe.getsockname()[1] % PORTS_PER_NODE == PORTS_PER_NODE - 1:
                _held_ports.append(probe)
            else:
                probe.close()
        return base
    raise RuntimeError("no free ports")
