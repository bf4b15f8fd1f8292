"""The guide of a series: one page per episode, and one meeting over all of them."""

from __future__ import annotations

from pathlib import Path

from pipeline.engine import read_text, write_atomic
from pipeline.guide.agenda import FORMATS_MIN, SERIES_CLIPS, SERIES_MIN, series_minutes, starts_min
from pipeline.guide.document import parse_guide
from pipeline.guide.labels import FAMILIES, Labels, fill, load_labels
from pipeline.guide.render import render_html, render_pdf
from pipeline.guide.values import AgendaItem, ClipValues, CreditNames, EpisodePage, GuideView, SeriesOwnValues, SeriesView, SessionValues
from pipeline.guide.view_model import GuideContext, build_view, format_meeting_time, map_text
from pipeline.model import EpisodeInfo, GuideSettings, ShowInfo, apply_typography
from pipeline.transcript import read_chapters, read_timed

EPISODE_CLIPS, EPISODE_QUESTIONS = 2, 3


def render_series_guide(
    texts: tuple[Path, ...],
    timed: tuple[Path, ...],
    chapters: tuple[Path, ...],
    *,
    series_pdf: Path,
    series_html: Path,
    show: ShowInfo,
    episodes: tuple[EpisodeInfo, ...],
    guide: GuideSettings,
    fonts: tuple[Path, ...] = (),
) -> None:
    """Write the guide of the series; `texts`, `timed` and `chapters` are those of `episodes`, in their order."""
    views = []
    for episode, text, words, marks in zip(episodes, texts, timed, chapters, strict=True):
        location = f"guides/{episode.slug}.md"
        context = GuideContext(show, episode, guide, read_timed(words), tuple((each.start_s, each.title) for each in read_chapters(marks)))
        views.append(build_view(parse_guide(read_text(text, location), location), context))
    value = build_series_view(views, show)
    write_atomic(series_pdf, render_pdf("series.typ", value, int(max(episode.published for episode in episodes).timestamp()), fonts=fonts))
    write_atomic(series_html, render_html("series.html.j2", value))


def build_series_view(views: list[GuideView], show: ShowInfo) -> SeriesView:
    """Return the values of the series guide from those of its episodes (at least one), ready for JSON."""
    words, last = load_labels(show.language), views[-1]
    own: SeriesOwnValues = {
        "title": show.title,
        "status": (show.status,) if show.status else (),
        "series_labels": words["series"],
        "date": last["date"],
        "version": "",
        "slug": "",
        "url": show.website,
        "format_min": str(SERIES_MIN),
        "episodes": [_episode_page(one) for one in views],
        "matrix": [_matrix_row(one) for one in views],
        "formats": [str(minutes) for minutes in FORMATS_MIN],
        "credits": _merge_credits(views),
        **_session(views, words),
    }
    typeset: SeriesOwnValues = map_text(own, lambda text: apply_typography(text, show.language))
    return {
        "language": last["language"],
        "direction": last["direction"],
        "labels": last["labels"],
        "headings": last["headings"],
        "author": last["author"],
        "license": last["license"],
        "copyright": last["copyright"],
        "contact": last["contact"],
        "contact_url": last["contact_url"],
        "csv": last["csv"],
        "harvest_rows": last["harvest_rows"],
        **typeset,
    }


def _episode_page(one: GuideView) -> EpisodePage:
    """Return the values of an episode's page: summary, framing question, clips, and questions of the first families."""
    asked = [questions[0]["text"] for family in FAMILIES if (questions := one["families"][family])]
    return {
        "title": one["title"],
        "spoken_title": one["spoken_title"],
        "number": one["number"],
        "duration": one["duration"],
        "date": one["date"],
        "url": one["url"],
        "summary": one["summary"],
        "status": one["status"],
        "framing": one["framing"][:1],
        "clips": one["clips"][:EPISODE_CLIPS],
        "questions": asked[:EPISODE_QUESTIONS],
    }


def _matrix_row(one: GuideView) -> list[str]:
    """Return an episode's row in the table of formats: played in the meeting, or clips only."""
    words = one["labels"]
    return [one["title"], *(words["played"] if form["whole"] else words["clips_only"] for form in one["formats"])]


def _session(views: list[GuideView], words: Labels) -> SessionValues:
    """Return the meeting over the series: clips of at most `SERIES_CLIPS` episodes, spread evenly, and the running order."""
    playable = [one for one in views if one["clips"] and one["clips"][0]["url"]]
    step = max(1, -(-len(playable) // SERIES_CLIPS))
    picked: list[ClipValues] = [{**one["clips"][0], "number": str(i), "intro": one["title"]} for i, one in enumerate(playable[::step], 1)]
    minutes = series_minutes(sum(clip["seconds"] for clip in picked))
    starts, scripts = starts_min(minutes), words["series"]["words"]
    parts = {**words["parts"], **words["series"]["parts"]}
    order: list[AgendaItem] = [
        {
            "at": format_meeting_time(starts[part]),
            "minutes": f"{lasts}\u00a0min",
            "part": parts[part],
            "say": fill(scripts[part], clips=str(len(picked))),
        }
        for part, lasts in minutes.items()
    ]
    return {"session_clips": picked, "order": order}


def _merge_credits(views: list[GuideView]) -> list[CreditNames]:
    """Merge the credits of all episodes; each name is listed once per role."""
    people: dict[str, dict[str, None]] = {}
    for one in views:
        for credit in one["credits"]:
            people.setdefault(credit["role"], {}).update(dict.fromkeys(credit["people"]))
    return [{"role": role, "names": ", ".join(names)} for role, names in people.items()]
