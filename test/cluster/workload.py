"""What clients do while a cluster suffers, and how they find out afterwards whether it lied.

Appends     each client appends tokens of its own to lists that all share, and reads them. Checked: every acknowledged token is there
            exactly once; none that was refused is there; what was acknowledged before another began stands before it; a list that was
            read is a prefix of what it became, and holds all that was acknowledged before the read began.
Bank        transfers between accounts in transactions; readers sum all accounts in one statement. Checked: the sum never changes.

Every client talks to one gateway and goes on to the next when that fails. An error of class 40 (other than 40003), 57P01, 57P03 or
55P03 means "did not happen"; a lost connection, 40003 and 57014 mean "unknown".
"""
import random
import threading
import time

import psycopg2

DID_NOT_HAPPEN = ("40001", "40P01", "57P03", "55P03")


class Outcome:
    ACKNOWLEDGED, REFUSED, UNKNOWN = range(3)


class Client(threading.Thread):
    STATEMENT_TIMEOUT_MS = 8000

    def __init__(self, workload, number):
        super().__init__(daemon=True)
        self.workload = workload
        self.number = number
        self.random = random.Random(workload.seed * 1000 + number)
        self.gateways = list(workload.gateways)
        self.at = number % len(self.gateways)
        self.connection = None
        self.errors = {}

    def run(self):
        while not self.workload.stopping.is_set():
            if self.connection is None and not self._connect():
                continue
            self.step()
        if self.connection is not None:
            self.connection.close()

    def _connect(self):
        try:
            self.connection = self.gateways[self.at].connect(timeout_s=2, statement_timeout_ms=self.STATEMENT_TIMEOUT_MS)
            return True
        except psycopg2.Error:
            self.next_gateway()
            time.sleep(0.02)
            return False

    def next_gateway(self):
        if self.connection is not None:
            try:
                self.connection.close()
            except psycopg2.Error:
                pass
        self.connection = None
        self.at = (self.at + 1) % len(self.gateways)

    def attempt(self, action):
        """Runs `action(cursor)`; says what became of it, and gives its value."""
        try:
            with self.connection.cursor() as cursor:
                value = action(cursor)
            self.workload.note_success(self.gateways[self.at].number)
            return Outcome.ACKNOWLEDGED, value
        except psycopg2.Error as error:
            code = error.pgcode or "connection"
            self.errors[code] = self.errors.get(code, 0) + 1
            self.workload.note_error(code, str(error).strip())
            if code in DID_NOT_HAPPEN:
                self._rollback()
                return Outcome.REFUSED, None
            if code in ("57014", "40003"):
                self._rollback()
            else:
                self.next_gateway()
            return Outcome.UNKNOWN, None

    def _rollback(self):
        try:
            with self.connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
        except psycopg2.Error:
            self.next_gateway()

    def step(self):
        raise NotImplementedError


class Workload:
    def __init__(self, gateways, clients=8, seed=1):
        self.gateways = gateways
        self.client_count = clients
        self.seed = seed
        self.stopping = threading.Event()
        self.clients = []
        self.successes = []
        self.error_samples = {}
        self.lock = threading.Lock()

    def note_success(self, gateway):
        with self.lock:
            self.successes.append((time.monotonic(), gateway))

    def note_error(self, code, text):
        with self.lock:
            self.error_samples.setdefault(code, text)

    def make_client(self, number):
        raise NotImplementedError

    def start(self):
        self.clients = [self.make_client(number) for number in range(self.client_count)]
        for client in self.clients:
            client.start()

    def stop(self):
        self.stopping.set()
        for client in self.clients:
            client.join(60)
            assert not client.is_alive(), f"client {client.number} hangs at gateway {client.at + 1}"

    def count(self):
        return len(self.successes)

    def errors(self):
        total = {}
        for client in self.clients:
            for code, count in client.errors.items():
                total[code] = total.get(code, 0) + count
        return total

    def longest_gap(self, since, until, gateways=None):
        """The longest time without a success of any client, in seconds."""
        times = sorted(at for at, gateway in self.successes
                       if since <= at <= until and (gateways is None or gateway in gateways))
        edges = [since] + times + [until]
        return max(after - before for before, after in zip(edges, edges[1:]))


class Appends(Workload):
    KEYS = 8

    class Appender(Client):
        def __init__(self, workload, number):
            super().__init__(workload, number)
            self.serial = 0
            # (key, token, outcome, began, ended), (key, list, began)
            self.appends = []
            self.reads = []

        def step(self):
            key = self.random.randrange(Appends.KEYS)
            began = time.monotonic()
            if self.random.random() < 0.8:
                self.serial += 1
                token = f"{self.number}.{self.serial}"
                outcome, _ = self.attempt(
                    lambda cursor: cursor.execute("UPDATE appends SET v = v || %s WHERE k = %s", (token + ",", key)))
                self.appends.append((key, token, outcome, began, time.monotonic()))
            else:
                def read(cursor):
                    cursor.execute("SELECT v FROM appends WHERE k = %s", (key,))
                    return cursor.fetchone()[0]
                outcome, value = self.attempt(read)
                if outcome == Outcome.ACKNOWLEDGED:
                    self.reads.append((key, value, began))

    def set_up(self):
        with self.gateways[0].connect() as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE appends (k int PRIMARY KEY, v text NOT NULL)")
                cursor.execute("INSERT INTO appends SELECT g, '' FROM generate_series(0, %s) g", (self.KEYS - 1,))

    def make_client(self, number):
        return Appends.Appender(self, number)

    def check(self, gateway):
        with gateway.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT k, v FROM appends")
            final = dict(cursor.fetchall())
        appends = [entry for client in self.clients for entry in client.appends]
        reads = [entry for client in self.clients for entry in client.reads]
        return check_appends(final, appends, reads)


def check_appends(final, appends, reads):
    """Returns what is wrong, as text; an empty list when nothing is."""
    wrong = []
    place = {}
    for key, text in final.items():
        tokens = text.split(",")[:-1] if text else []
        for index, token in enumerate(tokens):
            if (key, token) in place:
                wrong.append(f"token {token} stands twice in list {key}")
            place[(key, token)] = index
    known = {(key, token) for key, token, _, _, _ in appends}
    wrong += [f"token {token} of list {key} was never sent" for key, token in place if (key, token) not in known]
    acknowledged = {}
    for key, token, outcome, began, ended in appends:
        if outcome == Outcome.ACKNOWLEDGED:
            if (key, token) not in place:
                wrong.append(f"LOST: token {token} of list {key}")
            else:
                acknowledged.setdefault(key, []).append((place[(key, token)], began, ended, token))
        elif outcome == Outcome.REFUSED and (key, token) in place:
            wrong.append(f"token {token} of list {key} is there although it was refused")
    for key, entries in acknowledged.items():
        entries.sort()
        # From the end: nothing that stands later may have ended before this one began.
        earliest_end, earliest_token = float("inf"), None
        for _, began, ended, token in reversed(entries):
            if earliest_end < began:
                wrong.append(f"list {key}: {token} stands before {earliest_token}, which was acknowledged before it began")
            if ended < earliest_end:
                earliest_end, earliest_token = ended, token
    for key, text, began in reads:
        if not final[key].startswith(text):
            wrong.append(f"a read of list {key} saw what is not there: ...{text[-40:]}")
            continue
        length = text.count(",")
        missed = [token for index, _, ended, token in acknowledged.get(key, []) if index >= length and ended < began]
        if missed:
            wrong.append(f"a read of list {key} missed {missed[0]}, which was acknowledged before it began")
    return wrong


class Bank(Workload):
    ACCOUNTS = 50
    BALANCE = 100

    class Teller(Client):
        def __init__(self, workload, number):
            super().__init__(workload, number)
            self.wrong = []
            self.transfers = 0

        def step(self):
            if self.random.random() < 0.2:
                def read(cursor):
                    cursor.execute("SELECT sum(balance), count(*) FROM accounts")
                    return cursor.fetchone()
                outcome, value = self.attempt(read)
                if outcome == Outcome.ACKNOWLEDGED and value != (Bank.ACCOUNTS * Bank.BALANCE, Bank.ACCOUNTS):
                    self.wrong.append(f"a reader saw {value[0]} in {value[1]} accounts")
                return
            source, target = self.random.sample(range(Bank.ACCOUNTS), 2)
            amount = self.random.randrange(1, 10)

            def transfer(cursor):
                cursor.execute("BEGIN")
                cursor.execute("UPDATE accounts SET balance = balance - %s WHERE id = %s", (amount, source))
                cursor.execute("UPDATE accounts SET balance = balance + %s WHERE id = %s", (amount, target))
                cursor.execute("COMMIT")
            if self.attempt(transfer)[0] == Outcome.ACKNOWLEDGED:
                self.transfers += 1

    def set_up(self):
        with self.gateways[0].connect() as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL)")
                cursor.execute("INSERT INTO accounts SELECT g, %s FROM generate_series(0, %s) g",
                               (self.BALANCE, self.ACCOUNTS - 1))

    def make_client(self, number):
        return Bank.Teller(self, number)

    def check(self, gateway):
        with gateway.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT sum(balance), count(*) FROM accounts")
            final = cursor.fetchone()
        wrong = [line for client in self.clients for line in client.wrong]
        if final != (self.ACCOUNTS * self.BALANCE, self.ACCOUNTS):
            wrong.append(f"the end: {final[0]} in {final[1]} accounts")
        return wrong
