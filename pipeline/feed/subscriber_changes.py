"""What subscribers will notice of a publication, compared with the previous one; refused when they would download episodes again.

An app identifies an episode by its GUID alone: gPodder, newsboat and AntennaPod adopt a new title, file or URL silently, and keep
what was downloaded. An episode with another GUID is a new episode, which every subscriber downloads again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from pipeline.feed.ledger import Ledger, PublicationRecord, PublishedItem
from pipeline.model import CauserieError, pluralise

_RESTORE_HINT = "restore the ledger from version control, rename the folder back, or give its new name the old GUID in the ledger"
_MAX_TITLES = 20  # on a line
_OLD_COPY_NOTE = " (subscribers who have downloaded it keep the old one)"


def describe_changes(before: PublicationRecord | None, after: PublicationRecord) -> tuple[str, ...]:
    """What subscribers will notice: a line with the counts, then a line of titles for each kind of change; empty when nothing changed."""
    old_items = {item.guid: item for item in before.episodes} if before else {}
    new_items = {given.guid: given for given in after.episodes}
    common_items = [(old_items[guid], given) for guid, given in new_items.items() if guid in old_items]
    replaced = [given for old_item, given in common_items if _file_identity(old_item) != _file_identity(given)]
    changed_guid_items = items_with_changed_guid(before, after)
    changed_guid_set, is_same_episode = {given.guid for given in changed_guid_items}, _episode_matcher(changed_guid_items)
    categories = (
        ([given for guid, given in new_items.items() if guid not in old_items and guid not in changed_guid_set], "new episode", ""),
        ([given for was, given in common_items if was.title != given.title or _is_reworded(was, given)], "text", "corrected"),
        (replaced, "sound", "replaced"),
        ([given for was, given in common_items if was.url != given.url and _file_identity(was) == _file_identity(given)], "sound", "moved"),
        ([was for guid, was in old_items.items() if guid not in new_items and not is_same_episode(was)], "episode", "withdrawn"),
        (changed_guid_items, "GUID", "changed"),
    )
    has_new_show_guid = bool(before and before.podcast and before.podcast != after.podcast)
    has_new_show_texts = bool(before and before.show_sha256 and before.show_sha256 != after.show_sha256)
    if not (has_new_show_guid or has_new_show_texts or any(items for items, _, _ in categories)):
        return ()
    counts = [_format_count(len(which), noun, verb) for which, noun, verb in categories if which] + [
        _format_count(len(changed_guid_items), "download", "repeated")
    ]
    lines = [f"  {verb or 'new'}: {_titles(which)}{_OLD_COPY_NOTE if which is replaced else ''}" for which, _, verb in categories if which]
    lines += ["  the show: its texts, images or people changed"] if has_new_show_texts else []
    lines += ["  the show has another podcast:guid: apps treat it as a new show"] if has_new_show_guid else []
    return (", ".join(counts), *lines)


def items_with_changed_guid(before: PublicationRecord | None, after: PublicationRecord) -> tuple[PublishedItem, ...]:
    """The episodes that subscribers know under another GUID: same title or same enclosure URL."""
    new_guids, old_items = {one.guid for one in after.episodes}, before.episodes if before else ()
    is_same_episode, old_guids = _episode_matcher(one for one in old_items if one.guid not in new_guids), {one.guid for one in old_items}
    return tuple(one for one in after.episodes if one.guid not in old_guids and is_same_episode(one))


def refuse_changed_guids(before: PublicationRecord | None, after: PublicationRecord) -> None:
    """Raise `CauserieError` when subscribers know an episode, or the show, under another GUID."""
    changed = items_with_changed_guid(before, after)
    if changed:
        have = "has" if len(changed) == 1 else "have"
        problem = f"{_format_count(len(changed), 'episode')} {have} a different GUID than in the last publication"
        consequence = f"every subscriber's app would download {_format_count(len(changed), 'episode')} again: {_titles(changed)}"
        raise CauserieError(f"{problem}; {consequence}", "feeds/ledger.json", f"{_RESTORE_HINT}, or publish with --new-guids")
    if before and before.podcast and before.podcast != after.podcast:
        problem = f"the show's podcast:guid was {before.podcast} and is now {after.podcast}: apps would treat it as a new show"
        raise CauserieError(problem, "feeds/ledger.json", f"{_RESTORE_HINT}, or publish with --new-guids")


def withdrawn_files(ledger: Ledger, orphans: Iterable[str]) -> tuple[str, ...]:
    """A warning about pages and feeds of withdrawn episodes, or of a show made private, that are still at the target.

    `orphans` are the keys at the target that the publication does not contain.
    """
    pages = {f"{slug}/index.html" for slug in ledger.episodes}
    remaining = [key for key in orphans if key in pages or re.fullmatch("feed.xml|feeds/[^/]+/feed.xml", key)]
    warning = "is still online for anyone who knows the URL, with its files: publish with --prune to delete it"
    return (f"{', '.join(remaining)}: {warning}",) if remaining else ()


def _episode_matcher(items: Iterable[PublishedItem]) -> Callable[[PublishedItem], bool]:
    """A test whether an episode has the title or enclosure URL of one of `items`, whatever its GUID."""
    items = tuple(items)
    urls, titles = {one.url for one in items}, {one.title for one in items}
    return lambda item: item.url in urls or item.title in titles


def _titles(items: Sequence[PublishedItem]) -> str:
    """The titles, at most `_MAX_TITLES` of them."""
    hidden_count = len(items) - _MAX_TITLES
    return ", ".join(item.title for item in items[:_MAX_TITLES]) + (f" and {hidden_count} more" if hidden_count > 0 else "")


def _is_reworded(old_item: PublishedItem, item: PublishedItem) -> bool:
    """Whether the texts of an item changed; unknown, so False, for an imported one."""
    return bool(old_item.text_sha256) and old_item.text_sha256 != item.text_sha256


def _file_identity(item: PublishedItem) -> tuple[str, int]:
    """What identifies a file wherever it is hosted: its name, which contains its digest, and its size."""
    return item.url.rpartition("/")[2], item.bytes


def _format_count(number: int, noun: str, verb: str = "") -> str:
    """A count with its noun and verb: «2 texts corrected»."""
    return f"{pluralise(number, noun)} {verb}".rstrip()
