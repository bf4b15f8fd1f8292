"""Every mistake in a show at once, without making anything: what `causerie check` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline import catalog
from pipeline.audio.probe import whole
from pipeline.errors import CauserieError, Problems
from pipeline.feed import ledger
from pipeline.guide import text as guide_text
from pipeline.model import Episode, Show
from pipeline.release import check_cover
from pipeline.transcript import grammar


def check(root: Path) -> list[CauserieError]:
    """What is wrong in the TOML files, recordings, covers, transcripts, guides and ledger of a show; empty when nothing is."""
    show, problems = catalog.read(root)
    if show is None:
        return problems
    problems += _tried(lambda: ledger.load(root / "feeds/ledger.json"))
    if (root / show.cover).is_file():
        problems += _tried(lambda: check_cover(root / show.cover))
    for episode in show.episodes:
        problems += _episode(root, show, episode)
    return [_from(root, problem) for problem in problems]


def _episode(root: Path, show: Show, episode: Episode) -> Iterator[CauserieError]:
    names = {key: person.name for key, person in show.people.items()}
    for file in (*(recording.file for recording in episode.mix.recordings), *filter(None, (episode.mix.intro, episode.mix.outro))):
        yield from _tried(lambda file=file: whole(root / file))
    for folder, parse in (("transcripts", lambda text, where: grammar.parse(text, where, names)), ("guides", guide_text.parse)):
        path = root / folder / f"{episode.slug}.md"
        if path.is_file():
            yield from _tried(lambda path=path, parse=parse, folder=folder: parse(_read(path), f"{folder}/{path.name}"))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CauserieError("is not UTF-8 text", str(path), "save it again as UTF-8") from error


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
