#!/usr/bin/env python3
"""The house rules that a machine can check. Exits 1 with file:line: message for each breach.

layers      every #include "folder/..." in src/ is allowed by cmake/layers.txt
purity      pure folders include no clock, thread, lock or coroutine
adapters    third-party headers stay in the folders named below
ambient     no clocks, random devices, environment or sleeps outside runtime/os and the doors
shape       file length, line length, names, tabs, unfinished marks
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

SOURCE_LINES_MAX = 800
HEADER_LINES_MAX = 300
COLUMNS_MAX = 120

PURE = ("consensus/", "pgwire/codec/", "types/", "sql/ast/", "sql/expr/", "base/codec")
PURE_BANNED = re.compile(
    r"#include <(thread|mutex|random|condition_variable|future)>|\bco_await\b|system_clock|steady_clock")

ADAPTERS = {
    r"rocksdb/": ("storage/rocksdb/",),
    r"pg_query": ("sql/parse/",),
    r"boost/": ("runtime/os/", "pgwire/", "http/"),
    r"grpc": ("runtime/os/",),
    r"unicode/": ("types/", "sql/function/"),
    r"re2/": ("types/",),
    r"pcre2": ("types/",),
    r"openssl/": ("crypto/", "runtime/os/", "sql/function/", "pgwire/"),
}

AMBIENT = re.compile(r"system_clock|steady_clock|random_device|\bgetenv\b|\bsleep_for|\bthread_local\b")
AMBIENT_ALLOWED = ("runtime/os/", "cli/", "server/", "node/", "sim/main")

NAME_BANNED = re.compile(r"util|helper|common|manager|misc", re.IGNORECASE)
UNFINISHED = re.compile(r"\b(FIXME|XXX|HACK)\b|\bTODO\b(?!\(#\d+\))")


def load_long_files():
    """Files over the length limits, each with its reason. The list may only shrink."""
    path = ROOT / "test/lint/long_files.txt"
    if not path.exists():
        return {}
    entries = [line.split(None, 1) for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(entries)


def load_layers(text):
    layers = {}
    for line in text.splitlines():
        match = re.match(r"^([a-z_/]+):(.*)$", line)
        if match:
            layers[match.group(1)] = set(match.group(2).split())
    return layers


def layer_of(path, layers):
    """The longest layer name that is a parent folder of `path` (relative to src/)."""
    parent = str(pathlib.PurePosixPath(path).parent)
    while parent not in ("", "."):
        if parent in layers:
            return parent
        parent = str(pathlib.PurePosixPath(parent).parent)
    return None


TEST_ENDINGS = ("_test.cc", "_bench.cc", "_conformance.h", "_fuzz.cc")
TESTS_MAY_ADD = ("sim", "storage", "storage/memory", "storage/rocksdb", "txn", "txn/memory", "runtime", "runtime/os",
                 "catalog", "sql/parse", "sql/bind", "sql/optimize")


def check_layers(path, text, layers):
    own = layer_of(path, layers)
    if own is None:
        yield 1, f"no layer in cmake/layers.txt holds {path}"
        return
    allowed = layers[own] | {own, "base"}
    if path.endswith(TEST_ENDINGS):
        allowed |= set(TESTS_MAY_ADD)
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#include "([^"]+)"', line)
        target = layer_of(match.group(1), layers) if match else None
        if target is not None and target not in allowed:
            yield number, f"layer {own} may not include {match.group(1)} (cmake/layers.txt)"


def check_purity(path, text):
    if not path.startswith(PURE) or path.endswith(TEST_ENDINGS):
        return
    for number, line in enumerate(text.splitlines(), 1):
        if PURE_BANNED.search(line):
            yield number, f"a pure folder uses: {line.strip()}"


def check_adapters(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"\s*#include <([^>]+)>", line)
        if not match:
            continue
        for pattern, folders in ADAPTERS.items():
            if re.match(pattern, match.group(1)) and not path.startswith(folders):
                yield number, f"<{match.group(1)}> belongs to {', '.join(folders)}"


def check_ambient(path, text):
    if path.startswith(AMBIENT_ALLOWED) or path.endswith(TEST_ENDINGS):
        return
    for number, line in enumerate(text.splitlines(), 1):
        code = line.split("//")[0]
        if AMBIENT.search(code):
            yield number, f"outside runtime/os: {line.strip()}"


def check_shape(path, text, long_files):
    lines = text.splitlines()
    limit = HEADER_LINES_MAX if path.endswith(".h") else SOURCE_LINES_MAX
    if len(lines) > limit and path not in long_files:
        yield limit, f"{len(lines)} lines; the limit is {limit}"
    if NAME_BANNED.search(pathlib.PurePosixPath(path).name):
        yield 1, "a name that says nothing (util, helper, common, manager, misc)"
    if path.endswith(".h") and "#pragma once" not in text:
        yield 1, "no #pragma once"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX and path not in long_files:
            yield number, f"{len(line)} columns"
        if "\t" in line:
            yield number, "a tab"
        if line != line.rstrip():
            yield number, "trailing space"
        if UNFINISHED.search(line):
            yield number, f"unfinished: {line.strip()}"


def check_file(path, text, layers, long_files):
    yield from check_layers(path, text, layers)
    yield from check_purity(path, text)
    yield from check_adapters(path, text)
    yield from check_ambient(path, text)
    yield from check_shape(path, text, long_files)


def check_graph(layers):
    """The graph has no cycle and names only layers it has."""
    done = set()

    def visit(layer, trail):
        if layer in done:
            return
        if layer in trail:
            yield f"cycle: {' -> '.join(trail + [layer])}"
            return
        for dependency in sorted(layers[layer]):
            if dependency not in layers:
                yield f"{layer} depends on {dependency}, which is no layer"
                continue
            yield from visit(dependency, trail + [layer])
        done.add(layer)

    for layer in layers:
        yield from visit(layer, [])


def main():
    long_files = load_long_files()
    layers = load_layers((ROOT / "cmake/layers.txt").read_text())
    breaches = [f"cmake/layers.txt: {message}" for message in check_graph(layers)]
    files = sorted(path for pattern in ("*.h", "*.cc") for path in (ROOT / "src").rglob(pattern))
    for file in files:
        path = file.relative_to(ROOT / "src").as_posix()
        for number, message in check_file(path, file.read_text(), layers, long_files):
            breaches.append(f"src/{path}:{number}: {message}")
    print("\n".join(breaches))
    print(f"lint: {len(files)} files, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
