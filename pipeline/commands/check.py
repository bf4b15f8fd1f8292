"""Finds every mistake in a show at once, without building anything: `causerie check`.

The rules of podcast directories (`pipeline/feed/rules/`) are applied to the feed as it was built, and to the files it names.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec

from pipeline.audio import probe_fully, reject_unreadable, validate_mix
from pipeline.commands.completeness import completeness_advice, other_recording
from pipeline.commands.directories import OWN_PACK, PACKAGES, check_directories
from pipeline.commands.estimates import estimated_starts
from pipeline.commands.scaffold import PLACEHOLDER_SUMMARY, placeholder_fields
from pipeline.config import episode_of, read_config
from pipeline.engine import FileCache, is_unedited_draft, read_text, source_signature
from pipeline.feed import load_ledger
from pipeline.feed.rules import (
    ADVICE,
    ERROR,
    Finding,
    group_findings,
)
from pipeline.guide import clip_quotes, guide_warnings, locate, missing_glyphs, parse_guide, spoken_words
from pipeline.model import (
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
from pipeline.transcript import (
    DiarisedTurn,
    build_turns,
    parse_rttm,
    parse_transcript,
    read_timed,
    speaker_labels,
    unknown_speakers,
    unnamed_speakers,
    validate_chapters,
)
from pipeline.transcript.freeform import lint_transcript

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
    findings = [_to_finding(root, problem) for problem in (*problems, *_check_files(root, show, invalid_slugs, cache, on_status))]
    on_status("directory rules")
    if not problems:
        try:
            findings += check_directories(root, show.info.website, online, cache)
        except CauserieError as error:
            findings.append(_to_finding(root, error))
    if any(finding.level == ERROR for finding in findings):
        return [finding for finding in findings if finding.rule != "not-built"]
    return findings + _transcript_advice(root, show, cache)


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
    root: Path, show: Show, invalid_slugs: Collection[str], cache: FileCache, on_status: StatusCallback
) -> list[CauserieError]:
    """Mistakes in the ledger, cover, recordings, transcripts and guides; `invalid_slugs` are the episodes whose TOML has mistakes."""
    placeholders = placeholder_fields(show.info)
    problems = [
        CauserieError("is still the placeholder of causerie init", f"show.toml: {key}", "enter the value for your show")
        for key in placeholders
    ]
    problems += _errors_from(load_ledger, root / "feeds/ledger.json")
    if (root / show.cover).is_file():
        problems += _errors_from(check_cover, root / show.cover)
    images = [image.file for image in show.feed.images]
    images += [chapter.image for episode in show.episodes for chapter in episode.chapters if chapter.image]
    for name in dict.fromkeys(images):
        if (root / name).is_file():
            problems += _errors_from(_check_image, root / name, name)
    sources = (each for episode in show.episodes for each in episode.mix.sources if _needs_probing(root, each))
    streams = dict.fromkeys((each.file, each.stream) for each in sources)  # a jingle used several times is decoded once
    lengths_s: dict[tuple[str, str], float] = {}
    for number, stream in enumerate(streams, 1):
        on_status(f"recording {number} of {len(streams)}: {stream[0]}")
        problems += _errors_from(_add_length, lengths_s, root, stream, cache)
    for episode in show.episodes:
        if episode.slug not in invalid_slugs:
            problems += validate_mix(episode.mix, lengths_s, episode.soundbites, f"episodes/{episode.slug}/episode.toml")
            problems += _check_chapters(root, episode)
        problems += _check_episode(root, show, episode)
        problems += filter(None, [other_recording(root, episode, cache)])
    return problems


def _check_image(path: Path, name: str) -> None:
    """Raise `CauserieError` at `name` unless a file is a JPEG or PNG image."""
    extension_and_size(read_header(path), name)


def _add_length(lengths_s: dict[tuple[str, str], float], root: Path, take: tuple[str, str], looked: FileCache) -> None:
    """Add the duration of a stream, a file and the stream's name, to `lengths_s`; raises as `_probe_length_s`."""
    file, stream = take
    lengths_s[take] = _probe_length_s(root, file, stream, looked)


def _probe_length_s(root: Path, file: str, stream: str, cache: FileCache) -> float:
    """The duration of a recording in seconds, after decoding all of it; raises `CauserieError` as `probe_fully`."""
    path = root / file
    reject_unreadable(path)
    return cache.get_or_compute(
        path, f"whole {file!r} {stream!r}", source_signature(*_PROBE_SOURCES), lambda: probe_fully(path, stream).duration_s or 0.0
    )


def _needs_probing(root: Path, sound: Recording | Part | Bed) -> bool:
    """Whether a file is to be probed: a missing part or bed was reported by the config loader already."""
    return isinstance(sound, Recording) or (root / sound.file).is_file()


def _transcript_advice(root: Path, show: Show, cache: FileCache) -> list[Finding]:
    """Passages of transcripts and guides to reread, and speakers without a name; none of them is a mistake."""
    paths = {f"transcripts/{episode.slug}.md": root / f"transcripts/{episode.slug}.md" for episode in show.episodes}
    texts = {where: read_text(path) for where, path in paths.items() if path.is_file() and not _errors_from(read_text, path)}
    findings: list[Finding] = []
    for episode in show.episodes:
        text = texts.get(f"transcripts/{episode.slug}.md")
        for diarised in episode.diarised if text is None or is_unedited_draft(text) else ():  # a hand-edited text names its speakers
            for name in unnamed_speakers(diarised, _read_diarisation(root, diarised)):
                where = f"episodes/{episode.slug}/episode.toml: recordings[{diarised.recording + 1}].speakers"
                hint = f'add "{terminal_safe(name)}" = "…", a key of [people], or "" for a person who is not in the show'
                findings.append(Finding(ADVICE, OWN_PACK, "speaker", "", where, f"does not name the speaker {terminal_safe(name)}", hint))
    languages = {f"transcripts/{episode.slug}.md": _language(show, episode) for episode in show.episodes}
    for where, text in texts.items():
        if not _errors_from(parse_transcript, text):
            others = {name: other for name, other in texts.items() if name != where and languages[name] == languages[where]}
            doubts = lint_transcript(text, where, others, languages[where])
            findings += [Finding(ADVICE, OWN_PACK, "transcript", "", f"{where}:{each.line}", each.message, each.hint) for each in doubts]
    for episode in show.episodes:
        findings += [*_guide_advice(root, show, episode), *estimated_starts(root, episode), *completeness_advice(root, episode, cache)]
    return findings


def _guide_advice(root: Path, show: Show, episode: Episode) -> Iterator[Finding]:
    """Questions to rewrite, and characters that the PDF fonts lack; none of them stops a guide."""
    where = f"guides/{episode.slug}.md"
    path = root / where
    if not path.is_file() or _errors_from(_parse_guide, path, where):
        return
    text = read_text(path)
    for line, message in guide_warnings(parse_guide(text, where), _language(show, episode), episode.info.summary):
        yield Finding(ADVICE, OWN_PACK, "question", "", f"{where}:{line}", message, "rewrite it, or ignore this advice")
    for line, message in missing_glyphs(text):
        yield Finding(
            ADVICE,
            OWN_PACK,
            "glyph",
            "",
            f"{where}:{line}",
            message,
            "use another character, or ignore this advice if only the web page and Word files matter",
        )


def _check_episode(root: Path, show: Show, episode: Episode) -> Iterator[CauserieError]:
    if episode.info.summary in PLACEHOLDER_SUMMARY.values():
        yield CauserieError("is still the placeholder", f"episodes/{episode.slug}/episode.toml: summary", "summarise the episode")
    if episode.cover and (root / episode.cover).is_file():
        yield from _errors_from(check_cover, root / episode.cover)
    yield from _check_quotes(root, show, episode)
    for diarised in episode.diarised:
        yield from _check_speakers(root, diarised, f"episodes/{episode.slug}/episode.toml: recordings[{diarised.recording + 1}].speakers")
    transcript, guide = (f"{folder}/{episode.slug}.md" for folder in ("transcripts", "guides"))
    if (root / transcript).is_file():
        yield from _errors_from(_parse_transcript, root / transcript, transcript, show.people)
    if (root / guide).is_file():
        yield from _errors_from(_parse_guide, root / guide, guide)


def _parse_transcript(path: Path, where: str, people: Collection[str] | None = None) -> None:
    """Raise `CauserieError` unless a file is a transcript."""
    parse_transcript(read_text(path), where, people)


def _parse_guide(path: Path, where: str) -> None:
    """Raise `CauserieError` unless a file is the text of a guide."""
    parse_guide(read_text(path), where)


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


def _check_chapters(root: Path, episode: Episode) -> list[CauserieError]:
    """Chapters that start after the end of the audio, once its duration is known."""
    timed = root / f".causerie/{episode.slug}/timed.json"
    return _errors_from(_check_chapter_times, episode, timed) if timed.is_file() and episode.chapters else []


def _check_chapter_times(episode: Episode, timed: Path) -> None:
    """Raise `CauserieError` when a chapter starts after the end."""
    validate_chapters(episode.chapters, read_timed(timed), episode.slug)


def _check_quotes(root: Path, show: Show, episode: Episode) -> Iterator[CauserieError]:
    """Quotes of the guide that are not in the transcript."""
    text, guide = (root / f"{folder}/{episode.slug}.md" for folder in ("transcripts", "guides"))
    if not (text.is_file() and guide.is_file()):
        return
    if _errors_from(_parse_transcript, text, "") or _errors_from(_parse_guide, guide, ""):  # reported by `_check_episode`
        return
    language = _language(show, episode)
    located = build_turns(parse_transcript(read_text(text)), language)
    spoken = spoken_words(TimedTranscript(0.0, language, tuple(each.turn for each in located)))
    for _, quote in clip_quotes(parse_guide(read_text(guide), "")):
        yield from _errors_from(locate, quote.text, spoken, f"guides/{episode.slug}.md:{quote.number}")


def _language(show: Show, episode: Episode) -> str:
    return episode.info.language or show.info.language


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
