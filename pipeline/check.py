"""Every mistake in a show at once, without making anything: what `causerie check` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline import catalog
from pipeline.audio.probe import whole
from pipeline.errors import CauserieError, Problems
from pipeline.feed import ledger
from pipeline.feed.chapters import checked
from pipeline.files import read_text
from pipeline.guide import text as guide_text
from pipeline.guide.quotes import locate, spoken_words
from pipeline.model import Episode, Show
from pipeline.newcomers import SUMMARY_TO_WRITE
from pipeline.pictures import image_size
from pipeline.release import check_cover
from pipeline.transcript import grammar
from pipeline.transcript.lint import lint
from pipeline.transcript.timed import read_timed


def check(root: Path) -> list[CauserieError]:
    """What is wrong in the TOML files, recordings, covers, transcripts, guides and ledger of a show; empty when nothing is."""
    show, problems = catalog.read(root)
    if show is None:
        return problems
    problems += _tried(lambda: ledger.load(root / "feeds/ledger.json"))
    if (root / show.cover).is_file():
        problems += _tried(lambda: check_cover(root / show.cover))
    pictures = [image.file for image in show.feed.images]
    pictures += [chapter.image for episode in show.episodes for chapter in episode.chapters if chapter.image]
    for name in dict.fromkeys(pictures):
        if (root / name).is_file():
            problems += _tried(lambda name=name: image_size((root / name).read_bytes(), name))
    takes = [(each.file, each.stream) for episode in show.episodes for each in episode.mix.sounds]
    for file, stream in dict.fromkeys(takes):  # a jingle is listened to once
        problems += _tried(lambda file=file, stream=stream: whole(root / file, stream))
    for episode in show.episodes:
        problems += _episode(root, show, episode)
    return [_from(root, problem) for problem in problems]


def advice(root: Path) -> list[str]:
    """What a careful reader would look at again in the transcripts, a sentence each; none of it is a mistake."""
    show, _ = catalog.read(root)
    if show is None:
        return []
    paths = {f"transcripts/{episode.slug}.md": root / f"transcripts/{episode.slug}.md" for episode in show.episodes}
    texts = {where: read_text(path) for where, path in paths.items() if path.is_file() and not _tried(lambda path=path: read_text(path))}
    found: list[str] = []
    for where, text in texts.items():
        if not _tried(lambda text=text: grammar.parse(text)):
            others = {name: other for name, other in texts.items() if name != where}
            found += [f"{where}:{each.line}: {each.message}; {each.hint}" for each in lint(text, where, others, show.info.language)]
    return found


def _episode(root: Path, show: Show, episode: Episode) -> Iterator[CauserieError]:
    if episode.info.summary in SUMMARY_TO_WRITE.values():
        yield CauserieError("is still the one to write", f"episodes/{episode.slug}/episode.toml: summary", "say what the episode is about")
    if episode.cover and (root / episode.cover).is_file():
        yield from _tried(lambda: check_cover(root / episode.cover))
    yield from _against_the_transcript(root, episode)
    for folder, parse in (("transcripts", lambda text, where: grammar.parse(text, where, show.people)), ("guides", guide_text.parse)):
        path = root / folder / f"{episode.slug}.md"
        if path.is_file():
            yield from _tried(lambda path=path, parse=parse, folder=folder: parse(read_text(path), f"{folder}/{path.name}"))


def _against_the_transcript(root: Path, episode: Episode) -> Iterator[CauserieError]:
    """Quotes that nobody says, chapters after the end: seen once a transcript has its times."""
    timed, guide = root / f".causerie/{episode.slug}/timed.json", root / f"guides/{episode.slug}.md"
    if not timed.is_file():
        return
    transcript = read_timed(timed)
    if episode.chapters:
        yield from _tried(lambda: checked(episode.chapters, transcript))
    spoken = spoken_words(transcript)
    if not guide.is_file() or _tried(lambda: guide_text.parse(read_text(guide), "")):
        return
    for _, quote in guide_text.clips(guide_text.parse(read_text(guide), "")):
        yield from _tried(lambda quote=quote: locate(quote.text, spoken, f"guides/{episode.slug}.md:{quote.number}"))


def _tried(look: Callable[[], Any]) -> list[CauserieError]:
    """The mistake that looking raises, if it does."""
    try:
        look()
    except Problems as several:
        return list(several.problems)
    except CauserieError as error:
        return [error]
    return []


def _from(root: Path, problem: CauserieError) -> CauserieError:
    """The same problem, its file named from the show's folder."""
    return CauserieError(problem.message, problem.where.removeprefix(f"{root}/"), problem.hint)
