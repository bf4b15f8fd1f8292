"""The name under which a declared voice is published, and what in a transcript disagrees with show.toml. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.model import slugify
from pipeline.transcript.document import Transcript, VoiceDeclaration


def published_name(voice: VoiceDeclaration, people: Mapping[str, str]) -> tuple[str, str]:
    """The name and the label of a voice; `people` gives the names of show.toml by key.

    A voice that is a person of the show follows that person's name: a renamed person is renamed here too, unless `name` says otherwise.
    """
    person = people.get(voice.person, "")
    name = voice.name or (voice.key if not person or _is_part(voice.key, person) else person)
    label = voice.label if not person or not _is_bare_name(voice.label) else person
    return name, "" if label == name else label


def stale_names(transcript: Transcript, people: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """What in the front matter names a person otherwise than show.toml: the key of the voice, a message, a hint."""
    for voice in transcript.voices:
        person = people.get(voice.person, "")
        if not person:
            continue
        if not voice.name and not _is_part(voice.key, person):
            message = f"“{voice.key}” is published as “{person}”, the name of {voice.person} in show.toml"
            yield voice.key, message, f'write “{person} :” in the text, or keep the other name with name = "{voice.key}"'
        for field, value in (("name", voice.name), ("label", voice.label)):
            if value and not _is_part(value.partition(",")[0], person):
                yield (
                    voice.key,
                    f"{field} “{value}” is not the name of {voice.person} in show.toml, “{person}”",
                    f"correct {field}, or delete it",
                )


def _is_part(name: str, full: str) -> bool:
    """Whether a name is the full one, or some of its words: « Nora » of « Nora Belkacem »."""
    words, known = slugify(name).split("-"), slugify(full).split("-")
    return any(known[start : start + len(words)] == words for start in range(len(known)))


def _is_bare_name(label: str) -> bool:
    """Whether a label is empty or only a name, without the description that a comma begins."""
    return "," not in label
