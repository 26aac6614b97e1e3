"""LOCK TABLE: which modes wait for which, and for which statements, as in PostgreSQL's table (documentation, 13.3.1)."""
import sys
import threading
import time

import psycopg2

from server import expect, running

MODES = ["ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE",
         "EXCLUSIVE", "ACCESS EXCLUSIVE"]
# By mode, the first that it waits for, and which of those above it does not.
CONFLICTS = {"ACCESS SHARE": {"ACCESS EXCLUSIVE"},
             "ROW SHARE": {"EXCLUSIVE", "ACCESS EXCLUSIVE"},
             "ROW EXCLUSIVE": set(MODES[4:]),
             "SHARE UPDATE EXCLUSIVE": set(MODES[3:]),
             "SHARE": {"ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE"} | set(MODES[5:]),
             "SHARE ROW EXCLUSIVE": set(MODES[2:]),
             "EXCLUSIVE": set(MODES[1:]),
             "ACCESS EXCLUSIVE": set(MODES)}
# docs/limits.md
STRICTER = [{"SHARE"}, {"ROW SHARE", "SHARE"}, {"ROW SHARE", "SHARE ROW EXCLUSIVE"}]
STATEMENTS = {"SELECT * FROM t WHERE id = 1": "ACCESS SHARE",
              "SELECT count(*) FROM t": "ACCESS SHARE",
              "SELECT * FROM v": "ACCESS SHARE",
              "SELECT * FROM t WHERE id = 1 FOR UPDATE": "ROW SHARE",
              "UPDATE t SET v = v + 1 WHERE id = 1": "ROW EXCLUSIVE",
              "INSERT INTO t VALUES (2, 2) ON CONFLICT DO NOTHING": "ROW EXCLUSIVE"}
WAIT_SECONDS = 0.3


def connect(port):
    return psycopg2.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres")


def modes_exclude_each_other(port):
    holder, other = connect(port), connect(port)
    for held in MODES:
        for wanted in MODES:
            holder.cursor().execute(f"LOCK TABLE t IN {held} MODE")
            try:
                other.cursor().execute(f"LOCK TABLE t IN {wanted} MODE NOWAIT")
                granted = True
            except psycopg2.errors.LockNotAvailable:
                granted = False
            other.rollback()
            holder.rollback()
            if {held, wanted} not in STRICTER:
                expect(granted == (wanted not in CONFLICTS[held]), f"{wanted} beside {held}")


def statements_wait(port):
    holder, other = connect(port), connect(port)
    for held in MODES:
        for statement, mode in STATEMENTS.items():
            holder.cursor().execute(f"LOCK TABLE t IN {held} MODE")
            other.cursor().execute(f"SET lock_timeout = {int(WAIT_SECONDS * 1000)}")
            try:
                other.cursor().execute(statement)
                granted = True
            except psycopg2.errors.LockNotAvailable:
                granted = False
            other.rollback()
            holder.rollback()
            if {held, mode} not in STRICTER:
                expect(granted == (mode not in CONFLICTS[held]), f"{statement} beside {held}")


def reader_sees_what_it_waited_for(port):
    holder, reader = connect(port), connect(port)
    holder.cursor().execute("LOCK TABLE t")
    holder.cursor().execute("UPDATE t SET v = 77 WHERE id = 1")
    read = []

    def read_row():
        rows = reader.cursor()
        rows.execute("SELECT v FROM t WHERE id = 1")
        read.append(rows.fetchone()[0])

    thread = threading.Thread(target=read_row)
    thread.start()
    time.sleep(WAIT_SECONDS)
    expect(not read, "the reader waits")
    holder.commit()
    thread.join(30)
    expect(read == [77], f"the reader sees what the holder wrote, not {read}")
    reader.rollback()
    # Nobody has it any more.
    reader.cursor().execute("SET lock_timeout = 1; SELECT v FROM t WHERE id = 1")


def upgrade_is_a_deadlock(port):
    first, second = connect(port), connect(port)
    for session in (first, second):
        session.cursor().execute("LOCK TABLE t IN ACCESS SHARE MODE")
    ended = []

    def upgrade(session):
        try:
            session.cursor().execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
            ended.append("granted")
            session.commit()
        except psycopg2.errors.DeadlockDetected:
            ended.append("deadlock")
            session.rollback()

    threads = [threading.Thread(target=upgrade, args=(session,)) for session in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    expect(sorted(ended) == ["deadlock", "granted"], f"one of two gives way, not {ended}")


def main(pando):
    with running(pando) as server:
        setup = connect(server.port)
        setup.cursor().execute("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1); "
                               "CREATE VIEW v AS SELECT v FROM t")
        setup.commit()
        modes_exclude_each_other(server.port)
        statements_wait(server.port)
        reader_sees_what_it_waited_for(server.port)
        upgrade_is_a_deadlock(server.port)


if __name__ == "__main__":
    main(sys.argv[1])
