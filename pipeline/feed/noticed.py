"""What subscribers will notice of a publication, compared with the one before: in sentences, and refused when it costs them downloads.

An application knows an episode by its GUID alone: gPodder, newsboat and AntennaPod take a new title, file or address over in silence, and
keep what was downloaded. Another GUID is another episode, downloaded once more by everybody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from pipeline.errors import CauserieError
from pipeline.feed.ledger import Given, Ledger, Publication

_BACK = "restore the ledger from version control, give the folder its old name back, or its new name the old GUID there"
_MOST_TITLES = 20  # on a line
_KEPT = " (who has downloaded it keeps the old one)"


def differences(before: Publication | None, after: Publication) -> tuple[str, ...]:
    """What subscribers will notice: a sentence with the numbers, then a line with the titles of each; none when nothing."""
    old = {given.guid: given for given in before.episodes} if before else {}
    new = {given.guid: given for given in after.episodes}
    kept = [(old[guid], given) for guid, given in new.items() if guid in old]
    replaced = [given for was, given in kept if _file(was) != _file(given)]
    renewed = new_identities(before, after)
    others, same = {given.guid for given in renewed}, _same_as(renewed)
    told = (
        ([given for guid, given in new.items() if guid not in old and guid not in others], "new episode", ""),
        ([given for was, given in kept if was.title != given.title or _reworded(was, given)], "text", "corrected"),
        (replaced, "sound", "replaced"),
        ([given for was, given in kept if was.url != given.url and _file(was) == _file(given)], "sound", "moved"),
        ([was for guid, was in old.items() if guid not in new and not same(was)], "episode", "withdrawn"),
        (renewed, "GUID", "changed"),
    )
    moved = bool(before and before.podcast and before.podcast != after.podcast)
    spoken = bool(before and before.show_sha256 and before.show_sha256 != after.show_sha256)
    if not (moved or spoken or any(which for which, _, _ in told)):
        return ()
    counts = [_count(len(which), noun, verb) for which, noun, verb in told if which] + [_count(len(renewed), "download", "repeated")]
    lines = [f"  {verb or 'new'}: {_titles(which)}{_KEPT if which is replaced else ''}" for which, _, verb in told if which]
    lines += ["  the show: its own texts, pictures or people changed"] if spoken else []
    lines += ["  the show has another podcast:guid: applications that follow it take it for a new show"] if moved else []
    return (", ".join(counts), *lines)


def new_identities(before: Publication | None, after: Publication) -> tuple[Given, ...]:
    """The episodes that subscribers have under another GUID: of the same title or the same file."""
    given, had = {one.guid for one in after.episodes}, before.episodes if before else ()
    same, old = _same_as(one for one in had if one.guid not in given), {one.guid for one in had}
    return tuple(one for one in after.episodes if one.guid not in old and same(one))


def refuse_new_identities(before: Publication | None, after: Publication) -> None:
    """A `CauserieError` when subscribers have an episode, or the show, under another GUID."""
    renewed = new_identities(before, after)
    if renewed:
        what = f"{_count(len(renewed), 'episode')} {'has' if len(renewed) == 1 else 'have'} another GUID than subscribers were given"
        cost = f"the application of every subscriber would download {_count(len(renewed), 'episode')} again: {_titles(renewed)}"
        raise CauserieError(f"{what}; {cost}", "feeds/ledger.json", f"{_BACK}, or publish with --new-guids")
    if before and before.podcast and before.podcast != after.podcast:
        what = f"the show's podcast:guid was {before.podcast} and is now {after.podcast}: applications would take it for a new show"
        raise CauserieError(what, "feeds/ledger.json", f"{_BACK}, or publish with --new-guids")


def still_there(ledger: Ledger, orphans: Iterable[str]) -> tuple[str, ...]:
    """A sentence on pages and feeds of ours that nothing names any more, of an episode withdrawn or a show made private.

    `orphans` are the keys at the target that the publication does not hold.
    """
    pages = {f"{slug}/index.html" for slug in ledger.episodes}
    left = [key for key in orphans if key in pages or re.fullmatch("feed.xml|feeds/[^/]+/feed.xml", key)]
    what = "is still there for whoever knows the address, with its files: publish with --prune when it must go"
    return (f"{', '.join(left)}: {what}",) if left else ()


def _same_as(some: Iterable[Given]) -> Callable[[Given], bool]:
    """Whether an item is one of `some` to a listener, under whatever GUID."""
    some = tuple(some)
    urls, titles = {one.url for one in some}, {one.title for one in some}
    return lambda given: given.url in urls or given.title in titles


def _titles(which: Sequence[Given]) -> str:
    """Their titles, of many the first."""
    more = len(which) - _MOST_TITLES
    return ", ".join(given.title for given in which[:_MOST_TITLES]) + (f" and {more} more" if more > 0 else "")


def _reworded(was: Given, given: Given) -> bool:
    """Whether an item says something else; of an imported one, nobody knows."""
    return bool(was.text_sha256) and was.text_sha256 != given.text_sha256


def _file(given: Given) -> tuple[str, int]:
    """What tells a file from another wherever it lies: its name, which has its digest, and its size."""
    return given.url.rpartition("/")[2], given.bytes


def _count(number: int, noun: str, verb: str = "") -> str:
    """«2 texts corrected»."""
    return f"{number} {noun}{'' if number == 1 else 's'} {verb}".rstrip()
