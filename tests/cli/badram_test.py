# SPDX-License-Identifier: MIT
"""Bad memory as memtest86+ prints it, GRUB takes it and a kernel's command line has room for it.

MEMPLUGCTL names the binary. It reads and prints a file of this test's; there is no device.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = os.environ["MEMPLUGCTL"]
PAGE = 4096
EXIT_USAGE = 2

# As they stand on the screen, from the sources of each version: it is 80 columns wide, and a list
# goes on below the first pattern. 5.01 has room for three in a line, 6.00 to 7.20 for one, as they
# print all digits of 64 bits; 8.00 leaves leading zeros out, and has a mode for memmap=, too.
MEMTEST = {
    "5.01": "badram=0x12345678,0xfffffffc,0x22345678,0xfffffffc,0x32345678,0xfffffffc,\n"
            "       0x42345678,0xfffffffc\n",
    "6.00": "badram=0x0000000012345678,0xfffffffffffffff8,\n"
            "       0x0000000022345678,0xfffffffffffffff8,\n"
            "       0x0000000032345678,0xfffffffffffffff8,\n"
            "       0x0000000042345678,0xfffffffffffffff8\n",
    "8.00": "badram=0x12345678,0xfffffffffffffff8,0x22345678,0xfffffffffffffff8,\n"
            "       0x32345678,0xfffffffffffffff8,0x42345678,0xfffffffffffffff8\n",
    "8.00 memmap": "memmap=0x8$0x12345678,0x8$0x22345678,0x8$0x32345678,0x8$0x32345ff8,\n"
                   "       0x8$0x42345678\n",
}
MEMTEST_PAGES = [0x12345000, 0x22345000, 0x32345000, 0x42345000]


class File(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name, "bad")

    def export(self, text: str, *options: str):
        self.path.write_text(text, encoding="utf-8")
        return subprocess.run([TOOL, "quarantine", "export", "--file", self.path, *options],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              check=False)

    def pages(self, text: str) -> list[int]:
        """The address of each page in a file of this text."""
        result = self.export(text)
        self.assertEqual((result.returncode, result.stderr), (0, ""), text)
        found = []
        for first, last in re.findall("^(0x[0-9a-f]+)-(0x[0-9a-f]+)$", result.stdout, re.MULTILINE):
            found += range(int(first, 16), int(last, 16), PAGE)
        return found

    def refusal(self, text: str) -> str:
        """Why a file of this text can't be read: the error, without the hint at --help."""
        result = self.export(text)
        self.assertEqual((result.returncode, result.stdout), (EXIT_USAGE, ""), text)
        return result.stderr.splitlines()[0].partition(f"{self.path}, ")[2]


class Memtest(File):
    def test_what_it_prints_is_read(self):
        for version, text in MEMTEST.items():
            for line_end in ("\n", "  \n", "\r\n"):
                with self.subTest(version, line_end=line_end):
                    self.assertEqual(self.pages(text.replace("\n", line_end)), MEMTEST_PAGES)
            with self.subTest(version, end="none"):
                self.assertEqual(self.pages(text.rstrip("\n")), MEMTEST_PAGES)

    def test_other_entries_stand_before_and_after(self):
        text = "0x1000+4K\n" + "".join(MEMTEST.values()) + "memmap=4K$0x99999000\n"
        self.assertEqual(self.pages(text), [0x1000, *MEMTEST_PAGES, 0x99999000])

    def test_comments_and_blank_lines_may_stand_in_a_list(self):
        text = MEMTEST["6.00"].replace(",\n", ", # bank 2\n\n# by hand\n", 1)
        self.assertEqual(self.pages(text), MEMTEST_PAGES)

    def test_quotes_may_be_around_all_of_it(self):
        text = MEMTEST["8.00"].replace("badram=", 'GRUB_BADRAM="').rstrip("\n")
        self.assertEqual(self.pages(text + '"\n'), MEMTEST_PAGES)
        self.assertRegex(self.refusal(text), "^line 2: .*quotes do not match")

    def test_a_line_may_end_after_an_address(self):
        self.assertEqual(self.pages("badram=0x1000,\n0xfffff000,0x5000,\n0xfffff000"),
                         [0x1000, 0x5000])

    def test_an_error_names_its_line(self):
        lines = MEMTEST["6.00"].splitlines()
        for number in range(1, len(lines) + 1):
            for bad in ("0x12345678,0xfff", "x,0xfffff000", "0x0,0x1000"):
                with self.subTest(number=number, bad=bad):
                    wrong = [*lines]
                    start = "badram=" if number == 1 else "       "
                    wrong[number - 1] = start + bad + ("," if number < len(lines) else "")
                    text = "# two lines\n\n" + "\n".join(wrong) + "\n"
                    self.assertRegex(self.refusal(text), f"^line {number + 2}: badram '{bad}': ")

    def test_an_error_in_memmap_names_its_line(self):
        for bad in ("0x8@0x1000", "0x8", "0$0x1000"):
            with self.subTest(bad):
                self.assertRegex(self.refusal(f"memmap=0x8$0x1000,\n\n{bad},\n0x8$0x5000"),
                                 f"^line 3: memmap '{re.escape(bad)}': ")

    def test_a_list_must_not_end_in_a_comma(self):
        for start in ("badram=0x1000,0xfffff000,", "badram 0x1000,0xfffff000,", "badram=0x1000,",
                      "memmap=4K$0x1000,"):
            for rest in ("", "\n", "\n\n# nothing more\n"):
                with self.subTest(start=start, rest=rest):
                    self.assertRegex(self.refusal(f"# one line\n{start}{rest}"),
                                     "^line 2: .*ends in a comma, and no line follows")

    def test_another_entry_after_a_comma_is_told(self):
        for start in ("badram=0x1000,0xfffff000,", "memmap=4K$0x1000,"):
            for entry in ("0x5000-0x5fff", "0x5000+4K", "badram=0x5000,0xfffff000",
                          'GRUB_BADRAM="0x5000,0xfffff000"', "memmap=4K$0x5000",
                          "badram 0x5000,0xfffff000"):
                with self.subTest(start=start, entry=entry):
                    self.assertRegex(self.refusal(f"{start}\n{entry}\n"),
                                     f"^line 2: .*{re.escape(entry.split(',')[0])}.*"
                                     "the line before ends in a comma")


def pages_for_grub(line: str) -> set[int]:
    """What GRUB's command takes out, below 1 TiB: its one argument is pairs of hexadecimal numbers,
    and a page goes whose address agrees with the first of a pair in the bits of the second."""
    command, argument = line.split()
    assert command == "badram", line
    numbers = [int(number, 16) for number in argument.split(",")]
    pages = set()
    for address, mask in zip(numbers[::2], numbers[1::2], strict=True):
        loose = ~mask & (1 << 40) - PAGE
        assert loose < 1 << 30, f"{line}: GRUB sets no bit of a mask by itself"
        pages |= {page for page in range(address & mask, (address | loose) + 1, PAGE)
                  if page & mask == address & mask}
    return pages


class Grub(File):
    def test_its_command_is_printed(self):
        wanted = [0x12345000, *range(0x40001000, 0x40007000, PAGE), 0x140001000]
        text = "0x12345000+4K\n0x40001000+24K\n0x140001000+4K\n"
        result = self.export(text, "--format", "badram")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"\Abadram (0x[0-9a-f]{16},0x[0-9a-f]{16},?)+(?<!,)\n\Z")
        self.assertEqual(pages_for_grub(result.stdout), set(wanted))
        self.assertEqual(self.pages(result.stdout), wanted)

    def test_its_command_is_read(self):
        for text in ("badram 0x1000,0xfffff000,0x5000,0xfffff000",
                     "badram\t 0x1000,0xfffff000,0x5000,0xfffff000 # by hand",
                     'badram "0x1000,0xfffff000,0x5000,0xfffff000"',
                     "\tbadram 0x1000,0xfffff000,\n0x5000,0xfffff000"):
            with self.subTest(text):
                self.assertEqual(self.pages(text), [0x1000, 0x5000])

    def test_what_only_looks_like_it_is_refused(self):
        for text in ("badram", "badram ", "badram # 0x1000,0xfffff000", "badram0x1000,0xfffff000",
                     "badrams 0x1000,0xfffff000", "badram 0x1000 0xfffff000"):
            with self.subTest(text):
                self.assertRegex(self.refusal(text), "^line 1: ")

    def test_its_variable_is_printed_as_before(self):
        self.assertEqual(self.export("0x140001000+4K", "--format", "grub").stdout,
                         'GRUB_BADRAM="0x0000000140001000,0xfffffffffffff000"\n')


class CommandLine(File):
    """2 KiB on x86, with the 0 at its end: include/asm/setup.h, COMMAND_LINE_SIZE."""

    ROOM = 2047

    def setUp(self):
        super().setUp()
        words = Path("/proc/cmdline").read_text(encoding="utf-8").split()
        self.others = " ".join(word for word in words if not word.startswith("memmap="))

    def file_of(self, length: int) -> str:
        """A file that makes options of this length."""
        word = "memmap=4K$0x100000000"
        count = (length + 1) // (len(word) + 1)
        # What is left to fill makes addresses longer, up to 16 digits.
        spare = length - (count * (len(word) + 1) - 1)
        text = ""
        for i in range(count):
            more = min(spare, 7)
            spare -= more
            text += f"{(1 << 32 + 4 * more) + 2 * PAGE * i:#x}+4K\n"
        return text

    def memmap(self, length: int, *options: str):
        result = self.export(self.file_of(length), "--format", "memmap", *options)
        self.assertEqual(result.returncode, 0)
        if not options:
            self.assertEqual(len(result.stdout), length + 1)
        return result

    def test_what_fits_is_printed_without_a_word(self):
        room = self.ROOM - len(f"{self.others} ")
        for length in (21, 100, room):
            with self.subTest(length):
                self.assertEqual(self.memmap(length).stderr, "")

    def test_what_does_not_fit_is_told(self):
        room = self.ROOM - len(f"{self.others} ")
        for length in (room + 1, self.ROOM, 10000):
            with self.subTest(length):
                result = self.memmap(length)
                self.assertRegex(result.stderr, "^memplugctl: quarantine: .* 2047 ")
                self.assertIn(f" {length} characters", result.stderr)
                self.assertIn(f" {length - room} too many", result.stderr)

    def test_it_is_told_with_json_and_quietly_too(self):
        for option in ("--json", "--quiet"):
            with self.subTest(option):
                self.assertIn(" 2047 ", self.memmap(10000, option).stderr)

    def test_other_forms_have_no_such_limit(self):
        for name in ("ranges", "badram", "grub"):
            with self.subTest(name):
                self.assertEqual(self.export(self.file_of(10000), "--format", name).stderr, "")


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
