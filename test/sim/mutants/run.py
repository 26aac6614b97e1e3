#!/usr/bin/env python3
"""Plants each bug of this folder into a copy of the source and counts the seeds until the simulator notices.

usage: run.py [--seeds N] [--only NAME,...] [--tree DIR] [--report FILE] [--nice N]
       run.py --check     only finds out whether each still fits the source

The copy is built with the debug preset, only what pando_sim needs, and only what a bug changes is built again. The
report holds a line for each mutant and a fingerprint of the source; a run that finds it, made of the same source, goes
on where that one has ended. Exit status 1 when a mutant survives.
"""

import argparse
import hashlib
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
MUTANTS = pathlib.Path(__file__).resolve().parent
# A step of seeds takes seconds of the processor; one that takes this long has hung. Not of the clock: machines are busy.
CPU_SECONDS_MAX = 60
COPIED = ["CMakeLists.txt", "CMakePresets.json", "bench", "cmake", "examples", "include", "src", "support", "test", "tools"]
# What a simulation is made of.
SIMULATED = ["src/base", "src/consensus", "src/runtime", "src/sim", "src/storage", "test/sim"]
HEAD = """\
# Outcome per mutant: seeds until it was caught, from seed 1 on, and by which invariant; debug preset.
# source: """


def files_of(names: list[str]) -> list[pathlib.Path]:
    found = []
    for name in names:
        path = ROOT / name
        found += [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path] if path.exists() else []
    return sorted(file.relative_to(ROOT) for file in found)


def fingerprint() -> str:
    digest = hashlib.sha256()
    for file in files_of(SIMULATED):
        if file.suffix in (".h", ".cc", ".patch") and not file.name.endswith("_test.cc"):
            digest.update(str(file).encode() + b"\0" + (ROOT / file).read_bytes())
    return digest.hexdigest()[:16]


def copy_tree(tree: pathlib.Path) -> None:
    """Leaves alone what is the same, so that it is not built again."""
    for file in files_of(COPIED):
        content = (ROOT / file).read_bytes()
        copy = tree / file
        if not copy.exists() or copy.read_bytes() != content:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
            shutil.copymode(ROOT / file, copy)


def build(tree: pathlib.Path) -> subprocess.CompletedProcess:
    command = ["cmake", "--build", "build/debug", "--target", "pando_sim_run", "-j", "2"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True)


def patch(tree: pathlib.Path, file: pathlib.Path, reverse: bool) -> bool:
    command = ["patch", "-p1", "--quiet", "--no-backup-if-mismatch", "-i", str(file)] + (["-R"] if reverse else [])
    return subprocess.run(command, cwd=tree).returncode == 0


def fits(file: pathlib.Path) -> bool:
    command = ["patch", "-p1", "--dry-run", "--quiet", "-i", str(file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0


def limit_processor_time() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX + 1))


def seeds_until_caught(tree: pathlib.Path, seeds: int) -> tuple[int | None, str]:
    """The number of seeds it took, and the invariant that was violated."""
    simulator = tree / "build/debug/test/sim/pando_sim"
    step = 25
    for first in range(1, seeds + 1, step):
        command = [str(simulator), "--seeds", f"{first}..{min(first + step - 1, seeds)}", "--until-failure", "--no-shrink"]
        run = subprocess.run(command, cwd=tree, capture_output=True, text=True, preexec_fn=limit_processor_time)
        if run.returncode == 0:
            continue
        if run.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return first + step - 1, "progress (no end)"
        found = re.search(r"FAILED seed (\d+).*\n +([^:]+):", run.stdout)
        if found:
            return int(found.group(1)), found.group(2)
        # An assertion of the product ended the process; which seed it was is not told.
        why = re.search(r"assertion failed: .*?\((.*?)\) at", run.stderr)
        return first + step - 1, "assertion: " + (why.group(1) if why else f"status {run.returncode}")
    return None, ""


class Report:
    """One line per mutant; kept in order, and on the disk after every line."""

    def __init__(self, file: pathlib.Path, source: str):
        self.file = file
        self.source = source
        self.lines: dict[str, str] = {}
        if file.exists():
            text = file.read_text(encoding="utf-8")
            if HEAD + source in text:
                self.lines = {m.group(1): m.group(0) for m in re.finditer(r"^(?:caught|SURVIVED) +([\w-]+):.*$", text, re.M)}

    def add(self, name: str, line: str) -> None:
        self.lines[name] = line
        print(line, flush=True)
        lines = [self.lines[key] for key in sorted(self.lines)]
        self.file.write_text(HEAD + self.source + "\n\n" + "\n".join(lines) + "\n", encoding="utf-8")


def run(tree: pathlib.Path, file: pathlib.Path, seeds: int, report: Report) -> None:
    start = time.monotonic()
    if not patch(tree, file, reverse=False):
        sys.exit(f"{file.name} does not apply")
    built = build(tree)
    if built.returncode != 0:
        sys.exit(f"{file.name} does not build\n{built.stdout}")
    count, invariant = seeds_until_caught(tree, seeds)
    patch(tree, file, reverse=True)
    seconds = time.monotonic() - start
    if count is None:
        report.add(file.stem, f"SURVIVED  {file.stem}: {seeds} seeds ({seconds:.0f} s)")
    else:
        report.add(file.stem, f"caught    {file.stem}: {count} seeds, {invariant} ({seconds:.0f} s)")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=4000, help="give up after this many")
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument("--report", default="build/mutants_report.txt", help="outcomes, a line each")
    parser.add_argument("--tree", default="build/mutants", help="where the copy is made")
    parser.add_argument("--nice", type=int, default=19, help="how far to stand back for others")
    parser.add_argument("--check", action="store_true", help="build and run nothing")
    arguments = parser.parse_args()

    misfits = [file.stem for file in sorted(MUTANTS.glob("*.patch")) if not fits(file)]
    if misfits or arguments.check:
        sys.exit(f"these do not fit the source any more: {' '.join(misfits)}" if misfits else 0)
    os.nice(arguments.nice)
    source = fingerprint()
    tree = (ROOT / arguments.tree).resolve()
    tree.mkdir(parents=True, exist_ok=True)
    copy_tree(tree)
    subprocess.run(["cmake", "--preset", "debug"], cwd=tree, check=True, stdout=subprocess.DEVNULL)
    built = build(tree)
    if built.returncode != 0:
        sys.exit(f"the unchanged source does not build\n{built.stdout}")
    report = Report((ROOT / arguments.report).resolve(), source)
    chosen = [name for name in arguments.only.split(",") if name]
    patches = [file for file in sorted(MUTANTS.glob("*.patch")) if not chosen or file.stem in chosen]
    for file in patches:
        if file.stem not in report.lines:
            run(tree, file, arguments.seeds, report)
    survivors = [file.stem for file in patches if report.lines[file.stem].startswith("SURVIVED")]
    print(f"{len(patches)} mutants, {len(survivors)} survived {' '.join(survivors)}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
