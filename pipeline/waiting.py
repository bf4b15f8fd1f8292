"""Work that waits for a person, as sentences: a draft to correct, a guide to proofread, a speaker to name."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path

from pipeline.drafts import untouched
from pipeline.errors import CauserieError, Problems
from pipeline.files import read_json, read_text
from pipeline.model import Episode
from pipeline.speech.doubts import summary
from pipeline.text import hms, is_slug
from pipeline.transcript.diarisation import parse_rttm, unnamed
from pipeline.transcript.grammar import doubtful


def waiting(root: Path, episode: Episode, at: datetime) -> Iterator[str]:
    """The tasks of a person for an episode, as sentences; also that its publication date is in the future."""
    for folder, what in (("transcripts", "correct the transcript"), ("guides", "proofread the guide")):
        path = root / folder / f"{episode.slug}.md"
        if path.exists() and untouched(path.read_text(encoding="utf-8", errors="replace")):
            yield f"{what}, {folder}/{episode.slug}.md, a draft{_doubted(root, folder, episode.slug)}"
        elif path.exists() and folder == "transcripts":
            yield from _named_once(path, f"{folder}/{episode.slug}.md")
        if path.with_suffix(".draft.md").exists():
            yield f"compare {folder}/{episode.slug}.draft.md, a new draft, with your text, then delete it"
    yield from _unnamed(root, episode)
    if episode.info.published > at:
        yield f"{episode.slug} will not be published before {episode.info.published.isoformat()}"


def orphans(root: Path, slugs: Collection[str]) -> Iterator[str]:
    """Hand-edited texts without an episode of their name, most often because its folder was renamed, as sentences."""
    for path in sorted(path for folder in ("transcripts", "guides") for path in (root / folder).glob("*.md")):
        if is_slug(path.stem) and path.stem not in slugs and not untouched(path.read_text(encoding="utf-8", errors="replace")):
            where = f"{path.parent.name}/{path.name}"
            yield f"rename {where} to the slug of its episode; nothing uses it, because there is no episodes/{path.stem}"


def _named_once(path: Path, where: str) -> Iterator[str]:
    """Names that may be voices, or the mistakes that keep the text from being parsed."""
    try:
        for line, name in doubtful(read_text(path, where), where):
            yield f"check whether “{name} :” is a voice, {where}:{line}; it appears once, so it is read as narration"
    except Problems as several:
        yield from (f"correct {problem}" for problem in several.problems)
    except CauserieError as error:
        yield f"correct {error}"


def _unnamed(root: Path, episode: Episode) -> Iterator[str]:
    """The speakers of RTTM files without a name in `episode.toml`; none once the transcript is hand-edited, which then names them."""
    text = root / f"transcripts/{episode.slug}.md"
    for diarised in episode.diarised if not text.exists() or untouched(text.read_text(encoding="utf-8", errors="replace")) else ():
        where = f"episodes/{episode.slug}/episode.toml: [recordings.speakers]"
        try:
            stretches = parse_rttm(read_text(root / diarised.file, diarised.file), diarised.file, diarised.name)
        except CauserieError as error:
            yield f"correct {error}"
            continue
        for name in unnamed(diarised, stretches):
            turns = [each for each in stretches if each.speaker == name]
            said = f"{hms(sum(each.end_s - each.start_s for each in turns))} in total, first at {hms(turns[0].start_s)} of the recording"
            yield f"name the speaker {name}, {where}; {said}"


def _doubted(root: Path, folder: str, slug: str) -> str:
    """How much of a draft transcript is doubtful; empty for a guide or without doubts."""
    path = root / f"transcripts/{slug}.doubts.json"
    if folder != "transcripts" or not path.exists() or not (value := read_json(path))["passages"]:
        return ""
    return f"; doubtful: {summary(value, 'en')}"
