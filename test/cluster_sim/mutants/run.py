#!/usr/bin/env python3
"""Plants each bug of this folder into a copy of the source and counts the seeds until pando_cluster_sim notices; where it
does not, runs the stories of kv/cluster, which are to.

usage: run.py [--seeds N] [--only NAME,...] [--part I/N] [--tree DIR] [--reuse] [--report FILE]

The copy is built with the release preset, and only what the simulator needs. --part 1/2 and 2/2 share the work between two
processes. Exit status 1 when a mutant survives.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
MUTANTS = pathlib.Path(__file__).resolve().parent
COPIED = ["CMakeLists.txt", "CMakePresets.json", "bench", "cmake", "examples", "include", "src", "test", "tools"]
STEP = 20
STORIES = "pando_kv_cluster_test"
STORIES_TIMEOUT_S = 300


def copy_tree(tree: pathlib.Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name)
        elif source.exists():
            shutil.copy2(source, tree / name)


def build(tree: pathlib.Path, target: str = "pando_cluster_sim") -> subprocess.CompletedProcess:
    command = ["cmake", "--build", "build/release", "--target", target]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True)


def patch(tree: pathlib.Path, file: pathlib.Path, reverse: bool) -> bool:
    command = ["patch", "-p1", "--quiet", "--no-backup-if-mismatch", "-i", str(file)] + (["-R"] if reverse else [])
    return subprocess.run(command, cwd=tree).returncode == 0


def seeds_until_caught(tree: pathlib.Path, seeds: int) -> tuple[int | None, str]:
    """The number of seeds it took, and what was violated."""
    simulator = tree / "build/release/test/cluster_sim/pando_cluster_sim"
    for first in range(1, seeds + 1, STEP):
        command = [str(simulator), "--seeds", f"{first}..{min(first + STEP - 1, seeds)}", "--until-failure", "--no-shrink"]
        run = subprocess.run(command, cwd=tree, capture_output=True, text=True, errors="replace")
        found = re.search(r"FAILED seed (\d+).*\n +([^:]+):", run.stdout)
        if found:
            return int(found.group(1)), found.group(2)
        if run.returncode != 0:
            return first + STEP - 1, f"status {run.returncode}"
    return None, ""


def story_that_fails(tree: pathlib.Path) -> str | None:
    """The first of kv/cluster's own tests that the bug breaks."""
    if build(tree, STORIES).returncode != 0:
        sys.exit(f"{STORIES} does not build")
    command = [str(tree / "build/release/src" / STORIES), "--gtest_fail_fast"]
    try:
        run = subprocess.run(command, cwd=tree, capture_output=True, text=True, errors="replace", timeout=STORIES_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return "one that does not end"
    found = re.search(r"\[  FAILED  \] (\S+)", run.stdout)
    if found:
        return found.group(1)
    return f"status {run.returncode}" if run.returncode != 0 else None


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1000, help="give up after this many")
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument("--part", default="1/1", help="which share of the mutants, of how many")
    parser.add_argument("--report", default="", help="a file to which the outcomes are added, a line each")
    parser.add_argument("--tree", default="build/cluster_mutants", help="where the copy is made")
    parser.add_argument("--reuse", action="store_true", help="the copy of an earlier run is up to date")
    arguments = parser.parse_args()

    tree = (ROOT / arguments.tree).resolve()
    if not arguments.reuse:
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
        copy_tree(tree)
        subprocess.run(["cmake", "--preset", "release"], cwd=tree, check=True, stdout=subprocess.DEVNULL)
    if build(tree).returncode != 0:
        sys.exit("the unchanged source does not build")
    chosen = [name for name in arguments.only.split(",") if name]
    patches = [file for file in sorted(MUTANTS.glob("*.patch")) if not chosen or file.stem in chosen]
    part, parts = (int(number) for number in arguments.part.split("/"))
    patches = patches[part - 1 :: parts]
    survivors = []

    def tell(line: str) -> None:
        print(line, flush=True)
        if arguments.report:
            with open(arguments.report, "a", encoding="utf-8") as report:
                report.write(line + "\n")

    for file in patches:
        start = time.monotonic()
        if not patch(tree, file, reverse=False):
            sys.exit(f"{file.name} does not apply")
        if build(tree).returncode != 0:
            sys.exit(f"{file.name} does not build")
        seeds, invariant = seeds_until_caught(tree, arguments.seeds)
        story = story_that_fails(tree) if seeds is None else None
        patch(tree, file, reverse=True)
        seconds = time.monotonic() - start
        if seeds is not None:
            tell(f"caught    {file.stem}: {seeds} seeds, {invariant} ({seconds:.0f} s)")
        elif story is not None:
            tell(f"caught    {file.stem}: not by {arguments.seeds} seeds, by the story {story} ({seconds:.0f} s)")
        else:
            survivors.append(file.stem)
            tell(f"SURVIVED  {file.stem}: {arguments.seeds} seeds, and the stories ({seconds:.0f} s)")
    print(f"{len(patches)} mutants, {len(survivors)} survived {' '.join(survivors)}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
