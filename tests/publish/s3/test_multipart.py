"""Multipart uploads: an interrupted upload is resumed, progress counts bytes sent, and the content is what was planned."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engine.files import sha256
from pipeline.model.errors import CauserieError
from pipeline.model.show import S3Settings
from pipeline.publish.public_tree import MEDIA, PublicFile
from pipeline.publish.s3 import target as s3_target
from pipeline.publish.s3.request_body import FileBody, etag, open_verified
from pipeline.publish.s3.target import S3Target
from tests.support.faulty_proxy import Breakage, Proxy, Request, after_count, answer, faulty_proxy
from tests.support.publishing import put, s3_client, s3_server
from tests.support.publishing_faults import credentials, fast_retries

pytestmark = pytest.mark.slow

PART = 5 << 20
CONTENT = os.urandom(1 << 20) * 13  # three parts


@pytest.fixture(scope="module")
def running() -> Iterator[Proxy]:
    with s3_server() as server, faulty_proxy(server.url) as proxy, fast_retries():
        s3_client(server.url).create_bucket(Bucket="parts")
        yield proxy


@pytest.fixture
def target(running: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> S3Target:
    for name, value in credentials().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(s3_target, "ONE_PUT_BYTES", PART)
    monkeypatch.setattr(s3_target, "PART_BYTES", PART)
    running.fault = lambda request: None
    running.log.clear()
    return S3Target(S3Settings("parts", "", running.url, "us-east-1", "path"), tmp_path / "memory", attempts=1)


def file(root: Path, content: bytes = CONTENT, key: str = "un/un-0.mp3") -> PublicFile:
    return PublicFile(key, put(root / "a", content), len(content), hashlib.sha256(content).hexdigest(), "audio/mpeg", "no-cache", MEDIA)


def is_part(request: Request) -> bool:
    return "partNumber=" in request.path


def parts_sent(proxy: Proxy) -> int:
    return sum("partNumber=" in path and status == 200 for method, path, status in proxy.log if method == "PUT")


def test_an_interrupted_upload_goes_on_where_it_stopped(running: Proxy, target: S3Target, tmp_path: Path) -> None:
    running.fault = after_count(2, is_part, answer(403, "AccessDenied"))
    with pytest.raises(CauserieError, match="access is denied"):
        target.put(file(tmp_path))
    assert parts_sent(running) == 2
    running.fault = lambda request: None
    running.log.clear()
    moved: list[int] = []
    target.put(file(tmp_path), moved.append)
    assert (parts_sent(running), sum(moved)) == (1, len(CONTENT))
    assert target.read("un/un-0.mp3") == CONTENT
    assert s3_client(running.server).list_multipart_uploads(Bucket="parts").get("Uploads", []) == []


def test_parts_of_other_content_are_not_taken_for_ours(running: Proxy, target: S3Target, tmp_path: Path) -> None:
    running.fault = after_count(2, is_part, answer(403, "AccessDenied"))
    with pytest.raises(CauserieError):
        target.put(file(tmp_path, CONTENT[::-1]))
    running.fault = lambda request: None
    running.log.clear()
    target.put(file(tmp_path))
    assert (parts_sent(running), target.read("un/un-0.mp3")) == (3, CONTENT)


def test_a_server_that_says_nothing_of_what_it_put_together_is_asked(running: Proxy, target: S3Target, tmp_path: Path) -> None:
    silent = "after-call.s3.CompleteMultipartUpload"  # Ceph 16.2.15 answers with an empty ETag
    target._client.meta.events.register(silent, lambda parsed, **about: parsed.update(ETag=""))
    target.put(file(tmp_path))
    assert (parts_sent(running), target.read("un/un-0.mp3")) == (3, CONTENT)


def test_an_upload_whose_end_was_not_heard_of_is_no_failure(running: Proxy, target: S3Target, tmp_path: Path) -> None:
    def unheard(request: Request) -> Breakage | None:  # retried, AWS and moto return 200; others no longer know the upload
        ends = sum(method == "POST" for method, *_ in running.log)
        return {1: Breakage(drop="after"), 2: Breakage(404, "NoSuchUpload")}.get(ends) if request.method == "POST" else None

    running.fault = unheard
    S3Target(S3Settings("parts", "", running.url, "us-east-1", "path"), tmp_path / "memory").put(file(tmp_path))
    assert [status for method, _, status in running.log if method == "POST"] == [200, 0, 404]
    assert parts_sent(running) == 3
    assert target.read("un/un-0.mp3") == CONTENT


def test_an_upload_that_was_tidied_away_is_begun_again(running: Proxy, target: S3Target, tmp_path: Path) -> None:
    def tidied(request: Request) -> Breakage | None:
        gone = is_part(request) and parts_sent(running) >= 2 and not any(status == 404 for _, _, status in running.log)
        return answer(404, "NoSuchUpload")(request) if gone else None

    running.fault = tidied
    s3_client(running.server).delete_object(Bucket="parts", Key="un/un-0.mp3")
    target.put(file(tmp_path))
    assert target.read("un/un-0.mp3") == CONTENT


def test_what_is_sent_again_is_not_counted_twice(running: Proxy, tmp_path: Path, target: S3Target) -> None:
    failing = [1, 1]
    running.fault = lambda request: answer(503)(request) if is_part(request) and failing and failing.pop() else None
    moved: list[int] = []
    settings_ = S3Settings("parts", "", running.url, "us-east-1", "path")
    S3Target(settings_, tmp_path / "memory", attempts=3).put(file(tmp_path, key="deux.mp3"), moved.append)
    assert sum(moved) == len(CONTENT)


def test_a_file_written_to_while_it_is_sent_is_refused(tmp_path: Path) -> None:
    sent = file(tmp_path, b"son")
    with pytest.raises(CauserieError, match="changed while"), open_verified(sent, sha256):
        sent.source.write_bytes(b"autre")


@settings(max_examples=50)
@given(st.binary(max_size=40), st.integers(1, 12))
def test_the_tag_of_parts_is_what_s3_makes_of_them(tmp_path_factory: pytest.TempPathFactory, content: bytes, part_bytes: int) -> None:
    sent = file(tmp_path_factory.mktemp("parts"), content)
    with open_verified(sent, sha256) as handle:
        pieces = [content[at : at + part_bytes] for at in range(0, len(content), part_bytes)] or [b""]
        bodies = [FileBody(handle, i * part_bytes, len(piece), print) for i, piece in enumerate(pieces)]
        md5s = [body.md5() for body in bodies]
        assert md5s == [hashlib.md5(piece).digest() for piece in pieces]
        whole = hashlib.md5(b"".join(md5s)).hexdigest() + f"-{len(pieces)}"
        assert etag(md5s) == (whole if len(pieces) > 1 else hashlib.md5(content).hexdigest())
        assert b"".join(body.read() for body in bodies) == content


@given(st.binary(max_size=40), st.lists(st.integers(0, 7), max_size=6))
def test_the_digest_is_of_all_however_it_was_read(tmp_path_factory: pytest.TempPathFactory, content: bytes, counts: list[int]) -> None:
    with open_verified(file(tmp_path_factory.mktemp("body"), content), sha256) as handle:
        body = FileBody(handle, 0, len(content), print)
        for number, count in enumerate(counts):
            body.is_sending = bool(number % 2)
            body.seek(0) if count == 7 else body.read(count)
        assert body.md5() == hashlib.md5(content).digest()


def test_a_file_whose_digest_is_known_is_read_once(
    running: Proxy, tmp_path: Path, target: S3Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    real = os.pread
    monkeypatch.setattr("pipeline.publish.s3.request_body.os.pread", lambda *asked: reads.append(len(block := real(*asked))) or block)
    sent = file(tmp_path, CONTENT[: PART - 1], "deux.mp3")
    settings_ = S3Settings("parts", "", running.url, "us-east-1", "path")
    S3Target(settings_, tmp_path / "memory", digest=lambda path: sent.sha256).put(sent)
    assert sum(reads) == sent.bytes
