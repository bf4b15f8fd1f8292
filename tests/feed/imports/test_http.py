"""Fetching from strangers, over real sockets."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest

from pipeline.feed.imports.download import download_file
from pipeline.feed.imports.host_policy import is_public, resolve_host
from pipeline.feed.imports.http import FetchLimits, fetch
from pipeline.model.errors import CauserieError
from tests.support.strangers_server import body, bomb, endless, moved, ranges, serving

HERE = FetchLimits(1_000_000, idle_timeout_s=5, total_timeout_s=10, allow_private=True)
SOUND = bytes(range(256)) * 2000


@pytest.mark.parametrize(
    "address",
    "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 240.0.0.1 255.255.255.255 192.0.2.1 ::1 :: fe80::1 "
    "fe80::1%eth0 fc00::1 fd12::1 ff02::1 fec0::1 2001:db8::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe "
    "2002:7f00:1:: 2001:0:a00:1:: no".split(),
)
def test_addresses_that_are_not_of_the_public_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"])
def test_addresses_of_the_public_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f000001", "2130706433", "127.1", "[::1]".strip("[]")])
def test_every_spelling_of_this_machine_is_refused(host: str) -> None:
    with pytest.raises(CauserieError, match="not on the public Internet"):
        resolve_host(host, 80, allow_private=False)


def test_a_private_address_is_refused_unless_it_is_allowed() -> None:
    with serving({"/feed": b"<rss/>"}) as (site, asked):
        with pytest.raises(CauserieError, match="--allow-private"):
            fetch(f"{site}/feed", FetchLimits(1000))
        assert not asked
        assert fetch(f"{site}/feed", HERE)[0] == b"<rss/>"


def test_each_hop_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []
    monkeypatch.setattr(
        "pipeline.feed.imports.http.resolve_host",
        lambda host, port, allow: judged.append(host) or resolve_host(host, port, host == "127.0.0.1"),
    )
    with (
        serving({"/a": moved("/b"), "/b": moved("http://localhost:1/c")}) as (site, _),
        pytest.raises(CauserieError, match=r"localhost .*not on the"),
    ):
        fetch(f"{site}/a", HERE)
    assert judged == ["127.0.0.1", "127.0.0.1", "localhost"]


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://example.org/a", "gopher://x/", "javascript:alert(1)"])
def test_a_redirect_leads_to_http_only(to: str) -> None:
    with serving({"/": moved(to)}) as (site, _), pytest.raises(CauserieError, match="which is not http"):
        fetch(f"{site}/", HERE)


def test_redirects_end() -> None:
    with serving({"/": moved("/")}) as (site, asked):
        with pytest.raises(CauserieError, match="redirects more than 10 times"):
            fetch(f"{site}/", HERE)
        assert len(asked) == 11


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://user:pass@127.0.0.1/", "http:///x", "//x", "http://[::1", "http://\n/"]
)
def test_other_addresses_are_refused_without_their_secrets(url: str) -> None:
    with pytest.raises(CauserieError) as refused:
        fetch(url, HERE)
    assert "pass" not in str(refused.value).replace("a password", "").replace("passwd", "")


def test_a_body_without_an_end_is_left() -> None:
    with serving({"/": endless()}) as (site, _), pytest.raises(CauserieError, match="larger than 1 MB"):
        fetch(f"{site}/", HERE)


def test_a_body_that_says_it_is_too_large_is_not_begun() -> None:
    with serving({"/": lambda page: body(page, b"x", length=10**12)}) as (site, _), pytest.raises(CauserieError, match="larger than 1 MB"):
        fetch(f"{site}/", HERE)


def test_a_body_that_drips_is_left_in_time() -> None:
    began = time.monotonic()
    with serving({"/": endless(0.05)}) as (site, _), pytest.raises(CauserieError, match="takes more than"):
        fetch(f"{site}/", FetchLimits(1000, idle_timeout_s=5, total_timeout_s=0.5, allow_private=True))
    assert time.monotonic() - began < 5


def test_a_packed_bomb_is_met_while_it_is_small() -> None:
    with serving({"/": bomb}) as (site, _), pytest.raises(CauserieError, match="larger than 1 MB"):
        fetch(f"{site}/", HERE)


def test_a_packed_body_is_unpacked_and_a_broken_one_told() -> None:
    whole = gzip.compress(b"<rss/>")
    pages = {
        "/": lambda page: body(page, whole, Content_Encoding="gzip"),
        "/cut": lambda page: body(page, whole[:-9], Content_Encoding="gzip"),
    }
    with serving(pages) as (site, _):
        assert fetch(f"{site}/", HERE)[0] == b"<rss/>"
        with pytest.raises(CauserieError, match="was cut off during"):
            fetch(f"{site}/cut", HERE)


def test_a_cut_body_is_no_body() -> None:
    with (
        serving({"/": lambda page: body(page, b"<rss", length=100)}) as (site, _),
        pytest.raises(CauserieError, match="was cut off during"),
    ):
        fetch(f"{site}/", HERE)


def test_what_a_server_refuses_is_said_without_the_query() -> None:
    with serving({}) as (site, _), pytest.raises(CauserieError, match="is not found") as refused:
        fetch(f"{site}/feed?token=secret", HERE)
    assert "secret" not in str(refused.value)


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(CauserieError, match="does not answer"):
        fetch("http://127.0.0.1:9/", HERE)


def test_a_sound_that_is_cut_is_gone_on_with(tmp_path: Path) -> None:
    with serving({"/a.mp3": ranges(SOUND, 100_000)}) as (site, asked):
        assert download_file(f"{site}/a.mp3", tmp_path / "a.mp3", HERE) == len(SOUND)
    assert (tmp_path / "a.mp3").read_bytes() == SOUND
    assert [wanted for _, wanted in asked] == ["", "bytes=100000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp3"]


def test_a_later_run_goes_on_where_one_was_stopped(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(done: int, of: int) -> None:
        raise Stop

    with serving({"/a.mp3": ranges(SOUND, len(SOUND))}) as (site, asked):
        with pytest.raises(Stop):
            download_file(f"{site}/a.mp3", tmp_path / "a.mp3", HERE, stop)
        assert not (tmp_path / "a.mp3").exists()
        download_file(f"{site}/a.mp3", tmp_path / "a.mp3", HERE)
    assert asked[1][1].startswith("bytes=") and (tmp_path / "a.mp3").read_bytes() == SOUND


def test_a_sound_that_changed_meanwhile_begins_again(tmp_path: Path) -> None:
    pages = {"/a.mp3": ranges(b"old" * 1000, 3000, tag='"old"')}
    with serving(pages) as (site, asked):
        with pytest.raises(ZeroDivisionError):
            download_file(f"{site}/a.mp3", tmp_path / "a.mp3", HERE, lambda done, of: 1 // 0)
        pages["/a.mp3"] = ranges(SOUND, len(SOUND))
        download_file(f"{site}/a.mp3", tmp_path / "a.mp3", HERE)
    assert asked[1][1] and (tmp_path / "a.mp3").read_bytes() == SOUND


def test_a_server_that_always_cuts_is_given_up(tmp_path: Path) -> None:
    with (
        serving({"/a.mp3": lambda page: body(page, b"x" * 10, length=100)}) as (site, asked),
        pytest.raises(CauserieError, match="cut off at every attempt"),
    ):
        download_file(f"{site}/a.mp3", tmp_path / "a.mp3", HERE)
    assert len(asked) == 6 and not (tmp_path / "a.mp3").exists()


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (lambda page: body(page, b"<html>", Content_Type="text/html; charset=utf-8"), "is a web page"),
        (lambda page: body(page, b""), "is empty"),
        (lambda page: body(page, b"x", status=206, Content_Range="bytes 5-5/9"), "another position"),
        (lambda page: body(page, b"x", status=403), "HTTP status 403"),
        (endless(), "larger than 1 MB"),
        (moved("http://127.0.0.1:9/"), "does not answer"),
    ],
)
def test_what_is_no_sound_is_told_and_leaves_no_file(tmp_path: Path, page: object, said: str) -> None:
    with serving({"/a.mp3": page}) as (site, _), pytest.raises(CauserieError, match=said):
        download_file(f"{site}/a.mp3", tmp_path / "a.mp3", HERE)
    assert not (tmp_path / "a.mp3").exists()
