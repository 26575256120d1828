# SPDX-License-Identifier: MIT
"""The manual pages against what memplugctl says of itself: every verb has one, with its options and
no others.

MEMPLUGCTL names the binary, MEMPLUG_MAN the folder that the pages were put together in.
"""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

TOOL = os.environ["MEMPLUGCTL"]
PAGES = {path.name: path.read_text(encoding="utf-8")
         for path in Path(os.environ["MEMPLUG_MAN"]).glob("*.[48]")}


def help_of(*verb: str) -> str:
    return subprocess.run([TOOL, *verb, "--help"], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=30, check=True).stdout


def section(text: str, name: str) -> list[str]:
    """The lines of a section of a help that begin an entry."""
    inside = re.search(rf"^{name}:\n(.*?)(?:^\S|\Z)", text, re.DOTALL | re.MULTILINE)
    return re.findall(r"^  (\S.*)$", inside.group(1), re.MULTILINE) if inside else []


def verbs_of(*verb: str) -> list[str]:
    return [line.split()[0] for line in section(help_of(*verb), "Subcommands")]


def help_options(*verb: str) -> set[tuple[str, str]]:
    """(spellings, value) of each option: ("--svg", "FILE")."""
    options = set()
    for line in section(help_of(*verb), "Options"):
        spellings, value = re.match(r"(\S+)(?: ([^ =:]+))?", line).groups()
        options.add((",".join(sorted(spellings.split(","))), value or ""))
    return options


def page_options(page: str) -> set[tuple[str, str]]:
    """The same of a page's lists: `.It Fl h , Fl -help`, `.It Fl -svg Ar FILE`."""
    options = set()
    for line in re.findall(r"^\.It (Fl .*)$", page, re.MULTILINE):
        names, _, value = line.partition(" Ar ")
        spellings = sorted(f"-{word.split()[1]}" for word in names.split(" , "))
        options.add((",".join(spellings), value))
    return options


class Pages(unittest.TestCase):
    def test_each_verb_has_a_page_with_its_options(self):
        for verb in verbs_of():
            wanted = help_options(verb)
            for inner in verbs_of(verb):
                wanted |= help_options(verb, inner)
            self.assertEqual(page_options(PAGES[f"memplugctl-{verb}.8"]), wanted, verb)

    def test_verbs_of_quarantine_have_their_own_options(self):
        page = PAGES["memplugctl-quarantine.8"]
        for verb in verbs_of("quarantine"):
            part = re.search(rf"^\.Ss (?:quarantine )?{verb}\b(.*?)^\.S[sh]", page,
                             re.DOTALL | re.MULTILINE)
            self.assertIsNotNone(part, verb)
            options = {option for option in help_options("quarantine", verb)
                       if "--help" not in option[0]}
            self.assertEqual(page_options(part.group(1)), options, verb)

    def test_the_overview_has_global_options_and_verbs(self):
        page = PAGES["memplugctl.8"]
        self.assertEqual(page_options(page), help_options())
        for verb in verbs_of():
            self.assertIn(f".Xr memplugctl-{verb} 8", page)

    def test_references_lead_somewhere(self):
        for name, page in PAGES.items():
            for reference in re.findall(r"^\.Xr (memplug\S*) (\d)", page, re.MULTILINE):
                self.assertIn(".".join(reference), PAGES, name)
                self.assertNotEqual(".".join(reference), name, "a reference to itself")

    def test_fragments_are_in_their_places(self):
        for name, page in PAGES.items():
            self.assertNotRegex(page, r"@\w+@", name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
