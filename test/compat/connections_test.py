"""Ten thousand idle connections at once: the server's resident memory stays under 1 GiB, and it goes on serving."""
import pathlib
import resource
import socket
import struct
import sys

from server import expect, running, skip

CONNECTIONS = 10000
# Descriptors the test needs beside one for each connection.
DESCRIPTORS_SPARE = 100
RESIDENT_BYTES_MAX = 1 << 30


def startup_packet():
    body = struct.pack("!i", 196608) + b"user\0postgres\0database\0postgres\0\0"
    return struct.pack("!i", len(body) + 4) + body


def read_until_ready(connection):
    """Reads messages up to ReadyForQuery; returns their types."""
    buffer = b""
    types = []
    while True:
        while len(buffer) >= 5:
            size = 1 + struct.unpack("!i", buffer[1:5])[0]
            if len(buffer) < size:
                break
            types.append(buffer[:1])
            if buffer[:1] == b"Z":
                return types
            buffer = buffer[size:]
        part = connection.recv(4096)
        expect(part, f"the server closed a connection after {types} {buffer}")
        buffer += part


def resident_bytes(process_id):
    for line in pathlib.Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def query(connection, text):
    body = text.encode() + b"\0"
    connection.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body)
    return read_until_ready(connection)


def main(pando):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < CONNECTIONS + DESCRIPTORS_SPARE:
        skip(f"only {hard} file descriptors are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (CONNECTIONS + DESCRIPTORS_SPARE, hard))
    with running(pando) as server:
        before = resident_bytes(server.process.pid)
        connections = []
        for _ in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", server.port))
            connection.sendall(startup_packet())
            connections.append(connection)
        for connection in connections:
            expect(b"R" in read_until_ready(connection), "AuthenticationOk")
        after = resident_bytes(server.process.pid)
        threads = len(list(pathlib.Path(f"/proc/{server.process.pid}/task").iterdir()))
        print(f"{CONNECTIONS} idle connections: {after >> 20} MiB resident, {before >> 20} MiB with none; "
              f"{(after - before) // CONNECTIONS} bytes each; {threads} threads")
        expect(after < RESIDENT_BYTES_MAX, f"{after} bytes resident")
        for connection in connections[::100]:
            expect(b"D" in query(connection, "SELECT 1"), "an idle connection is served")
        for connection in connections:
            connection.close()


if __name__ == "__main__":
    main(sys.argv[1])
