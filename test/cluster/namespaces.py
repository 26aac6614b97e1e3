"""Each node in a network namespace of its own, all on one bridge: nodes talk by packets that can be dropped on the way.

Needs root. Clients talk to a node over the loopback of its namespace, which a thread of the test enters to connect. Nodes are reached
from other machines, as it seems to them, so they have certificates.
"""
import contextlib
import ctypes
import os
import subprocess

from processes import Loopback

CLONE_NEWNET = 0x40000000
# Nobody's: what is sent there is lost in silence, as behind a broken switch.
NOWHERE = "02:00:00:00:00:01"


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class Namespaces(Loopback):
    def __init__(self, cluster):
        super().__init__(cluster)
        self.name = f"pando{cluster.base_port}"
        self.certificates = os.path.join(cluster.directory, "certificates")
        self.blocked = set()
        self.libc = ctypes.CDLL(None, use_errno=True)
        ip("link", "add", self.name, "type", "bridge")
        ip("link", "set", self.name, "up")
        for node in cluster.nodes:
            self._add(node)
        for words in (["create-ca"], ["create-node", *(self.peer_host(node) for node in cluster.nodes)], ["create-client", "root"]):
            subprocess.run([cluster.binary, "cert", *words, "--certs-dir", self.certificates], check=True, capture_output=True)

    def _namespace(self, number):
        return f"{self.name}n{number}"

    def _add(self, node):
        space, link = self._namespace(node.number), f"p{self.cluster.base_port}v{node.number}"
        ip("netns", "add", space)
        ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space)
        ip("link", "set", link, "master", self.name, "up")
        ip("-n", space, "address", "add", f"{self.peer_host(node)}/24", "dev", "eth0")
        ip("-n", space, "link", "set", "lo", "up")
        ip("-n", space, "link", "set", "eth0", "up")

    def peer_host(self, node):
        return f"10.77.0.{node.number}"

    def arguments(self):
        return ["--certs-dir", self.certificates]

    def prefix(self, node):
        return ["ip", "netns", "exec", self._namespace(node.number)]

    @contextlib.contextmanager
    def inside(self, node):
        with open("/proc/thread-self/ns/net", "rb") as home, open(f"/var/run/netns/{self._namespace(node.number)}", "rb") as space:
            self._enter(space)
            try:
                yield
            finally:
                self._enter(home)

    def _enter(self, space):
        if self.libc.setns(space.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def block(self, source, target):
        """Packets from one node to the other are lost."""
        self.blocked.add((source, target))
        ip("-n", self._namespace(source), "neighbor", "replace", self.peer_host(self.cluster.node(target)), "lladdr", NOWHERE,
           "dev", "eth0", "nud", "permanent")

    def heal(self):
        for source, target in self.blocked:
            ip("-n", self._namespace(source), "neighbor", "delete", self.peer_host(self.cluster.node(target)), "dev", "eth0")
        self.blocked.clear()

    def reset(self, a, b):
        """Cuts the connections between two nodes; they are made anew."""
        for source, target in ((a, b), (b, a)):
            subprocess.run(["ss", "-N", self._namespace(source), "-K", "dst", self.peer_host(self.cluster.node(target))],
                           check=True, capture_output=True)

    def close(self):
        for node in self.cluster.nodes:
            subprocess.run(["ip", "netns", "delete", self._namespace(node.number)], check=False, capture_output=True)
        subprocess.run(["ip", "link", "delete", self.name], check=False, capture_output=True)
