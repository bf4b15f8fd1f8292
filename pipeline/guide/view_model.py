"""The values that the guide templates print. Texts already have their language's typographic spaces."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.guide.agenda import FORMATS_MIN, PARTS, MeetingFormat, count_replayable, meeting_format
from pipeline.guide.document import ITEM, QUOTE, TEXT, Guide, Question, clip_quotes, family_questions
from pipeline.guide.labels import FAMILIES, Labels, fill, fold, load_labels, supported_language
from pipeline.guide.quotes import Excerpt, locate_clips, tokens
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
from pipeline.model import (
    CauserieError,
    EpisodeInfo,
    GuideSettings,
    ShowInfo,
    TimedTranscript,
    Voice,
    apply_typography,
    format_clock,
    role_label,
    text_direction,
)
from pipeline.transcript import review_notice

HANDOUT_QUOTES = 4
HARVEST_ROWS = 11  # of 16 mm, one page
_PARTS_WITH_CLIPS = frozenset({"listen", "understand", "debate"})


@dataclass(frozen=True)
class GuideContext:
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


def build_view(guide: Guide, context: GuideContext) -> GuideView:
    """Return the values of guide and handout, ready for JSON. `CauserieError` for a quote not in the transcript or an unknown format."""
    words = load_labels(context.show.language)
    if context.settings.format_min not in FORMATS_MIN:
        wanted = ", ".join(map(str, FORMATS_MIN))
        raise CauserieError(f"guide.format_min is {context.settings.format_min}", "show.toml", f"use one of {wanted}")
    chosen = meeting_format(context.settings.format_min, context.timed.duration_s)
    found_clips = _clip_values(guide, context)
    value: GuideView = {
        "language": supported_language(context.show.language),
        "direction": text_direction(context.show.language),
        "labels": words["page"],
        "headings": words["sections"],
        "families": {family: _question_values(family_questions(guide, family), found_clips, words["page"]) for family in FAMILIES},
        **_title_values(guide, context),
        "status": (*guide.texts("status"), *_review_notice(context)),
        "prepare": guide.texts("prepare"),
        "stance": guide.texts("stance"),
        "return": guide.texts("return"),
        "goal": guide.texts("goal", TEXT, QUOTE),
        "outcomes": guide.texts("goal", ITEM),
        "framing": guide.texts("before", TEXT, QUOTE),
        "brief": guide.texts("before", ITEM),
        "clips": found_clips,
        "handout_clips": found_clips[:HANDOUT_QUOTES],
        "formats": [_format_row(meeting_format(minutes, context.timed.duration_s), chosen) for minutes in FORMATS_MIN],
        "parts": [words["parts"][part] for part in PARTS],
        "order": _running_order(guide, chosen, words, found_clips),
        "chapters": [
            {"at": format_clock(start), "title": title, "url": f"{context.url}#t={int(start)}"} for start, title in context.chapters
        ],
        "harvest_rows": HARVEST_ROWS,
        **_imprint(context),
    }
    typeset: GuideView = map_text(value, lambda text: apply_typography(text, context.show.language))
    return typeset


def _review_notice(context: GuideContext) -> tuple[str, ...]:
    """The sentence that warns of quotes from a text that nobody has checked."""
    review = context.timed.review
    return (f"{review_notice(review, context.show.language)}.",) if review.is_unchecked else ()


def _title_values(guide: Guide, context: GuideContext) -> TitleValues:
    words, info = load_labels(context.show.language)["page"], context.episode
    return {
        "series": context.show.title,
        "number": fill(words["episode"], number=str(info.number)) if info.number is not None else "",
        "title": info.title,
        "spoken_title": fill(words["spoken_title"], title=info.spoken_title) if info.spoken_title not in ("", info.title) else "",
        "summary": info.summary,
        "duration": format_clock(context.timed.duration_s),
        "date": _format_date(context, words),
        "version": guide.version,
        "url": context.url,
        "slug": info.slug,
        "format_min": str(context.settings.format_min),
    }


def _format_date(context: GuideContext, words: Labels) -> str:
    at = context.episode.published
    day = words["first_day"] if at.day == 1 else str(at.day)
    return fill(words["date"], day=day, month=words["months"][at.month - 1], year=str(at.year))


def _clip_values(guide: Guide, context: GuideContext) -> list[ClipValues]:
    """Return each quote with its speakers, and the excerpt to play around it."""
    quotes = clip_quotes(guide)
    located = locate_clips(((line.number, line.text) for _, line in quotes), context.timed, f"guides/{context.episode.slug}.md")
    return [
        {"number": str(number), "intro": intro, **_speech_values(quote, context), **_time_values(played, context)}
        for number, ((intro, _), (quote, played)) in enumerate(zip(quotes, located, strict=True), start=1)
    ]


def _speech_values(excerpt: Excerpt, context: GuideContext) -> SpeechValues:
    """Return the quote's lines with their voices, as in the transcript, and all names with their roles."""
    words = load_labels(context.show.language)["page"]
    lines: list[VoiceLine] = [{"voice": _voice_name(voice, words), "text": text.rstrip(" ,;:")} for voice, text in excerpt.voice_lines()]
    voices = [voice for voice, _ in excerpt.voice_lines()]
    roles = ", ".join(dict.fromkeys(voice.role for voice in voices if voice.role and fold(voice.role) != fold(_voice_name(voice, words))))
    names = ", ".join(dict.fromkeys(line["voice"] for line in lines))
    return {"lines": lines, "voice": fill(words["name_role"], name=names, role=roles) if roles else names}


def _voice_name(voice: Voice, words: Labels) -> str:
    narrator: str = words["narrator"]
    return voice.label or voice.name or narrator


def _time_values(excerpt: Excerpt, context: GuideContext) -> TimeValues:
    """Return start and end of the excerpt in whole seconds, and its URL; empty when it has no times."""
    printed_s = excerpt.displayed_s(context.timed.duration_s)
    if printed_s is None:
        return {"start": "", "end": "", "url": "", "seconds": 0}
    start, end = printed_s
    return {"start": format_clock(start), "end": format_clock(end), "url": f"{context.url}#t={start},{end}", "seconds": end - start}


def _question_values(family_questions: tuple[Question, ...], found_clips: list[ClipValues], words: Labels) -> list[QuestionValues]:
    """Return each question with its follow-ups, and the number of the clip it quotes, if any."""
    clip_texts = {clip["number"]: " ".join(tokens(" ".join(line["text"] for line in clip["lines"]))) for clip in found_clips}
    value: list[QuestionValues] = []
    for one in family_questions:
        quoted = [" ".join(tokens(match[0])) for match in re.finditer(r"«[^«»]+»|“[^“”]+”", one.text)]
        numbers = [number for number, text in clip_texts.items() if any(f" {quote} " in f" {text} " for quote in quoted if quote)]
        clip = fill(words["in_clip"], number=numbers[0]) if numbers else ""
        value.append({"text": one.text, "follow_ups": one.follow_ups, "clip": clip})
    return value


def _format_row(meeting: MeetingFormat, chosen: MeetingFormat) -> FormatColumn:
    """Return a column of the table of formats; a dash where the meeting has no such part."""
    return {
        "total": str(meeting.total_min),
        "whole": meeting.plays_full_episode,
        "chosen": meeting == chosen,
        "minutes": [str(meeting.minutes[part]) if part in meeting.minutes else "–" for part in PARTS],
    }


def _running_order(guide: Guide, chosen: MeetingFormat, words: Labels, found_clips: list[ClipValues]) -> list[AskingItem]:
    """Return the running order: start, duration, what to say, what to ask."""
    questions_by_part = _questions_by_part(guide, chosen)
    scripts = _scripts(guide, chosen, words, found_clips)
    starts = chosen.starts_min()
    return [
        {
            "at": format_meeting_time(starts[part]),
            "minutes": f"{minutes}\u00a0min",
            "part": words["parts"][part],
            "say": scripts[part],
            "ask": questions_by_part.get(part, []),
            "has_clips": part in _PARTS_WITH_CLIPS,
        }
        for part, minutes in chosen.minutes.items()
    ]


def format_meeting_time(minutes: int) -> str:
    """Format minutes from the start of the meeting as `h:mm`: `1:05`."""
    return f"{minutes // 60}:{minutes % 60:02}"


def _scripts(guide: Guide, chosen: MeetingFormat, words: Labels, found_clips: list[ClipValues]) -> dict[str, str]:
    """Return what to say at each part: the guide's lines `Part : words`, and the built-in text for other parts.

    When the episode is too long for the meeting, the listening part starts with the clips that there is time to replay.
    """
    pairs = (line.partition(":") for line in guide.texts("words"))
    own_scripts = {fold(part): scripts.strip() for part, _, scripts in pairs if scripts.strip()}
    said = {part: own_scripts.get(fold(title), words["words"][part]) for part, title in words["parts"].items()}
    if chosen.plays_full_episode:
        return said
    replay_count = count_replayable([clip["seconds"] for clip in found_clips if clip["url"]], chosen.minutes["listen"])
    numbers = ", ".join([clip["number"] for clip in found_clips if clip["url"]][:replay_count])
    before_text = fill(words["page"]["heard_before"], numbers=numbers) if numbers else words["page"]["heard_before_only"]
    changed = fold(said["listen"]) != fold(words["words"]["listen"])
    return {**said, "listen": f"{before_text} {said['listen']}" if changed else before_text}


def _questions_by_part(guide: Guide, chosen: MeetingFormat) -> dict[str, list[str]]:
    """Return the questions this format has time for, by part."""
    part_of = {"understand": "understand", "relate": "understand", "debate": "debate", "imagine": "imagine", "act": "harvest"}
    found: dict[str, list[str]] = {"before": list(guide.texts("before", TEXT, QUOTE)[:1])}
    for family in dict.fromkeys(chosen.families):
        texts = [one.text for one in family_questions(guide, family)[: chosen.families.count(family)]]
        found.setdefault(part_of[family], []).extend(texts)
    return found


def _imprint(context: GuideContext) -> ColophonValues:
    contact = context.settings.contact
    mail = "@" in contact and ":" not in contact
    people: dict[str, list[str]] = {}
    for credit in (*context.episode.credits, *context.show.credits):
        names = people.setdefault(role_label(credit.role, credit.group, context.show.language), [])
        names += [credit.person.name] if credit.person.name not in names else []
    return {
        "credits": [{"role": role, "people": names, "names": ", ".join(names)} for role, names in people.items()],
        "author": context.show.author,
        "license": context.show.license if " " in context.show.license else context.show.license.upper(),
        "copyright": context.show.copyright,
        "contact": contact,
        "contact_url": f"mailto:{contact}" if mail else contact if contact.startswith(("https://", "http://", "mailto:")) else "",
        "csv": load_labels(context.show.language)["page"]["csv_columns"],
    }


def map_text(value: Any, change: Callable[[str], str], key: str = "") -> Any:
    """Apply `change` to every text in the value, except URLs and machine-readable values; tuples become lists.

    `Any`: a value keeps its shape on every level, which Python's types cannot express.
    """
    if isinstance(value, str):
        return value if key in ("url", "contact_url", "contact", "slug", "csv", "language") else change(value)
    if isinstance(value, dict):
        return {name: map_text(one, change, name) for name, one in value.items()}
    return [map_text(one, change, key) for one in value] if isinstance(value, list | tuple) else value
