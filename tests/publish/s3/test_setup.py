"""Setting up a bucket, probing its conditional writes, and the lock object that is used instead of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.errors import CauserieError
from pipeline.model.show import S3Settings
from pipeline.publish.s3 import locking
from pipeline.publish.s3.locking import LOCK_NAME, BucketLock, conditional_writes_work
from pipeline.publish.s3.setup import CORS_RULE, merge_rule
from pipeline.publish.s3.target import S3Target
from tests.support.faulty_proxy import Fault, Proxy, answer, faulty_proxy, strip_headers, when
from tests.support.publishing import s3_client, s3_server
from tests.support.publishing_faults import credentials, fast_retries

pytestmark = pytest.mark.slow

CONDITIONS = ("if-match", "if-none-match")


@pytest.fixture(scope="module")
def running() -> Iterator[Proxy]:
    with s3_server() as server, faulty_proxy(server.url) as proxy, fast_retries():
        yield proxy


@pytest.fixture
def bucket(running: Proxy, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    for name, value in credentials().items():
        monkeypatch.setenv(name, value)
    running.fault = lambda request: None
    name = f"b{abs(hash(request.node.name)) % 10**12}"
    s3_client(running.server).create_bucket(Bucket=name)
    running.log.clear()
    return name


def target(running: Proxy, bucket: str, root: Path, **changed: Any) -> S3Target:
    return S3Target(S3Settings(bucket, "serie", running.url, "us-east-1", "path", **changed), root / "memory", attempts=1)


def conditioned(header: str, fault: Fault) -> Fault:
    return when(lambda request: header in request.headers, fault)


def test_a_new_bucket_is_set_up_and_every_thing_done_is_said(running: Proxy, bucket: str, tmp_path: Path) -> None:
    said = list(target(running, bucket, tmp_path).set_up(public_read=True))
    assert [line.rsplit(" ", 2)[-1] for line in said[:4]] == ["exists", "set", "set", "set"]
    assert said[4].startswith("conditional writes work:")
    client = s3_client(running.server)
    assert client.get_bucket_cors(Bucket=bucket)["CORSRules"][0]["AllowedOrigins"] == ["*"]
    (statement,) = json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert (statement["Action"], statement["Resource"]) == (["s3:GetObject"], [f"arn:aws:s3:::{bucket}/serie/*"])
    assert client.list_objects_v2(Bucket=bucket).get("KeyCount") == 0  # the probe is gone


def test_setting_up_twice_changes_nothing_and_rules_of_others_stay(running: Proxy, bucket: str, tmp_path: Path) -> None:
    client = s3_client(running.server)
    theirs = {"ID": "la maison", "AllowedMethods": ["PUT"], "AllowedOrigins": ["https://maison.example"]}
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [theirs]})
    list(target(running, bucket, tmp_path).set_up(public_read=True))
    again = list(target(running, bucket, tmp_path).set_up(public_read=True))
    assert [line.rsplit(" ", 1)[-1] for line in again[1:4]] == ["already"] * 3
    assert [rule["ID"] for rule in client.get_bucket_cors(Bucket=bucket)["CORSRules"]] == ["la maison", "causerie"]


def test_what_a_host_does_not_do_through_s3_is_told_and_the_rest_is_done(running: Proxy, bucket: str, tmp_path: Path) -> None:
    running.fault = when(lambda request: "?cors" in request.path, answer(501, "NotImplemented"))
    said = list(target(running, bucket, tmp_path).set_up(public_read=False))
    assert "could not be set: the server does not support it through S3 (NotImplemented)" in said[1]
    assert len(said) == 4 and "was set" in said[2]


def test_a_bucket_that_is_closed_to_us_is_one_sentence(running: Proxy, bucket: str, tmp_path: Path) -> None:
    running.fault = answer(403, "AccessDenied")
    with pytest.raises(CauserieError, match="access is denied"):
        list(target(running, bucket, tmp_path).set_up(public_read=False))


@pytest.mark.parametrize(
    ("fault", "works"),
    [
        (lambda request: None, True),
        (strip_headers(*CONDITIONS), False),
        (conditioned("if-match", answer(412, "PreconditionFailed")), False),  # Ceph before 20
        (conditioned("if-match", answer(501, "NotImplemented")), False),
        (conditioned("if-none-match", answer(501, "NotImplemented")), False),
    ],
    ids=["works", "is ignored", "always refuses", "knows no If-Match", "knows no If-None-Match"],
)
def test_the_bucket_itself_is_asked_whether_conditional_writes_work(running: Proxy, bucket: str, fault: Fault, works: bool) -> None:
    running.fault = fault
    assert conditional_writes_work(s3_client(running.url), bucket, "serie/") is works


def test_what_was_found_out_is_remembered_and_off_means_off(running: Proxy, bucket: str, tmp_path: Path) -> None:
    assert target(running, bucket, tmp_path).supports_conditional_writes()
    running.log.clear()
    assert target(running, bucket, tmp_path).supports_conditional_writes()
    assert not target(running, bucket, tmp_path, conditional_writes="off").supports_conditional_writes()
    assert running.log == []


def test_a_lock_keeps_a_second_publisher_out_and_is_gone_afterwards(running: Proxy, bucket: str, tmp_path: Path) -> None:
    client = s3_client(running.server)
    lock = BucketLock(client, bucket, "serie/", "s3://b", tmp_path / "moi")
    lock.acquire()
    held = json.loads(client.get_object(Bucket=bucket, Key=f"serie/{LOCK_NAME}")["Body"].read())
    assert set(held) == {"owner", "expires_after_s"}
    with pytest.raises(CauserieError, match="another publisher holds the lock.*expires in 10 min"):
        BucketLock(client, bucket, "serie/", "s3://b", tmp_path / "elle").acquire()
    lock.require_held()
    lock.release()
    assert client.list_objects_v2(Bucket=bucket).get("KeyCount") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_a_killed_publication_left_is_taken_up_at_once_from_the_same_folder(
    running: Proxy, bucket: str, tmp_path: Path
) -> None:
    client = s3_client(running.server)
    BucketLock(client, bucket, "serie/", "s3://b", tmp_path / "moi").acquire()
    again = BucketLock(client, bucket, "serie/", "s3://b", tmp_path / "moi")
    again.acquire()
    again.release()
    assert client.list_objects_v2(Bucket=bucket).get("KeyCount") == 0


def test_of_two_who_lock_at_the_same_moment_the_first_sees_that_it_lost(
    running: Proxy, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = s3_client(running.server)
    theirs = json.dumps({"owner": "elle"}).encode()
    monkeypatch.setattr(locking.time, "sleep", lambda s: client.put_object(Bucket=bucket, Key=f"serie/{LOCK_NAME}", Body=theirs))
    with pytest.raises(CauserieError, match="another publisher holds the lock"):
        BucketLock(client, bucket, "serie/", "s3://b", tmp_path / "moi").acquire()
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 1  # theirs stays


def test_a_lock_left_behind_ends_by_the_servers_own_clock(running: Proxy, bucket: str, tmp_path: Path) -> None:
    client, at = s3_client(running.server), datetime.now(UTC)
    client.put_object(Bucket=bucket, Key=f"serie/{LOCK_NAME}", Body=b'{"owner": "tuee"}')

    class Later:
        """The server's response eleven minutes later."""

        def __getattr__(self, name: str) -> Any:
            return getattr(client, name)

        def get_object(self, **what: Any) -> Any:
            said = client.get_object(**what)
            age = timedelta(minutes=11) if said["ContentLength"] < 20 else timedelta()
            said["ResponseMetadata"]["HTTPHeaders"]["date"] = (at + age).strftime("%a, %d %b %Y %H:%M:%S GMT")
            return said

    BucketLock(Later(), bucket, "serie/", "s3://b", tmp_path / "moi").acquire()


@given(st.lists(st.sampled_from(["a", "b", CORS_RULE["ID"]]), unique=True))
def test_our_rule_is_there_once_and_the_others_as_they_were(ids: list[str]) -> None:
    after = merge_rule([{"ID": name} for name in ids], CORS_RULE, "ID")
    assert [rule for rule in after if rule["ID"] != CORS_RULE["ID"]] == [{"ID": name} for name in ids if name != CORS_RULE["ID"]]
    assert after.count(CORS_RULE) == 1 and merge_rule(after, CORS_RULE, "ID") == after
