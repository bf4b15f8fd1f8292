"""`causerie cuts`: what could be cut from an episode, and writing into its `episode.toml` what a person has chosen of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.commands.workspace import load_show, show_lock
from pipeline.engine import read_json, read_text, write_atomic
from pipeline.model import CauserieError, Cut, Episode, format_clock, kept_from_json, pluralise, recording_range, terminal_safe
from pipeline.plan import work_path
from pipeline.transcript import CutProposal, propose_cuts


@dataclass(frozen=True)
class NumberedProposal:
    """A proposal, its number in the list, and the cut that it would become."""

    number: int
    proposal: CutProposal
    cut: Cut


def proposed_cuts(root: Path, slug: str) -> tuple[NumberedProposal, ...]:
    """What could be cut from an episode as it was heard, in the time of its recordings; nothing that its `cuts` touch already.

    Raises `CauserieError` when it has not been heard yet.
    """
    from pipeline.audio import HOPS_PER_S, load_profile

    episode = _load_episode(root, slug)
    words, activity, levels = (
        root / path for path in (f"transcripts/{slug}.words.json", work_path(slug, "activity.json"), work_path(slug, "levels.npz"))
    )
    for path in (words, activity, levels):
        if not path.is_file():
            raise CauserieError("has not been heard yet", f"episodes/{slug}", f"run causerie transcribe {slug} first")
    kept = kept_from_json(read_json(activity))
    levels_db = load_profile(levels, "master").levels_db.tolist()
    found: list[tuple[CutProposal, Cut]] = []
    for proposal in propose_cuts(read_json(words), levels_db, HOPS_PER_S):
        span = recording_range(proposal.start_s, proposal.end_s, kept)
        if span and all(span[1] <= cut.start_s or span[0] >= cut.end_s for cut in episode.cuts):
            found.append((proposal, Cut(round(span[0], 3), round(span[1], 3), proposal.said)))
    return tuple(NumberedProposal(number, *each) for number, each in enumerate(found, 1))


def describe_proposals(slug: str, proposals: Sequence[NumberedProposal]) -> Iterator[str]:
    """The lines that show proposals to a person: number, time in the recordings, time gained, probability, and the words around it."""
    if not proposals:
        yield f"{slug}: nothing to propose"
        return
    total_s = sum(each.proposal.gained_s for each in proposals)
    yield f"{slug}: {pluralise(len(proposals), 'cut')} to propose, {total_s:.1f} s in all; nothing is cut until you say yes"
    for each in proposals:
        proposal = each.proposal
        said = f"[{proposal.said}]" if proposal.said else "[…]"
        gained, sure = f"−{proposal.gained_s:.2f} s", f"{100 * proposal.probability:3.0f} %"
        row = f"{each.number:4}  {_clock(each.cut.start_s):>11}  {gained}  {sure}  {proposal.kind:14}"
        yield terminal_safe(f"{row}  {proposal.before} {said} {proposal.after}")
    yield f"Write some into episode.toml: causerie cuts {slug} --take 1,3-5    all of them: --yes"


def take_cuts(root: Path, slug: str, proposals: Sequence[NumberedProposal], numbers: str) -> Iterator[str]:
    """Write the proposals with those numbers, `1,3-5`, into the episode's TOML, and describe them; all of them when `numbers` is empty.

    Raises `CauserieError` for a number that is not in the list.
    """
    chosen = parse_numbers(numbers, len(proposals)) if numbers else {each.number for each in proposals}
    cuts = [each.cut for each in proposals if each.number in chosen]
    where = f"episodes/{slug}/episode.toml"
    if not cuts:
        yield f"{slug}: nothing to write"
        return
    with show_lock(root):
        write_atomic(root / where, add_cuts(read_text(root / where, where), cuts))
    load_show(root, slugs=(slug,))  # says at once when what was written is not what is read
    yield f"Wrote {pluralise(len(cuts), 'cut')} to {where}, {sum(cut.end_s - cut.start_s for cut in cuts):.1f} s in all:"
    yield from (terminal_safe(f"  {_toml_row(cut)}") for cut in cuts)
    yield f"Listen to the result: causerie build {slug}. Remove a line to take a cut back."


def parse_numbers(text: str, count: int) -> set[int]:
    """The numbers in `1,3-5`, which must be from 1 to `count`. Raises `CauserieError`."""
    numbers: set[int] = set()
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?", part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= first <= last <= count:
            hint = f"give numbers from 1 to {count}, like 1,3-5" if count else "there is nothing to choose from"
            raise CauserieError(f"“{terminal_safe(part.strip())[:40]}” is no number of the list", "--take", hint)
        numbers.update(range(first, last + 1))
    return numbers


def add_cuts(text: str, cuts: Sequence[Cut]) -> str:
    """The text of an `episode.toml` with more cuts, one a line; what is there, comments included, stays as it is."""
    import tomlkit
    from tomlkit.items import AoT

    document = tomlkit.parse(text)
    current = document.get("cuts")
    if isinstance(current, AoT):
        for cut in cuts:
            current.append(tomlkit.item(_toml_values(cut)))
        return tomlkit.dumps(document)
    rows = "".join(f"  {_toml_row(cut)},\n" for cut in cuts)
    if current is None:
        document.add("cuts", tomlkit.parse(f"cuts = [\n{rows}]\n")["cuts"])
        return _with_empty_line(tomlkit.dumps(document))
    for cut in cuts:
        current.add_line(tomlkit.parse(f"cut = {_toml_row(cut)}")["cut"], indent="  ")
    current.multiline(False)
    return tomlkit.dumps(document)


def _with_empty_line(text: str) -> str:
    """The text with an empty line after the list of cuts when a table follows at once."""
    return re.sub(r"(?m)^(cuts = \[\n(?:  \{.*\},\n)*\]\n)(?=\[)", r"\1\n", text)


def _toml_values(cut: Cut) -> dict[str, str]:
    values = {"start": _clock(cut.start_s), "end": _clock(cut.end_s)}
    return {**values, "said": cut.said} if cut.said else values


def _toml_row(cut: Cut) -> str:
    """`{ start = "12:03.240", end = "12:03.810", said = "euh" }`."""
    import tomlkit

    return "{ " + ", ".join(f"{key} = {tomlkit.item(value).as_string()}" for key, value in _toml_values(cut).items()) + " }"


def _clock(time_s: float) -> str:
    """A time as it is written in `episode.toml`, to the millisecond: `12:03.240`."""
    milliseconds = round(time_s * 1000)
    return f"{format_clock(milliseconds // 1000)}.{milliseconds % 1000:03}"


def _load_episode(root: Path, slug: str) -> Episode:
    return next(episode for episode in load_show(root, slugs=(slug,)).episodes if episode.slug == slug)
