"""Draft a guide from the corrected transcript, for the producer to edit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pipeline.drafts import stamp, untouched
from pipeline.errors import CauserieError, Problems
from pipeline.files import read_text, write_whole
from pipeline.guide.asking import is_numbered, own_questions, voice_of, written
from pipeline.guide.labels import Labels, fill, labels
from pipeline.guide.quotes import Passage, sentences, spoken_words, tokens
from pipeline.guide.score import QUOTAS, Candidate, Elsewhere, Topic, choose, claims, elsewhere, rank
from pipeline.guide.suggest import suggested
from pipeline.guide.text import ITEM, QUOTE, TEXT, Guide, Line, Section, write
from pipeline.model import EpisodeInfo, GuideModel, ShowInfo, TimedTranscript
from pipeline.text import hms, typographic
from pipeline.transcript.grammar import parse
from pipeline.transcript.timed import read_timed
from pipeline.transcript.turns import NARRATION, turns

CANDIDATES, CLIPS = 12, 4
NOBODY_ELSE = Elsewhere()


def draft_guide(
    timed: Path,
    *,
    text: Path,
    show: ShowInfo,
    episode: EpisodeInfo,
    others: tuple[str, ...] = (),
    model: GuideModel | None = None,
    asked: str = "",
) -> None:
    """Write the draft of `guides/<slug>.md`, stamped as a draft until it is edited.

    `others` are the transcripts of the show's other episodes, relative to its folder; the corrected ones are the background against
    which this episode's topics are found. `model` may suggest other clips and questions; its answers are cached in the folder
    `asked`, beside `timed`.
    """
    folder, heard = timed.parents[2] if others else timed.parent, read_timed(timed)
    guide, notes = propose(heard, show, episode, _elsewhere([folder / each for each in others], show.language))
    if model and model.endpoint:
        guide, told = suggested(guide, sentences(spoken_words(heard)), model, show.language, timed.parent / asked if asked else None)
        notes = {**notes, "": (*notes[""], told)}
    write_whole(text, stamp(write(guide, show.language, notes)))


def propose(
    timed: TimedTranscript, show: ShowInfo, episode: EpisodeInfo, other: Elsewhere = NOBODY_ELSE
) -> tuple[Guide, dict[str, tuple[str, ...]]]:
    """Return a guide and its `%%` comments for editors; sections without material are left out."""
    words = labels(show.language)
    every = sentences(spoken_words(timed))
    best = _candidates(every, timed, show, episode, other)
    kept = sorted(_balanced(best, show.language), key=lambda one: one.passage.first)
    own = own_questions(every, show.language)
    found = {
        "status": _status(timed, show),
        "goal": _goal(words, episode),
        "prepare": _lines(ITEM, words["draft"]["prepare"]),
        "before": _before(own, best, words, episode),
        "clips": _clips(kept, show.language),
        **written(own, kept, show.language, episode.number or 0),
        "words": _lines(TEXT, (f"{words['parts'][part]}{words['page']['colon']}{said}" for part, said in words["words"].items())),
        "stance": _lines(ITEM, words["draft"]["stance"]),
        "return": _lines(TEXT, words["draft"]["return"]),
    }
    sections = tuple(Section(key, _spaced(found[key], show.language)) for key in words["sections"] if found[key])
    return Guide(sections), _notes(show.language, best, kept)


def _elsewhere(paths: Iterable[Path], language: str) -> Elsewhere:
    """Load the other episodes' sentences: corrected transcripts only, which no build step changes."""
    heard = []
    for path in paths:
        try:
            text = read_text(path) if path.is_file() else ""
            if text and not untouched(text):
                said = turns(parse(text), language)
                heard.append(sentences(spoken_words(TimedTranscript(0.0, language, tuple(each.turn for each in said)))))
        except (CauserieError, Problems):
            continue  # reported when that episode is built
    return elsewhere(heard, language)


def _candidates(
    every: tuple[Passage, ...], timed: TimedTranscript, show: ShowInfo, episode: EpisodeInfo, other: Elsewhere
) -> tuple[Candidate, ...]:
    names = {turn.voice.name for turn in timed.turns} | {credit.person.name for credit in (*show.credits, *episode.credits)}
    about = f"{episode.title} {episode.spoken_title} {episode.summary}"
    ranked = rank(every, Topic(show.language, about, show.title, tuple(sorted(names - {""})), other))
    first = choose(ranked, CANDIDATES, QUOTAS)
    return (*first, *choose(ranked, CANDIDATES - len(first), {"fiction": QUOTAS["fiction"] - _count(first, "fiction")}, first))


def _count(chosen: Iterable[Candidate], kind: str) -> int:
    return sum(one.kind == kind for one in chosen)


def _balanced(best: tuple[Candidate, ...], language: str) -> tuple[Candidate, ...]:
    """Select the best candidate of each kind of voice, then the best of the rest; add a debatable claim if none is among them."""
    one_each = choose(best, CLIPS, dict.fromkeys(QUOTAS, 1))
    rest = [one for one in best if one not in one_each and one.kind != "fiction"]
    kept = (*one_each, *rest[: CLIPS - len(one_each)])
    arguable = [one for one in best if one.kind != "fiction" and claims(one.passage, language)]
    return kept if not arguable or any(one in arguable for one in kept) else (*kept, arguable[0])


def _status(timed: TimedTranscript, show: ShowInfo) -> tuple[Line, ...]:
    words = labels(show.language)["draft"]
    kinds = dict.fromkeys(turn.voice.role for turn in timed.turns if turn.voice.role)
    only_narrated = [*kinds] == [NARRATION.get(show.language[:2], "narration")]  # not worth printing
    said = fill(words["kinds"], kinds=", ".join(kinds)) if kinds and not only_narrated else ""
    return _lines(TEXT, filter(None, (show.status, said, words["caution"])))


def _goal(words: Labels, episode: EpisodeInfo) -> tuple[Line, ...]:
    return (Line(TEXT, fill(words["draft"]["goal"], title=_quotable(episode.title))), *_lines(ITEM, words["draft"]["outcomes"]))


def _before(own: tuple[Passage, ...], best: tuple[Candidate, ...], words: Labels, episode: EpisodeInfo) -> tuple[Line, ...]:
    """Return the framing question, from the episode when it has one, and what each group listens for."""
    framing = own[0].text if own else fill(words["draft"]["framing"], title=_quotable(episode.title))
    briefs = [brief for key, brief in words["draft"]["brief"].items() if any(one.kind == key for one in best)]
    return (Line(TEXT, framing), *_lines(ITEM, briefs if len(briefs) > 1 else [words["draft"]["brief_all"]]))


def _clips(kept: Iterable[Candidate], language: str) -> tuple[Line, ...]:
    """Return each quote under a line that introduces its source; no introduction is used twice."""
    intros, seen = labels(language)["draft"]["intro"], Counter[str]()
    lines: list[Line] = []
    for one in kept:
        voice = one.passage.turn.voice
        kind = "usagers" if voice.name and not voice.role else one.kind  # a named voice without a role is not the narrator
        intro = intros[kind][seen[kind] % len(intros[kind])]
        seen[kind] += 1
        lines += [Line(TEXT, _one_line(fill(intro, **_origin(one.passage, language)))), Line(QUOTE, _quoted(one.passage))]
    return tuple(lines)


def _origin(passage: Passage, language: str) -> dict[str, str]:
    """Return the names of an excerpt's section (as in the transcript) and voice, as template values."""
    turn = passage.turn
    section = turn.section or turn.voice.role.capitalize()
    return {"section": section, "voice": section if is_numbered(turn.voice.name) and section else voice_of(passage, language)}


def _notes(language: str, best: tuple[Candidate, ...], kept: list[Candidate]) -> dict[str, tuple[str, ...]]:
    """Return comments for editors: help on each section, and the candidates not chosen, by rank, with voice and time."""
    words = labels(language)
    notes = {("" if key == "head" else key): tuple(said) for key, said in words["notes"].items() if key != "candidates"}
    rows: list[str] = []
    for number, one in enumerate(best, 1):
        if one not in kept:
            rows += ["", f"{number}. {_heard(one.passage, language)}", *(f"> {line}" for line in _quoted(one.passage).split("\n"))]
    return {**notes, "+clips": (*words["notes"]["candidates"], *(row.rstrip() for row in rows))} if rows else notes


def _heard(passage: Passage, language: str) -> str:
    """Return name, role and time: « Nadia Oumarou (entretien), 1:05 »."""
    voice = passage.turn.voice
    name = voice.label or voice.name or labels(language)["page"]["narrator"]
    role = f" ({voice.role})" if voice.role and voice.name else ""
    return _one_line(f"{name}{role}, {hms(passage.start_s)}" if passage.start_s is not None else f"{name}{role}")


def _quoted(passage: Passage) -> str:
    """Return an excerpt as lines, one per voice, for a `>` quote."""
    return "\n".join(_one_line(text) for _, text in passage.lines())


def _quotable(title: str) -> str:
    """Return a title for use between guillemets: its own guillemets become inner quotation marks."""
    return re.sub(r"«\s*([^«»]*?)\s*»", r"“\1”", _one_line(title))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _lines(kind_: str, texts: Iterable[str]) -> tuple[Line, ...]:
    return tuple(Line(kind_, _one_line(text)) for text in texts)


def _spaced(lines: tuple[Line, ...], language: str) -> tuple[Line, ...]:
    """Apply the language's typographic spaces, quotes line by line."""
    return tuple(
        Line(line.kind, "\n".join(typographic(text, language) for text in line.text.split("\n"))) for line in lines if tokens(line.text)
    )
