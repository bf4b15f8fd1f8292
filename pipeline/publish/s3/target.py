"""The S3 target: a bucket, or a prefix of one, on any S3-compatible server.

Checksums are sent only when required (older Ceph otherwise stores `aws-chunked` as the Content-Encoding), ACLs only when configured,
and the feed is written conditionally where the server supports it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipeline.engine import sha256 as digest_of
from pipeline.engine import write_json
from pipeline.model import CauserieError, S3Settings
from pipeline.publish import (
    IMMUTABLE,
    ONE_PUT_BYTES,
    PART_BYTES,
    PublicFile,
    RemoteFile,
    ignore_progress,
    load_manifest,
    read_json_object,
    save_manifest,
)
from pipeline.publish.s3.client import WORKERS, ObjectLocation, make_client, read_object
from pipeline.publish.s3.errors import code_of, host_of, status_of, translate_errors
from pipeline.publish.s3.locking import BucketLock, WriteCondition, conditional_writes_work
from pipeline.publish.s3.multipart import send_parts
from pipeline.publish.s3.request_body import FileBody, etag, open_verified
from pipeline.publish.s3.setup import set_up_bucket

IN_MEMORY_BYTES = 200_000  # up to here sent as one block, which even a slow line shared by `WORKERS` takes within `CONNECT_TIMEOUT_S`
SEND_TRIES = 6  # tries to send a file that arrives corrupted; 2 for one in parts

_CORRUPTED_CODES = {"XAmzContentSHA256Mismatch", "BadDigest", "IncompleteBody"}  # from servers that check content
_CONDITION_STATUSES = {404, 409, 412}  # how servers answer when a condition fails


class S3Target:
    """A bucket, or a prefix of one. Credentials come from boto3's own chain and are never read here."""

    def __init__(self, settings: S3Settings, state_folder: Path, *, attempts: int = 6, digest: Callable[[Path], str] = digest_of) -> None:
        """`state_folder` keeps what is known between publications; `attempts` is the total number of tries of a request.

        `digest` computes the SHA-256 of a file and may use a cache.
        """
        prefix = settings.prefix.strip("/")
        self.name = f"s3://{settings.bucket}/{prefix}".rstrip("/")
        self._digest = digest
        self._settings, self._prefix = settings, f"{prefix}/" if prefix else ""
        self._manifest_path, self._conditions_path, self._lock_note_path = (
            state_folder / f"s3{name}.json" for name in ("", "-conditions", "-lock")
        )
        self._identity = f"{self.name} at {host_of(settings.endpoint_url)} {settings.acl}".rstrip()
        self._known = load_manifest(self._manifest_path, self._identity)
        self._translate_errors = partial(translate_errors, self.name, settings)
        with self._translate_errors():
            self._client = make_client(settings, attempts)
        self._held_lock: BucketLock | None = None
        self._part_pool = ThreadPoolExecutor(WORKERS)  # shared by the parts of all large files

    def list(self, keys: Collection[str]) -> dict[str, RemoteFile]:
        """Every object below the prefix: one request for each thousand, and one for each of `keys` that the manifest does not have."""
        listed: dict[str, RemoteFile] = {}
        with self._translate_errors():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._settings.bucket, Prefix=self._prefix)
            for row in (row for page in pages for row in page.get("Contents", [])):
                listed[row["Key"].removeprefix(self._prefix)] = RemoteFile(row["Size"], "", ("", ""), row["ETag"])
        self._known = {key: file for key, file in self._known.items() if key in listed and _same_version(file, listed[key])}
        unknown = [key for key in listed if key in keys and key not in self._known]
        with ThreadPoolExecutor(WORKERS) as pool:
            heads = dict(zip(unknown, pool.map(self._head, unknown), strict=True))
        self._known.update({key: file for key, file in heads.items() if file is not None})
        return {**listed, **self._known}

    def stat(self, key: str) -> RemoteFile | None:
        """One object as it is now; None when there is none."""
        return self._head(key)

    def prepare(self) -> None:
        """Probe conditional writes, unless the result is already known."""
        self.supports_conditional_writes()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock object where conditional writes do not work."""
        if self.supports_conditional_writes():
            yield
            return
        lock = BucketLock(self._client, self._settings.bucket, self._prefix, self.name, self._lock_note_path)
        with self._translate_errors():
            lock.acquire()
        self._held_lock = lock
        try:
            yield
        finally:
            self._held_lock = None
            with suppress(CauserieError), self._translate_errors():  # a lock that is not deleted expires
                lock.release()

    def put(self, file: PublicFile, on_progress: Callable[[int], None] = ignore_progress) -> None:
        """Send one file with its headers and its digest, large ones in parts, and check that the stored content is what was sent."""
        with self._translate_errors(file.key):
            if not self._send_verified(file, on_progress):
                if file.cache_control == IMMUTABLE:  # its name includes its digest; a page stays, as links may lead to it
                    self._client.delete_object(**self._location(file.key))
                raise self._corrupted_error(file)

    def put_headers(self, file: PublicFile) -> None:
        """Copy the object onto itself with the right headers, if it is still the known version; S3 needs all headers again."""
        location = self._location(file.key)
        extra_args = self._extra_args(file)
        if file.key in self._known:
            extra_args["CopySourceIfMatch"] = self._known[file.key].tag
        with self._translate_errors(file.key):
            response = self._client.copy_object(
                **location, CopySource={"Bucket": location["Bucket"], "Key": location["Key"]}, MetadataDirective="REPLACE", **extra_args
            )
        tag = response["CopyObjectResult"]["ETag"]
        self._known[file.key] = RemoteFile(file.bytes, file.sha256, (file.content_type, file.cache_control), tag)

    def put_feed(self, file: PublicFile, expected: RemoteFile | None) -> str:
        """Write the feed if it is still `expected`: conditionally, or under the lock object where conditional writes do not work.

        Returns a note for the user when the lock object was used. Raises `CauserieError` when another publisher has replaced the feed.
        """
        if not self._held_lock and self.supports_conditional_writes():
            if self._put_if(file, expected):
                return ""
            self._save_conditional(False)
        if not self._held_lock:
            with self.lock():
                return self.put_feed(file, expected)
        with self._translate_errors(file.key):
            self._held_lock.require_held()
            current = self._head(file.key)
            if _tag_of(current) != _tag_of(expected) and (current is None or current.sha256 != file.sha256):
                raise self._conflict_error(file)
            self._write_feed(file, {})
        return f"conditional writes do not work on {self.name}, a lock object was used instead: avoid publishing from two places at once"

    def supports_conditional_writes(self) -> bool:
        """Whether conditional writes work on this bucket: from the saved result, else probed."""
        if self._settings.conditional_writes == "off":
            return False
        saved = read_json_object(self._conditions_path)
        if saved.get("target") == self._identity:
            return saved.get("conditional") is True
        with self._translate_errors():
            works = conditional_writes_work(self._client, self._settings.bucket, self._prefix)
        self._save_conditional(works)
        return works

    def set_up(self, public_read: bool) -> Iterator[str]:
        """Set up the bucket and save whether its conditional writes work; yields a sentence for each thing done."""
        is_enabled = self._settings.conditional_writes != "off"
        with self._translate_errors():
            results = set_up_bucket(self._client, self._settings.bucket, self._prefix, public_read=public_read, conditional=is_enabled)
            for sentence, conditional in results:
                if conditional is not None and is_enabled:
                    self._save_conditional(conditional)
                yield sentence

    def read(self, key: str) -> bytes:
        """The content of one object."""
        with self._translate_errors(key):
            return read_object(self._client, self._location(key))[0]

    def delete(self, keys: Collection[str], owned: Collection[str] = ()) -> tuple[str, ...]:
        """Delete those of `keys` that the manifest or `owned` lists; return the deleted keys."""
        deleted = tuple(key for key in keys if key in self._known or key in owned)
        for key in deleted:
            with self._translate_errors(key):
                self._client.delete_object(**self._location(key))
            self._known.pop(key, None)
        return deleted

    def close(self) -> None:
        """Save the manifest of what is at the target."""
        self._part_pool.shutdown(cancel_futures=True)
        save_manifest(self._manifest_path, self._identity, self._known)

    def _send_verified(
        self, file: PublicFile, on_progress: Callable[[int], None] = ignore_progress, condition: WriteCondition | None = None
    ) -> bool:
        """Send a file until the stored content is what was sent; with a condition, until another publisher's version is there."""
        from botocore.exceptions import ClientError

        for _ in range(SEND_TRIES if file.bytes <= ONE_PUT_BYTES else 2):
            try:
                if self._send(file, on_progress, condition or {}):
                    return True
                condition = {"IfMatch": self._known[file.key].tag} if condition else None
            except ClientError as error:
                if code_of(error) not in _CORRUPTED_CODES:
                    raise
        return False

    def _send(self, file: PublicFile, on_progress: Callable[[int], None], condition: WriteCondition) -> bool:
        """Send in one PUT up to `ONE_PUT_BYTES`, in parts above; return whether the stored content is what was sent, by its ETag."""
        with open_verified(file, self._digest) as fd:
            location, extra_args = self._location(file.key), self._extra_args(file)
            if file.bytes > ONE_PUT_BYTES:
                starts = range(0, file.bytes, PART_BYTES)
                bodies = [FileBody(fd, start, min(PART_BYTES, file.bytes - start), on_progress) for start in starts]
                tag = self._send_parts(file, bodies, on_progress)
            else:
                bodies = [FileBody(fd, 0, file.bytes, on_progress, file.sha256)]
                payload = bodies[0].read() if file.bytes <= IN_MEMORY_BYTES else bodies[0]  # small files do not wait for “100 Continue”
                extra_args |= {"Body": payload, "ContentLength": file.bytes}  # botocore reads any stream, its stubs only know `IO`
                tag = self._client.put_object(**location, **extra_args, **condition)["ETag"]
                on_progress(file.bytes if payload is not bodies[0] else 0)
            expected_tag = etag([body.md5() for body in bodies])
        sent = RemoteFile(file.bytes, "", (file.content_type, file.cache_control), tag)
        self._known[file.key] = sent  # the digest is unknown until the stored content has been checked, whatever the metadata say
        is_intact = tag.strip('"') == expected_tag or bool(tag) and self._stored_sha256(file.key) == file.sha256
        self._known[file.key] = replace(sent, sha256=file.sha256 if is_intact else "")
        return is_intact

    def _send_parts(self, file: PublicFile, bodies: Sequence[FileBody], on_progress: Callable[[int], None]) -> str:
        """Send a file in parts; return the ETag of the object then stored, empty when there is none.

        The upload may be gone before we complete it: the response to the completion was lost and boto3 retries, another publisher
        resumed the same upload, or the host cleaned it up. Ceph 16 completes it and returns an empty ETag.
        """
        from botocore.exceptions import ClientError

        try:
            tag = send_parts(self._client, self._location(file.key), self._extra_args(file), bodies, self._part_pool, on_progress)
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":
                raise
            tag = ""
        return tag or _tag_of(self._head(file.key))

    def _put_if(self, file: PublicFile, expected: RemoteFile | None) -> bool:
        """Write the feed conditionally; return False when the server turns out not to support that, with nothing written.

        A failed condition is not a conflict yet: the response to our own write may have been lost and boto3 have retried it, and some
        servers fail conditions that hold (Ceph before 20) or do not support them (501).
        """
        from botocore.exceptions import ClientError

        try:
            with self._translate_errors(file.key, (*_CONDITION_STATUSES, 501)):
                self._write_feed(file, {"IfMatch": expected.tag} if expected else {"IfNoneMatch": "*"})
        except ClientError as error:
            if status_of(error) == 501:
                return False
            current = self._head(file.key)
            if current is not None and current.sha256 == file.sha256:
                self._known[file.key] = current
                return True
            if status_of(error) == 409 or _tag_of(current) != _tag_of(expected):  # 409: another write is in progress
                raise self._conflict_error(file) from None
            return False
        return True

    def _write_feed(self, file: PublicFile, condition: WriteCondition) -> None:
        """Send the feed, again when it arrives corrupted. When every response is lost, the stored object shows whether it was written."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if not self._send_verified(file, condition=condition):
                raise self._corrupted_error(file)
        except (BotoCoreError, ClientError) as error:
            is_rejected = isinstance(error, ClientError) and status_of(error) not in {500, 502, 503, 504}
            current = None if is_rejected else self._head(file.key)
            if current is None or current.sha256 != file.sha256:
                raise
            self._known[file.key] = current

    def _stored_sha256(self, key: str) -> str:
        """Download an object and return its SHA-256: needed only where the ETag is not an MD5, as with KMS encryption."""
        body, digest = self._client.get_object(**self._location(key))["Body"], sha256()
        for block in body.iter_chunks(1 << 20):
            digest.update(block)
        return digest.hexdigest()

    def _location(self, key: str) -> ObjectLocation:
        return {"Bucket": self._settings.bucket, "Key": self._prefix + key}

    def _extra_args(self, file: PublicFile) -> dict[str, Any]:  # Any: arguments of several types; the ACL is text from the settings
        """Return the headers, ACL and metadata to store with an object; never a Content-Encoding."""
        acl = self._settings.acl
        headers = {"ContentType": file.content_type, "CacheControl": file.cache_control, **({"ACL": acl} if acl else {})}
        return {**headers, "Metadata": {"sha256": file.sha256, **({"acl": acl} if acl else {})}}

    def _save_conditional(self, works: bool) -> None:
        write_json(self._conditions_path, {"version": 1, "target": self._identity, "conditional": works})

    def _conflict_error(self, file: PublicFile) -> CauserieError:
        message = "was replaced by another publisher during this publication, and was not overwritten"
        hint = "fetch their changes, build, and publish again: until then some pages are yours"
        return CauserieError(message, f"{self.name}/{file.key}", hint)

    def _corrupted_error(self, file: PublicFile) -> CauserieError:
        message = "arrives corrupted each time it is sent"
        hint = "publish again; if it persists, find what changes data between this machine and the server"
        return CauserieError(message, f"{self.name}/{file.key}", hint)

    def _head(self, key: str) -> RemoteFile | None:
        """Describe one object from a HEAD request; None when there is none."""
        from botocore.exceptions import ClientError

        try:
            with self._translate_errors(key, (404,)):
                response = self._client.head_object(**self._location(key))
        except ClientError:
            return None
        metadata = {name.lower(): value for name, value in response.get("Metadata", {}).items()}  # some servers change the case
        headers = (response.get("ContentType", ""), response.get("CacheControl", ""))
        # Players fail on a stored Content-Encoding, and HEAD does not return the ACL: empty headers match nothing, so both get corrected.
        if response.get("ContentEncoding") or metadata.get("acl", "") != self._settings.acl:
            headers = ("", "")
        return RemoteFile(response["ContentLength"], metadata.get("sha256", ""), headers, response["ETag"])


def _tag_of(file: RemoteFile | None) -> str:
    return file.tag if file else ""


def _same_version(known: RemoteFile, listed: RemoteFile) -> bool:
    return (known.tag, known.bytes) == (listed.tag, listed.bytes)
