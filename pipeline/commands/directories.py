"""What directories ask of the built feed: the rules of `pipeline/feed/rules/`, and with `--online` the answers of its servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline.engine import FileCache, source_signature
from pipeline.feed.rules import (
    ADVICE,
    FileReference,
    Finding,
    HttpProbe,
    ReleasedFile,
    check_feed,
    file_references,
    files_by_url,
    fingerprint,
    inspect_files,
    is_http_url,
    parse_feed,
    self_references,
)
from pipeline.publish import PLAYER_ORIGIN, request

FEED_PATH = "feeds/feed.xml"
PACKAGES = Path(__file__).parents[1]
_RULE_SOURCES = (PACKAGES / "feed/rules", PACKAGES / "model")  # code whose changes invalidate cached findings
OWN_PACK = "Causerie"  # the pack of findings that come from no directory


def check_directories(root: Path, website: str, online: bool = False, cache: FileCache | None = None) -> list[Finding]:
    """The findings of the directories' rules for the built feed, with `online` also for the answers of its servers.

    Raises `CauserieError` when the file is no feed, or when a release file is damaged.
    """
    path = root / FEED_PATH
    if not path.is_file():
        return [
            Finding(
                ADVICE,
                OWN_PACK,
                "not-built",
                "",
                FEED_PATH,
                "is not built yet, so the rules of directories were not checked",
                "run causerie build",
            )
        ]
    cache, released = cache or FileCache(root), files_by_url(root, website)
    if online:
        return _evaluate_rules(path, released, cache, online)
    version = f"{source_signature(*_RULE_SOURCES)} {fingerprint(released)}"
    return [
        Finding(*row)
        for row in cache.get_or_compute(
            path, FEED_PATH, version, lambda: [[*vars(each).values()] for each in _evaluate_rules(path, released, cache)]
        )
    ]


def _evaluate_rules(path: Path, released: Mapping[str, ReleasedFile], cache: FileCache, online: bool = False) -> list[Finding]:
    """The findings of every rule in a feed, and in those of its files that are in this folder."""
    feed = parse_feed(path.read_bytes(), FEED_PATH)
    uses = tuple(file_references(feed))
    files = inspect_files(uses, released, cache)
    served = _probe_urls((*self_references(feed), *uses)) if online else {}
    found = list(check_feed(feed, files, FEED_PATH, served))
    if missing := len({use.url for use in uses} - files.keys()):
        message = f"names {missing} files that are not in this folder, so they were not checked"
        found.append(Finding(ADVICE, OWN_PACK, "files-elsewhere", "", FEED_PATH, message, "run causerie build"))
    return found


def _probe_urls(uses: Sequence[FileReference]) -> dict[str, HttpProbe]:
    """The answers of servers by URL, with eight requests at a time."""
    by_url = {use.url: use for use in uses if is_http_url(use.url)}
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(by_url, pool.map(_probe_url, by_url.values()), strict=True))


def _probe_url(use: FileReference) -> HttpProbe:
    head = request(use.url, Origin=PLAYER_ORIGIN)
    if use.kind not in ("audio", "alternate") or head.status != 200:
        return HttpProbe(head.status, head.headers)
    part = request(use.url, "GET", Range="bytes=0-1")
    return HttpProbe(head.status, head.headers, part.status, part.headers.get("content-range", ""))
