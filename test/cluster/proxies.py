"""What flows between nodes goes through a proxy in front of each, where it can be held, delayed or cut.

Other nodes are told of the proxy's port. The proxy knows which node a connection comes from by the process that owns it, so that it
can treat what flows between two nodes, in one direction or both.
"""
import asyncio
import os
import threading

from processes import Loopback


class Proxies(Loopback):
    """A proxy in front of each node, on an event loop of their own."""

    CHUNK = 65536

    def __init__(self, cluster):
        super().__init__(cluster)
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

    def advertised(self, node):
        return f"127.0.0.1:{node.proxy_port}"

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def block(self, source, target):
        """What flows from one node to the other stops; what is under way waits."""
        self.blocked.add((source, target))

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
