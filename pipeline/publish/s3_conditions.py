"""What keeps two publishers apart: conditional writes where a probe shows that they work, a lock object elsewhere.

Several servers accept conditions and ignore them, refuse those that hold, or know only some: documentation does not tell, so the
bucket itself is asked (RFC 9110, section 13.1; Amazon S3 User Guide, "Conditional writes").
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

from pipeline.errors import CauserieError
from pipeline.publish.s3_errors import status_of

LOCK_NAME = "causerie.lock"
LOCK_EXPIRES_S = 600
SETTLE_S = 1.0  # after which two who wrote the lock at the same moment both see whose it is

_REFUSED = {409, 412}
_NO_SUCH_TAG = '"00000000000000000000000000000000"'


def conditions_work(client: Any, bucket: str, prefix: str) -> bool:
    """Whether the bucket refuses writes whose condition fails and takes those whose condition holds; tried on an object of its own."""
    address = {"Bucket": bucket, "Key": f"{prefix}causerie-probe-{secrets.token_hex(8)}"}
    tag = client.put_object(**address, Body=b"1")["ETag"]
    try:
        return (
            _refuses(client, address, IfNoneMatch="*")
            and _refuses(client, address, IfMatch=_NO_SUCH_TAG)
            and not _refuses(client, address, IfMatch=tag)
        )
    finally:
        client.delete_object(**address)


def _refuses(client: Any, address: dict[str, str], **condition: str) -> bool:
    """Whether a write under that condition is turned down; what the server cannot do at all counts as the wrong answer."""
    from botocore.exceptions import ClientError

    try:
        client.put_object(**address, Body=b"2", **condition)
    except ClientError as error:
        if status_of(error) in _REFUSED:
            return True
        if status_of(error) in {400, 501}:
            return "IfMatch" in condition and condition["IfMatch"] != _NO_SUCH_TAG
        raise
    return False


@contextmanager
def locked(client: Any, bucket: str, prefix: str, name: str) -> Iterator[None]:
    """Hold the lock object of a target while its feed is written; `CauserieError` when somebody else does.

    Its age is the difference of two moments that the server told, so a wrong clock here changes nothing. A lock that a killed
    publication left behind is taken over after `LOCK_EXPIRES_S`.
    """
    address, owner = {"Bucket": bucket, "Key": prefix + LOCK_NAME}, secrets.token_hex(16)
    there = _held(client, address)
    if there is not None and there[1] < LOCK_EXPIRES_S:
        raise _taken(name, LOCK_EXPIRES_S - there[1])
    value = {"owner": owner, "expires_after_s": LOCK_EXPIRES_S}
    client.put_object(**address, Body=json.dumps(value).encode(), ContentType="application/json", CacheControl="no-store")
    time.sleep(SETTLE_S)
    _must_be(owner, client, address, name)
    try:
        yield
    finally:
        there = _held(client, address)
        if there is not None and there[0] == owner:
            client.delete_object(**address)


def _must_be(owner: str, client: Any, address: dict[str, str], name: str) -> None:
    """Refuse to go on when the lock is not ours after all."""
    there = _held(client, address)
    if there is None or there[0] != owner:
        raise _taken(name, LOCK_EXPIRES_S)


def _held(client: Any, address: dict[str, str]) -> tuple[str, float] | None:
    """(owner, age in seconds) of the lock; None when nobody holds it."""
    from botocore.exceptions import ClientError

    try:
        answer = client.get_object(**address)
    except ClientError as error:
        if status_of(error) == 404:
            return None
        raise
    try:
        owner = str(json.loads(answer["Body"].read())["owner"])
    except (ValueError, KeyError, TypeError):
        owner = ""
    now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    return owner, (now - answer["LastModified"]).total_seconds()


def _taken(name: str, left_s: float) -> CauserieError:
    return CauserieError(
        "somebody else is publishing at this moment, the feed was left as it is",
        f"{name}/{LOCK_NAME}",
        f"fetch their work, build, and publish again; a lock that was left behind ends in {max(1, round(left_s / 60))} min",
    )
