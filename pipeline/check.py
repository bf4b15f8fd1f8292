"""Finds every mistake in a show at once, without building anything: `causerie check`.

The rules of podcast directories (`pipeline/feed/rules/`) are applied to the feed as it was built, and to the files it names.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec

from pipeline import catalog, pictures
from pipeline import directories as directories_source
from pipeline.audio import ffmpeg, headers, probe, streams
from pipeline.audio.fits import misfits
from pipeline.audio.probe import whole
from pipeline.drafts import untouched
from pipeline.errors import CauserieError, Problems
from pipeline.feed import behind, ledger, parsed, rules
from pipeline.feed.chapters import checked
from pipeline.feed.rule import ADVICE, ERROR, Finding, Served, Use
from pipeline.feed.rules_show import web_address
from pipeline.files import read_text
from pipeline.guide import glyphs
from pipeline.guide import rules as questions
from pipeline.guide import text as guide_text
from pipeline.guide.quotes import locate, spoken_words
from pipeline.looked import Looked, signature
from pipeline.model import Episode, Show, TimedTranscript
from pipeline.newcomers import SUMMARY_TO_WRITE, still_to_write
from pipeline.pictures import in_file, sized
from pipeline.publish.verify import ORIGIN, ask
from pipeline.release import check_cover
from pipeline.sound_model import Bed, Diarised, Part, Recording
from pipeline.text import nearest, printable
from pipeline.transcript import grammar
from pipeline.transcript.diarisation import Stretch, absent, parse_rttm, speakers, unnamed
from pipeline.transcript.lint import lint
from pipeline.transcript.timed import read_timed
from pipeline.transcript.turns import turns

P = ParamSpec("P")

FEED = "feeds/feed.xml"
_LISTENERS = (probe.__file__, ffmpeg.__file__, headers.__file__, streams.__file__)  # code whose changes invalidate cached durations
_JUDGES = (*sorted(str(path) for path in Path(rules.__file__).parent.glob("*.py")), directories_source.__file__, pictures.__file__)
Tell = Callable[[str], None]
OWN = "Causerie"  # the pack of findings that come from no directory


def check(root: Path, online: bool = False, tell: Tell = lambda text: None) -> list[Finding]:
    """Every mistake in a show and its feed; without mistakes, advice on transcripts and guides. `online` also requests the feed's URLs.

    `on_status` receives what is being checked. Results about unchanged files come from a cache.
    """
    with _rare_collections():
        show, problems = catalog.read(root)
        if show is None:
            return [_mistake(root, problem) for problem in problems]
        looked = Looked(root)
        try:
            return _checked(root, show, problems, online, looked, tell)
        finally:
            looked.save()  # also after an interruption: decoding every recording takes long


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Make cyclic garbage collection rare: there are millions of objects and hardly a cycle, and collections take a fifth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(500_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _checked(root: Path, show: Show, problems: list[CauserieError], online: bool, looked: Looked, tell: Tell) -> list[Finding]:
    wrong = {catalog.owner(problem) for problem in problems}
    found = [_mistake(root, problem) for problem in (*problems, *_in_files(root, show, wrong, looked, tell))]
    tell("directory rules")
    if not problems:
        try:
            found += directories(root, show.info.website, online, looked)
        except CauserieError as error:
            found.append(_mistake(root, error))
    if any(finding.level == ERROR for finding in found):
        return [finding for finding in found if finding.rule != "not-built"]
    return found + _advice(root, show)


def directories(root: Path, website: str, online: bool = False, looked: Looked | None = None) -> list[Finding]:
    """The findings of the directories' rules for the built feed, with `online` also for the answers of its servers.

    Raises `CauserieError` when the file is no feed, or when a release file is damaged.
    """
    path = root / FEED
    if not path.is_file():
        return [
            Finding(
                ADVICE, OWN, "not-built", "", FEED, "is not built yet, so the rules of directories were not checked", "run causerie build"
            )
        ]
    looked, local = looked or Looked(root), behind.addresses(root, website)
    if online:
        return _found(path, local, looked, online)
    by = f"{signature(_JUDGES)} {behind.state(local)}"
    return [Finding(*row) for row in looked.at(path, FEED, by, lambda: [[*vars(each).values()] for each in _found(path, local, looked)])]


def _found(path: Path, local: Mapping[str, behind.Local], looked: Looked, online: bool = False) -> list[Finding]:
    """The findings of every rule in a feed, and in those of its files that are in this folder."""
    feed = parsed.parse(path.read_bytes(), FEED)
    uses = tuple(rules.uses(feed))
    files = behind.look(uses, local, looked)
    served = _served((*rules.own_address(feed), *uses)) if online else {}
    found = list(rules.findings(feed, files, FEED, served))
    if absent := len({use.url for use in uses} - files.keys()):
        said = f"names {absent} files that are not in this folder, so they were not checked"
        found.append(Finding(ADVICE, OWN, "files-elsewhere", "", FEED, said, "run causerie build"))
    return found


def _served(uses: Sequence[Use]) -> dict[str, Served]:
    """The answers of servers by URL, with eight requests at a time."""
    asked = {use.url: use for use in uses if web_address(use.url)}
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(asked, pool.map(_answer, asked.values()), strict=True))


def _answer(use: Use) -> Served:
    head = ask(use.url, Origin=ORIGIN)
    if use.kind not in ("audio", "alternate") or head.status != 200:
        return Served(head.status, head.headers)
    part = ask(use.url, "GET", Range="bytes=0-1")
    return Served(head.status, head.headers, part.status, part.headers.get("content-range", ""))


def shown(found: Sequence[Finding]) -> list[CauserieError]:
    """Findings as errors to print, those of directories grouped by rule, so that a repeated mistake is printed once."""
    own = [finding for finding in found if finding.pack == OWN]
    theirs = rules.grouped(tuple(finding for finding in found if finding.pack != OWN))
    said = [CauserieError(f"{finding.problem} [{finding.pack}: {finding.rule}]", finding.where, finding.remedy) for finding in theirs]
    return [*(CauserieError(finding.problem, finding.where, finding.remedy) for finding in own), *said]


def _in_files(root: Path, show: Show, wrong: Collection[str], looked: Looked, tell: Tell) -> list[CauserieError]:
    """Mistakes in the ledger, cover, recordings, transcripts and guides; `invalid_slugs` are the episodes whose TOML has mistakes."""
    unsaid = still_to_write(show.info)
    problems = [
        CauserieError("is still the placeholder of causerie init", f"show.toml: {key}", "enter the value for your show") for key in unsaid
    ]
    problems += _tried(ledger.load, root / "feeds/ledger.json")
    if (root / show.cover).is_file():
        problems += _tried(check_cover, root / show.cover)
    pictures = [image.file for image in show.feed.images]
    pictures += [chapter.image for episode in show.episodes for chapter in episode.chapters if chapter.image]
    for name in dict.fromkeys(pictures):
        if (root / name).is_file():
            problems += _tried(_check_image, root / name, name)
    sounds = (each for episode in show.episodes for each in episode.mix.sounds if _is_to_hear(root, each))
    takes = dict.fromkeys((each.file, each.stream) for each in sounds)  # a jingle used several times is decoded once
    lengths_s: dict[tuple[str, str], float] = {}
    for number, take in enumerate(takes, 1):
        tell(f"recording {number} of {len(takes)}: {take[0]}")
        problems += _tried(_add_length, lengths_s, root, take, looked)
    for episode in show.episodes:
        if episode.slug not in wrong:
            problems += misfits(episode.mix, lengths_s, episode.soundbites, f"episodes/{episode.slug}/episode.toml")
            problems += _late_chapters(root, episode)
        problems += _episode(root, show, episode)
    return problems


def _check_image(path: Path, name: str) -> None:
    """Raise `CauserieError` at `name` unless a file is a JPEG or PNG image."""
    sized(in_file(path), name)


def _add_length(lengths_s: dict[tuple[str, str], float], root: Path, take: tuple[str, str], looked: Looked) -> None:
    """Add the duration of a stream, a file and the stream's name, to `lengths_s`; raises as `_probe_length_s`."""
    file, stream = take
    lengths_s[take] = _length_s(root, file, stream, looked)


def _length_s(root: Path, file: str, stream: str, looked: Looked) -> float:
    """The duration of a recording in seconds, after decoding all of it; raises `CauserieError` as `probe_fully`."""
    path = root / file
    probe.refuse_unreadable(path)
    return looked.at(path, f"whole {file!r} {stream!r}", signature(_LISTENERS), lambda: whole(path, stream).duration_s or 0.0)


def _is_to_hear(root: Path, sound: Recording | Part | Bed) -> bool:
    """Whether a file is to be probed: a missing part or bed was reported by the config loader already."""
    return isinstance(sound, Recording) or (root / sound.file).is_file()


def _advice(root: Path, show: Show) -> list[Finding]:
    """Passages of transcripts and guides to reread, and speakers without a name; none of them is a mistake."""
    paths = {f"transcripts/{episode.slug}.md": root / f"transcripts/{episode.slug}.md" for episode in show.episodes}
    texts = {where: read_text(path) for where, path in paths.items() if path.is_file() and not _tried(read_text, path)}
    found: list[Finding] = []
    for episode in show.episodes:
        text = texts.get(f"transcripts/{episode.slug}.md")
        for diarised in episode.diarised if text is None or untouched(text) else ():  # a hand-edited text names its speakers
            for name in unnamed(diarised, _stretches(root, diarised)):
                where = f"episodes/{episode.slug}/episode.toml: recordings[{diarised.recording + 1}].speakers"
                hint = f'add "{printable(name)}" = "…", a key of [people], or "" for a person who is not in the show'
                found.append(Finding(ADVICE, OWN, "speaker", "", where, f"does not name the speaker {printable(name)}", hint))
    spoken = {f"transcripts/{episode.slug}.md": _language(show, episode) for episode in show.episodes}
    for where, text in texts.items():
        if not _tried(grammar.parse, text):
            others = {name: other for name, other in texts.items() if name != where and spoken[name] == spoken[where]}
            doubts = lint(text, where, others, spoken[where])
            found += [Finding(ADVICE, OWN, "transcript", "", f"{where}:{each.line}", each.message, each.hint) for each in doubts]
    return [*found, *(each for episode in show.episodes for each in _guide_advice(root, show, episode))]


def _guide_advice(root: Path, show: Show, episode: Episode) -> Iterator[Finding]:
    """Questions to rewrite, and characters that the PDF fonts lack; none of them stops a guide."""
    where = f"guides/{episode.slug}.md"
    path = root / where
    if not path.is_file() or _tried(_parse_guide, path, where):
        return
    text = read_text(path)
    for line, message in questions.advice(guide_text.parse(text, where), _language(show, episode), episode.info.summary):
        yield Finding(ADVICE, OWN, "question", "", f"{where}:{line}", message, "rewrite it, or ignore this advice")
    for line, message in glyphs.missing(text):
        yield Finding(
            ADVICE,
            OWN,
            "glyph",
            "",
            f"{where}:{line}",
            message,
            "use another character, or ignore this advice if only the web page and Word files matter",
        )


def _episode(root: Path, show: Show, episode: Episode) -> Iterator[CauserieError]:
    if episode.info.summary in SUMMARY_TO_WRITE.values():
        yield CauserieError("is still the placeholder", f"episodes/{episode.slug}/episode.toml: summary", "summarise the episode")
    if episode.cover and (root / episode.cover).is_file():
        yield from _tried(check_cover, root / episode.cover)
    yield from _against_the_transcript(root, show, episode)
    for diarised in episode.diarised:
        yield from _speakers(root, diarised, f"episodes/{episode.slug}/episode.toml: recordings[{diarised.recording + 1}].speakers")
    transcript, guide = (f"{folder}/{episode.slug}.md" for folder in ("transcripts", "guides"))
    if (root / transcript).is_file():
        yield from _tried(_parse_transcript, root / transcript, transcript, show.people)
    if (root / guide).is_file():
        yield from _tried(_parse_guide, root / guide, guide)


def _parse_transcript(path: Path, where: str, people: Collection[str] | None = None) -> None:
    """Raise `CauserieError` unless a file is a transcript."""
    grammar.parse(read_text(path), where, people)


def _parse_guide(path: Path, where: str) -> None:
    """Raise `CauserieError` unless a file is the text of a guide."""
    guide_text.parse(read_text(path), where)


def _speakers(root: Path, diarised: Diarised, where: str) -> Iterator[CauserieError]:
    """Mistakes in an RTTM file, and speakers of `episode.toml` that it lacks."""
    if not (root / diarised.file).is_file():  # reported by the config loader
        return
    if wrong := _tried(_stretches, root, diarised):
        yield from wrong
        return
    stretches = _stretches(root, diarised)
    for name in absent(diarised, stretches):
        yield CauserieError(
            f"“{printable(name)}” is not a speaker in {diarised.file}", where, nearest(printable(name), speakers(stretches))
        )


def _stretches(root: Path, diarised: Diarised) -> tuple[Stretch, ...]:
    return parse_rttm(read_text(root / diarised.file, diarised.file), diarised.file, diarised.name)


def _late_chapters(root: Path, episode: Episode) -> list[CauserieError]:
    """Chapters that start after the end of the audio, once its duration is known."""
    timed = root / f".causerie/{episode.slug}/timed.json"
    return _tried(_check_chapter_times, episode, timed) if timed.is_file() and episode.chapters else []


def _check_chapter_times(episode: Episode, timed: Path) -> None:
    """Raise `CauserieError` when a chapter starts after the end."""
    checked(episode.chapters, read_timed(timed), episode.slug)


def _against_the_transcript(root: Path, show: Show, episode: Episode) -> Iterator[CauserieError]:
    """Quotes of the guide that are not in the transcript."""
    text, guide = (root / f"{folder}/{episode.slug}.md" for folder in ("transcripts", "guides"))
    if not (text.is_file() and guide.is_file()):
        return
    if _tried(_parse_transcript, text, "") or _tried(_parse_guide, guide, ""):  # reported by `_check_episode`
        return
    language = _language(show, episode)
    said = turns(grammar.parse(read_text(text)), language)
    spoken = spoken_words(TimedTranscript(0.0, language, tuple(each.turn for each in said)))
    for _, quote in guide_text.clips(guide_text.parse(read_text(guide), "")):
        yield from _tried(locate, quote.text, spoken, f"guides/{episode.slug}.md:{quote.number}")


def _language(show: Show, episode: Episode) -> str:
    return episode.info.language or show.info.language


def _tried(look: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> list[CauserieError]:
    """The mistakes that a call raises, if any."""
    try:
        look(*args, **kwargs)
    except Problems as several:
        return list(several.problems)
    except CauserieError as error:
        return [error]
    return []


def _mistake(root: Path, problem: CauserieError) -> Finding:
    """An error as a finding, with its path relative to the show."""
    return Finding(ERROR, OWN, "", "", problem.where.removeprefix(f"{root}/"), problem.message, problem.hint)
