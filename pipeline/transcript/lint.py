"""Advice on a transcript that is correct as far as its grammar goes: what a careful reader would look at again. Pure."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.errors import CauserieError
from pipeline.text import typographic
from pipeline.transcript.grammar import doubtful, parse
from pipeline.transcript.loose_blocks import closed_parts
from pipeline.transcript.loose_voices import looks_like_name
from pipeline.transcript.text import LABEL, Note, Paragraph, Section, Transcript, said

_LONG_PARAGRAPH_CHARS = 1200  # a minute and a half of one voice
_SHORTEST_REPEATED_WORDS = 6  # shorter lines are alike by chance
_NEAR = 0.85  # likeness of two names
_PAIRS = (("“", "”"), ("(", ")"), ("[", "]"))
_SPACES = "\u00a0\u202f"
_NUMBERS = (
    (re.compile(r"(?<![\d:/])\d{1,4}/\d{1,4}(?:/\d{2,4})?(?![\d/])"), "a date or a fraction"),
    (re.compile(r"(?<!\d)\d{2,4}[-–]\d{2,4}(?![\d-])"), "two numbers with a dash"),
    (re.compile(r"(?<!\d)0\d(?:[ .]?\d{2}){4}(?!\d)"), "a telephone number"),
    (re.compile(r"(?<![\d,.])(?<!\d[ \u00a0\u202f])0\d+(?![\d,.:])|\d{10,}"), "digits that may be said one by one"),
    (re.compile(r"(?<!\d)1[1-9]00(?!\d)"), "a number that is said in two ways"),
    (re.compile(r"\b(?:[a-z]+\d|\d+[A-Za-z]{2,}\d)\w*|\b[A-Z]+\d+[A-Z]\w*"), "letters and digits together"),
)


@dataclass(frozen=True)
class Remark:
    """Advice on a line: what is unusual there, and what to do if it is a mistake."""

    line: int
    message: str
    hint: str


def lint(text: str, where: str = "", known_texts: Mapping[str, str] | None = None, language: str = "fr") -> tuple[Remark, ...]:
    """What to look at again, by line. `known_texts` are the show's other transcripts by their names; `where` is this one's.

    Signs that lack their no-break space are told once for all. A text with mistakes of grammar gets the advice that its lines
    allow; the mistakes are told by `grammar.parse`.
    """
    remarks = [*_lines(text, language)]
    others = {name: other for name, other in (known_texts or {}).items() if name != where}
    remarks += _nearly_repeated(text, others)
    try:
        transcript = parse(text, where)
    except CauserieError:
        return tuple(sorted(remarks, key=lambda remark: remark.line))
    remarks += [*_voices(transcript, text), *_long(transcript), *_never_closed(transcript, language)]
    return tuple(sorted(remarks, key=lambda remark: remark.line))


def _body(text: str) -> Iterator[tuple[int, str]]:
    """The lines after the front matter that are published, with their numbers."""
    lines = _lines_of(text.removeprefix("\ufeff"))
    fences = [number for number, line in enumerate(lines) if line.rstrip() == "+++"]
    first = fences[1] + 1 if len(fences) > 1 and fences[0] == 0 else 0
    for number, line in enumerate(lines[first:], first + 1):
        if line.strip() and not line.lstrip().startswith("%%"):
            yield number, line.strip()


def _lines_of(text: str) -> list[str]:
    """The lines as the grammar counts them: a separator nobody sees ends none."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _lines(text: str, language: str) -> Iterator[Remark]:
    """What shows in a line alone."""
    spaces: list[int] = []
    for number, line in _body(text):
        if '"' in line:
            yield Remark(number, "straight quotation marks", "write « … » or “…”")
        if re.search(r"\S  +\S", line):
            yield Remark(number, "two spaces in a row", "one is enough")
        if re.search(r"\.\.\.(?!\.)", line):
            yield Remark(number, "an ellipsis written as three full stops", "write …")
        for opening, end in _PAIRS:
            if line.count(opening) != line.count(end):
                yield Remark(number, f"{opening} and {end} are not as many", "one of them has no partner on this line")
        line = _said(line)
        yield from _numbers(number, line)
        if language.startswith("fr") and not line.startswith("##"):
            if found := re.search(r"[^\W\d_]{3,}: (?=\S)", line):
                yield Remark(number, f"no space before the colon of “{found[0].strip()}”", "French puts one, which does not break")
            if _plain(line) and typographic(line, language) != line:
                spaces.append(number)
    if spaces:
        many = "1 line has" if len(spaces) == 1 else f"{len(spaces)} lines have"
        hint = "nothing to do: what is published gets no-break spaces"
        yield Remark(spaces[0], f"{many} plain spaces, or none, before ; ! ? : » or after «", hint)


def _said(line: str) -> str:
    """A line less what is not printed: the anchor, the dash, the name."""
    bare = re.sub(r"^@[\d:.]+ +", "", line)
    bare = bare.removeprefix("«").lstrip(" " + _SPACES).removeprefix("- ")
    label = LABEL.match(bare)
    return bare[label.end() :] if label and re.search(r"\s:\s*$", label[0]) else bare


def _plain(line: str) -> bool:
    """Whether a French sign stands without its no-break space."""
    return re.search(rf"(?<![{_SPACES};:!?])[;!?](?=\s|$)|(?<![{_SPACES}])»(?!$)|«(?![{_SPACES}])| :(?= )", line) is not None


def _numbers(number: int, line: str) -> Iterator[Remark]:
    """Digits that may be said in several ways: they will not be recognised in what was heard."""
    for pattern, what in _NUMBERS:
        if found := pattern.search(line):
            message = f"“{found[0]}” is {what}: it may not be found in the sound"
            yield Remark(number, message, "write it as it is said, or put an anchor @ before it")
            return


def _voices(transcript: Transcript, text: str) -> Iterator[Remark]:
    """Names that are declared and never heard, heard and not declared, or nearly the same as another."""
    heard = Counter(paragraph.voice for paragraph in said(transcript) if paragraph.voice)
    lines = {paragraph.voice: paragraph.line for paragraph in reversed(said(transcript))}
    head = _lines_of(text)
    for voice in transcript.voices:
        if not heard[voice.key] and voice.role not in ("récit", "narration"):
            line = next((number for number, each in enumerate(head, 1) if voice.key in each), 1)
            yield Remark(line, f"“{voice.key}” is declared and never speaks", "check the spelling of the name in the text")
    for line, name in doubtful(text):
        if looks_like_name(name) or re.match(r"(?:l[ae]|une?) \w+$|l[’']\w+$", name, re.I):
            hint = f'declare it, [voices."{name}"], if somebody is called so'
            yield Remark(line, f"“{name}” stands before a colon once, and is read as narration", hint)
    names = sorted(heard)
    for index, name in enumerate(names):
        for other in names[index + 1 :]:
            if _near(name, other):
                rare, known = sorted((name, other), key=lambda each: heard[each])
                yield Remark(lines[rare], f"“{rare}” is almost “{known}”", "write the name one way, if they are one voice")


def _near(name: str, other: str) -> bool:
    """Whether two names differ by a slip; « Voix 1 » and « Voix 2 » do not."""
    if re.sub(r"\d+", "", name) == re.sub(r"\d+", "", other):
        return False
    return name.casefold() == other.casefold() or difflib.SequenceMatcher(None, name, other).ratio() >= _NEAR


def _long(transcript: Transcript) -> Iterator[Remark]:
    """A paragraph that goes on and on: has a voice been missed in it?"""
    for block in transcript.blocks:
        if isinstance(block, Paragraph) and not block.voice and len(block.text) > _LONG_PARAGRAPH_CHARS:
            message = f"{len(block.text)} characters without a voice or an empty line"
            yield Remark(block.line, message, "cut it where the narrator breathes, or name who speaks")


def _never_closed(transcript: Transcript, language: str) -> Iterator[Remark]:
    """Narration that goes on inside an archive: `## Récit` was meant before it."""
    label, number = "", 0
    closed, _ = closed_parts(transcript.blocks, language)
    for place, block in enumerate(closed):
        if isinstance(block, Section) and block.line:
            label = block.label
        elif isinstance(block, Section):
            number = next((each.line for each in closed[place + 1 :] if not isinstance(each, (Section, Note))), 0)
            hint = f"put ## {block.label} before it, if the part has ended"
            yield Remark(_line(closed[place + 1], number), f"the narrator speaks in “{label}”", hint)


def _line(block: object, otherwise: int) -> int:
    return getattr(block, "line", 0) or otherwise


def _nearly_repeated(text: str, others: Mapping[str, str]) -> Iterator[Remark]:
    """Lines that are another episode's but for one word: credits and jingles are meant to be the same."""
    known: dict[tuple[str, ...], tuple[str, int, tuple[str, ...]]] = {}
    same: set[tuple[str, ...]] = set()
    for name, other in sorted(others.items()):
        for number, line in _body(other):
            words = _words(line)
            same.add(words)
            for short in _shorter(words):
                known.setdefault(short, (name, number, words))
    for number, line in _body(text):
        words = _words(line)
        found = None if words in same else next((known[short] for short in _shorter(words) if short in known), None)
        if found and (differing := _differing(words, found[2])):
            mine, theirs = differing
            message = f"one word from {found[0]}:{found[1]}: “{mine}” here, “{theirs}” there"
            yield Remark(number, message, "make them the same, if the sentence is")


def _words(line: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", line.casefold()))


def _shorter(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The line less any one of its words: two lines that share one of these differ by a word."""
    if len(words) >= _SHORTEST_REPEATED_WORDS:
        yield words
        yield from ((*words[:place], "", *words[place + 1 :]) for place in range(len(words)))
        yield from ((*words[:place], *words[place + 1 :]) for place in range(len(words)))


def _differing(words: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, str] | None:
    """What each line has in place of the other's, when it is one word at most and no number."""
    codes = [code for code in difflib.SequenceMatcher(None, words, other, autojunk=False).get_opcodes() if code[0] != "equal"]
    if len(codes) != 1:
        return None
    _, first, last, other_first, other_last = codes[0]
    mine, theirs = words[first:last], other[other_first:other_last]
    if max(len(mine), len(theirs)) > 1 or any(word.isdecimal() for word in (*mine, *theirs)):
        return None
    return " ".join(mine), " ".join(theirs)
