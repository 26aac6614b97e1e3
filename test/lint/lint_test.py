#!/usr/bin/env python3
"""Shows that each lint check bites."""
import unittest

import lint

LAYERS = lint.load_layers("base:\nruntime:\nruntime/os: runtime\nconsensus/raft: base\nsql/exec: runtime\n")


def messages(path, text):
    return [message for _, message in lint.check_file(path, text, LAYERS, {})]


class LintTest(unittest.TestCase):
    def test_a_clean_file_passes(self):
        text = '#pragma once\n#include "runtime/task.h"\n#include "base/status.h"\n'
        self.assertEqual(messages("sql/exec/scan.h", text), [])

    def test_layers(self):
        found = messages("consensus/raft/raft.cc", '#include "runtime/task.h"\n')
        self.assertIn("layer consensus/raft may not include runtime/task.h (cmake/layers.txt)", found)

    def test_nested_layers_are_told_apart(self):
        found = messages("sql/exec/scan.cc", '#include "runtime/os/disk.h"\n')
        self.assertTrue(any("may not include runtime/os/disk.h" in message for message in found))

    def test_cycles(self):
        self.assertTrue(list(lint.check_graph(lint.load_layers("a: b\nb: a\n"))))
        self.assertEqual(list(lint.check_graph(lint.load_layers("a: b\nb:\n"))), [])

    def test_purity(self):
        self.assertTrue(messages("consensus/raft/raft.cc", "#include <thread>\n"))

    def test_adapters(self):
        self.assertTrue(messages("sql/exec/scan.cc", "#include <rocksdb/db.h>\n"))

    def test_ambient(self):
        self.assertTrue(messages("sql/exec/scan.cc", "auto now = std::chrono::system_clock::now();\n"))

    def test_shape(self):
        self.assertTrue(messages("sql/exec/scan.cc", "int a;\n" * 801))
        self.assertTrue(messages("sql/exec/scan_utils.cc", "int a;\n"))
        self.assertTrue(messages("sql/exec/scan.cc", "int a; \n"))
        self.assertTrue(messages("sql/exec/scan.cc", "// TO" + "DO: later\n"))
        self.assertTrue(messages("sql/exec/scan.cc", "x" * 121 + "\n"))


if __name__ == "__main__":
    unittest.main()
