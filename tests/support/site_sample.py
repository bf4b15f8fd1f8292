"""A small published show for the tests of the pages: two episodes, a real MP3, a file of every role."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from pipeline.commands.build import TARGET_STEPS
from pipeline.engine.files import write_json
from pipeline.engine.step import Step, execute_step
from pipeline.model.audio import Mix
from pipeline.model.show import Credit, Episode, EpisodeInfo, Person, Show, ShowInfo
from pipeline.model.site import SiteSettings
from pipeline.model.transcript import TimedTranscript, Turn, Voice, Word
from pipeline.plan import plan_steps, work_path
from pipeline.publish.release import SERIES_RELEASE, Release, ReleaseFile, write_release
from pipeline.transcript.timed_json import write_timed

NORA = Person("nora", "Nora Belkacem", "https://example.org/nora")
MALIK = Person("malik", "Malik Aubry", "javascript:alert(1)")
SHOW = ShowInfo(
    title="Demain, le guichet",
    description="Trois épisodes sur l'attente.",
    author="Atelier du Val-d'Orne",
    website="https://guichet.example/podcast/",
    cover_alt="Un guichet éclairé",
    status="Fiction documentaire",
    credits=(Credit(NORA, "Host", "Cast"),),
)
FIRST = EpisodeInfo(
    slug="01-la-file",
    title="La file d'attente",
    summary="On prend un ticket : et après ?",
    published=datetime(2026, 9, 1, 6, tzinfo=timezone(timedelta(hours=2))),
    number=1,
    description="Premier paragraphe.\n\nSecond paragraphe.",
    credits=(Credit(NORA, "Host", "Cast"), Credit(MALIK, "Guest", "Cast"), Credit(NORA, "Audio Editor", "Audio Post-Production")),
)
SECOND = replace(FIRST, slug="02-la-voix", title="Une voix", published=FIRST.published + timedelta(days=8), number=2)
CHAPTERS = ((0, "Le récit"), (10, "Une archive"), (30, "Micro-trottoir !"))
DURATION_S = 60.0
PLAIN = SiteSettings()
FAR_FUTURE = datetime(2100, 1, 1, tzinfo=UTC)
_FILES = {
    "light": ("{slug}/{slug}-b.opus", "audio/ogg"),
    "card": ("{slug}/card-e.png", "image/png"),
    **{f"transcript_{form}": (f"{{slug}}/transcript-c.{form}", "text/plain") for form in ("vtt", "srt", "json", "html", "txt")},
    **{f"guide_{form.replace('.', '_')}": (f"guides/{{slug}}.{form}", "text/html") for form in ("facilitator.pdf", "handout.html")},
}


NARRATOR, REPORTER = Voice("", "récit", "nora"), Voice("Le reporter", "archive")
CLERK = Voice("Odile", "archive", label="Odile Ferrand, guichetière")


def make_turn(text: str, start_s: float | None, voice: Voice = NARRATOR, section: str = "") -> Turn:
    """A turn with the words of `text`, half a second each."""
    spoken = text.split()
    times = [(None, None) if start_s is None else (start_s + i / 2, start_s + i / 2 + 0.4) for i in range(len(spoken))]
    return Turn(voice, tuple(Word(word, *time) for word, time in zip(spoken, times, strict=True)), section)


TURNS = (
    make_turn("Bonjour, vous écoutez l'épisode.", 1.2),
    make_turn("[musique]", 9.5, Voice("")),
    make_turn("« Madame, combien de personnes ?", 10.2, REPORTER, "Archive : 1978"),
    make_turn("Une soixantaine, été compris.", 13.6, CLERK, "Archive : 1978"),
    make_turn("Et après ? [rires] Bien sûr.", 16.1, REPORTER, "Archive : 1978"),
    make_turn("Je reviens.", 16.8, CLERK, "Archive : 1978"),
    make_turn("Moi, j'attends.", 31.0, Voice("Le passant", "micro-trottoir"), "micro-trottoir !"),
    make_turn("Une phrase que personne n'a placée.", None),
)


@dataclass(frozen=True)
class PublishedSample:
    """The published tree, the folder of the steps' inputs, and the steps."""

    root: Path
    inputs: Path
    steps: tuple[Step, ...]


def make_show(
    show: ShowInfo = SHOW,
    episodes: tuple[EpisodeInfo, ...] = (FIRST, SECOND),
    tags: tuple[str, ...] = (),
    site: SiteSettings = PLAIN,
) -> Show:
    """A show of those episodes, all with the same tags."""
    return Show(show, "cover.jpg", site=site, episodes=tuple(Episode(info, Mix(()), tags=tags) for info in episodes))


def publish_sample(
    root: Path,
    *,
    show: ShowInfo = SHOW,
    episodes: tuple[EpisodeInfo, ...] = (FIRST, SECOND),
    turns: tuple[Turn, ...] = TURNS,
    chapters: tuple[tuple[int, str], ...] = CHAPTERS,
    tags: tuple[str, ...] = ("Accueil", "L'attente"),
    site: SiteSettings = PLAIN,
    sound: bytes = b"",
    more: dict[str, tuple[str, str]] | None = None,
) -> PublishedSample:
    """Run the steps that write pages, and create every file they link to; `more` are additional files of each episode."""
    public = root / "public"
    show_model = make_show(show, episodes, tags, site)
    _release(root / work_path("show", "release.json"), public, "", {"cover": ("cover-d.jpg", "image/jpeg")}, b"")
    series = {"guide_series_pdf": ("guides/series.facilitator.pdf", "application/pdf")}
    _release(root / SERIES_RELEASE, public, "", series, b"")
    entries = [{"startTime": start, "title": title, "url": "javascript:alert(2)"} for start, title in chapters]
    for episode in episodes:
        write_timed(root / work_path(episode.slug, "timed.json"), TimedTranscript(DURATION_S, show.language, turns))
        write_json(root / f"feeds/{episode.slug}.chapters.json", {"version": "1.2.0", "chapters": entries})
        files = {"audio": ("{slug}/{slug}-a.mp3", "audio/mpeg"), **_FILES, **(more or {})}
        _release(root / work_path(episode.slug, "release.json"), public, episode.slug, files, sound)
    steps = tuple(step for step in plan_steps(show_model, FAR_FUTURE) if step.kind in TARGET_STEPS["site"])
    for step in steps:
        execute_step(step, root, root)
    shutil.copytree(root / "site", public, dirs_exist_ok=True)
    (public / "feed.xml").write_text("<rss/>")
    return PublishedSample(public, root, steps)


def _release(path: Path, public: Path, slug: str, files: dict[str, tuple[str, str]], sound: bytes) -> Path:
    published = []
    for role, (key, kind) in files.items():
        file = public / key.format(slug=slug)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(sound if role == "audio" else b"x")
        published.append(ReleaseFile(role, key.format(slug=slug), role, 7_654_321, "0" * 64, kind))
    write_release(path, Release(slug, DURATION_S if slug else 0.0, tuple(published)))
    return path


def make_tone(seconds: float) -> bytes:
    """A real MP3 of constant bit rate."""
    import imageio_ffmpeg

    source = ["-f", "lavfi", "-i", f"sine=frequency=220:duration={seconds}"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, "-b:a", "32k", "-f", "mp3", "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout
