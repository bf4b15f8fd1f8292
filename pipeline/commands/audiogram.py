"""`causerie audiogram`: a soundbite, or a quote of the guide, as a video to share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.commands.workspace import load_show
from pipeline.engine import read_json, read_text, write_atomic
from pipeline.guide import find_clips, parse_guide
from pipeline.model import CauserieError, Episode, Show, display_title, format_clock, removals_from_json, suggest, terminal_safe
from pipeline.plan import published_transcript, work_path
from pipeline.transcript import excerpt_captions, read_timed

_MP3_KBPS = 192  # of the sound that is encoded once more, for the video
_TYPST_FONTS = (".ttf", ".otf")


@dataclass(frozen=True)
class SharedPassage:
    """A passage that can become a video; times in seconds of the published audio."""

    name: str  # "clip-02" or "quote-03", as in file names
    title: str
    start_s: float
    end_s: float


def shared_passages(root: Path, show: Show, episode: Episode) -> tuple[SharedPassage, ...]:
    """The soundbites of an episode, then the quotes of its guide that have times. Raises `CauserieError` before a build."""
    from pipeline.audio import publish_soundbites

    _require_built(root, episode)
    edits = root / work_path(episode.slug, "edits.json")
    removals = removals_from_json(read_json(edits)) if episode.cuts else ()
    bites = publish_soundbites(episode.soundbites, removals)
    found = [
        SharedPassage(f"clip-{number:02}", bite.title, bite.start_s, bite.start_s + bite.duration_s) for number, bite in enumerate(bites, 1)
    ]
    where = f"guides/{episode.slug}.md"
    if (root / where).is_file():
        for clip in find_clips(parse_guide(read_text(root / where, where), where), read_timed(root / published_transcript(episode)), where):
            if clip.start_s is not None and clip.end_s is not None:
                found.append(SharedPassage(f"quote-{clip.number:02}", clip.quote, clip.start_s, clip.end_s))
    return tuple(found)


def list_passages(root: Path, slug: str) -> Iterator[str]:
    """A line for each passage of an episode that can become a video."""
    show, episode = _load(root, slug)
    passages = shared_passages(root, show, episode)
    for each in passages:
        kind, _, number = each.name.partition("-")
        span = f"{format_clock(each.start_s)}–{format_clock(each.end_s)}"
        yield terminal_safe(f"--{kind} {int(number):<3} {span:>13}  {each.title[:80]}")
    if not passages:
        yield f"{slug}: no soundbite and no quote with times; add [[soundbites]] to episodes/{slug}/episode.toml"


def make_audiogram(root: Path, slug: str, name: str, shapes: Sequence[str]) -> Iterator[str]:
    """Write the passage with that name in each shape, and its captions as WebVTT; yields the paths. Raises `CauserieError`."""
    from pipeline.audio import cut_clip
    from pipeline.site import SHAPES, AudiogramLook, write_audiogram

    show, episode = _load(root, slug)
    passages = {each.name: each for each in shared_passages(root, show, episode)}
    if name not in passages:
        kind, _, number = name.partition("-")
        hint = suggest(name, passages) if passages else f"add [[soundbites]] to episodes/{slug}/episode.toml"
        raise CauserieError(f"there is no {kind} {int(number)} in {slug}", f"--{kind}", hint)
    passage, language = passages[name], episode.info.language or show.info.language
    captions, vtt = excerpt_captions(read_timed(root / published_transcript(episode)), passage.start_s, passage.end_s)
    fonts = (*(file for file in (show.site.font, show.site.title_font) if file.endswith(_TYPST_FONTS)), *show.guide.fonts)
    look = AudiogramLook(
        show.info.title,
        display_title(episode.info),
        language,
        root / (episode.cover or show.cover),
        show.site.light,
        tuple(root / file for file in dict.fromkeys(fonts)),
    )
    names = ("edited.flac", "edited.npz", "encoded.json") if episode.cuts else ("master.flac", "levels.npz", "encoded.json")
    master, levels, encoded = (root / work_path(slug, file) for file in names)
    base = root / f"episodes/{slug}/{slug}.{name}"
    write_atomic(base.with_name(f"{base.name}.vtt"), vtt)
    yield str(base.with_name(f"{base.name}.vtt"))
    with tempfile.TemporaryDirectory() as work:
        clip = Path(work) / "clip.mp3"
        cut_clip(master, levels, encoded, clip=clip, start_s=passage.start_s, end_s=passage.end_s, kbps=_MP3_KBPS)
        for shape in shapes:
            made = Path(work) / f"{shape}.mp4"
            length_s = passage.end_s - passage.start_s
            write_audiogram(clip, made, captions=captions, duration_s=length_s, shape=SHAPES[shape], look=look)
            write_atomic(base.with_name(f"{base.name}.{shape}.mp4"), made.read_bytes())
            yield str(base.with_name(f"{base.name}.{shape}.mp4"))


def _require_built(root: Path, episode: Episode) -> None:
    names = ("encoded.json", "edits.json") if episode.cuts else ("encoded.json",)
    for path in (*(work_path(episode.slug, name) for name in names), published_transcript(episode)):
        if not (root / path).is_file():
            raise CauserieError("has not been built yet", f"episodes/{episode.slug}", f"run causerie build {episode.slug} first")


def _load(root: Path, slug: str) -> tuple[Show, Episode]:
    show = load_show(root, slugs=(slug,))
    return show, next(episode for episode in show.episodes if episode.slug == slug)
