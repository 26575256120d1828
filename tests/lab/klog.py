# SPDX-License-Identifier: MIT
"""Finds reports in a kernel log: warnings, oopses, lockdep, stalls, out of memory.

Knows no test; a report that a case expects is told apart in verdict.py.
"""

import re

# Not every report goes through WARN(), so panic_on_warn does not catch them all.
REPORTS = re.compile("|".join((
    r"WARNING:",
    r"\bBUG:",
    r"kernel BUG at",
    r"\bOops\b",
    r"general protection",
    r"[Uu]nable to handle",
    r"KASAN:",
    r"KFENCE:",
    r"KCSAN:",
    r"UBSAN:",
    r"possible circular locking",
    r"possible irq lock inversion",
    r"possible recursive locking",
    r"possible deadlock",
    r"inconsistent lock state",
    r"suspicious RCU usage",
    r"bad unlock balance",
    r"bad contention detected",
    r"held lock freed",
    r"lock held when returning to user space",
    r"still has locks held",
    r"locks? still held",
    r"Invalid wait context",
    r"INFO: task \S+ blocked for more than",
    r"rcu.*(?:detected|self-detected).*stall",
    r"rcu.*kthread starved",
    r"soft lockup",
    r"hard LOCKUP",
    r"workqueue lockup",
    r"page allocation failure",
    r"Out of memory",
    r"invoked oom-killer",
    r"Bad page (?:state|map|cache)",
    r"Bad rss-counter",
    r"list_(?:add|del) corruption",
    r"refcount_t:",
    r"ODEBUG:",
    r"kmemleak: \d+ new suspected",
    r"[Ss]leeping function called",
    r"scheduling while atomic",
    r"stack-protector",
    r"corrupted (?:stack|pmd|page table)",
    r"nobody cared",
    r"memplug: .*(?:leak|lost|inconsistent)",
)))
# KCSAN tells of every race in the kernel, of which there are many. Ours are those where one of both
# accesses is made by a module of ours, or by a function that it calls.
_RACE = re.compile(r"BUG: KCSAN:")
_RACE_END = re.compile(r"\] =+$")
_ACCESS = re.compile(r"\] (?:(?:read|write|read-write)\b.* by |race at unknown origin)")
_OUR_CODE = re.compile(r"\[(?:memplug|seeded)\]")
_OUR_FRAMES = 2
_PANIC = re.compile(r"Kernel panic - not syncing.*")
# A CPU met a breakpoint that the kernel had put into its own code and taken out again.
_STALE_BREAKPOINT = re.compile(r"\bint3: 0000 \[#1\]")


def lines(console: bytes) -> list[str]:
    """The console's lines, without the terminal's carriage returns."""
    return [line.rstrip("\r") for line in console.decode(errors="replace").split("\n")]


def reports(console: bytes) -> list[str]:
    """Every line that reports something wrong, in order."""
    found = []
    rows = lines(console)
    for number, line in enumerate(rows):
        if REPORTS.search(line) and not (_RACE.search(line) and _is_of_others(rows[number + 1:])):
            found.append(line)
    return found


def _is_of_others(rows: list[str]) -> bool:
    """Whether this report of a race is whole, and none of its accesses is ours."""
    frames_left = 0
    for row in rows:
        if _RACE_END.search(row):
            return True
        if _ACCESS.search(row):
            frames_left = _OUR_FRAMES
        elif frames_left:
            frames_left -= 1
            if _OUR_CODE.search(row):
                return False
    return False


def has_stale_breakpoint(console: bytes) -> bool:
    """Whether the kernel died of a breakpoint that it knows nothing of."""
    return any(_STALE_BREAKPOINT.search(line) for line in lines(console))


def panics(console: bytes) -> list[str]:
    """The line of each panic, in order: a crash kernel that boots after one may have its own."""
    found = map(_PANIC.search, lines(console))
    return [match.group(0) for match in found if match]
