#pragma once

// Every interesting state that a run may reach. A report (pando_sim --probes) says which were never reached: a fault
// that never happens, or a path that no seed takes, is a hole in the net.

#include <array>
#include <string_view>

namespace pando::test {

// In rising order. Sites exist in debug builds only.
inline constexpr std::array<std::string_view, 53> kProbes = {
    "campaign called",
    "clock jumped",
    "clogged",
    "crashed on commit",
    "crashed on fortification",
    "disk error",
    "disk flipped a bit",
    "disk forgot what a sync failed to write",
    "disk full",
    "disk lost unsynced write",
    "disk stalled",
    "disk tore unsynced write",
    "disk wiped",
    "flipped bit caught",
    "joint change proposed",
    "joint configuration left by hand",
    "leader forgotten",
    "leader lost with a stalled disk",
    "lease lost",
    "lease read",
    "lease won",
    "log compacted",
    "log of an older replica dropped",
    "network blocked",
    "network duplicated",
    "network lost",
    "network reset",
    "network spike",
    "no journal",
    "one-way partition",
    "partial partition",
    "partition",
    "power failure",
    "process crashed",
    "process ended by its disk",
    "process paused",
    "process wiped",
    "quorum read",
    "replica adopted",
    "replica retired",
    "simple change proposed",
    "site raft/append-one-entry",
    "site raft/apply-one-entry",
    "site raft/probe-lower",
    "site raft/skip-probe",
    "snapshot installed",
    "snapshot sent",
    "stalled on candidacy",
    "stranded",
    "stranded in a joint configuration",
    "tail replaced",
    "transfer begun",
    "voters exchanged",
};

}  // namespace pando::test
