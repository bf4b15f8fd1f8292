"""`causerie review` and `report`: what a person looks at while working."""

from __future__ import annotations

from pathlib import Path

from pipeline.commands.workspace import load_show
from pipeline.model import CauserieError, Episode, Show
from pipeline.plan import published_transcript, work_path
from pipeline.web.review import ReviewSession, open_session


def draw_report(root: Path, show: Show, episode: Episode) -> tuple[Path, Path]:
    """Write an episode's audio report, with or without a transcript; returns the paths of the page and of its figures (JSON)."""
    from pipeline.web.report import write_report

    slug = episode.slug
    page, figures = (root / f".causerie/reports/{slug}.{form}" for form in ("html", "json"))
    names = ("sound.json", "edited.npz" if episode.cuts else "levels.npz", "encoded.json", "published.npz")
    edits = root / work_path(slug, "edits.json") if episode.cuts else None
    inputs = (sound, levels, encoded, curve) = tuple(root / work_path(slug, name) for name in names)
    for path in inputs:
        if not path.exists():
            raise CauserieError("its audio has not been built yet", f"episodes/{slug}", f"run causerie normalise {slug} first")
    timed, chapters = root / published_transcript(episode), root / f"feeds/{slug}.chapters.json"
    page.parent.mkdir(parents=True, exist_ok=True)
    write_report(
        sound=sound,
        levels=levels,
        encoded=encoded,
        curve=curve,
        timed=timed if timed.exists() else None,
        chapters=chapters if chapters.exists() else None,
        page=page,
        figures=figures,
        title=episode.info.title,
        slug=slug,
        language=show.info.language,
        edits=edits,
        names={key: person.name for key, person in show.people.items()},
    )
    return page, figures


def review_session(root: Path, slug: str) -> ReviewSession:
    """The session in which a person corrects an episode's transcript in the browser."""
    show = load_show(root, slugs=(slug,))
    title = next(episode.info.title for episode in show.episodes if episode.slug == slug)
    return open_session(root, slug, title, show.info.language, tuple(show.people))
