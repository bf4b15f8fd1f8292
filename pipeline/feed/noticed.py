"""What subscribers will notice of a publication, compared with the previous one; refused when they would download episodes again.

An app identifies an episode by its GUID alone: gPodder, newsboat and AntennaPod adopt a new title, file or URL silently, and keep
what was downloaded. An episode with another GUID is a new episode, which every subscriber downloads again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from pipeline.errors import CauserieError
from pipeline.feed.ledger import Given, Ledger, Publication

_BACK = "restore the ledger from version control, rename the folder back, or give its new name the old GUID in the ledger"
_MOST_TITLES = 20  # on a line
_KEPT = " (subscribers who have downloaded it keep the old one)"


def differences(before: Publication | None, after: Publication) -> tuple[str, ...]:
    """What subscribers will notice: a line with the counts, then a line of titles for each kind of change; empty when nothing changed."""
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
    lines += ["  the show: its texts, images or people changed"] if spoken else []
    lines += ["  the show has another podcast:guid: apps treat it as a new show"] if moved else []
    return (", ".join(counts), *lines)


def new_identities(before: Publication | None, after: Publication) -> tuple[Given, ...]:
    """The episodes that subscribers know under another GUID: same title or same enclosure URL."""
    given, had = {one.guid for one in after.episodes}, before.episodes if before else ()
    same, old = _same_as(one for one in had if one.guid not in given), {one.guid for one in had}
    return tuple(one for one in after.episodes if one.guid not in old and same(one))


def refuse_new_identities(before: Publication | None, after: Publication) -> None:
    """Raise `CauserieError` when subscribers know an episode, or the show, under another GUID."""
    renewed = new_identities(before, after)
    if renewed:
        what = f"{_count(len(renewed), 'episode')} {'has' if len(renewed) == 1 else 'have'} a different GUID than in the last publication"
        cost = f"every subscriber's app would download {_count(len(renewed), 'episode')} again: {_titles(renewed)}"
        raise CauserieError(f"{what}; {cost}", "feeds/ledger.json", f"{_BACK}, or publish with --new-guids")
    if before and before.podcast and before.podcast != after.podcast:
        what = f"the show's podcast:guid was {before.podcast} and is now {after.podcast}: apps would treat it as a new show"
        raise CauserieError(what, "feeds/ledger.json", f"{_BACK}, or publish with --new-guids")


def still_there(ledger: Ledger, orphans: Iterable[str]) -> tuple[str, ...]:
    """A warning about pages and feeds of withdrawn episodes, or of a show made private, that are still at the target.

    `orphans` are the keys at the target that the publication does not contain.
    """
    pages = {f"{slug}/index.html" for slug in ledger.episodes}
    left = [key for key in orphans if key in pages or re.fullmatch("feed.xml|feeds/[^/]+/feed.xml", key)]
    what = "is still online for anyone who knows the URL, with its files: publish with --prune to delete it"
    return (f"{', '.join(left)}: {what}",) if left else ()


def _same_as(some: Iterable[Given]) -> Callable[[Given], bool]:
    """A test whether an episode has the title or enclosure URL of one of `items`, whatever its GUID."""
    some = tuple(some)
    urls, titles = {one.url for one in some}, {one.title for one in some}
    return lambda given: given.url in urls or given.title in titles


def _titles(which: Sequence[Given]) -> str:
    """The titles, at most `_MAX_TITLES` of them."""
    more = len(which) - _MOST_TITLES
    return ", ".join(given.title for given in which[:_MOST_TITLES]) + (f" and {more} more" if more > 0 else "")


def _reworded(was: Given, given: Given) -> bool:
    """Whether the texts of an item changed; unknown, so False, for an imported one."""
    return bool(was.text_sha256) and was.text_sha256 != given.text_sha256


def _file(given: Given) -> tuple[str, int]:
    """What identifies a file wherever it is hosted: its name, which contains its digest, and its size."""
    return given.url.rpartition("/")[2], given.bytes


def _count(number: int, noun: str, verb: str = "") -> str:
    """A count with its noun and verb: «2 texts corrected»."""
    return f"{number} {noun}{'' if number == 1 else 's'} {verb}".rstrip()
