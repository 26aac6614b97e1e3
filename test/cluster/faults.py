#!/usr/bin/env python3
"""Faults on a real cluster under load: nothing acknowledged may be lost, and writes go on soon.

    faults.py BINARY [--nodes 3|5] [--only NAME,...] [--seconds N] [--workload appends|bank] [--network proxies|namespaces]

For each failure mode: a fresh cluster, clients on all gateways, the fault, its end, the checks. Prints for each the longest time
without a successful statement of any client (pMax) while the fault lasted. Exits 1 when something was lost or wrong, or when a mode
stays unavailable for longer than its limit.
"""
import argparse
import sys
import time
import traceback

from namespaces import Namespaces
from processes import Cluster, FaultySystem, Loopback, free_port_base
from proxies import Proxies
from workload import Appends, Bank

# How long a paused or cut-off node stays so.
HOLD_S = 6


class Mode:
    """A failure mode: what is done at the beginning of the fault, and at its end. `limit_s`: on the longest unavailability.
    `of`: what has to be prepared for it, the "network" or the "system" of nodes."""

    def __init__(self, name, begin, end, limit_s, of=None):
        self.name, self.begin, self.end, self.limit_s, self.of = name, begin, end, limit_s, of


def follower_of(cluster, leader):
    return next(node.number for node in cluster.nodes if node.number != leader)


def kill_all(cluster, _):
    for node in cluster.nodes:
        node.kill()
    for node in cluster.nodes:
        node.start()


def rolling_restart(cluster, _):
    for node in cluster.nodes:
        code = node.stop()
        assert code == 0, f"node {node.number} ended with {code}"
        node.start()
        cluster.wait_serving([node.number])


def cut_off(cluster, number):
    cluster.network.partition([number], [node.number for node in cluster.others(number)])


def block_outgoing(cluster, number):
    for other in cluster.others(number):
        cluster.network.block(number, other.number)


def block_incoming(cluster, number):
    for other in cluster.others(number):
        cluster.network.block(other.number, number)


def flap(cluster, leader):
    for _ in range(10):
        for other in cluster.others(leader):
            cluster.network.reset(leader, other.number)
        time.sleep(0.3)


def nothing(_cluster, _leader):
    pass


def heal(cluster, _):
    cluster.network.heal()


def suffer(**faults):
    return lambda cluster, leader: cluster.node(leader).system.set(**faults)


def follower_suffers(**faults):
    return lambda cluster, leader: cluster.node(follower_of(cluster, leader)).system.set(**faults)


def recover(cluster, _):
    """Nodes that could not go on have ended by themselves, and are started again when they are well."""
    for node in cluster.nodes:
        node.system.heal()
        if not node.running():
            node.process = None
            node.start()


MODES = [
    Mode("kill -9 the leader", lambda c, n: c.node(n).kill(), lambda c, n: c.node(n).start(), 1.0),
    Mode("kill -9 a follower", lambda c, n: c.node(follower_of(c, n)).kill(),
         lambda c, n: c.node(follower_of(c, n)).start(), 1.0),
    Mode("stop the leader", lambda c, n: c.node(n).stop(), lambda c, n: c.node(n).start(), 1.0),
    Mode("pause the leader", lambda c, n: c.node(n).pause(), lambda c, n: c.node(n).resume(), 3.0),
    # Until the silence is noticed, others wait for locks that it holds.
    Mode("pause a follower", lambda c, n: c.node(follower_of(c, n)).pause(),
         lambda c, n: c.node(follower_of(c, n)).resume(), 3.0),
    Mode("kill -9 all at once", kill_all, nothing, 15.0),
    Mode("rolling restart", rolling_restart, nothing, 1.0),
    Mode("cut off the leader", cut_off, heal, 3.0, of="network"),
    Mode("the leader is not heard", block_outgoing, heal, 3.0, of="network"),
    Mode("the leader hears nobody", block_incoming, heal, 3.0, of="network"),
    Mode("the leader and one follower cannot talk",
         lambda c, n: c.network.partition([n], [follower_of(c, n)]), heal, 3.0, of="network"),
    Mode("connections break again and again", flap, nothing, 3.0, of="network"),
    Mode("the leader's disk is slow", suffer(sync_delay_ms=100), recover, 3.0, of="system"),
    Mode("the leader's disk hangs", suffer(disk_hangs=True), recover, 3.0, of="system"),
    Mode("a follower's disk hangs", follower_suffers(disk_hangs=True), recover, 3.0, of="system"),
    Mode("the leader's clock jumps 50 ms ahead", suffer(wall_offset_ms=50), recover, 1.0, of="system"),
    Mode("the leader's clock jumps 5 s ahead", suffer(wall_offset_ms=5000), recover, 3.0, of="system"),
    Mode("the leader's clock jumps 5 s back", suffer(wall_offset_ms=-5000), recover, 3.0, of="system"),
    Mode("a follower's clock jumps 5 s ahead", follower_suffers(wall_offset_ms=5000), recover, 3.0, of="system"),
    Mode("a follower's clock jumps 5 s back", follower_suffers(wall_offset_ms=-5000), recover, 3.0, of="system"),
]


def run_mode(mode, arguments, base_port):
    directory = f"{arguments.directory}/{mode.name.replace(' ', '_')}"
    network = {"proxies": Proxies, "namespaces": Namespaces}[arguments.network] if mode.of == "network" else Loopback
    with Cluster(arguments.binary, nodes=arguments.nodes, base_port=base_port, directory=directory, network=network,
                 faulty_system=arguments.faulty_system if mode.of == "system" else None) as cluster:
        cluster.form()
        workload = (Appends if arguments.workload == "appends" else Bank)(cluster.nodes, clients=arguments.clients)
        workload.set_up()
        workload.start()
        try:
            time.sleep(arguments.seconds)
            before = workload.count()
            leader = cluster.wait_leader()
            began = time.monotonic()
            mode.begin(cluster, leader)
            time.sleep(HOLD_S)
            mode.end(cluster, leader)
            ended = time.monotonic()
            time.sleep(arguments.seconds)
            finished = time.monotonic()
        finally:
            workload.stop()
        cluster.wait_serving()
        cluster.wait_caught_up()
        wrong = workload.check(cluster.node(1))
        return {"before": before, "after": workload.count() - before, "pmax": workload.longest_gap(began, ended),
                "pmax_after": workload.longest_gap(ended, finished), "wrong": wrong, "errors": workload.errors(),
                "samples": workload.error_samples}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--workload", choices=["appends", "bank"], default="appends")
    parser.add_argument("--network", choices=["proxies", "namespaces"], default="proxies")
    parser.add_argument("--faulty-system", help="the built faulty_system.c; beside the binary when not given")
    parser.add_argument("--directory", default="/tmp/pando_faults")
    parser.add_argument("--base-port", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.faulty_system is None:
        arguments.faulty_system = FaultySystem.library_beside(arguments.binary)
    only = [name for name in arguments.only.split(",") if name]
    failed = False
    print(f"{'failure':<42} {'pMax':>8} {'healing':>8} {'limit':>6}  statements  errors", flush=True)
    for mode in MODES:
        if only and not any(name in mode.name for name in only):
            continue
        try:
            result = run_mode(mode, arguments, arguments.base_port or free_port_base(count=10 * arguments.nodes + 10))
        except Exception:  # pylint: disable=broad-except
            print(f"{mode.name:<42} FAILED")
            traceback.print_exc()
            failed = True
            continue
        late = result["pmax"] > mode.limit_s
        failed = failed or late or bool(result["wrong"])
        print(f"{mode.name:<42} {result['pmax']:>7.2f}s {result['pmax_after']:>7.2f}s {mode.limit_s:>5.0f}s "
              f" {result['before']}+{result['after']}  {result['errors']}{'  TOO LONG' if late else ''}", flush=True)
        for line in result["wrong"][:10]:
            print(f"    WRONG: {line}", flush=True)
        for code, text in result["samples"].items():
            print(f"      {code}: {text.splitlines()[0] if text else ''}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
