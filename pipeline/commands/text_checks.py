"""What is to be corrected, or reread, in the transcripts, captions and guides of a show: a part of `causerie check`.

What was found in a text is kept until it changes, so that a second check of many hours of speech reads only what a person has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TypedDict

from pipeline.commands.directories import OWN_PACK, PACKAGES
from pipeline.engine import FileCache, is_unedited_draft, read_text, source_signature
from pipeline.feed.rules import ADVICE, Finding
from pipeline.guide import are_all_spoken, clip_quotes, guide_warnings, locate, missing_glyphs, parse_guide, spoken_words
from pipeline.model import CauserieError, Episode, Problems, Show, TimedTranscript, format_clock, pluralise, terminal_safe
from pipeline.transcript import (
    MAX_CPS,
    MAX_LINES,
    Transcript,
    UnreadableCue,
    build_turns,
    parse_transcript,
    spoken_paragraphs,
    stale_names,
    unreadable_cues,
)
from pipeline.transcript.freeform import LineIndex, LineKeys, line_keys, lint_transcript

ErrorValue = list[str]  # message, where, hint
AdviceValue = list[int | str]  # line, message, hint

_SOURCES = tuple(PACKAGES / name for name in ("transcript", "transcript/freeform", "guide", "model"))  # whose changes invalidate results
_SHOWN_PLACES = 5


class TranscriptFacts(TypedDict):
    """What is kept of a transcript; lists, as JSON has them."""

    errors: list[ErrorValue]
    advice: list[AdviceValue]
    names: list[AdviceValue]
    lines: list[LineKeys]
    digest: str
    is_draft: bool


class GuideFacts(TypedDict):
    """What is kept of a guide."""

    errors: list[ErrorValue]
    questions: list[AdviceValue]
    glyphs: list[AdviceValue]


class TextChecks:
    """The checks of a show's texts, each text read at most once."""

    def __init__(self, root: Path, show: Show, cache: FileCache) -> None:
        self._root, self._show, self._cache = root, show, cache
        self._transcripts: dict[str, TranscriptFacts | None] = {}
        self._people = {key: person.name for key, person in show.people.items()}
        self._version = f"{source_signature(*_SOURCES)} {_digest(*sorted(f'{key} {name}' for key, name in self._people.items()))}"

    def errors(self, episode: Episode) -> Iterator[CauserieError]:
        """The mistakes in an episode's transcript and guide, and the quotes of the guide that are not in the transcript."""
        transcript = self._transcript_facts(episode)
        guide = self._guide_facts(episode)
        if guide and not (transcript and transcript["errors"]):
            yield from (CauserieError(*each) for each in self._quote_errors(episode, transcript, guide))
        for facts in (transcript, guide):
            yield from (CauserieError(*each) for each in (facts["errors"] if facts else ()))

    def advice(self) -> Iterator[Finding]:
        """Passages of transcripts, captions and guides to reread; for a show without mistakes in its texts."""
        yield from self._transcript_advice()
        for episode in self._show.episodes:
            yield from self._caption_advice(episode)
            where, guide = f"guides/{episode.slug}.md", self._guide_facts(episode)
            for kind, rule in (("questions", "question"), ("glyphs", "glyph")):
                yield from _findings(rule, where, guide[kind] if guide else ())  # type: ignore[literal-required]  # two of its keys

    def is_draft(self, episode: Episode) -> bool:
        """Whether there is no transcript yet, or it is a draft that nobody has changed."""
        facts = self._transcript_facts(episode)
        return facts is None or facts["is_draft"]

    def _transcript_facts(self, episode: Episode) -> TranscriptFacts | None:
        where, language = f"transcripts/{episode.slug}.md", self._language(episode)
        path = self._root / where
        if where not in self._transcripts:
            read = partial(_read_transcript, path, where, language, self._people)
            is_there = path.is_file()
            self._transcripts[where] = (
                self._cache.get_or_compute(path, f"text {where}", f"{self._version} {language}", read) if is_there else None
            )
        return self._transcripts[where]

    def _guide_facts(self, episode: Episode) -> GuideFacts | None:
        where, language, summary = f"guides/{episode.slug}.md", self._language(episode), episode.info.summary
        path = self._root / where
        if not path.is_file():
            return None
        version = f"{self._version} {language} {_digest(summary, *self._show.guide.fonts)}"
        fonts = tuple(self._root / font for font in self._show.guide.fonts)
        return self._cache.get_or_compute(path, f"text {where}", version, lambda: _read_guide(path, where, language, summary, fonts))

    def _quote_errors(self, episode: Episode, transcript: TranscriptFacts | None, guide: GuideFacts) -> list[ErrorValue]:
        """The mistakes in quotes, kept until the guide or the transcript changes."""
        if transcript is None or guide["errors"]:
            return []
        where, language = f"guides/{episode.slug}.md", self._language(episode)
        path = self._root / where
        version = f"{self._version} {language} {transcript['digest']}"
        return self._cache.get_or_compute(
            path, f"quotes {where}", version, lambda: _find_quotes(path, where, self._parsed(episode), language)
        )

    def _parsed(self, episode: Episode) -> Transcript:
        where = f"transcripts/{episode.slug}.md"
        return _parse(read_text(self._root / where, where), where, tuple(self._people))

    def _transcript_advice(self) -> Iterator[Finding]:
        """Advice on each transcript: its own, and what an index of all the texts in its language finds in it."""
        by_language: dict[str, dict[str, TranscriptFacts]] = {}
        for episode in self._show.episodes:
            if facts := self._transcript_facts(episode):
                by_language.setdefault(self._language(episode), {})[f"transcripts/{episode.slug}.md"] = facts
        for texts in by_language.values():
            similar = self._near_duplicates(texts)
            for where, facts in texts.items():
                yield from _findings("transcript", where, sorted([*similar[where], *facts["advice"]], key=lambda each: int(each[0])))
                yield from _findings("name", where, facts["names"])

    def _near_duplicates(self, texts: Mapping[str, TranscriptFacts]) -> dict[str, list[AdviceValue]]:
        """Advice on lines that differ by one word from those of another text, kept until one of the texts changes."""
        version = f"{self._version} {_digest(*(facts['digest'] for facts in texts.values()), *texts)}"

        @cache
        def index() -> LineIndex:
            made = LineIndex(lambda name: read_text(self._root / name))
            for name in sorted(texts):
                made.add(name, texts[name]["lines"])
            return made

        def advice(name: str) -> list[AdviceValue]:
            return [[each.line, each.message, each.hint] for each in index().near_duplicates(name)]

        return {name: self._cache.get_or_compute(self._root / name, f"similar {name}", version, partial(advice, name)) for name in texts}

    def _caption_advice(self, episode: Episode) -> Iterator[Finding]:
        """Advice on captions that cannot be read: the built ones, and translations."""
        codes = ("", *(f"{code}." for code in self._show.speech.translate))
        for where in (f"transcripts/{episode.slug}.{name}" for name in (*(f"{code}vtt" for code in codes), "srt")):
            path = self._root / where
            if path.is_file():
                read = partial(_read_captions, path, where.endswith(".srt"))
                yield from _findings("captions", where, self._cache.get_or_compute(path, f"cues {where}", self._version, read))

    def _language(self, episode: Episode) -> str:
        return episode.info.language or self._show.info.language


def _read_transcript(path: Path, where: str, language: str, people: Mapping[str, str]) -> TranscriptFacts:
    """What is kept of a transcript."""
    try:
        text = read_text(path, where)
        transcript = _parse(text, where, tuple(people))
    except CauserieError as error:
        return {"errors": _error_values(error), "advice": [], "names": [], "lines": [], "digest": "", "is_draft": False}
    return {
        "errors": [],
        "advice": [[each.line, each.message, each.hint] for each in lint_transcript(text, where, language, transcript)],
        "names": list(_name_advice(text, transcript, people)),
        "lines": line_keys(text),
        "digest": _digest(text),
        "is_draft": is_unedited_draft(text),
    }


def _name_advice(text: str, transcript: Transcript, people: Mapping[str, str]) -> Iterator[AdviceValue]:
    """Voices whose front matter names a person otherwise than show.toml."""
    lines = text.split("\n")
    for key, message, hint in stale_names(transcript, people):
        number = next((number for number, line in enumerate(lines, 1) if "voices" in line and key in line), 1)
        yield [number, terminal_safe(message), terminal_safe(hint)]


@lru_cache(maxsize=1)
def _parse(text: str, where: str, people: tuple[str, ...]) -> Transcript:
    """The parsed text, kept for the quotes of its guide, which are checked next."""
    return parse_transcript(text, where, people)


def _read_guide(path: Path, where: str, language: str, summary: str, fonts: tuple[Path, ...]) -> GuideFacts:
    """What is kept of a guide."""
    try:
        text = read_text(path, where)
        guide = parse_guide(text, where)
    except CauserieError as error:
        return {"errors": _error_values(error), "questions": [], "glyphs": []}
    glyphs = "use another character, or ignore this advice if only the web page and Word files matter"
    return {
        "errors": [],
        "questions": [[line, message, "rewrite it, or ignore this advice"] for line, message in guide_warnings(guide, language, summary)],
        "glyphs": [[line, message, glyphs] for line, message in missing_glyphs(text, fonts)],
    }


def _find_quotes(guide: Path, where: str, transcript: Transcript, language: str) -> list[ErrorValue]:
    """The quotes of a guide that are not in the transcript, as errors."""
    quotes = [quote for _, quote in clip_quotes(parse_guide(read_text(guide), where))]
    if are_all_spoken((quote.text for quote in quotes), (paragraph.text for paragraph in spoken_paragraphs(transcript))):
        return []
    turns = tuple(each.turn for each in build_turns(transcript, language))
    spoken, errors = spoken_words(TimedTranscript(0.0, language, turns)), []
    for quote in quotes:
        try:
            locate(quote.text, spoken, f"{where}:{quote.number}")
        except CauserieError as error:
            errors += _error_values(error)
    return errors


def _read_captions(path: Path, is_srt: bool) -> list[AdviceValue]:
    """Advice on a caption file: on what is too fast, and on what is too tall. A file that is no text is reported by other rules.

    The times of SRT are those of WebVTT, where speed is reported.
    """
    found = tuple(unreadable_cues(path.read_text(encoding="utf-8", errors="replace")))
    fast = sorted((cue for cue in found if cue.is_fast and not is_srt), key=lambda cue: (-cue.chars_per_s, cue.line))
    tall = [cue for cue in found if cue.lines > MAX_LINES]
    advice: list[AdviceValue] = []
    if fast:
        message = f"nobody can read {pluralise(len(fast), 'caption')} of over {MAX_CPS:.0f} characters a second: "
        places = _places([(cue, f"{cue.chars_per_s:.0f}") for cue in fast])
        advice.append([fast[0].line, message + places, "check that those words are said there; an anchor @ in the transcript moves them"])
    if tall:
        message = f"{pluralise(len(tall), 'caption')} with more than {MAX_LINES} lines: "
        places = _places([(cue, f"{cue.lines} lines") for cue in tall])
        advice.append([tall[0].line, message + places, "break them in two, or build the captions again"])
    return advice


def _places(cues: Sequence[tuple[UnreadableCue, str]]) -> str:
    """Where cues are, and what each has: `1:05 (26), 2:30 (22) and 3 more`."""
    shown = ", ".join(f"{format_clock(cue.start_s)} ({what})" for cue, what in cues[:_SHOWN_PLACES])
    return f"{shown} and {len(cues) - _SHOWN_PLACES} more" if len(cues) > _SHOWN_PLACES else shown


def _findings(rule: str, where: str, advice: Iterable[AdviceValue]) -> Iterator[Finding]:
    return (Finding(ADVICE, OWN_PACK, rule, "", f"{where}:{line}", str(message), str(hint)) for line, message, hint in advice)


def _error_values(error: CauserieError) -> list[ErrorValue]:
    """An error, or several, as values that can be kept."""
    return [[each.message, each.where, each.hint] for each in (error.problems if isinstance(error, Problems) else (error,))]


def _digest(*texts: str) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()[:16]
