"""The values that the guide templates print. Texts already have their language's typographic spaces."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.errors import CauserieError
from pipeline.guide.formats import FORMATS_MIN, PARTS, Format, meeting, replayed
from pipeline.guide.labels import FAMILIES, Labels, fill, fold, known, labels
from pipeline.guide.quotes import Passage, played, tokens
from pipeline.guide.text import ITEM, QUOTE, TEXT, Guide, Question, clips, questions
from pipeline.guide.values import (
    AskingItem,
    ClipValues,
    ColophonValues,
    FormatColumn,
    GuideView,
    QuestionValues,
    SpeechValues,
    TimeValues,
    TitleValues,
    VoiceLine,
)
from pipeline.model import EpisodeInfo, GuideSettings, ShowInfo, TimedTranscript, Voice
from pipeline.roles import label
from pipeline.text import hms, typographic

HANDOUT_QUOTES = 4
HARVEST_ROWS = 11  # of 16 mm, one page


@dataclass(frozen=True)
class About:
    """The data of a guide document, besides the guide's own text."""

    show: ShowInfo
    episode: EpisodeInfo
    settings: GuideSettings
    timed: TimedTranscript
    chapters: tuple[tuple[float, str], ...]  # (start_s, title)

    @property
    def url(self) -> str:
        """The URL of the episode's page."""
        return f"{self.show.website}{self.episode.slug}/"


def view(guide: Guide, about: About) -> GuideView:
    """Return the values of guide and handout, ready for JSON. `CauserieError` for a quote not in the transcript or an unknown format."""
    words = labels(about.show.language)
    if about.settings.format_min not in FORMATS_MIN:
        wanted = ", ".join(map(str, FORMATS_MIN))
        raise CauserieError(f"guide.format_min is {about.settings.format_min}", "show.toml", f"use one of {wanted}")
    chosen = meeting(about.settings.format_min, about.timed.duration_s)
    found = _clips(guide, about)
    value: GuideView = {
        "language": known(about.show.language),
        "labels": words["page"],
        "headings": words["sections"],
        "families": {family: _questions(questions(guide, family), found, words["page"]) for family in FAMILIES},
        **_title(guide, about),
        "status": guide.texts("status"),
        "prepare": guide.texts("prepare"),
        "stance": guide.texts("stance"),
        "return": guide.texts("return"),
        "goal": guide.texts("goal", TEXT, QUOTE),
        "outcomes": guide.texts("goal", ITEM),
        "framing": guide.texts("before", TEXT, QUOTE),
        "brief": guide.texts("before", ITEM),
        "clips": found,
        "handout_clips": found[:HANDOUT_QUOTES],
        "formats": [_format(meeting(minutes, about.timed.duration_s), chosen) for minutes in FORMATS_MIN],
        "parts": [words["parts"][part] for part in PARTS],
        "order": _order(guide, chosen, words, found),
        "chapters": [{"at": hms(start), "title": title, "url": f"{about.url}#t={int(start)}"} for start, title in about.chapters],
        "harvest_rows": HARVEST_ROWS,
        **_colophon(about),
    }
    typeset: GuideView = each_text(value, lambda text: typographic(text, about.show.language))
    return typeset


def _title(guide: Guide, about: About) -> TitleValues:
    words, info = labels(about.show.language)["page"], about.episode
    return {
        "series": about.show.title,
        "number": fill(words["episode"], number=str(info.number)) if info.number is not None else "",
        "title": info.title,
        "spoken_title": fill(words["spoken_title"], title=info.spoken_title) if info.spoken_title not in ("", info.title) else "",
        "summary": info.summary,
        "duration": hms(about.timed.duration_s),
        "date": _date(about, words),
        "version": guide.version,
        "url": about.url,
        "slug": info.slug,
        "format_min": str(about.settings.format_min),
    }


def _date(about: About, words: Labels) -> str:
    at = about.episode.published
    day = words["first_day"] if at.day == 1 else str(at.day)
    return fill(words["date"], day=day, month=words["months"][at.month - 1], year=str(at.year))


def _clips(guide: Guide, about: About) -> list[ClipValues]:
    """Return each quote with its speakers, and the excerpt to play around it."""
    kept = clips(guide)
    places = played(((line.number, line.text) for _, line in kept), about.timed, f"guides/{about.episode.slug}.md")
    return [
        {"number": str(number), "intro": intro, **_said(said, about), **_times(around, about)}
        for number, ((intro, _), (said, around)) in enumerate(zip(kept, places, strict=True), start=1)
    ]


def _said(passage: Passage, about: About) -> SpeechValues:
    """Return the quote's lines with their voices, as in the transcript, and all names with their roles."""
    words = labels(about.show.language)["page"]
    lines: list[VoiceLine] = [{"voice": _name(voice, words), "text": text.rstrip(" ,;:")} for voice, text in passage.lines()]
    heard = [voice for voice, _ in passage.lines()]
    roles = ", ".join(dict.fromkeys(voice.role for voice in heard if voice.role and fold(voice.role) != fold(_name(voice, words))))
    names = ", ".join(dict.fromkeys(line["voice"] for line in lines))
    return {"lines": lines, "voice": fill(words["name_role"], name=names, role=roles) if roles else names}


def _name(voice: Voice, words: Labels) -> str:
    narrator: str = words["narrator"]
    return voice.label or voice.name or narrator


def _times(passage: Passage, about: About) -> TimeValues:
    """Return start and end of the excerpt in whole seconds, and its URL; empty when it has no times."""
    printed_s = passage.printed_s(about.timed.duration_s)
    if printed_s is None:
        return {"start": "", "end": "", "url": "", "seconds": 0}
    start, end = printed_s
    return {"start": hms(start), "end": hms(end), "url": f"{about.url}#t={start},{end}", "seconds": end - start}


def _questions(asked: tuple[Question, ...], found: list[ClipValues], words: Labels) -> list[QuestionValues]:
    """Return each question with its follow-ups, and the number of the clip it quotes, if any."""
    heard = {clip["number"]: " ".join(tokens(" ".join(line["text"] for line in clip["lines"]))) for clip in found}
    value: list[QuestionValues] = []
    for one in asked:
        quoted = [" ".join(tokens(match[0])) for match in re.finditer(r"«[^«»]+»|“[^“”]+”", one.text)]
        numbers = [number for number, text in heard.items() if any(f" {quote} " in f" {text} " for quote in quoted if quote)]
        clip = fill(words["in_clip"], number=numbers[0]) if numbers else ""
        value.append({"text": one.text, "follow_ups": one.follow_ups, "clip": clip})
    return value


def _format(one: Format, chosen: Format) -> FormatColumn:
    """Return a column of the table of formats; a dash where the meeting has no such part."""
    return {
        "total": str(one.total_min),
        "whole": one.whole,
        "chosen": one == chosen,
        "minutes": [str(one.minutes[part]) if part in one.minutes else "–" for part in PARTS],
    }


def _order(guide: Guide, chosen: Format, words: Labels, found: list[ClipValues]) -> list[AskingItem]:
    """Return the running order: start, duration, what to say, what to ask."""
    asked = _asked(guide, chosen)
    said = _words(guide, chosen, words, found)
    starts = chosen.starts_min()
    return [
        {
            "at": clock(starts[part]),
            "minutes": f"{minutes}\u00a0min",
            "part": words["parts"][part],
            "say": said[part],
            "ask": asked.get(part, []),
        }
        for part, minutes in chosen.minutes.items()
    ]


def clock(minutes: int) -> str:
    """Format minutes from the start of the meeting as `h:mm`: `1:05`."""
    return f"{minutes // 60}:{minutes % 60:02}"


def _words(guide: Guide, chosen: Format, words: Labels, found: list[ClipValues]) -> dict[str, str]:
    """Return what to say at each part: the guide's lines `Part : words`, and the built-in text for other parts.

    When the episode is too long for the meeting, the listening part starts with the clips that there is time to replay.
    """
    pairs = (line.partition(":") for line in guide.texts("words"))
    own = {fold(part): said.strip() for part, _, said in pairs if said.strip()}
    said = {part: own.get(fold(title), words["words"][part]) for part, title in words["parts"].items()}
    if chosen.whole:
        return said
    fitting = replayed([clip["seconds"] for clip in found if clip["url"]], chosen.minutes["listen"])
    numbers = ", ".join([clip["number"] for clip in found if clip["url"]][:fitting])
    heard = fill(words["page"]["heard_before"], numbers=numbers) if numbers else words["page"]["heard_before_only"]
    changed = fold(said["listen"]) != fold(words["words"]["listen"])
    return {**said, "listen": f"{heard} {said['listen']}" if changed else heard}


def _asked(guide: Guide, chosen: Format) -> dict[str, list[str]]:
    """Return the questions this format has time for, by part."""
    part_of = {"understand": "understand", "relate": "understand", "debate": "debate", "imagine": "imagine", "act": "harvest"}
    found: dict[str, list[str]] = {"before": list(guide.texts("before", TEXT, QUOTE)[:1])}
    for family in dict.fromkeys(chosen.families):
        texts = [one.text for one in questions(guide, family)[: chosen.families.count(family)]]
        found.setdefault(part_of[family], []).extend(texts)
    return found


def _colophon(about: About) -> ColophonValues:
    contact = about.settings.contact
    mail = "@" in contact and ":" not in contact
    people: dict[str, list[str]] = {}
    for credit in (*about.episode.credits, *about.show.credits):
        names = people.setdefault(label(credit.role, credit.group, about.show.language), [])
        names += [credit.person.name] if credit.person.name not in names else []
    return {
        "credits": [{"role": role, "people": names, "names": ", ".join(names)} for role, names in people.items()],
        "author": about.show.author,
        "license": about.show.license if " " in about.show.license else about.show.license.upper(),
        "copyright": about.show.copyright,
        "contact": contact,
        "contact_url": f"mailto:{contact}" if mail else contact if contact.startswith(("https://", "http://", "mailto:")) else "",
        "csv": labels(about.show.language)["page"]["csv_columns"],
    }


def each_text(value: Any, change: Callable[[str], str], key: str = "") -> Any:
    """Apply `change` to every text in the value, except URLs and machine-readable values; tuples become lists.

    `Any`: a value keeps its shape on every level, which Python's types cannot express.
    """
    if isinstance(value, str):
        return value if key in ("url", "contact_url", "contact", "slug", "csv", "language") else change(value)
    if isinstance(value, dict):
        return {name: each_text(one, change, name) for name, one in value.items()}
    return [each_text(one, change, key) for one in value] if isinstance(value, list | tuple) else value
