# SPDX-License-Identifier: MIT
"""memplugctl when it gets no more memory itself, at whatever point: it does and tells all with what
it keeps in reserve; and when that is used up, too, it says so, in a status and in words."""

import json
import unittest

import stand_in
from stand_in import GIB, MIB

# More than any of these commands allocates.
MOST = 20000

COMMANDS = (
    (("unplug", "64M"), {}),
    (("unplug", "3600M"), {"managed": 64 * GIB, "unplug": {"pieces": 900}}),
    (("status",), {}),
    (("plug", "--all"), {}),
    (("scan",), {"survey": [[4 * GIB, 64 * MIB]]}),
    (("target", "3G"), {}),
)


def points():
    """After how many allocations: the first each, then further apart, as they are much alike."""
    left = 0
    while left < MOST:
        yield left
        left += 1 + left // 8


class NoMemory(unittest.TestCase):
    def test_the_reserve_is_enough(self):
        for arguments, order in COMMANDS:
            whole = stand_in.run(*arguments, "--json", order=order)
            keys = json.loads(whole.stdout).keys()
            for left in points():
                with self.subTest(arguments=arguments, allocations=left):
                    result = stand_in.run(*arguments, "--json",
                                          order={**order, "allocations": left})
                    self.assertEqual(result.returncode, whole.returncode, result.stderr)
                    self.assertEqual(json.loads(result.stdout).keys(), keys)
                if left > 200:
                    break

    def test_the_command_of_hold_is_run(self):
        for left in range(100):
            with self.subTest(allocations=left):
                result = stand_in.run("hold", "64M", "--", "echo", "run",
                                      order={"allocations": left})
                self.assertEqual((result.returncode, result.stdout), (0, b"run\n"), result.stderr)

    def test_it_ends_with_words(self):
        # In text: the library that makes JSON does not survive that.
        for arguments, order in COMMANDS:
            failures = 0
            for left in points():
                result = stand_in.run(*arguments,
                                      order={**order, "allocations": left, "reserve": 0})
                if result.returncode == 0:
                    break
                failures += 1
                with self.subTest(arguments=arguments, allocations=left):
                    self.assertEqual(result.returncode, 1)
                    self.assertIn(b"memplugctl: ", result.stderr)
            else:
                self.fail(f"{arguments} never has enough")
            self.assertGreater(failures, 5, f"{arguments} needs no memory")


if __name__ == "__main__":
    unittest.main()
