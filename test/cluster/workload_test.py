#!/usr/bin/env python3
"""The checker of appends finds what it is for."""
import unittest

from workload import Outcome, check_appends

OK, REFUSED, UNKNOWN = Outcome.ACKNOWLEDGED, Outcome.REFUSED, Outcome.UNKNOWN


class CheckAppendsTest(unittest.TestCase):
    def check(self, final, appends, reads=()):
        return check_appends({0: final}, [(0, *entry) for entry in appends], [(0, *entry) for entry in reads])

    def test_good(self):
        appends = [("a", OK, 0, 1), ("b", OK, 2, 3), ("c", UNKNOWN, 2, 9), ("d", UNKNOWN, 2, 9), ("e", REFUSED, 2, 3)]
        self.assertEqual(self.check("a,c,b,", appends, [("", 0), ("a,", 1.5), ("a,c,b,", 4)]), [])
        # Overlapping ones may stand either way.
        self.assertEqual(self.check("b,a,", [("a", OK, 0, 2), ("b", OK, 1, 3)]), [])

    def test_lost(self):
        self.assertIn("LOST", self.check("", [("a", OK, 0, 1)])[0])

    def test_twice(self):
        self.assertIn("twice", self.check("a,a,", [("a", OK, 0, 1)])[0])

    def test_refused_and_invented(self):
        self.assertIn("refused", self.check("a,", [("a", REFUSED, 0, 1)])[0])
        self.assertIn("never sent", self.check("x,", [])[0])

    def test_order(self):
        self.assertIn("stands before", self.check("b,a,", [("a", OK, 0, 1), ("b", OK, 2, 3)])[0])

    def test_reads(self):
        appends = [("a", OK, 0, 1), ("b", OK, 2, 3)]
        self.assertIn("missed b", self.check("a,b,", appends, [("a,", 4)])[0])
        self.assertIn("not there", self.check("a,b,", appends, [("a,x,", 4)])[0])
        self.assertEqual(self.check("a,b,", appends, [("a,", 2.5)]), [])


if __name__ == "__main__":
    unittest.main()
