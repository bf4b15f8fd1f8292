"""The types of the values that guide templates and Word documents print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, final

from pipeline.guide.labels import Labels


class VoiceLine(TypedDict):
    """What one voice says in a quote."""

    voice: str
    text: str


class SpeechValues(TypedDict):
    """A quote's lines, and its speakers with their roles."""

    lines: Sequence[VoiceLine]
    voice: str


class TimeValues(TypedDict):
    """Start, end and URL of a clip; empty, and 0 seconds, when it has no times."""

    start: str
    end: str
    url: str
    seconds: int


class ClipValues(SpeechValues, TimeValues):
    """A clip to replay."""

    number: str
    intro: str


class QuestionValues(TypedDict):
    """A question, its follow-ups, and the clip it quotes, if any."""

    text: str
    follow_ups: Sequence[str]
    clip: str


class FormatColumn(TypedDict):
    """A column of the table of formats; `minutes` are by part, in the order of `PARTS`."""

    total: str
    whole: bool
    chosen: bool
    minutes: Sequence[str]


class AgendaItem(TypedDict):
    """A part of the running order."""

    at: str
    minutes: str
    part: str
    say: str


class AskingItem(AgendaItem):
    """A part of an episode's running order, with its questions, and whether clips are played in it."""

    ask: Sequence[str]
    has_clips: bool


class ChapterValues(TypedDict):
    """A chapter of the episode."""

    at: str
    title: str
    url: str


class CreditNames(TypedDict):
    """The people of a role, as one text."""

    role: str
    names: str


class CreditValues(CreditNames):
    """The people of a role."""

    people: Sequence[str]


class TitleValues(TypedDict):
    """The title block of a guide."""

    series: str
    number: str
    title: str
    spoken_title: str
    summary: str
    duration: str
    date: str
    version: str
    url: str
    slug: str
    format_min: str


class ColophonValues(TypedDict):
    """Credits, rights and contact."""

    credits: Sequence[CreditValues]
    author: str
    license: str
    copyright: str
    contact: str
    contact_url: str
    csv: str


# "return" is a Python keyword, which the class syntax does not allow
_AfterMeeting = TypedDict("_AfterMeeting", {"return": Sequence[str]})


@final
class GuideView(TitleValues, ColophonValues, _AfterMeeting):
    """The values of an episode's guide and handout."""

    language: str
    direction: str  # ltr | rtl
    labels: Labels
    headings: dict[str, str]
    families: dict[str, Sequence[QuestionValues]]
    status: Sequence[str]
    prepare: Sequence[str]
    stance: Sequence[str]
    goal: Sequence[str]
    outcomes: Sequence[str]
    framing: Sequence[str]
    brief: Sequence[str]
    clips: Sequence[ClipValues]
    handout_clips: Sequence[ClipValues]
    formats: Sequence[FormatColumn]
    parts: Sequence[str]
    order: Sequence[AskingItem]
    chapters: Sequence[ChapterValues]
    harvest_rows: int


class EpisodePage(TypedDict):
    """An episode's page in the guide of a series."""

    title: str
    spoken_title: str
    number: str
    duration: str
    date: str
    url: str
    summary: str
    status: Sequence[str]
    framing: Sequence[str]
    clips: Sequence[ClipValues]
    questions: Sequence[str]


class SessionValues(TypedDict):
    """The meeting over a series: its clips and its running order."""

    session_clips: Sequence[ClipValues]
    order: Sequence[AgendaItem]


class SeriesOwnValues(SessionValues):
    """The values of a series guide that are its own."""

    title: str
    status: Sequence[str]
    series_labels: Labels
    date: str
    version: str
    slug: str
    url: str
    format_min: str
    episodes: Sequence[EpisodePage]
    matrix: Sequence[Sequence[str]]
    formats: Sequence[str]
    credits: Sequence[CreditNames]


@final
class SeriesView(SeriesOwnValues):
    """The values of the guide of a series."""

    language: str
    direction: str  # ltr | rtl
    labels: Labels
    headings: dict[str, str]
    author: str
    license: str
    copyright: str
    contact: str
    contact_url: str
    csv: str
    harvest_rows: int
