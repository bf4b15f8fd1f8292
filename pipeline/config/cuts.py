"""Read `cuts` of an `episode.toml`: passages to remove, in the time of the recordings, and the line of the file that a mistake is in."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from pipeline.config.fields import read_time
from pipeline.config.table import Table
from pipeline.model import CauserieError, Cut, format_clock, terminal_safe

MIN_CUT_S = 0.05  # a shorter one is a typing mistake: two crossfades do not fit into it
# Strings and comments, in which a brace opens no table; then what opens an entry, or ends the list
_TOKENS = re.compile(r'"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[{\]]')
_START = re.compile(r"^[ \t]*cuts[ \t]*=[ \t]*\[", re.M)
_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*cuts[ \t]*\]\]", re.M)


def parse_cuts(table: Table, path: Path) -> tuple[Cut, ...]:
    """Read the cuts of the file at `path`, sorted by time: their order in the file has no meaning. Overlapping ones are a mistake."""
    entries = table.tables("cuts")
    cuts = [(_parse_cut(entry), number) for number, entry in enumerate(entries, 1)]
    known = sorted((cut, number) for cut, number in cuts if cut is not None)
    for (before, first), (after, second) in pairwise(known):
        if after.start_s < before.end_s:
            (number, _), (other, cut) = sorted(((first, before), (second, after)), reverse=True)
            message = f"overlaps cuts[{other}], which goes from {format_clock(cut.start_s)} to {format_clock(cut.end_s)}"
            where = f"{table.file}:{entry_line(path.read_text(encoding='utf-8-sig'), number)}: cuts[{number}]"
            table.problems.append(CauserieError(message, terminal_safe(where), "make one cut of the two, or correct their times"))
    return tuple(cut for cut, _ in known)


def entry_line(text: str, number: int) -> int:
    """The line, from 1, of an entry of `cuts`, counted from 1, in the text of a TOML file that holds it."""
    starts = [found.start() for found in _HEADER.finditer(text)]
    if not starts and (opening := _START.search(text)):
        for token in _TOKENS.finditer(text, opening.end()):
            if token[0] == "]":
                break
            if token[0] == "{":
                starts.append(token.start())
    return text.count("\n", 0, starts[number - 1]) + 1 if number <= len(starts) else 1


def _parse_cut(entry: Table) -> Cut | None:
    """Read one cut; None after a mistake."""
    start_s, end_s, said = read_time(entry, "start"), read_time(entry, "end"), entry.string("said")
    entry.reject_unknown()
    for key, value in (("start", start_s), ("end", end_s)):
        if value is None and key not in entry.values:
            entry.add_problem(key, "is missing", "write it like “12:03.4”, in the time of the recording")
    if start_s is None or end_s is None:
        return None
    if end_s - start_s < MIN_CUT_S:
        entry.add_problem("end", f"is not {MIN_CUT_S:g} s or more after start", "give a later time, or remove the cut")
        return None
    return Cut(start_s, end_s, said)
