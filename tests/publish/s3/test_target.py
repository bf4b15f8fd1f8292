"""The S3 target, on moto's server over HTTP and TLS. moto checks no credentials: the app in front of it simulates rejections."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipeline.model.errors import CauserieError
from pipeline.model.show import S3Settings
from pipeline.publish.http_headers import IMMUTABLE
from pipeline.publish.public_tree import FEED, MEDIA, PAGES, PublicFile
from pipeline.publish.s3 import client as making
from pipeline.publish.s3 import locking
from pipeline.publish.s3 import target as s3_target
from pipeline.publish.s3.errors import host_of
from pipeline.publish.s3.target import S3Target
from tests.support.faulty_proxy import Breakage, Fault, Request, answer, drop, faulty_proxy, flip_bit, when
from tests.support.publishing import SECRET, S3Server, put, s3_client, s3_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def server(running: S3Server, request: pytest.FixtureRequest) -> S3Server:
    """A new bucket for each test, without simulated responses and with an empty request log."""
    running.bucket = "b-" + hashlib.sha1(request.node.name.encode()).hexdigest()[:12]  # type: ignore[attr-defined]
    running.answer = lambda environ: None
    client(running).create_bucket(Bucket=bucket(running))
    running.requests.clear()
    return running


def bucket(server: S3Server) -> str:
    return server.bucket  # type: ignore[attr-defined,no-any-return]


def client(server: S3Server) -> Any:
    return s3_client(server.url)


def settings(server: S3Server, **changed: str) -> S3Settings:
    return S3Settings(**{"bucket": bucket(server), "prefix": "serie", "endpoint_url": server.url, "region": "us-east-1", **changed})


def target(server: S3Server, root: Path, **changed: str) -> S3Target:
    return S3Target(settings(server, **changed), root / "memory", attempts=1)


def file(root: Path, key: str = "un/a-0.mp3", content: bytes = b"son", rank: int = MEDIA, type_: str = "audio/mpeg") -> PublicFile:
    source = put(root / "made" / hashlib.sha1(content).hexdigest(), content)
    return PublicFile(key, source, len(content), hashlib.sha256(content).hexdigest(), type_, "no-cache", rank)


def feed(root: Path, content: bytes) -> PublicFile:
    return file(root, "feed.xml", content, FEED, "application/rss+xml; charset=utf-8")


def stored(server: S3Server, key: str) -> dict[str, Any]:
    return client(server).head_object(Bucket=bucket(server), Key=f"serie/{key}")  # type: ignore[no-any-return]


def test_an_object_carries_its_type_its_cache_time_and_its_digest_and_no_encoding(server: S3Server, tmp_path: Path) -> None:
    sent = file(tmp_path)
    target(server, tmp_path).put(sent)
    said = stored(server, sent.key)
    assert (said["ContentType"], said["CacheControl"], said["Metadata"]) == ("audio/mpeg", "no-cache", {"sha256": sent.sha256})
    assert "ContentEncoding" not in said


def test_a_large_file_goes_in_parts_and_comes_out_the_same(server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_target, "ONE_PUT_BYTES", 5 << 20)
    monkeypatch.setattr(s3_target, "PART_BYTES", 5 << 20)
    there, sent = target(server, tmp_path), file(tmp_path, content=b"0123456789abcdef" * (6 << 16))
    there.put(sent)
    assert there.read(sent.key) == sent.source.read_bytes()
    assert (stored(server, sent.key)["ETag"][-3:], stored(server, sent.key)["Metadata"]) == ('-2"', {"sha256": sent.sha256})
    assert there.list({sent.key})[sent.key].sha256 == sent.sha256


def test_what_we_remember_is_compared_with_one_request(server: S3Server, tmp_path: Path) -> None:
    there, sent = target(server, tmp_path), [file(tmp_path, f"un/{i}.mp3", bytes([i])) for i in range(5)]
    for one in sent:
        there.put(one)
    there.close()
    server.requests.clear()
    found = target(server, tmp_path).list({one.key for one in sent})
    assert {key: row.sha256 for key, row in found.items()} == {one.key: one.sha256 for one in sent}
    assert [method for method, _ in server.requests] == ["GET"]


def test_without_memory_the_server_is_asked_about_what_we_name(server: S3Server, tmp_path: Path) -> None:
    sent = file(tmp_path)
    target(server, tmp_path).put(sent)
    client(server).put_object(Bucket=bucket(server), Key="serie/autre.txt", Body=b"pas a nous")
    server.requests.clear()
    found = target(server, tmp_path / "fresh").list({sent.key})
    assert (found[sent.key].sha256, found[sent.key].headers) == (sent.sha256, ("audio/mpeg", "no-cache"))
    assert found["autre.txt"].sha256 == ""
    assert [method for method, _ in server.requests] == ["GET", "HEAD"]


def test_memory_does_not_hide_what_others_did(server: S3Server, tmp_path: Path) -> None:
    there, sent = target(server, tmp_path), file(tmp_path)
    there.put(sent)
    there.close()
    client(server).put_object(Bucket=bucket(server), Key=f"serie/{sent.key}", Body=b"???")
    assert target(server, tmp_path).list({sent.key})[sent.key].sha256 == ""
    client(server).delete_object(Bucket=bucket(server), Key=f"serie/{sent.key}")
    assert target(server, tmp_path).list({sent.key}) == {}


def test_a_prefix_is_a_folder_not_the_beginning_of_a_word(server: S3Server, tmp_path: Path) -> None:
    client(server).put_object(Bucket=bucket(server), Key="serie-noire/feed.xml", Body=b"autre serie")
    assert target(server, tmp_path).list({"feed.xml"}) == {}


def test_headers_are_corrected_without_sending_the_content(server: S3Server, tmp_path: Path) -> None:
    there, sent = target(server, tmp_path), file(tmp_path)
    client(server).put_object(
        Bucket=bucket(server), Key=f"serie/{sent.key}", Body=b"son", Metadata={"sha256": sent.sha256}, ContentEncoding="gzip"
    )
    assert there.list({sent.key})[sent.key].headers == ("", "")  # an encoding is a wrong header
    there.put_headers(sent)
    said = stored(server, sent.key)
    assert (said["ContentType"], said["CacheControl"], said["Metadata"]) == ("audio/mpeg", "no-cache", {"sha256": sent.sha256})
    assert not said.get("ContentEncoding")
    assert there.read(sent.key) == b"son"


def test_only_what_we_put_there_is_deleted(server: S3Server, tmp_path: Path) -> None:
    there, sent = target(server, tmp_path), file(tmp_path)
    there.put(sent)
    client(server).put_object(Bucket=bucket(server), Key="serie/autre.txt", Body=b"pas a nous")
    assert there.delete((sent.key, "autre.txt")) == (sent.key,)
    assert set(there.list(set())) == {"autre.txt"}


def test_of_two_publishers_the_second_is_told(server: S3Server, tmp_path: Path) -> None:
    mine, theirs = target(server, tmp_path / "moi"), target(server, tmp_path / "elle")
    before = mine.list({"feed.xml"}).get("feed.xml")
    theirs.put_feed(feed(tmp_path, b"le sien"), None)
    with pytest.raises(CauserieError, match="another publisher"):
        mine.put_feed(feed(tmp_path, b"le mien"), before)
    seen = mine.list({"feed.xml"})["feed.xml"]
    theirs.put_feed(feed(tmp_path, b"le sien encore"), seen)
    with pytest.raises(CauserieError, match="another publisher"):
        mine.put_feed(feed(tmp_path, b"le mien"), seen)
    assert mine.read("feed.xml") == b"le sien encore"


def test_a_feed_deleted_meanwhile_is_a_conflict_too(server: S3Server, tmp_path: Path) -> None:
    there = target(server, tmp_path)
    there.put_feed(feed(tmp_path, b"1"), None)
    seen = there.list({"feed.xml"})["feed.xml"]
    client(server).delete_object(Bucket=bucket(server), Key="serie/feed.xml")
    with pytest.raises(CauserieError, match="another publisher"):
        there.put_feed(feed(tmp_path, b"2"), seen)


def test_an_answer_lost_on_the_way_is_not_a_conflict(server: S3Server, tmp_path: Path) -> None:
    there = target(server, tmp_path)
    there.put_feed(feed(tmp_path, b"le mien"), None)  # took effect; its answer was lost, so boto3 asks again:
    assert there.put_feed(feed(tmp_path, b"le mien"), None) == ""


def test_a_feed_whose_every_answer_is_lost_is_known_to_be_out(server: S3Server, tmp_path: Path) -> None:
    with faulty_proxy(server.url) as proxy:
        there, sent = target(server, tmp_path, endpoint_url=proxy.url), feed(tmp_path, b"<rss>")
        there.prepare()
        proxy.fault = when(lambda request: request.method == "PUT", drop("after"))
        assert there.put_feed(sent, None) == ""
        proxy.fault = when(lambda request: request.method == "PUT", drop("before"))
        with pytest.raises(CauserieError, match="stopped responding"):
            there.put_feed(feed(tmp_path, b"<rss>2"), there.stat("feed.xml"))


def damaged(*endings: str, times: int, how: Fault = flip_bit()) -> Fault:  # noqa: B008
    """The first `times` objects with such a name are corrupted by one bit."""
    left = [times]

    def choose(request: Request) -> Breakage | None:
        left[0] -= request.method == "PUT" and request.path.endswith(endings)
        return how(request) if request.method == "PUT" and request.path.endswith(endings) and left[0] >= 0 else None

    return choose


REFUSED = answer(400, "XAmzContentSHA256Mismatch")  # what AWS and Ceph say of a body that is not the one that was signed


@pytest.mark.parametrize("how", [flip_bit(), REFUSED], ids=["and is taken", "and is refused"])
def test_a_feed_that_arrives_damaged_is_sent_until_it_is_whole(server: S3Server, tmp_path: Path, how: Fault) -> None:
    first, second = feed(tmp_path, b"<rss>1</rss>"), feed(tmp_path, b"<rss>2</rss>")
    with faulty_proxy(server.url) as proxy:
        there = target(server, tmp_path, endpoint_url=proxy.url)
        there.put_feed(first, None)
        proxy.fault = damaged("feed.xml", times=4, how=how)
        assert there.put_feed(second, there.stat("feed.xml")) == ""
        assert there.read("feed.xml") == b"<rss>2</rss>"


def test_an_object_that_breaks_off_is_asked_for_again(server: S3Server, tmp_path: Path) -> None:
    with faulty_proxy(server.url) as proxy:
        there = target(server, tmp_path, endpoint_url=proxy.url)
        there.put(file(tmp_path))
        proxy.fault = lambda request: drop("half")(request) if len(proxy.log) < 4 else None
        proxy.log.clear()
        assert there.read("un/a-0.mp3") == b"son"
        assert len(proxy.log) == 5


def test_what_arrived_damaged_and_could_not_be_read_back_is_sent_again(server: S3Server, tmp_path: Path) -> None:
    sent = file(tmp_path)
    with faulty_proxy(server.url) as proxy:
        there = target(server, tmp_path, endpoint_url=proxy.url)
        broken = {"PUT": flip_bit(), "GET": drop("half")}
        proxy.fault = lambda request: broken[request.method](request) if request.path.endswith(".mp3") else None
        with pytest.raises(CauserieError, match="stopped responding"):
            there.put(sent)
        there.close()
        proxy.fault = lambda request: None
        assert target(server, tmp_path, endpoint_url=proxy.url).list({sent.key})[sent.key].sha256 == ""


def test_what_always_arrives_damaged_goes_unless_something_may_lead_to_it(server: S3Server, tmp_path: Path) -> None:
    lasting, page = replace(file(tmp_path), cache_control=IMMUTABLE), file(tmp_path, "index.html", b"<h1>", PAGES, "text/html")
    with faulty_proxy(server.url) as proxy:
        there = target(server, tmp_path, endpoint_url=proxy.url)
        proxy.fault = damaged(".mp3", ".html", times=100)
        for sent in (lasting, page):
            with pytest.raises(CauserieError, match="arrives corrupted"):
                there.put(sent)
        assert set(there.list(())) == {page.key}


@pytest.mark.parametrize("status", [412, 501], ids=["refuses conditions that hold", "knows no conditions"])
def test_a_server_without_conditional_writes_gets_the_feed_and_the_user_a_note(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(locking, "SETTLE_S", 0)
    there = target(server, tmp_path)
    there.put_feed(feed(tmp_path, b"1"), None)
    seen = there.list({"feed.xml"})["feed.xml"]
    server.answer = lambda environ: status if "HTTP_IF_MATCH" in environ else None
    assert "conditional writes do not work" in there.put_feed(feed(tmp_path, b"2"), seen)
    assert there.read("feed.xml") == b"2"


def test_without_conditions_the_lock_is_held_from_before_the_pages_until_after_the_feed(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "SETTLE_S", 0)
    mine, theirs = (target(server, tmp_path / name, conditional_writes="off") for name in ("moi", "elle"))
    with mine.lock():
        mine.put(file(tmp_path, "index.html", b"page"))
        with pytest.raises(CauserieError, match="another publisher holds the lock"), theirs.lock():
            raise AssertionError("both were alone")
        assert "a lock object was used" in mine.put_feed(feed(tmp_path, b"le mien"), None)
    assert set(mine.list(set())) == {"index.html", "feed.xml"}
    with theirs.lock():
        pass


def test_a_lock_that_was_taken_over_meanwhile_keeps_the_feed_as_it_is(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "SETTLE_S", 0)
    there = target(server, tmp_path, conditional_writes="off")
    with pytest.raises(CauserieError, match="another publisher holds the lock"), there.lock():
        client(server).put_object(Bucket=bucket(server), Key=f"serie/{locking.LOCK_NAME}", Body=b'{"owner": "elle"}')
        there.put_feed(feed(tmp_path, b"le mien"), None)
    assert set(there.list(set())) == {locking.LOCK_NAME}


def test_headers_are_not_put_on_what_somebody_else_has_written_meanwhile(server: S3Server, tmp_path: Path) -> None:
    there, sent = target(server, tmp_path), file(tmp_path)
    there.put(sent)
    theirs = client(server).put_object(Bucket=bucket(server), Key=f"serie/{sent.key}", Body=b"le sien")["ETag"]
    asked = "HTTP_X_AMZ_COPY_SOURCE_IF_MATCH"  # which moto does not know
    server.answer = lambda environ: 412 if environ.get(asked, theirs) != theirs else None
    with pytest.raises(CauserieError, match="412"):
        there.put_headers(sent)
    assert "sha256" not in stored(server, sent.key)["Metadata"]


def test_a_slow_line_takes_as_long_as_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket times out when one block is not sent in time: blocks are small enough for an ADSL line shared by eight files."""
    monkeypatch.setattr(making, "CONNECT_TIMEOUT_S", 0.4)
    with slow_server(bytes_s=2_000_000) as url:
        there = S3Target(S3Settings("lent", "", url, "us-east-1", "path"), tmp_path / "memory", attempts=1)
        there.put(file(tmp_path, content=bytes(5_000_000)))


def test_a_file_that_changes_meanwhile_is_not_sent(server: S3Server, tmp_path: Path) -> None:
    sent = file(tmp_path)
    sent.source.write_bytes(b"autre")
    with pytest.raises(CauserieError, match="changed while"):
        target(server, tmp_path).put(sent)
    assert server.puts() == []


def test_a_bucket_that_does_not_exist_is_named(server: S3Server, tmp_path: Path) -> None:
    with pytest.raises(CauserieError, match="the bucket nulle-part does not exist"):
        target(server, tmp_path, bucket="nulle-part").list(set())


def test_a_refusal_names_the_object(server: S3Server, tmp_path: Path) -> None:
    server.answer = lambda environ: 403 if environ["REQUEST_METHOD"] == "PUT" else None
    with pytest.raises(CauserieError, match=r"serie/un/a-0\.mp3: access is denied"):
        target(server, tmp_path).put(file(tmp_path))


def test_a_breakdown_is_tried_again(server: S3Server, tmp_path: Path) -> None:
    failing = [503]
    server.answer = lambda environ: failing.pop() if failing else None
    S3Target(settings(server), tmp_path / "memory", attempts=2).put(file(tmp_path))
    assert len(server.puts()) == 2


def test_no_credentials_are_missed_in_words(server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials of the tests before
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CauserieError, match="no credentials were found; set AWS_ACCESS_KEY_ID"):
        target(server, tmp_path).list(set())


def test_a_profile_that_does_not_exist_is_told(server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_PROFILE", "inconnu")
    with pytest.raises(CauserieError, match="profile"):
        target(server, tmp_path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"endpoint_url": f"http://admin:{SECRET}@127.0.0.1:9"}, "127.0.0.1 cannot be reached"),
        ({"endpoint_url": f"pas-une-adresse/{SECRET}"}, "settings are invalid"),
        ({"bucket": "Pas Un Nom"}, "settings are invalid"),
        ({"checksums": "sometimes"}, "settings are invalid"),
        ({"addressing_style": "oblique"}, "settings are invalid"),
    ],
)
def test_wrong_settings_are_told_and_no_secret_is_ever_printed(
    server: S3Server, tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    with pytest.raises(CauserieError, match=said) as caught:
        target(server, tmp_path, **changed).list(set())
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in repr(caught.value)


def test_the_name_of_a_server_is_all_that_is_said_of_its_address() -> None:
    assert [host_of(url) for url in ("", "https://a:b@s3.example/x?y", "http://[")] == ["Amazon S3", "s3.example", "the endpoint"]


def test_what_is_remembered_holds_no_secret(server: S3Server, tmp_path: Path) -> None:
    there = target(server, tmp_path)
    there.put(file(tmp_path))
    there.close()
    assert SECRET not in (tmp_path / "memory/s3.json").read_text()


@contextmanager
def slow_server(bytes_s: int) -> Iterator[str]:
    """A server with tiny buffers that reads one PUT slowly and returns its ETag."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listening.bind(("127.0.0.1", 0))
    listening.listen()

    def serve() -> None:
        caller, _ = listening.accept()
        with caller, caller.makefile("rb", 0) as stream:
            head = b"".join(iter(stream.readline, b"\r\n")).lower()
            caller.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            left, digest = int(re.search(rb"content-length: (\d+)", head)[1]), hashlib.md5()  # type: ignore[index]
            while left and (block := stream.read(min(left, 4096))):
                digest.update(block)
                left -= len(block)
                time.sleep(len(block) / bytes_s)
            caller.sendall(f'HTTP/1.1 200 OK\r\nETag: "{digest.hexdigest()}"\r\nContent-Length: 0\r\n\r\n'.encode())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def certificate(root: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return put(root / "cert.pem", signed.public_bytes(pem)), put(root / "key.pem", private)


def test_over_tls_nothing_is_stored_chunked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 sends its own checksum as an aws-chunked trailer over TLS only, which older Ceph stores undecoded."""
    chain, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    with s3_server(context) as server:
        server.bucket = "tls"  # type: ignore[attr-defined]
        encodings: list[str] = []
        server.answer = lambda environ: encodings.append(environ.get("HTTP_CONTENT_ENCODING", ""))
        with pytest.raises(CauserieError, match="does not trust"):
            target(server, tmp_path).list(set())
        monkeypatch.setenv("AWS_CA_BUNDLE", str(chain))
        s3_client(server.url, str(chain)).create_bucket(Bucket="tls")
        monkeypatch.setattr(s3_target, "ONE_PUT_BYTES", 5 << 20)
        monkeypatch.setattr(s3_target, "PART_BYTES", 5 << 20)
        there, small, large = target(server, tmp_path), file(tmp_path), file(tmp_path, "un/b-0.mp3", b"son" * (2 << 20))
        for sent in (small, large):
            there.put(sent)
            assert there.read(sent.key) == sent.source.read_bytes()
            said = s3_client(server.url, str(chain)).head_object(Bucket="tls", Key=f"serie/{sent.key}")
            assert "ContentEncoding" not in said
        assert set(encodings) == {""}
