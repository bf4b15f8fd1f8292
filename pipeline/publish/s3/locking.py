"""Keep two publishers from overwriting each other: conditional writes where a probe shows that they work, else a lock object.

Some servers ignore conditions, fail those that hold, or support only some. Their documentation does not say, so the bucket itself is
probed (RFC 9110, section 13.1; Amazon S3 User Guide, "Conditional writes").
"""

from __future__ import annotations

import json
import secrets
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from pipeline.engine import write_json
from pipeline.model import CauserieError
from pipeline.publish import read_json_object
from pipeline.publish.s3.client import ObjectLocation, read_object
from pipeline.publish.s3.errors import status_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LOCK_NAME = "causerie.lock"
LOCK_EXPIRES_S = 600
SETTLE_S = 1.0  # after which two publishers who wrote the lock at the same moment both see which one holds it

_CONDITION_FAILED = {409, 412}
_NO_SUCH_TAG = '"00000000000000000000000000000000"'


class WriteCondition(TypedDict, total=False):
    """The condition of a write, as keyword arguments of `put_object`; empty for none."""

    IfMatch: str
    IfNoneMatch: str


def conditional_writes_work(client: S3Client, bucket: str, prefix: str) -> bool:
    """Whether the bucket rejects writes whose condition fails and accepts those whose condition holds; probed on a temporary object."""
    location: ObjectLocation = {"Bucket": bucket, "Key": f"{prefix}causerie-probe-{secrets.token_hex(8)}"}
    tag = client.put_object(**location, Body=b"1")["ETag"]
    try:
        return (
            _is_refused(client, location, {"IfNoneMatch": "*"})
            and _is_refused(client, location, {"IfMatch": _NO_SUCH_TAG})
            and not _is_refused(client, location, {"IfMatch": tag})
        )
    finally:
        client.delete_object(**location)


def _is_refused(client: S3Client, location: ObjectLocation, condition: WriteCondition) -> bool:
    """Whether a write with that condition is rejected; for an unsupported condition (400, 501), return the answer that fails the probe."""
    from botocore.exceptions import ClientError

    try:
        client.put_object(**location, Body=b"2", **condition)
    except ClientError as error:
        if status_of(error) in _CONDITION_FAILED:
            return True
        if status_of(error) in {400, 501}:
            return "IfMatch" in condition and condition["IfMatch"] != _NO_SUCH_TAG
        raise
    return False


class BucketLock:
    """The lock object of a target, held while pages and feeds are written.

    Its age is the difference of two times from the server, so this machine's clock does not matter. A lock left over by a killed
    publication is taken over after `LOCK_EXPIRES_S`, or at once when the file at `note_path` shows that it came from this folder.
    """

    def __init__(self, client: S3Client, bucket: str, prefix: str, name: str, note_path: Path) -> None:
        """`note_path` is a file in the show's state folder, which only one publication uses at a time."""
        self._client, self._name, self._owner, self._note_path = client, name, secrets.token_hex(16), note_path
        self._location: ObjectLocation = {"Bucket": bucket, "Key": prefix + LOCK_NAME}

    def acquire(self) -> None:
        """Write the lock object. Raises `CauserieError` when another publisher holds it, or wrote it at the same moment."""
        current = _read_lock(self._client, self._location)
        is_left_over = current is not None and current[0] != "" and current[0] == read_json_object(self._note_path).get("owner")
        if current is not None and current[1] < LOCK_EXPIRES_S and not is_left_over:
            raise _locked_error(self._name, LOCK_EXPIRES_S - current[1])
        write_json(self._note_path, {"owner": self._owner})
        value = json.dumps({"owner": self._owner, "expires_after_s": LOCK_EXPIRES_S}).encode()
        try:
            self._client.put_object(**self._location, Body=value, ContentType="application/json", CacheControl="no-store")
            time.sleep(SETTLE_S)
            self.require_held()
        except BaseException:
            with suppress(Exception):  # report the first error
                self.release()
            raise

    def require_held(self) -> None:
        """Raise `CauserieError` when this publication does not hold the lock, or no longer does."""
        current = _read_lock(self._client, self._location)
        if current is None or current[0] != self._owner:
            raise _locked_error(self._name, LOCK_EXPIRES_S)

    def release(self) -> None:
        """Delete the lock object if this publication holds it."""
        current = _read_lock(self._client, self._location)
        if current is not None and current[0] == self._owner:
            self._client.delete_object(**self._location)
        self._note_path.unlink(missing_ok=True)


def _read_lock(client: S3Client, location: ObjectLocation) -> tuple[str, float] | None:
    """Return (owner, age in seconds) of the lock object; None when there is none. The owner is empty when it is unreadable."""
    from botocore.exceptions import ClientError

    try:
        body, headers = read_object(client, location)
    except ClientError as error:
        if status_of(error) == 404:
            return None
        raise
    try:
        owner = str(json.loads(body)["owner"])
    except (ValueError, KeyError, TypeError):
        owner = ""
    return owner, (parsedate_to_datetime(headers["date"]) - parsedate_to_datetime(headers["last-modified"])).total_seconds()


def _locked_error(name: str, remaining_s: float) -> CauserieError:
    return CauserieError(
        "another publisher holds the lock, so the feed was not changed",
        f"{name}/{LOCK_NAME}",
        f"fetch their changes, build, and publish again; a leftover lock expires in {max(1, round(remaining_s / 60))} min",
    )
