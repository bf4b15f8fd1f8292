"""The published tree: what is in it, how it is described, and what is never in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.engine.files import sha256
from pipeline.model.errors import CauserieError
from pipeline.publish.http_headers import IMMUTABLE, cache_control, content_type
from pipeline.publish.public_tree import FEED, INDEX, MEDIA, PAGES, PublicFile, collect_public_files, in_upload_order, rank_of
from pipeline.publish.release import MEDIA_TYPES
from tests.support.publishing import SOURCES_AND_KEYS, build, episode, put, show


def tree(root: Path, *slugs: str) -> dict[str, PublicFile]:
    return {file.key: file for file in collect_public_files(show(*slugs), tuple(map(episode, slugs)), root)}


def test_the_tree_is_what_the_design_says(tmp_path: Path) -> None:
    keys = tree(build(tmp_path, "un"), "un")
    hashless = {re.sub(r"-[0-9a-f]{10}\.", "-HASH.", key) for key in keys}
    assert hashless == {
        "feed.xml",
        "index.html",
        "people/index.html",
        "transcripts/index.html",
        "404.html",
        "robots.txt",
        "sitemap.xml",
        "style.css",
        "page.js",
        "cover-HASH.jpg",
        "un/index.html",
        "un/embed.html",
        "un/un-HASH.mp3",
        "un/un-HASH.opus",
        "un/transcript-HASH.vtt",
        "un/transcript-HASH.srt",
        "un/chapters-HASH.json",
        "guides/un.facilitator.pdf",
    }


def test_each_file_is_described_by_what_is_on_disk(tmp_path: Path) -> None:
    files = tree(build(tmp_path, "un"), "un").values()
    assert len(files) == 18
    for file in files:
        assert (file.bytes, file.sha256) == (file.source.stat().st_size, sha256(file.source))


def test_nothing_is_sent_before_what_it_names_and_the_feed_comes_last(tmp_path: Path) -> None:
    files = collect_public_files(show("un", "deux"), (episode("un"), episode("deux")), build(tmp_path, "un", "deux"))
    ranks = [file.rank for file in files]
    assert ranks == sorted(ranks)
    assert [file.key for file in files][-2:] == ["index.html", "feed.xml"]
    assert {file.rank for file in files if file.key.endswith((".mp3", ".opus"))} == {MEDIA}
    late = {file.key for file in files if file.rank in {PAGES, INDEX, FEED}}
    assert late == {file.key for file in files if file.key.endswith((".html", ".xml")) or file.key == "robots.txt"}


def test_an_episode_that_is_not_due_is_nowhere_though_it_is_built(tmp_path: Path) -> None:
    root = build(tmp_path, "un", "sous-embargo")
    files = collect_public_files(show("un", "sous-embargo"), (episode("un"),), root)
    assert any(file.key.startswith("un/") for file in files)
    assert not [file for file in files if "embargo" in file.key or "embargo" in str(file.source.relative_to(root))]


def test_an_empty_show_still_has_its_feed_and_its_index(tmp_path: Path) -> None:
    assert {"feed.xml", "index.html", "style.css"} <= set(tree(build(tmp_path)))


def test_a_file_changed_since_its_release_has_to_be_built_again(tmp_path: Path) -> None:
    root = build(tmp_path, "un")
    put(root / "transcripts/un.vtt", b"WEBVTT\n\nautre chose")
    with pytest.raises(CauserieError, match=r"transcripts/un\.vtt: .*build again"):
        tree(root, "un")


@pytest.mark.parametrize("missing", ["feeds/feed.xml", "site/un/index.html", ".causerie/un/release.json", "episodes/un/un.mp3"])
def test_what_was_not_built_is_named(tmp_path: Path, missing: str) -> None:
    root = build(tmp_path, "un")
    (root / missing).unlink()
    with pytest.raises(CauserieError, match=re.escape(missing)):
        tree(root, "un")


def test_a_damaged_release_is_named(tmp_path: Path) -> None:
    root = build(tmp_path, "un")
    put(root / ".causerie/un/release.json", b'{"slug": "un"}')
    with pytest.raises(CauserieError, match="damaged"):
        tree(root, "un")


def test_a_key_cannot_climb_out_of_the_tree(tmp_path: Path) -> None:
    root = build(tmp_path, "un")
    release = root / ".causerie/un/release.json"
    release.write_text(release.read_text().replace("guides/un.facilitator.pdf", "../un.facilitator.pdf", 1))
    with pytest.raises(CauserieError, match="cannot be published as"):
        tree(root, "un")


def test_two_contents_for_one_key_are_refused() -> None:
    one, other = (PublicFile("k", Path("s"), 1, digest, "", "", 0) for digest in ("a", "b"))
    with pytest.raises(CauserieError, match="two files"):
        in_upload_order([one, other])


def test_a_year_is_only_for_names_that_carry_their_content(tmp_path: Path) -> None:
    for file in tree(build(tmp_path, "un"), "un").values():
        assert (file.cache_control == IMMUTABLE) == (file.sha256[:10] in file.key), file.key
    assert cache_control("un/un-0123456789.mp3", "f" * 64) != IMMUTABLE  # a name that lies about its content
    assert cache_control("feed.xml", "f" * 64) == "no-cache"
    assert cache_control("guides/un.facilitator.pdf", "f" * 64) == "public, max-age=300"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("feed.xml", "application/rss+xml; charset=utf-8"),
        ("un/chapters-0123456789.json", "application/json+chapters"),
        ("un/transcript-0123456789.json", "application/json"),
        ("un/transcript-0123456789.srt", "application/x-subrip"),
        ("un/transcript-0123456789.vtt", "text/vtt"),
        ("un/un-0123456789.opus", "audio/ogg"),
        ("index.html", "text/html; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("page.js", "text/javascript; charset=utf-8"),
        ("robots.txt", "text/plain; charset=utf-8"),
        ("sitemap.xml", "application/xml"),
        ("fonts/font.woff2", "font/woff2"),
        ("README", "application/octet-stream"),
    ],
)
def test_types_are_those_players_expect(key: str, expected: str) -> None:
    assert content_type(key) == expected


def test_what_the_feed_says_of_a_type_is_what_the_server_will_say() -> None:
    extensions = {extension: said for extension, said in MEDIA_TYPES.items() if extension.startswith(".")}
    assert {".mp3", ".vtt"} <= set(extensions)
    assert {extension: content_type(f"un/x-0123456789{extension}") for extension in extensions} == extensions


def test_every_role_has_its_place_before_the_pages() -> None:
    assert all(rank_of(role) < PAGES for role in (*SOURCES_AND_KEYS, "cover", "transcript_html", "guide_handout_html"))
