"""A cluster of real pando processes on loopback, and the faults that a test does to them.

    with Cluster(binary, nodes=3, base_port=27000, directory="/tmp/x", proxied=True) as cluster:
        cluster.start_all(); cluster.initialize(); cluster.wait_ready()
        cluster.node(1).kill(); cluster.node(1).start()
        cluster.network.block(1, 2)

Each node has four ports: for clients, for other nodes, for metrics, and (proxied) the one of the proxy in front of it, which is
what other nodes are told. The proxy knows which node a connection comes from by the process that owns it, so that it can hold,
delay or cut what flows between two nodes, in one direction or both.
"""
import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request

import psycopg2

PORTS_PER_NODE = 10


class Node:
    def __init__(self, cluster, number):
        self.cluster = cluster
        self.number = number
        base = cluster.base_port + number * PORTS_PER_NODE
        self.sql_port, self.peer_port, self.http_port, self.proxy_port = base, base + 1, base + 2, base + 3
        self.directory = os.path.join(cluster.directory, f"n{number}")
        self.log_path = os.path.join(cluster.directory, f"n{number}.log")
        self.process = None

    @property
    def advertised(self):
        return f"127.0.0.1:{self.proxy_port if self.cluster.proxied else self.peer_port}"

    def command(self):
        join = ",".join(node.advertised for node in self.cluster.nodes if node is not self)
        return [self.cluster.binary, "start", "--cluster", "--dir", self.directory, "--listen", f"127.0.0.1:{self.sql_port}",
                "--listen-peer", f"127.0.0.1:{self.peer_port}", "--advertise", self.advertised, "--join", join,
                "--http", f"127.0.0.1:{self.http_port}"] + self.cluster.extra_arguments

    def start(self):
        assert self.process is None
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL)

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
        connection = psycopg2.connect(host="127.0.0.1", port=self.sql_port, user="postgres", dbname="postgres",
                                      connect_timeout=timeout_s, keepalives=1, keepalives_idle=1, keepalives_interval=1,
                                      tcp_user_timeout=timeout_s * 1000)
        connection.autocommit = True
        if statement_timeout_ms:
            with connection.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = {statement_timeout_ms}")
        return connection

    def metrics(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/metrics", timeout=3) as answer:
                text = answer.read().decode()
        except OSError:
            return {}
        return {name: float(value) for name, value in re.findall(r"^(pando_\w+(?:\{[^}]*\})?) (\S+)$", text, re.M)}

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()


class Network:
    """The proxies in front of all nodes, on an event loop of their own."""

    CHUNK = 65536

    def __init__(self, cluster):
        self.cluster = cluster
        self.blocked = set()
        self.delays = {}
        self.connections = set()
        self.loop = asyncio.new_event_loop()
        # What a proxy cannot reach, the node that asked finds out by itself.
        self.loop.set_exception_handler(lambda loop, context: None)
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.servers = [self._run(asyncio.start_server(self._accepting(node), "127.0.0.1", node.proxy_port))
                        for node in cluster.nodes]

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def block(self, source, target):
        """What flows from one node to the other stops; what is under way waits."""
        self.blocked.add((source, target))

    def partition(self, side, other):
        for a in side:
            for b in other:
                self.block(a, b)
                self.block(b, a)

    def delay(self, source, target, seconds):
        self.delays[(source, target)] = seconds

    def heal(self):
        self.blocked.clear()
        self.delays.clear()

    def reset(self, a, b):
        """Cuts the connections between two nodes; they are made anew."""
        async def cut():
            for ends, writers in list(self.connections):
                if set(ends) == {a, b}:
                    for writer in writers:
                        writer.transport.abort()
        self._run(cut())

    def close(self):
        for server in self.servers:
            self.loop.call_soon_threadsafe(server.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)

    def _owner(self, port):
        """The node whose process has a socket with this local port."""
        needle = f":{port:04X}"
        inode = None
        # Also sockets of both families that are connected to an address of the older one.
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            with open(table, encoding="ascii") as lines:
                for line in lines.readlines()[1:]:
                    fields = line.split()
                    if fields[1].endswith(needle) and fields[3] != "0A" and fields[9] != "0":
                        inode = fields[9]
        for node in self.cluster.nodes:
            if not node.running():
                continue
            folder = f"/proc/{node.process.pid}/fd"
            for name in os.listdir(folder):
                try:
                    if os.readlink(f"{folder}/{name}") == f"socket:[{inode}]":
                        return node.number
                except OSError:
                    pass
        # A client of administration, or one that is gone already.
        return 0

    def _accepting(self, node):
        async def accept(reader, writer):
            source = self._owner(writer.get_extra_info("peername")[1])
            try:
                target_reader, target_writer = await asyncio.open_connection("127.0.0.1", node.peer_port)
            except OSError:
                writer.transport.abort()
                return
            entry = ((source, node.number), (writer, target_writer))
            self.connections.add(entry)
            await asyncio.gather(self._pump(reader, target_writer, source, node.number),
                                 self._pump(target_reader, writer, node.number, source))
            self.connections.discard(entry)
        return accept

    async def _pump(self, reader, writer, source, target):
        try:
            while True:
                chunk = await reader.read(self.CHUNK)
                if not chunk:
                    break
                if (source, target) in self.delays:
                    await asyncio.sleep(self.delays[(source, target)])
                while (source, target) in self.blocked:
                    await asyncio.sleep(0.01)
                writer.write(chunk)
                await writer.drain()
        except (OSError, asyncio.CancelledError):
            pass
        writer.transport.abort()


class Cluster:
    def __init__(self, binary, nodes=3, base_port=27000, directory="/tmp/pando_cluster", proxied=False,
                 extra_arguments=()):
        self.binary = binary
        self.base_port = base_port
        self.directory = directory
        self.proxied = proxied
        self.extra_arguments = list(extra_arguments)
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        self.nodes = []
        self.nodes = [Node(self, number) for number in range(1, nodes + 1)]
        self.network = Network(self) if proxied else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            if node.process is not None:
                node.process.kill()
                node.process.wait()
        if self.network is not None:
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

    def initialize(self, timeout_s=20):
        """Makes the cluster at the first node; later ones get their numbers in the order in which they join."""
        deadline = time.monotonic() + timeout_s
        while True:
            made = self.run("init", "--host", f"127.0.0.1:{self.node(1).peer_port}")
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


def free_port_base(start=27000, end=28000, count=60):
    """A port from which on `count` are free."""
    for base in range(start, end - count, count):
        try:
            for port in range(base + PORTS_PER_NODE, base + count):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
    raise RuntimeError("no free ports")
