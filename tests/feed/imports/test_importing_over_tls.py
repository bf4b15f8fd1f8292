"""A feed behind https: certificates, redirects from http, and connections that drop in the middle of a sound."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.engine.files import read_json
from pipeline.feed.imports import http
from pipeline.feed.imports.download import download_file
from pipeline.feed.imports.http import FetchLimits, fetch
from pipeline.feed.imports.importer import import_show
from pipeline.model.errors import CauserieError
from tests.feed.imports.test_importer import SOUND, pages, run
from tests.support.certificates import Authority
from tests.support.strangers_server import Handler, moved, ranges, serving

HERE = FetchLimits(1_000_000, idle_timeout_s=5, total_timeout_s=10, allow_private=True)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """An authority that this machine trusts, as OpenSSL is told to."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    http._tls_context.cache_clear()
    yield authority
    http._tls_context.cache_clear()


def test_a_show_comes_over_https_from_an_address_that_was_http(tmp_path: Path, house: Authority) -> None:
    with serving(pages(), tls=house.context("localhost")) as (site, asked), serving({"/old": moved(f"{site}/feed")}) as (old, _):
        asks, said = run(media=True)
        assert import_show(tmp_path / "show", f"{old}/old", asks), said
    ranged = [wanted for path, wanted in asked if path.startswith("/deux.mp3")]
    assert ranged == ["", "bytes=50000-"]  # it was cut once
    assert (tmp_path / "show/episodes/deux/original.mp3").read_bytes() == SOUND
    assert read_json(tmp_path / "show/feeds/imported.json")["feed_url"] == f"{old}/old"


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    stranger = Authority(tmp_path)
    with serving({"/feed": b"<rss/>"}, tls=stranger.context("localhost")) as (site, asked):
        with pytest.raises(CauserieError, match="has no valid certificate") as refused:
            fetch(f"{site}/feed", HERE)
        assert "SSL_CERT_FILE" in refused.value.hint and not asked


def test_a_certificate_of_another_name_is_refused(house: Authority) -> None:
    with serving({"/feed": b"<rss/>"}, tls=house.context("other.example")) as (site, asked):
        with pytest.raises(CauserieError, match="has no valid certificate"):
            fetch(f"{site}/feed", HERE)
        assert not asked


def test_a_redirect_to_https_is_judged_like_any_address(tmp_path: Path) -> None:
    stranger = Authority(tmp_path)
    with serving({}, tls=stranger.context("localhost")) as (site, _), serving({"/": moved(f"{site}/feed")}) as (old, asked):
        with pytest.raises(CauserieError, match="has no valid certificate"):
            fetch(f"{old}/", HERE)
        assert len(asked) == 1


@pytest.mark.parametrize("rudely", [True, False])
def test_a_sound_goes_on_after_a_dropped_connection(tmp_path: Path, house: Authority, rudely: bool) -> None:
    whole, asked_for = ranges(SOUND, 60_000), []

    def drops(handler: Handler) -> None:
        asked_for.append(handler.headers.get("Range", ""))
        if len(asked_for) == 1 and rudely:  # no end of TLS is said
            handler.send_response(200)
            for name, value in (("Content-Length", str(len(SOUND))), ("ETag", '"one"'), ("Content-Type", "audio/mpeg")):
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(SOUND[:70_000])
            handler.wfile.flush()
            handler.connection.shutdown(2)
        else:
            whole(handler)

    with serving({"/a.mp3": drops}, tls=house.context("localhost")) as (site, _):
        assert download_file(f"{site}/a.mp3", tmp_path / "a.mp3", HERE) == len(SOUND)
    assert (tmp_path / "a.mp3").read_bytes() == SOUND and len(asked_for) == 2 and asked_for[1]


def test_what_is_no_tls_is_one_sentence() -> None:
    with serving({}) as (site, _), pytest.raises(CauserieError, match="certificate|does not answer"):
        fetch(site.replace("http://", "https://"), HERE)


def test_a_server_that_stops_in_the_middle_of_the_greeting_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(CauserieError, match="does not answer"):
        fetch(f"https://127.0.0.1:{silent.getsockname()[1]}/", FetchLimits(1000, idle_timeout_s=0.3, total_timeout_s=5, allow_private=True))
