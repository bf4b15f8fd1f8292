"""What keeps two publishers apart: conditional writes where a probe shows that they work, a lock object elsewhere.

Several servers accept conditions and ignore them, refuse those that hold, or know only some: documentation does not tell, so the
bucket itself is asked (RFC 9110, section 13.1; Amazon S3 User Guide, "Conditional writes").
"""

from __future__ import annotations

import json
import secrets
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from pipeline.errors import CauserieError
from pipeline.files import write_json
from pipeline.publish.s3_client import content_of
from pipeline.publish.s3_errors import status_of
from pipeline.publish.state import remembered

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


class Lock:
    """The lock object of a target, held while its pages and its feed are written.

    Its age is the difference of two moments that the server told, so a wrong clock here changes nothing. A lock that a killed
    publication left behind is taken over after `LOCK_EXPIRES_S`; at once where `note` tells that it was one from here.
    """

    def __init__(self, client: Any, bucket: str, prefix: str, name: str, note: Path) -> None:
        """`note` is a file of ours alone, in a folder in which nobody else publishes meanwhile."""
        self._client, self._name, self._owner, self._note = client, name, secrets.token_hex(16), note
        self._address = {"Bucket": bucket, "Key": prefix + LOCK_NAME}

    def take(self) -> None:
        """Write it; `CauserieError` when somebody else holds it, or wrote it at the same moment."""
        there = _held(self._client, self._address)
        left_here = there is not None and there[0] != "" and there[0] == remembered(self._note).get("owner")
        if there is not None and there[1] < LOCK_EXPIRES_S and not left_here:
            raise _taken(self._name, LOCK_EXPIRES_S - there[1])
        write_json(self._note, {"owner": self._owner})
        value = json.dumps({"owner": self._owner, "expires_after_s": LOCK_EXPIRES_S}).encode()
        try:
            self._client.put_object(**self._address, Body=value, ContentType="application/json", CacheControl="no-store")
            time.sleep(SETTLE_S)
            self.must_be_ours()
        except BaseException:
            with suppress(Exception):  # what went wrong first is what is told
                self.give_back()
            raise

    def must_be_ours(self) -> None:
        """Refuse to go on when the lock is not ours after all, or any more."""
        there = _held(self._client, self._address)
        if there is None or there[0] != self._owner:
            raise _taken(self._name, LOCK_EXPIRES_S)

    def give_back(self) -> None:
        """Delete it, if it is ours."""
        there = _held(self._client, self._address)
        if there is not None and there[0] == self._owner:
            self._client.delete_object(**self._address)
        self._note.unlink(missing_ok=True)


def _held(client: Any, address: dict[str, str]) -> tuple[str, float] | None:
    """(owner, age in seconds) of the lock; None when nobody holds it."""
    from botocore.exceptions import ClientError

    try:
        body, told = content_of(client, address)
    except ClientError as error:
        if status_of(error) == 404:
            return None
        raise
    try:
        owner = str(json.loads(body)["owner"])
    except (ValueError, KeyError, TypeError):
        owner = ""
    return owner, (parsedate_to_datetime(told["date"]) - parsedate_to_datetime(told["last-modified"])).total_seconds()


def _taken(name: str, left_s: float) -> CauserieError:
    return CauserieError(
        "somebody else is publishing at this moment, the feed was left as it is",
        f"{name}/{LOCK_NAME}",
        f"fetch their work, build, and publish again; a lock that was left behind ends in {max(1, round(left_s / 60))} min",
    )
