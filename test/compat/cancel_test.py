"""Cancel, timeouts, termination and draining, seen by psql; and what is no client."""
import socket
import subprocess
import sys
import time

from server import expect, run, running


def main(pando):
    with running(pando) as server:
        psql = ["psql", "-X", "-At", "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres"]

        def fails(text):
            done = subprocess.run(psql + ["-v", "VERBOSITY=verbose", "-c", text], capture_output=True, text=True,
                                  timeout=30)
            return done.stderr

        expect("57014" in fails("SET statement_timeout = '100ms'; SELECT pg_sleep(20)"), "statement_timeout")
        sleeper = subprocess.Popen(psql + ["-c", "SELECT pg_sleep(20)"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 10
        cancelled = ""
        while cancelled != "t\n" and time.monotonic() < deadline:
            time.sleep(0.1)
            cancelled = run(psql + ["-c", "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                                          " WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"])
        expect("canceling statement due to user request" in sleeper.communicate(timeout=10)[1], "pg_cancel_backend")
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as stranger:
            stranger.sendall(b"X\0\0\0\4")
            expect(stranger.recv(100) == b"", "as from PostgreSQL, no answer to what is no startup packet")
        terminated = subprocess.Popen(psql + ["-c", "SELECT pg_sleep(20)"], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
        time.sleep(0.5)
        server.stop()
        expect("terminating connection due to administrator command" in terminated.communicate(timeout=20)[1],
               "SIGTERM ends what does not end by itself")


if __name__ == "__main__":
    main(sys.argv[1])
