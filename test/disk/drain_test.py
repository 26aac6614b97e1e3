"""SIGTERM lets running statements end, ends idle connections, takes no new ones, and exits with 0; what was acknowledged
is there afterwards with nothing to replay."""
import signal
import sys
import tempfile
import threading
import time

from disk_server import DiskServer, expect, needs_psycopg2


def wait_until_refused(server):
    import psycopg2
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        try:
            server.connect().close()
        except psycopg2.OperationalError:
            return
    raise AssertionError("a draining server takes connections")


def main():
    needs_psycopg2()
    import psycopg2
    with tempfile.TemporaryDirectory(prefix="pando-drain-") as scratch:
        with DiskServer(sys.argv[1], scratch + "/data", scratch) as server:
            idle = server.connect()
            idle.cursor().execute("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 0)")
            holder = server.connect()
            holder.autocommit = False
            holder.cursor().execute("UPDATE t SET v = 1 WHERE id = 1")
            waiter = server.connect()
            outcome = []

            def update_behind_the_holder():
                try:
                    waiter.cursor().execute("UPDATE t SET v = v + 1 WHERE id = 1")
                    outcome.append("done")
                except psycopg2.Error as error:
                    outcome.append(f"{error.pgcode} {error}")

            running = threading.Thread(target=update_behind_the_holder)
            running.start()
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            wait_until_refused(server)
            expect(outcome == [], f"the waiting statement has ended: {outcome}")
            holder.commit()
            running.join()
            expect(outcome == ["done"], f"the running statement ended with {outcome}")
            code = server.process.wait(30)
            expect(code == 0, f"the server ended with {code}:\n" + server.log_path.read_text())
            server.start()
            cursor = server.connect().cursor()
            cursor.execute("SELECT v FROM t")
            expect(cursor.fetchall() == [(2,)], "what both transactions did")
            server.stop()
            server.check()
    print("drained")


if __name__ == "__main__":
    main()
