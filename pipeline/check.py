"""Every mistake in a show at once, without making anything: what `causerie check` says.

What directories ask (`pipeline/feed/rules.py`) is looked for in the feed that was built, and in the files that it names.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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

FEED = "feeds/feed.xml"
_LISTENERS = (probe.__file__, ffmpeg.__file__, headers.__file__, streams.__file__)  # whose other source would hear something else
_JUDGES = (*sorted(str(path) for path in Path(rules.__file__).parent.glob("*.py")), directories_source.__file__, pictures.__file__)
Tell = Callable[[str], None]
OWN = "Causerie"  # the pack of what no directory asks for


def check(root: Path, online: bool = False, tell: Tell = lambda text: None) -> list[Finding]:
    """What is wrong in a show, and in its feed (`online`: also at the addresses there); when nothing is, advice on its transcripts.

    `tell` hears what is being looked at. What files say is remembered, and looked at again when they are others.
    """
    with _rare_collections():
        show, problems = catalog.read(root)
        if show is None:
            return [_mistake(root, problem) for problem in problems]
        looked = Looked(root)
        try:
            return _checked(root, show, problems, online, looked, tell)
        finally:
            looked.save()  # of a check that was stopped too: to hear every recording takes long


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for garbage in cycles seldom: there are values by the million and hardly a cycle, and the search takes a fifth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(500_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _checked(root: Path, show: Show, problems: list[CauserieError], online: bool, looked: Looked, tell: Tell) -> list[Finding]:
    wrong = {catalog.owner(problem) for problem in problems}
    found = [_mistake(root, problem) for problem in (*problems, *_in_files(root, show, wrong, looked, tell))]
    tell("what directories ask")
    if not problems:
        try:
            found += directories(root, show.info.website, online, looked)
        except CauserieError as error:
            found.append(_mistake(root, error))
    if any(finding.level == ERROR for finding in found):
        return [finding for finding in found if finding.rule != "not-built"]
    return found + _advice(root, show)


def directories(root: Path, website: str, online: bool = False, looked: Looked | None = None) -> list[Finding]:
    """What directories would say of the feed that was built, and `online` of what servers answer.

    `CauserieError` when it is no feed, or a release is damaged.
    """
    path = root / FEED
    if not path.is_file():
        return [Finding(ADVICE, OWN, "not-built", "", FEED, "is not built yet, so that its rules were not looked at", "run causerie build")]
    looked, local = looked or Looked(root), behind.addresses(root, website)
    if online:
        return _found(path, local, looked, online)
    by = f"{signature(_JUDGES)} {behind.state(local)}"
    return [Finding(*row) for row in looked.at(path, FEED, by, lambda: [[*vars(each).values()] for each in _found(path, local, looked)])]


def _found(path: Path, local: Mapping[str, behind.Local], looked: Looked, online: bool = False) -> list[Finding]:
    """What every rule finds in a feed, and in the files it names that are here."""
    feed = parsed.parse(path.read_bytes(), FEED)
    uses = tuple(rules.uses(feed))
    files = behind.look(uses, local, looked)
    served = _served((*rules.own_address(feed), *uses)) if online else {}
    found = list(rules.findings(feed, files, FEED, served))
    if absent := len({use.url for use in uses} - files.keys()):
        said = f"names {absent} files that are not in this folder, so that nothing can be said of them"
        found.append(Finding(ADVICE, OWN, "files-elsewhere", "", FEED, said, "run causerie build"))
    return found


def _served(uses: Sequence[Use]) -> dict[str, Served]:
    """What servers answer, by address: eight questions at a time."""
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
    """Findings as sentences for a person, one for each rule of a directory: the same thing a thousand times is one thing to mend."""
    own = [finding for finding in found if finding.pack == OWN]
    theirs = rules.grouped(tuple(finding for finding in found if finding.pack != OWN))
    said = [CauserieError(f"{finding.problem} [{finding.pack}: {finding.rule}]", finding.where, finding.remedy) for finding in theirs]
    return [*(CauserieError(finding.problem, finding.where, finding.remedy) for finding in own), *said]


def _in_files(root: Path, show: Show, wrong: Collection[str], looked: Looked, tell: Tell) -> list[CauserieError]:
    """What is wrong in the ledger, cover, recordings, transcripts and guides; `wrong` are the slugs whose TOML has mistakes."""
    unsaid = still_to_write(show.info)
    problems = [CauserieError("is still the one to fill in", f"show.toml: {key}", "say it of your show") for key in unsaid]
    problems += _tried(lambda: ledger.load(root / "feeds/ledger.json"))
    if (root / show.cover).is_file():
        problems += _tried(lambda: check_cover(root / show.cover))
    pictures = [image.file for image in show.feed.images]
    pictures += [chapter.image for episode in show.episodes for chapter in episode.chapters if chapter.image]
    for name in dict.fromkeys(pictures):
        if (root / name).is_file():
            problems += _tried(lambda name=name: sized(in_file(root / name), name))
    sounds = (each for episode in show.episodes for each in episode.mix.sounds if _is_to_hear(root, each))
    takes = dict.fromkeys((each.file, each.stream) for each in sounds)  # a jingle is listened to once
    lengths_s: dict[tuple[str, str], float] = {}
    for number, take in enumerate(takes, 1):
        tell(f"recording {number} of {len(takes)}: {take[0]}")
        problems += _tried(lambda take=take: lengths_s.update({take: _length_s(root, *take, looked)}))
    for episode in show.episodes:
        if episode.slug not in wrong:
            problems += misfits(episode.mix, lengths_s, episode.soundbites, f"episodes/{episode.slug}/episode.toml")
            problems += _late_chapters(root, episode)
        problems += _episode(root, show, episode)
    return problems


def _length_s(root: Path, file: str, stream: str, looked: Looked) -> float:
    """How long a recording is, once all of it was heard; `CauserieError` as `whole`."""
    path = root / file
    probe.refuse_unreadable(path)
    return looked.at(path, f"whole {file!r} {stream!r}", signature(_LISTENERS), lambda: whole(path, stream).duration_s or 0.0)


def _is_to_hear(root: Path, sound: Recording | Part | Bed) -> bool:
    """All but missing files that the catalog has told of."""
    return isinstance(sound, Recording) or (root / sound.file).is_file()


def _advice(root: Path, show: Show) -> list[Finding]:
    """What a careful reader would look at again in the transcripts; none of it is a mistake."""
    paths = {f"transcripts/{episode.slug}.md": root / f"transcripts/{episode.slug}.md" for episode in show.episodes}
    texts = {where: read_text(path) for where, path in paths.items() if path.is_file() and not _tried(lambda path=path: read_text(path))}
    found: list[Finding] = []
    for episode in show.episodes:
        text = texts.get(f"transcripts/{episode.slug}.md")
        for diarised in episode.diarised if text is None or untouched(text) else ():  # a person's text says who speaks
            for name in unnamed(diarised, _stretches(root, diarised)):
                where = f"episodes/{episode.slug}/episode.toml: recordings[{diarised.recording + 1}].speakers"
                hint = f'add "{printable(name)}" = "…", a key of [people], or "" when they are nobody of the show'
                found.append(Finding(ADVICE, OWN, "speaker", "", where, f"does not say who speaks as {printable(name)}", hint))
    spoken = {f"transcripts/{episode.slug}.md": _language(show, episode) for episode in show.episodes}
    for where, text in texts.items():
        if not _tried(lambda text=text: grammar.parse(text)):
            others = {name: other for name, other in texts.items() if name != where and spoken[name] == spoken[where]}
            doubts = lint(text, where, others, spoken[where])
            found += [Finding(ADVICE, OWN, "transcript", "", f"{where}:{each.line}", each.message, each.hint) for each in doubts]
    return [*found, *(each for episode in show.episodes for each in _guide_advice(root, show, episode))]


def _guide_advice(root: Path, show: Show, episode: Episode) -> Iterator[Finding]:
    """Lines to write again, and characters that the PDFs cannot draw; none of it stops a guide."""
    where = f"guides/{episode.slug}.md"
    path = root / where
    if not path.is_file() or _tried(lambda: guide_text.parse(read_text(path), where)):
        return
    text = read_text(path)
    for line, message in questions.advice(guide_text.parse(text, where), _language(show, episode), episode.info.summary):
        yield Finding(ADVICE, OWN, "question", "", f"{where}:{line}", message, "write it again, or leave it: the guide is yours")
    for line, message in glyphs.missing(text):
        yield Finding(ADVICE, OWN, "glyph", "", f"{where}:{line}", message, "use another character; the pages and Word files have it")


def _episode(root: Path, show: Show, episode: Episode) -> Iterator[CauserieError]:
    if episode.info.summary in SUMMARY_TO_WRITE.values():
        yield CauserieError("is still the one to write", f"episodes/{episode.slug}/episode.toml: summary", "say what the episode is about")
    if episode.cover and (root / episode.cover).is_file():
        yield from _tried(lambda: check_cover(root / episode.cover))
    yield from _against_the_transcript(root, show, episode)
    for diarised in episode.diarised:
        yield from _speakers(root, diarised, f"episodes/{episode.slug}/episode.toml: recordings[{diarised.recording + 1}].speakers")
    for folder, parse in (("transcripts", lambda text, where: grammar.parse(text, where, show.people)), ("guides", guide_text.parse)):
        path = root / folder / f"{episode.slug}.md"
        if path.is_file():
            yield from _tried(lambda path=path, parse=parse, folder=folder: parse(read_text(path), f"{folder}/{path.name}"))


def _speakers(root: Path, diarised: Diarised, where: str) -> Iterator[CauserieError]:
    """An RTTM file that cannot be read, or lacks a name that is explained."""
    if not (root / diarised.file).is_file():  # told by the catalog
        return
    if wrong := _tried(lambda: _stretches(root, diarised)):
        yield from wrong
        return
    stretches = _stretches(root, diarised)
    for name in absent(diarised, stretches):
        yield CauserieError(f"“{printable(name)}” is nobody in {diarised.file}", where, nearest(printable(name), speakers(stretches)))


def _stretches(root: Path, diarised: Diarised) -> tuple[Stretch, ...]:
    return parse_rttm(read_text(root / diarised.file, diarised.file), diarised.file, diarised.name)


def _late_chapters(root: Path, episode: Episode) -> list[CauserieError]:
    """Chapters after the end, once the sound was heard."""
    timed = root / f".causerie/{episode.slug}/timed.json"
    return _tried(lambda: checked(episode.chapters, read_timed(timed), episode.slug)) if timed.is_file() and episode.chapters else []


def _against_the_transcript(root: Path, show: Show, episode: Episode) -> Iterator[CauserieError]:
    """Quotes that nobody says in the text as it is now."""
    text, guide = (root / f"{folder}/{episode.slug}.md" for folder in ("transcripts", "guides"))
    if not (text.is_file() and guide.is_file()):
        return
    if _tried(lambda: (grammar.parse(read_text(text)), guide_text.parse(read_text(guide), ""))):  # told where texts are looked at
        return
    language = _language(show, episode)
    said = turns(grammar.parse(read_text(text)), language)
    spoken = spoken_words(TimedTranscript(0.0, language, tuple(each.turn for each in said)))
    for _, quote in guide_text.clips(guide_text.parse(read_text(guide), "")):
        yield from _tried(lambda quote=quote: locate(quote.text, spoken, f"guides/{episode.slug}.md:{quote.number}"))


def _language(show: Show, episode: Episode) -> str:
    return episode.info.language or show.info.language


def _tried(look: Callable[[], Any]) -> list[CauserieError]:
    """The mistake that looking raises, if it does."""
    try:
        look()
    except Problems as several:
        return list(several.problems)
    except CauserieError as error:
        return [error]
    return []


def _mistake(root: Path, problem: CauserieError) -> Finding:
    """A problem as a finding, its file named from the show's folder."""
    return Finding(ERROR, OWN, "", "", problem.where.removeprefix(f"{root}/"), problem.message, problem.hint)
