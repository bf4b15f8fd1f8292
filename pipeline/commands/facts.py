"""Put the facts that an imported text gives of its episode into `episode.toml`, and its people into `show.toml`; comments are kept.

What a person has written stays: only what is missing or still a placeholder is filled in, and what differs is told.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.commands.scaffold import PLACEHOLDER_SUMMARY, slug_title
from pipeline.engine import read_text, write_atomic
from pipeline.model import CauserieError, format_clock, slugify
from pipeline.transcript.freeform import TranscriptHeader

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_SUMMARY_CHARS_MAX, _TITLE_CHARS_MAX = 500, 255
_ROLES = (  # the beginning of a French or English role, folded: the role of the Podcasting 2.0 taxonomy
    ("realis mise-en-onde mise-en-son direct", "Director"),
    ("ecri scenar wri", "Writer"),
    ("texte auteur autrice author", "Author"),
    ("redaction-en-chef", "Managing Editor"),
    ("direction-art", "Creative Director"),
    ("coordination", "Production Coordinator"),
    ("mixage post", "Post Production Engineer"),
    ("montage", "Audio Editor"),
    ("prise-de-son son enregistre technique", "Audio Engineer"),
    ("conception habillage illustration bruitage", "Sound Designer"),
    ("musique compos", "Composer"),
    ("presentation animation present host", "Host"),
    ("journaliste reportage entretien interview propos", "Reporter"),
    ("production-exec", "Executive Producer"),
    ("production co-production coproduction produ", "Producer"),
    ("interpret comedien distribution voix", "Voice Actor"),
)


@dataclass(frozen=True)
class FactChanges:
    """The texts of the two files with the facts, and sentences about what was left as it is."""

    show: str
    episode: str
    remarks: tuple[str, ...]


@dataclass
class _Updater:
    """Collects the changes of the two documents."""

    show: TOMLDocument
    episode: TOMLDocument
    remarks: list[str] = field(default_factory=list)

    def fill(self, key: str, value: str | int, placeholders: tuple[object, ...]) -> None:
        """Set a key of the episode that is missing or a placeholder; tell another value."""
        current = self.episode.get(key)
        if current is None or current in placeholders:
            self.episode[key] = value
        elif str(current).strip() != str(value).strip():
            self.remarks.append(f"{key} stays “{current}”; the text says “{value}”")

    def person(self, name: str) -> str:
        """The key of the person with this name in show.toml, added when there is none."""
        import tomlkit

        people = self.show.setdefault("people", tomlkit.table(is_super_table=True))
        for key, person in people.items():
            if slugify(str(person.get("name", ""))) == slugify(name):
                return str(key)
        base = slugify(name) or "person"
        key = next(key for key in (base, *(f"{base}-{n}" for n in range(2, 1000))) if key not in people)
        table = tomlkit.table()
        table["name"] = name
        people[key] = table
        return key

    def credit(self, role: str, names: tuple[str, ...]) -> None:
        """Add people to a role of the episode's credits."""
        import tomlkit

        credits = self.episode.get("credits")
        if credits is None:
            self.episode["credits"] = credits = tomlkit.table()
        known = list(credits.get(role, []))
        keys = [key for name in names if (key := self.person(name)) not in known]
        if keys:
            credits[role] = [*known, *dict.fromkeys(keys)]


def fact_changes(show: str, episode: str, header: TranscriptHeader, slug: str, *, has_fiction: bool) -> FactChanges:
    """The texts of show.toml and episode.toml with the facts of a text. In an episode with a fiction, « Avec » names its actors."""
    import tomlkit

    updater = _Updater(tomlkit.parse(show), tomlkit.parse(episode))
    is_untouched = updater.episode.get("title") in (None, slug_title(slug))
    if title := header.title or header.spoken_title:
        updater.fill("title", title[:_TITLE_CHARS_MAX], (slug_title(slug),))
    if header.number is not None:
        updater.fill("number", header.number, (updater.episode.get("number"),) if is_untouched else ())
    if header.summary:
        updater.fill("summary", header.summary[:_SUMMARY_CHARS_MAX], tuple(PLACEHOLDER_SUMMARY.values()))
    if header.spoken_title and header.spoken_title != header.title:
        updater.fill("spoken_title", header.spoken_title[:_TITLE_CHARS_MAX], ())
    for role, names in _credits(header, has_fiction=has_fiction, remarks=updater.remarks).items():
        updater.credit(role, names)
    return FactChanges(
        _with_space_after_people(show, tomlkit.dumps(updater.show)),
        _with_duration(tomlkit.dumps(updater.episode), header.duration_s),
        tuple(updater.remarks),
    )


def _with_space_after_people(old: str, new: str) -> str:
    """The text with an empty line before the table that follows added people, as it had before."""
    return new if new == old else re.sub(r"(?m)(?<=[^\n])\n(?=\[(?!people\.))", "\n\n", new)


def _with_duration(text: str, duration_s: float | None) -> str:
    """The text with the announced duration as a comment: the real one is that of the audio."""
    comment = f"# The text says that it lasts {format_clock(duration_s)}." if duration_s else ""
    return text if comment in text else f"{text.rstrip()}\n\n{comment}\n"


def toml_diff(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """The lines of a unified diff of files, by their path."""
    for path, text in old.items():
        yield from difflib.unified_diff(text.splitlines(), new[path].splitlines(), path, f"{path} (proposed)", lineterm="")


def read_tomls(root: Path, slug: str) -> dict[str, str]:
    """The texts of show.toml and of the episode's TOML, by their path."""
    return {path: read_text(root / path, path) for path in ("show.toml", f"episodes/{slug}/episode.toml")}


def write_tomls(root: Path, seen: Mapping[str, str], proposed: Mapping[str, str]) -> None:
    """Write the proposed texts; `CauserieError`, and nothing is written, when a file is no longer as it was seen."""
    for path, text in seen.items():
        if read_text(root / path, path) != text:
            raise CauserieError("was changed meanwhile: nothing was written", path, "run import-text --write again")
    for path, text in proposed.items():
        if text != seen[path]:
            write_atomic(root / path, text)


def _credits(header: TranscriptHeader, *, has_fiction: bool, remarks: list[str]) -> dict[str, tuple[str, ...]]:
    """People by role of the taxonomy."""
    found: dict[str, tuple[str, ...]] = {}

    def add(role: str, names: tuple[str, ...]) -> None:
        found[role] = tuple(dict.fromkeys((*found.get(role, ()), *names)))

    for name in header.cast:
        add("Guest" if name in header.guests or not has_fiction else "Voice Actor", (name,))
    if header.production:
        add("Producer", _names(header.production))
    for label, who in header.credits:
        roles = [role for part in re.split(r",| et | and |&", label) if (role := _taxonomy_role(part))]
        if not roles:
            remarks.append(f"“{label} : {who}” has no role of the Podcasting 2.0 taxonomy: add it by hand")
        for role in roles:
            add(role, _names(who))
    return found


def _taxonomy_role(label: str) -> str:
    folded = slugify(label)
    return next((role for starts, role in _ROLES if folded.startswith(tuple(starts.split()))), "")


def _names(who: str) -> tuple[str, ...]:
    """The names in a credit. An ampersand inside a name with two capitals is a house's: « Îles & Ondes »."""
    if re.fullmatch(r"\S+ & \S+", who.strip(" .")):
        return (who.strip(" ."),)
    bare = re.sub(r"\([^()]*\)", "", who)
    return tuple(name.strip(" .") for name in re.split(r",|/|;| et | and ", bare) if name.strip(" ."))
