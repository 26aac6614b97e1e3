#!/usr/bin/env python3
"""make demo-cluster: three nodes, data, the leader killed under load; what was lost and how long writes stopped.

    demo.py BINARY [DIRECTORY]
"""
import sys
import time

from processes import Cluster, free_port_base
from workload import Appends

LOAD_S = 5


def main():
    binary = sys.argv[1]
    directory = sys.argv[2] if len(sys.argv) > 2 else "/tmp/pando_demo_cluster"
    with Cluster(binary, nodes=3, base_port=free_port_base(), directory=directory) as cluster:
        print("Starting three nodes:")
        for node in cluster.nodes:
            print("  " + " ".join(node.command()))
        cluster.form()
        print(f"\nThe cluster, as node 1 sees it (pando node status --host 127.0.0.1:{cluster.node(1).peer_port}):")
        print(cluster.run("node", "status", "--host", f"127.0.0.1:{cluster.node(1).peer_port}").stdout)
        workload = Appends(cluster.nodes, clients=8)
        workload.set_up()
        with cluster.node(2).connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE orders (id int PRIMARY KEY, customer text, amount numeric(10, 2))")
            cursor.execute("INSERT INTO orders SELECT g, 'customer ' || g % 100, g * 1.25 FROM generate_series(1, 10000) g")
            cursor.execute("SELECT count(*), sum(amount) FROM orders")
            loaded = cursor.fetchone()
        print(f"Loaded {loaded[0]} orders through node 2; their sum is {loaded[1]}.")
        workload.start()
        time.sleep(LOAD_S)
        leader = cluster.wait_leader()
        before = workload.count()
        print(f"Eight clients append to eight lists through all three nodes: {before / LOAD_S:.0f} statements/s.")
        print(f"Killing node {leader}, which leads (kill -9).")
        killed = time.monotonic()
        cluster.node(leader).kill()
        time.sleep(LOAD_S)
        stopped = workload.longest_gap(killed, time.monotonic())
        after = workload.count()
        print(f"Node {cluster.wait_leader()} leads now; {(after - before) / LOAD_S:.0f} statements/s.")
        cluster.node(leader).start()
        cluster.wait_serving()
        time.sleep(1)
        workload.stop()
        cluster.wait_caught_up()
        print(f"Node {leader} is back, and has caught up.\n")
        wrong = workload.check(cluster.node(leader))
        with cluster.node(leader).connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*), sum(amount) FROM orders")
            same = cursor.fetchone() == loaded
        print(f"acknowledged statements: {workload.count()}")
        print(f"lost:                    {sum('LOST' in line for line in wrong)}")
        print(f"wrong otherwise:         {len([line for line in wrong if 'LOST' not in line])}")
        print(f"orders unchanged:        {'yes' if same else 'NO'}")
        print(f"writes stopped for:      {stopped * 1000:.0f} ms")
        for line in wrong[:10]:
            print(f"  {line}")
        sys.exit(1 if wrong or not same else 0)


if __name__ == "__main__":
    main()
