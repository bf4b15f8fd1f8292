"""Work that waits for a person, as sentences: a draft to correct, a guide to proofread, a speaker to name."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pipeline.audio import MAX_ID3_CHAPTERS
from pipeline.config import episode_folders_without_toml
from pipeline.engine import is_unedited_draft, read_json, read_text
from pipeline.model import CauserieError, Episode, Problems, format_clock, is_slug, pluralise, terminal_safe
from pipeline.speech import summary
from pipeline.transcript import are_proposed, parse_rttm, parse_transcript, read_chapters, text_review, undeclared_labels, unnamed_speakers
from pipeline.transcript.freeform import is_never_voice, open_questions


def pending_work(root: Path, episode: Episode, at: datetime) -> Iterator[str]:
    """The tasks of a person for an episode, as sentences; also that its publication date is in the future."""
    for folder, task in (("transcripts", "correct the transcript"), ("guides", "proofread the guide")):
        path = root / folder / f"{episode.slug}.md"
        if path.exists() and is_unedited_draft(path.read_text(encoding="utf-8", errors="replace")):
            yield f"{task}, {folder}/{episode.slug}.md, a draft{_doubt_summary(root, folder, episode.slug)}"
        elif path.exists() and folder == "transcripts":
            yield from _undeclared_voices(path, f"{folder}/{episode.slug}.md")
            yield from _unchecked(path, f"{folder}/{episode.slug}.md", episode.slug)
            yield from _questions(path, f"{folder}/{episode.slug}.md")
        if path.with_suffix(".draft.md").exists():
            yield f"compare {folder}/{episode.slug}.draft.md, a new draft, with your text, then delete it"
    yield from _unnamed_speakers(root, episode)
    yield from _proposed_chapters(root, episode.slug)
    if len(episode.chapters) > MAX_ID3_CHAPTERS:
        yield f"join some of the {len(episode.chapters)} chapters of {episode.slug}: the tags of its MP3 hold the first {MAX_ID3_CHAPTERS}"
    if episode.info.published > at:
        yield f"{episode.slug} will not be published before {episode.info.published.isoformat()}"


def orphaned_texts(root: Path, slugs: Collection[str]) -> Iterator[str]:
    """Hand-edited texts without an episode of their name, most often because its folder was renamed, as sentences."""
    for path in sorted(path for folder in ("transcripts", "guides") for path in (root / folder).glob("*.md")):
        if is_slug(path.stem) and path.stem not in slugs and not is_unedited_draft(path.read_text(encoding="utf-8", errors="replace")):
            where = f"{path.parent.name}/{path.name}"
            yield f"rename {where} to the slug of its episode; nothing uses it, because there is no episodes/{path.stem}"


def folders_left_out(root: Path) -> Iterator[str]:
    """Folders of `episodes/` without an `episode.toml`, as sentences."""
    for folder in episode_folders_without_toml(root):
        yield f"give {terminal_safe(folder)} an episode.toml, or move it elsewhere; it is left out"


def _undeclared_voices(path: Path, where: str) -> Iterator[str]:
    """Names that may be voices, or the mistakes that keep the text from being parsed."""
    try:
        for line, name in undeclared_labels(read_text(path, where), where):
            if is_never_voice(name):
                continue
            yield f"check whether “{name} :” is a voice, {where}:{line}; it appears once, so it is read as narration"
    except Problems as several:
        yield from (f"correct {problem}" for problem in several.problems)
    except CauserieError as error:
        yield f"correct {error}"


def _unchecked(path: Path, where: str, slug: str) -> Iterator[str]:
    """That a machine's text, which somebody has edited, waits to be checked off; nothing for one with mistakes."""
    with suppress(CauserieError):
        text = read_text(path, where)
        if text_review(text, parse_transcript(text, where)).is_unchecked:
            yield f"check off {where} when you have read it to the end: causerie review {slug}; until then its readers are told"


def _questions(path: Path, where: str) -> Iterator[str]:
    """What only a person can say about the text: who speaks in an insert, what a voice is."""
    for each in open_questions(path.read_text(encoding="utf-8", errors="replace"), where):
        yield f"answer, {where}:{each.line}: {each.message} ({each.hint})"


def _unnamed_speakers(root: Path, episode: Episode) -> Iterator[str]:
    """The speakers of RTTM files without a name in `episode.toml`; none once the transcript is hand-edited, which then names them."""
    text = root / f"transcripts/{episode.slug}.md"
    for diarised in episode.diarised if not text.exists() or is_unedited_draft(text.read_text(encoding="utf-8", errors="replace")) else ():
        where = f"episodes/{episode.slug}/episode.toml: [recordings.speakers]"
        try:
            stretches = parse_rttm(read_text(root / diarised.file, diarised.file), diarised.file, diarised.name)
        except CauserieError as error:
            yield f"correct {error}"
            continue
        for name in unnamed_speakers(diarised, stretches):
            turns = [each for each in stretches if each.speaker == name]
            total, first = format_clock(sum(each.end_s - each.start_s for each in turns)), format_clock(turns[0].start_s)
            yield f"name the speaker {name}, {where}; {total} in total, first at {first} of the recording"


def _proposed_chapters(root: Path, slug: str) -> Iterator[str]:
    """That a machine chose the chapters; nothing for a file that is damaged, which the next build restores."""
    path = root / f"feeds/{slug}.chapters.json"
    with suppress(CauserieError, AttributeError, KeyError, TypeError):
        if path.exists() and are_proposed(path):
            count = pluralise(len(read_chapters(path)), "chapter")
            yield f"reread {count} proposed from the text, feeds/{slug}.chapters.json; to correct them, write [[chapters]] in episode.toml"


def _doubt_summary(root: Path, folder: str, slug: str) -> str:
    """How much of a draft transcript is doubtful; empty for a guide or without doubts."""
    path = root / f"transcripts/{slug}.doubts.json"
    if folder != "transcripts" or not path.exists() or not (value := read_json(path))["passages"]:
        return ""
    return f"; doubtful: {summary(value, 'en')}"
