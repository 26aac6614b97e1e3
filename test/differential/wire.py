"""A small client of PostgreSQL's protocol: every field as the server sent it, nothing converted, errors as values.

Drivers turn values into Python's types, which would hide differences; here a value is its text, a column its name, type and
type modifier, and an error its fields.
"""
import dataclasses
import socket
import struct


@dataclasses.dataclass
class Column:
    name: str
    type: int
    modifier: int


@dataclasses.dataclass
class Answer:
    """What one statement gave."""
    columns: list = dataclasses.field(default_factory=list)
    rows: list = dataclasses.field(default_factory=list)  # tuples of text or None
    tag: str = ""
    error: dict = None  # the fields of ErrorResponse by their letter

    @property
    def state(self):
        return self.error["C"] if self.error else "00000"

    @property
    def message(self):
        return self.error["M"] if self.error else ""


class Disconnected(Exception):
    pass


class Connection:
    """Not for concurrent use."""

    def __init__(self, port, database="postgres", timeout_seconds=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        words = b"user\0postgres\0database\0" + database.encode() + b"\0client_encoding\0UTF8\0\0"
        self.socket.sendall(struct.pack("!ii", len(words) + 8, 196608) + words)
        for kind, body in self._until_ready():
            if kind == b"E":
                raise Disconnected(self._fields(body)["M"])

    def close(self):
        self.socket.close()

    def query(self, sql):
        """The answers of the statements in `sql`, by the simple protocol."""
        body = sql.encode("utf-8", "surrogateescape") + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body)
        return self._answers()

    def run(self, sql):
        """The answer of the one statement in `sql`."""
        answers = self.query(sql)
        return answers[-1] if answers else Answer()

    def execute(self, sql, values):
        """One statement by the extended protocol, with parameters as text."""
        out = bytearray()

        def message(kind, body):
            out.extend(kind + struct.pack("!i", len(body) + 4) + body)

        message(b"P", b"\0" + sql.encode() + b"\0\0\0")
        bind = b"\0\0\0\0" + struct.pack("!h", len(values))
        for value in values:
            data = None if value is None else value.encode()
            bind += struct.pack("!i", -1) if data is None else struct.pack("!i", len(data)) + data
        message(b"B", bind + b"\0\0")
        message(b"D", b"P\0")
        message(b"E", b"\0\0\0\0\0")
        message(b"S", b"")
        self.socket.sendall(out)
        answers = self._answers()
        return answers[-1] if answers else Answer()

    def _answers(self):
        answers = []
        current = Answer()
        for kind, body in self._until_ready():
            if kind == b"T":
                current.columns = self._columns(body)
            elif kind == b"D":
                current.rows.append(self._row(body))
            elif kind == b"C":
                current.tag = body[:-1].decode()
                answers.append(current)
                current = Answer()
            elif kind == b"E":
                current.error = self._fields(body)
                answers.append(current)
                current = Answer()
            elif kind == b"I":
                answers.append(current)
                current = Answer()
            elif kind == b"G":
                self.socket.sendall(b"f" + struct.pack("!i", 12) + b"no data\0")
        return answers

    def _until_ready(self):
        while True:
            kind, body = self._message()
            if kind == b"Z":
                return
            yield kind, body

    def _message(self):
        self._fill(5)
        kind = bytes(self.buffer[:1])
        length = struct.unpack_from("!i", self.buffer, 1)[0]
        self._fill(length + 1)
        body = bytes(self.buffer[5:length + 1])
        del self.buffer[:length + 1]
        return kind, body

    def _fill(self, size):
        while len(self.buffer) < size:
            data = self.socket.recv(1 << 16)
            if not data:
                raise Disconnected("the server closed the connection")
            self.buffer += data

    @staticmethod
    def _columns(body):
        columns = []
        at = 2
        for _ in range(struct.unpack_from("!h", body)[0]):
            end = body.index(b"\0", at)
            _, _, oid, _, modifier, _ = struct.unpack_from("!ihihih", body, end + 1)
            columns.append(Column(body[at:end].decode(), oid & 0xffffffff, modifier))
            at = end + 19
        return columns

    @staticmethod
    def _row(body):
        values = []
        at = 2
        for _ in range(struct.unpack_from("!h", body)[0]):
            size = struct.unpack_from("!i", body, at)[0]
            at += 4
            values.append(None if size < 0 else body[at:at + size].decode("utf-8", "backslashreplace"))
            at += max(size, 0)
        return tuple(values)

    @staticmethod
    def _fields(body):
        return {field[:1].decode(): field[1:].decode("utf-8", "backslashreplace")
                for field in body.split(b"\0") if field}
