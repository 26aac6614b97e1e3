#!/usr/bin/env python3
"""Real nodes: making a cluster, joining, restarting, draining; what must be refused is refused, with a reason.

    membership_test.py BINARY
"""
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

from processes import Cluster, FaultySystem, free_port_base

BINARY = sys.argv.pop(1)


class MembershipTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="pando_membership_")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.base = free_port_base()

    def cluster(self, **options):
        return Cluster(BINARY, base_port=self.base, directory=os.path.join(self.directory, "c"), **options)

    def start_alone(self, *words):
        """Runs `pando start` with these words to its end; returns its exit code and what it said."""
        done = subprocess.run([BINARY, "start", *words], capture_output=True, text=True, timeout=30, check=False)
        return done.returncode, done.stderr

    def test_three_nodes(self):
        with self.cluster(nodes=3) as cluster:
            cluster.form()
            with cluster.node(1).connect() as connection, connection.cursor() as cursor:
                cursor.execute("CREATE TABLE t (k int PRIMARY KEY, v text)")
                cursor.execute("INSERT INTO t VALUES (1, 'one')")
            # Any node is a gateway.
            for node in cluster.nodes:
                with node.connect() as connection, connection.cursor() as cursor:
                    cursor.execute("SELECT v FROM t WHERE k = 1")
                    self.assertEqual(cursor.fetchone()[0], "one")
            self.wait_active(cluster, 3, "--host", f"127.0.0.1:{cluster.node(2).peer_port}")
            again = cluster.run("init", "--host", f"127.0.0.1:{cluster.node(1).peer_port}")
            self.assertEqual(again.returncode, 1)
            self.assertIn("belongs to cluster", again.stderr)
            # A clean end, and the same node again.
            self.assertEqual(cluster.node(3).stop(), 0)
            cluster.node(3).start()
            cluster.wait_serving([3])
            self.assertIn("node 3 of cluster", cluster.node(3).log())
            # Draining: leadership and clients leave.
            leader = cluster.wait_leader()
            drained = cluster.run("node", "drain", str(leader), "--host", f"127.0.0.1:{cluster.node(leader).peer_port}")
            self.assertEqual(drained.returncode, 0, drained.stderr)
            cluster.wait(lambda: "this node is draining" in cluster.node(leader).log(), 20, "it does not drain")
            cluster.wait(lambda: cluster.leader() not in (None, leader), 20, "leadership stays on a draining node")

    def test_a_majority_is_needed_and_said(self):
        with self.cluster(nodes=3) as cluster:
            cluster.form()
            cluster.node(2).kill()
            cluster.node(3).kill()
            cluster.wait(lambda: self.ready(cluster.node(1)) == 503, 30, "it says that it is ready")

    def wait_active(self, cluster, count, *arguments):
        """Until a node that serves knows of all: it hears of one that joined a moment ago a moment later."""
        def active():
            status = cluster.run("node", "status", *arguments)
            self.assertEqual(status.returncode, 0, status.stderr)
            return status.stdout.count(" active ")
        cluster.wait(lambda: active() == count, 20, f"it does not know of {count} nodes")

    def ready(self, node):
        with socket.create_connection(("127.0.0.1", node.http_port), 3) as client:
            client.sendall(b"GET /ready HTTP/1.1\r\n\r\n")
            return int(client.recv(100).split()[1])

    def test_a_directory_is_not_mistaken(self):
        with self.cluster(nodes=1) as cluster:
            cluster.node(1).start()
            cluster.initialize()
            cluster.wait_serving()
            cluster.node(1).stop()
            code, said = self.start_alone("--dir", cluster.node(1).directory, "--listen", f"127.0.0.1:{self.base + 1}")
            self.assertEqual(code, 1)
            self.assertIn("the directory belongs to node 1 of cluster", said)
            path = os.path.join(cluster.node(1).directory, "NODE")
            with open(path, "rb") as file:
                content = bytearray(file.read())
            newer = bytes(content[:9]) + b"\x02\x00" + bytes(content[11:])
            for bytes_there, complaint in ((newer, "written by a newer Pando"), (content[:-1], "is damaged")):
                with open(path, "wb") as file:
                    file.write(bytes_there)
                code, said = self.start_alone("--dir", cluster.node(1).directory, "--cluster", "--listen",
                                              f"127.0.0.1:{self.base + 1}")
                self.assertEqual(code, 1)
                self.assertIn(complaint, said)

    def test_bad_arguments(self):
        directory = os.path.join(self.directory, "x")
        for words, complaint in (
                (["--insecure"], "--cluster or --join is missing"),
                (["--cluster", "--listen-peer", "0.0.0.0:1"], "need certificates"),
                (["--cluster", "--locality", "nonsense"], "KEY=VALUE"),
                (["--cluster", "--certs-dir", "/nonexistent"], "No such file")):
            code, said = self.start_alone("--dir", directory, *words)
            self.assertNotEqual(code, 0)
            self.assertIn(complaint, said, words)

    def make_certificates(self, name, hosts=("127.0.0.1", "localhost")):
        directory = os.path.join(self.directory, name)
        for words in (["create-ca"], ["create-node", *hosts], ["create-client", "root"], ["create-client", "alice"]):
            subprocess.run([BINARY, "cert", *words, "--certs-dir", directory], check=True, stdout=subprocess.DEVNULL)
        return directory

    def test_certificates(self):
        certificates = self.make_certificates("certs")
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(certificates, "node.key")).st_mode), 0o600)
        again = subprocess.run([BINARY, "cert", "create-ca", "--certs-dir", certificates], capture_output=True, text=True,
                               check=False)
        self.assertIn("exists already", again.stderr)
        with self.cluster(nodes=2, extra_arguments=["--certs-dir", certificates]) as cluster:
            cluster.start_all()
            host = ["--host", f"127.0.0.1:{cluster.node(1).peer_port}"]
            deadline = time.monotonic() + 20
            while cluster.run("init", *host, "--certs-dir", certificates).returncode != 0:
                self.assertLess(time.monotonic(), deadline, cluster.node(1).log())
                time.sleep(0.1)
            cluster.wait_serving()
            self.wait_active(cluster, 2, *host, "--certs-dir", certificates)
            # Without a certificate, with one of another authority, with one that is not for this.
            self.assertEqual(cluster.run("node", "status", *host).returncode, 1)
            other = self.make_certificates("other")
            self.assertEqual(cluster.run("node", "status", *host, "--certs-dir", other).returncode, 1)
            for ending in ("crt", "key"):
                os.replace(os.path.join(certificates, f"client.alice.{ending}"),
                           os.path.join(certificates, f"client.root.{ending}"))
            refused = cluster.run("node", "status", *host, "--certs-dir", certificates)
            self.assertIn('the certificate of "alice" does not permit administration', refused.stderr)
            # A node with another authority's certificate is not let in.
            command = cluster.node(2).command()
            stranger = [word.replace(certificates, other) for word in command]
            stranger[stranger.index("--dir") + 1] = os.path.join(self.directory, "stranger")
            cluster.node(2).stop()
            with open(os.path.join(self.directory, "stranger.log"), "w+", encoding="utf-8") as log:
                process = subprocess.Popen(stranger, stdout=log, stderr=log)
                time.sleep(3)
                process.kill()
                process.wait()
                log.seek(0)
                said = log.read()
            self.assertNotIn("of cluster", said)
            # A key that others can read is refused.
            os.chmod(os.path.join(certificates, "node.key"), 0o644)
            code, said = self.start_alone("--dir", os.path.join(self.directory, "y"), "--cluster", "--certs-dir", certificates)
            self.assertEqual(code, 1)
            self.assertIn("open to others than its owner", said)

    def test_a_wrong_clock(self):
        with self.cluster(nodes=3, faulty_system=FaultySystem.library_beside(BINARY)) as cluster:
            cluster.form()
            node = cluster.node(3)
            # Nothing jumps while a node runs, whatever its machine's clock does.
            node.system.set(wall_offset_ms=-5000)
            reader = node.connect().cursor()
            writers = [cluster.node(number).connect().cursor() for number in (1, 2)]
            reader.execute("CREATE TABLE t (k int PRIMARY KEY)")
            for k in range(100):
                writers[k % 2].execute("INSERT INTO t VALUES (%s)", (k,))
                reader.execute("SELECT count(*) FROM t")
                self.assertEqual(reader.fetchone()[0], k + 1)
            # One that starts with it is refused.
            node.stop()
            node.start()
            self.assertEqual(node.process.wait(20), 1)
            self.assertRegex(node.log(), r"this node's clock is (49|50)\d\d ms behind those of 2 of 2 other nodes")
            node.process = None
            node.system.heal()
            node.start()
            cluster.wait_serving([3])

    def test_garbage_does_no_harm(self):
        with self.cluster(nodes=1) as cluster:
            cluster.node(1).start()
            cluster.initialize()
            cluster.wait_serving()
            for garbage in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + os.urandom(4096)):
                with socket.create_connection(("127.0.0.1", cluster.node(1).peer_port), 5) as client:
                    try:
                        client.sendall(garbage)
                        client.settimeout(5)
                        while client.recv(4096):
                            pass
                    except OSError:
                        pass
            with cluster.node(1).connect() as connection, connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                self.assertEqual(cursor.fetchone()[0], 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
