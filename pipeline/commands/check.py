"""Finds every mistake in a show at once, without building anything: `causerie check`.

The rules of podcast directories (`pipeline/feed/rules/`) are applied to the feed as it was built, and to the files it names.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import ParamSpec

from pipeline.audio import MAX_ID3_CHAPTERS, probe_fully, reject_torn_image, reject_unreadable, validate_mix
from pipeline.commands.completeness import completeness_advice, other_recording
from pipeline.commands.directories import OWN_PACK, PACKAGES, check_directories
from pipeline.commands.estimates import estimated_starts, starts_of
from pipeline.commands.recordings import recording_advice
from pipeline.commands.scaffold import PLACEHOLDER_SUMMARY, placeholder_fields
from pipeline.commands.text_checks import TextChecks
from pipeline.config import episode_folders_without_toml, episode_of, read_config
from pipeline.engine import FileCache, read_json, read_text, sha256, source_signature
from pipeline.feed import load_ledger
from pipeline.feed.rules import (
    ADVICE,
    ERROR,
    Finding,
    group_findings,
)
from pipeline.model import (
    AS_IT_IS,
    Bed,
    CauserieError,
    DiarisationSource,
    Episode,
    Part,
    Problems,
    Recording,
    Show,
    TimedTranscript,
    check_cover,
    extension_and_size,
    read_header,
    suggest,
    terminal_safe,
)
from pipeline.plan import published_transcript, work_path
from pipeline.speech import inspect_model
from pipeline.transcript import (
    DiarisedTurn,
    parse_rttm,
    speaker_labels,
    unknown_speakers,
    unnamed_speakers,
    validate_chapters,
)

P = ParamSpec("P")

_PROBE_SOURCES = (PACKAGES / "audio",)  # code whose changes invalidate cached durations
StatusCallback = Callable[[str], None]


def check_show(root: Path, online: bool = False, on_status: StatusCallback = lambda text: None) -> list[Finding]:
    """Every mistake in a show and its feed; without mistakes, advice on transcripts and guides. `online` also requests the feed's URLs.

    `on_status` receives what is being checked. Results about unchanged files come from a cache.
    """
    with _infrequent_gc():
        show, problems = read_config(root)
        if show is None:
            return [_to_finding(root, problem) for problem in problems]
        cache = FileCache(root)
        try:
            return _run_checks(root, show, problems, online, cache, on_status)
        finally:
            cache.save()  # also after an interruption: decoding every recording takes long


@contextmanager
def _infrequent_gc() -> Iterator[None]:
    """Make cyclic garbage collection rare: there are millions of objects and hardly a cycle, and collections take a fifth of the time."""
    thresholds = gc.get_threshold()
    gc.set_threshold(500_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _run_checks(
    root: Path, show: Show, problems: list[CauserieError], online: bool, cache: FileCache, on_status: StatusCallback
) -> list[Finding]:
    invalid_slugs = {episode_of(problem) for problem in problems}
    texts = TextChecks(root, show, cache)
    findings = [_to_finding(root, problem) for problem in (*problems, *_check_files(root, show, invalid_slugs, cache, texts, on_status))]
    on_status("directory rules")
    if not problems:
        try:
            findings += check_directories(root, show.info.website, online, cache)
        except CauserieError as error:
            findings.append(_to_finding(root, error))
    if any(finding.level == ERROR for finding in findings):
        return [finding for finding in findings if finding.rule != "not-built"]
    starts = (finding for episode in show.episodes for finding in _estimated_starts(root, episode, cache))
    complete = (finding for episode in show.episodes for finding in completeness_advice(root, episode, cache))
    sounds = (finding for episode in show.episodes for finding in recording_advice(root, episode, cache))
    folders = (_folder_advice(folder) for folder in episode_folders_without_toml(root))
    tags = (finding for episode in show.episodes for finding in _chapter_advice(episode))
    return [*findings, *_speaker_advice(root, show, texts), *texts.advice(), *starts, *complete, *sounds, *folders, *tags]


def as_errors(findings: Sequence[Finding]) -> list[CauserieError]:
    """Findings as errors to print, those of directories grouped by rule, so that a repeated mistake is printed once."""
    own = [finding for finding in findings if finding.pack == OWN_PACK]
    directory_findings = group_findings(tuple(finding for finding in findings if finding.pack != OWN_PACK))
    directory_errors = [
        CauserieError(f"{finding.problem} [{finding.pack}: {finding.rule}]", finding.where, finding.remedy)
        for finding in directory_findings
    ]
    return [*(CauserieError(finding.problem, finding.where, finding.remedy) for finding in own), *directory_errors]


def _check_files(
    root: Path, show: Show, invalid_slugs: Collection[str], cache: FileCache, texts: TextChecks, on_status: StatusCallback
) -> list[CauserieError]:
    """Mistakes in the ledger, cover, recordings, transcripts and guides; `invalid_slugs` are the episodes whose TOML has mistakes."""
    placeholders = placeholder_fields(show.info)
    problems = [
        CauserieError("is still the placeholder of causerie init", f"show.toml: {key}", "enter the value for your show")
        for key in placeholders
    ]
    problems += _errors_from(load_ledger, root / "feeds/ledger.json")
    if (root / show.cover).is_file():
        problems += _errors_from(_check_cover, root / show.cover, cache)
    problems += _errors_from(inspect_model, show.speech, root)
    images = [image.file for image in show.feed.images]
    images += [chapter.image for episode in show.episodes for chapter in episode.chapters if chapter.image]
    for name in dict.fromkeys(images):
        if (root / name).is_file():
            problems += _errors_from(_check_image, root / name, name)
    sources = (each for episode in show.episodes for each in episode.mix.sources if _needs_probing(root, each))
    streams = {(each.file, each.stream): _is_accepted(each) for each in sources}  # a jingle used several times is decoded once
    lengths_s: dict[tuple[str, str], float] = {}
    for number, stream in enumerate(streams, 1):
        on_status(f"recording {number} of {len(streams)}: {stream[0]}")
        problems += _errors_from(_add_length, lengths_s, root, stream, cache, streams[stream])
    for episode in show.episodes:
        if episode.slug not in invalid_slugs:
            problems += validate_mix(episode.mix, lengths_s, episode.soundbites, f"episodes/{episode.slug}/episode.toml")
            problems += _check_chapters(root, episode, cache)
        problems += _check_episode(root, episode, texts, cache)
        problems += filter(None, [other_recording(root, episode, cache)])
    return problems


def _folder_advice(folder: str) -> Finding:
    """A folder of `episodes/` that holds no episode: nothing is built from it."""
    hint = f"create it with causerie new {terminal_safe(PurePosixPath(folder).name)} RECORDING, or move the folder elsewhere"
    return Finding(ADVICE, OWN_PACK, "folder", "", terminal_safe(folder), "has no episode.toml, and is left out", hint)


def _chapter_advice(episode: Episode) -> Iterator[Finding]:
    """More chapters than the tags of an MP3 can hold; the feed and the page have them all."""
    if (count := len(episode.chapters)) > MAX_ID3_CHAPTERS:
        problem = f"has {count} chapters; the tags of the MP3 hold the first {MAX_ID3_CHAPTERS}"
        where = f"episodes/{episode.slug}/episode.toml: chapters"
        yield Finding(ADVICE, OWN_PACK, "chapters", "", where, problem, "join some: players that read tags show no more")


def _check_image(path: Path, name: str) -> None:
    """Raise `CauserieError` at `name` unless a file is a JPEG or PNG image."""
    extension_and_size(read_header(path), name)


def _add_length(lengths_s: dict[tuple[str, str], float], root: Path, take: tuple[str, str], looked: FileCache, as_it_is: bool) -> None:
    """Add the duration of a stream, a file and the stream's name, to `lengths_s`; raises as `_probe_length_s`."""
    file, stream = take
    lengths_s[take] = _probe_length_s(root, file, stream, looked, as_it_is)


def _probe_length_s(root: Path, file: str, stream: str, cache: FileCache, as_it_is: bool) -> float:
    """The duration of a recording in seconds, after decoding all of it; raises `CauserieError` as `probe_fully`."""
    path = root / file
    reject_unreadable(path)
    signature = source_signature(*_PROBE_SOURCES)
    key = f"whole {file!r} {stream!r}{' as it is' if as_it_is else ''}"
    return cache.get_or_compute(path, key, signature, lambda: probe_fully(path, stream, as_it_is=as_it_is).duration_s or 0.0)


def _is_accepted(source: Recording | Part | Bed) -> bool:
    return isinstance(source, Recording) and source.accept == AS_IT_IS


def _needs_probing(root: Path, sound: Recording | Part | Bed) -> bool:
    """Whether a file is to be probed: a missing part or bed was reported by the config loader already."""
    return isinstance(sound, Recording) or (root / sound.file).is_file()


def _speaker_advice(root: Path, show: Show, texts: TextChecks) -> Iterator[Finding]:
    """Speakers of recordings without a name, until a person has edited the transcript, which then names them."""
    for episode in show.episodes:
        for diarised in episode.diarised if texts.is_draft(episode) else ():
            for name in unnamed_speakers(diarised, _read_diarisation(root, diarised)):
                where = f"episodes/{episode.slug}/episode.toml: recordings[{diarised.recording + 1}].speakers"
                hint = f'add "{terminal_safe(name)}" = "…", a key of [people], or "" for a person who is not in the show'
                yield Finding(ADVICE, OWN_PACK, "speaker", "", where, f"does not name the speaker {terminal_safe(name)}", hint)


def _check_cover(path: Path, cache: FileCache) -> None:
    """Raise `CauserieError` for a cover that directories reject, or that is not whole; one that was decoded is not decoded again."""
    check_cover(path)
    cache.get_or_compute(path, f"whole image {path.name!r} {path.parent.name!r}", source_signature(*_PROBE_SOURCES), partial(_decode, path))


def _decode(path: Path) -> bool:
    reject_torn_image(path)
    return True


def _check_episode(root: Path, episode: Episode, texts: TextChecks, cache: FileCache) -> Iterator[CauserieError]:
    if episode.info.summary in PLACEHOLDER_SUMMARY.values():
        yield CauserieError("is still the placeholder", f"episodes/{episode.slug}/episode.toml: summary", "summarise the episode")
    if episode.cover and (root / episode.cover).is_file():
        yield from _errors_from(_check_cover, root / episode.cover, cache)
    for diarised in episode.diarised:
        yield from _check_speakers(root, diarised, f"episodes/{episode.slug}/episode.toml: recordings[{diarised.recording + 1}].speakers")
    yield from texts.errors(episode)


def _check_speakers(root: Path, diarised: DiarisationSource, where: str) -> Iterator[CauserieError]:
    """Mistakes in an RTTM file, and speakers of `episode.toml` that it lacks."""
    if not (root / diarised.file).is_file():  # reported by the config loader
        return
    if errors := _errors_from(_read_diarisation, root, diarised):
        yield from errors
        return
    stretches = _read_diarisation(root, diarised)
    for name in unknown_speakers(diarised, stretches):
        yield CauserieError(
            f"“{terminal_safe(name)}” is not a speaker in {diarised.file}", where, suggest(terminal_safe(name), speaker_labels(stretches))
        )


def _read_diarisation(root: Path, diarised: DiarisationSource) -> tuple[DiarisedTurn, ...]:
    return parse_rttm(read_text(root / diarised.file, diarised.file), diarised.file, diarised.name)


def _estimated_starts(root: Path, episode: Episode, cache: FileCache) -> Iterator[Finding]:
    """What begins at an estimated time, kept until the times, the guide, the chapters or the soundbites change."""
    edited = (published_transcript(episode),) if episode.cuts else ()
    timed, *others = (root / path for path in (work_path(episode.slug, "timed.json"), *edited, *starts_of(episode.slug)))
    if timed.is_file():
        version = " ".join(
            ["1", repr((episode.chapters, episode.soundbites)), *(sha256(path) if path.is_file() else "" for path in others)]
        )
        found = cache.get_or_compute(
            timed,
            f"starts {episode.slug}",
            version,
            lambda: [[each.where, each.problem, each.remedy] for each in estimated_starts(root, episode)],
        )
        yield from (Finding(ADVICE, OWN_PACK, "estimated-time", "", where, problem, hint) for where, problem, hint in found)


def _check_chapters(root: Path, episode: Episode, cache: FileCache) -> list[CauserieError]:
    """Chapters that start after the end of the audio, once its duration is known."""
    where = work_path(episode.slug, "timed.json")
    if not episode.chapters or not (root / where).is_file():
        return []
    return _errors_from(_check_chapter_times, episode, root / where, where, cache)


def _check_chapter_times(episode: Episode, timed: Path, where: str, cache: FileCache) -> None:
    """Raise `CauserieError` when a chapter starts after the end."""
    duration_s = cache.get_or_compute(timed, f"duration {where}", "1", lambda: float(read_json(timed)["duration_s"]))
    validate_chapters(episode.chapters, TimedTranscript(duration_s, "", ()), episode.slug)


def _errors_from(function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> list[CauserieError]:
    """The mistakes that a call raises, if any."""
    try:
        function(*args, **kwargs)
    except Problems as several:
        return list(several.problems)
    except CauserieError as error:
        return [error]
    return []


def _to_finding(root: Path, problem: CauserieError) -> Finding:
    """An error as a finding, with its path relative to the show."""
    return Finding(ERROR, OWN_PACK, "", "", problem.where.removeprefix(f"{root}/"), problem.message, problem.hint)
