"""A first guide, from the corrected transcript: the machine proposes, the producer disposes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.drafts import stamp
from pipeline.files import write_whole
from pipeline.guide.labels import FAMILIES, fill, labels, templates
from pipeline.guide.quotes import Passage, sentences, spoken_words, tokens
from pipeline.guide.score import QUOTAS, Candidate, Topic, choose, kind, rank
from pipeline.guide.text import ITEM, QUOTE, TEXT, Guide, Line, Section, write
from pipeline.model import EpisodeInfo, ShowInfo, TimedTranscript
from pipeline.text import typographic
from pipeline.transcript.timed import read_timed

CANDIDATES, CLIPS, QUESTION_WORDS_MAX = 12, 4, 25
OWN_QUESTION_WORDS_MIN = 8
Material = dict[str, tuple[tuple[str, str], ...]]  # what a template is about, to the (voice, quote) it may insert
_PER_FAMILY = {"understand": 2, "relate": 1, "debate": 2, "imagine": 1, "act": 1}


def draft_guide(timed: Path, *, text: Path, show: ShowInfo, episode: EpisodeInfo) -> None:
    """Write the draft of `guides/<slug>.md`, stamped as the machine's until somebody changes it."""
    guide, notes = propose(read_timed(timed), show, episode)
    write_whole(text, stamp(write(guide, show.language, notes)))


def propose(timed: TimedTranscript, show: ShowInfo, episode: EpisodeInfo) -> tuple[Guide, dict[str, tuple[str, ...]]]:
    """A guide, and the notes that help to change it; what the transcript cannot feed is left out."""
    words = labels(show.language)
    every = sentences(spoken_words(timed))
    best = _candidates(every, timed, show, episode)
    kept = sorted(_balanced(best), key=lambda one: one.passage.first)
    own = own_questions(every)
    written = {
        "status": _status(timed, show),
        "goal": _goal(words, episode),
        "prepare": _lines(ITEM, words["draft"]["prepare"]),
        "before": _before(own, best, words, episode),
        "clips": _clips(kept, words),
        **_questions(own, kept, show.language, episode.number or 0),
        "words": _lines(TEXT, (f"{words['parts'][part]}{words['page']['colon']}{said}" for part, said in words["words"].items())),
        "stance": _lines(ITEM, words["draft"]["stance"]),
        "return": _lines(TEXT, words["draft"]["return"]),
    }
    sections = tuple(Section(key, _spaced(written[key], show.language)) for key in words["sections"] if written[key])
    return Guide(sections), _notes(words, [one for one in best if one not in kept])


def own_questions(every: Iterable[Passage]) -> tuple[Passage, ...]:
    """What the episode itself asks, scenes and archives left out; the narrator's first, and from the end, where they sum it up."""
    asks = (one for one in every if _asks(one) and len(one.text.split()) >= OWN_QUESTION_WORDS_MIN)
    asked = [one for one in asks if kind(one.turn.voice.role) in ("recit", "usagers")]
    return tuple(sorted(asked, key=lambda one: (kind(one.turn.voice.role) != "recit", -one.first)))


def question(family: str, material: Material, language: str, skip: int = 0) -> tuple[tuple[str, str, str], ...]:
    """A family's proposals `(text, follow-up, text inserted)`: those that quote first, then the plain ones, `skip` of them passed over.

    A question over 25 words is dropped.
    """
    quoting, plain = [], []
    for model in templates(language)[family]:
        about = model.get("about", "")
        for voice, quote in material.get(about, ()) if about else (("", ""),):
            asked = fill(model["text"], voice=voice, quote=quote)
            if len(re.findall(r"\w[\w’'-]*", asked)) <= QUESTION_WORDS_MAX:
                (quoting if about else plain).append((asked, model["follow_up"], quote))
    turned = skip % len(plain) if plain else 0
    return (*quoting, *plain[turned:], *plain[:turned])


def _candidates(every: tuple[Passage, ...], timed: TimedTranscript, show: ShowInfo, episode: EpisodeInfo) -> tuple[Candidate, ...]:
    names = {turn.voice.name for turn in timed.turns} | {credit.person.name for credit in (*show.credits, *episode.credits)}
    topic = Topic(show.language, f"{episode.title} {episode.spoken_title} {episode.summary}", show.title, tuple(sorted(names - {""})))
    ranked = rank(every, topic)
    first = choose(ranked, CANDIDATES, QUOTAS)
    rest = [one for one in ranked if one not in first]
    return (*first, *choose(rest, CANDIDATES - len(first), {"fiction": QUOTAS["fiction"]}))


def _balanced(best: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """The best of each kind of voice, then the best that are left."""
    one_each = choose(best, CLIPS, dict.fromkeys(QUOTAS, 1))
    return (*one_each, *[one for one in best if one not in one_each and one.kind != "fiction"][: CLIPS - len(one_each)])


def _status(timed: TimedTranscript, show: ShowInfo) -> tuple[Line, ...]:
    words = labels(show.language)["draft"]
    kinds = dict.fromkeys(turn.voice.role for turn in timed.turns if turn.voice.role)
    said = fill(words["kinds"], kinds=", ".join(kinds)) if kinds else ""
    return _lines(TEXT, filter(None, (show.status, said, words["caution"])))


def _goal(words: dict[str, Any], episode: EpisodeInfo) -> tuple[Line, ...]:
    return (Line(TEXT, fill(words["draft"]["goal"], title=_one_line(episode.title))), *_lines(ITEM, words["draft"]["outcomes"]))


def _before(own: tuple[Passage, ...], best: tuple[Candidate, ...], words: dict[str, Any], episode: EpisodeInfo) -> tuple[Line, ...]:
    """The framing question, the episode's own when it has one, and a listening brief for each kind of voice."""
    framing = own[0].text if own else fill(words["draft"]["framing"], title=_one_line(episode.title))
    kinds = [key for key in QUOTAS if any(one.kind == key for one in best)]
    briefs = [fill(words["draft"]["brief"], kind=words["draft"]["kind"][key]) for key in kinds]
    return (Line(TEXT, framing), *_lines(ITEM, briefs if len(briefs) > 1 else [words["draft"]["brief_all"]]))


def _clips(kept: Iterable[Candidate], words: dict[str, Any]) -> tuple[Line, ...]:
    intros = words["draft"]["intro"]
    said = ((fill(intros[one.kind], voice=_voice(one.passage, words)), _quoted(one.passage)) for one in kept)
    return tuple(line for intro, quote in said for line in (Line(TEXT, intro), Line(QUOTE, quote)))


def _questions(own: tuple[Passage, ...], kept: list[Candidate], language: str, skip: int) -> dict[str, tuple[Line, ...]]:
    """Questions by family; a text is inserted once in the whole guide, and the framing question is not asked again."""
    words = labels(language)
    lines_said = sorted((one for one in kept if one.kind != "fiction" and not _asks(one.passage)), key=lambda one: -one.score)
    statements = sorted(lines_said, key=lambda one: one.kind == "recit")
    material = {
        "question": tuple((_voice(one, words), one.text) for one in own[1:]),
        "quote": tuple(("", _bare(one.passage.text)) for one in lines_said),
        "statement": tuple(("", one.passage.text) for one in statements),
        "fiction": (("", ""),) * any(one.kind == "fiction" for one in kept),
    }
    used: set[str] = set()
    written = {}
    for family in ("debate", "relate", "understand", "imagine", "act"):  # who chooses a quote first: a debate needs it most
        lines: list[Line] = []
        for asked, follow_up, quote in question(family, material, language, skip):
            if len(lines) < 2 * _PER_FAMILY[family] and _bare(quote) not in used and not any(line.text == follow_up for line in lines):
                used |= {_bare(quote)} - {""}
                lines += [Line(TEXT, asked), Line(ITEM, follow_up)]
        written[family] = tuple(lines)
    return {family: written[family] for family in FAMILIES}


def _notes(words: dict[str, Any], others: Iterable[Candidate]) -> dict[str, tuple[str, ...]]:
    notes = {("" if key == "head" else key): tuple(said) for key, said in words["notes"].items() if key != "candidates"}
    rows = [f"> {line}" for one in others for line in [*_quoted(one.passage).split("\n"), ""]]
    return {**notes, "+clips": (*words["notes"]["candidates"], *(row.removesuffix("> ").rstrip() for row in rows))} if rows else notes


def _quoted(passage: Passage) -> str:
    """A passage as `>` lines, one a voice."""
    return "\n".join(_one_line(text) for _, text in passage.lines())


def _voice(passage: Passage, words: dict[str, Any]) -> str:
    voice = passage.turn.voice
    return voice.label or voice.name or words["draft"]["episode"]


def _asks(passage: Passage) -> bool:
    return passage.text.rstrip(' \u00a0\u202f»”"').endswith("?")


def _bare(text: str) -> str:
    """A sentence as it stands inside another: no final full stop."""
    return text.rstrip(" ").removesuffix(".") if not text.endswith("..") else text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _lines(kind_: str, texts: Iterable[str]) -> tuple[Line, ...]:
    return tuple(Line(kind_, _one_line(text)) for text in texts)


def _spaced(lines: tuple[Line, ...], language: str) -> tuple[Line, ...]:
    """The lines with their language's spaces, quotes line by line."""
    return tuple(
        Line(line.kind, "\n".join(typographic(text, language) for text in line.text.split("\n"))) for line in lines if tokens(line.text)
    )
