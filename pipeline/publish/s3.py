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

from pipeline.errors import CauserieError
from pipeline.files import sha256 as digest_of
from pipeline.files import write_json
from pipeline.model import S3Settings
from pipeline.publish.bodies import Body, etag, opened
from pipeline.publish.headers import IMMUTABLE
from pipeline.publish.s3_client import WORKERS, Address, client_for, content_of
from pipeline.publish.s3_conditions import Condition, Lock, conditions_work
from pipeline.publish.s3_errors import code_of, host_of, status_of, told
from pipeline.publish.s3_parts import send_parts
from pipeline.publish.s3_setup import set_up
from pipeline.publish.state import load_manifest, remembered, save_manifest
from pipeline.publish.target import nobody
from pipeline.publish.tree import PublicFile
from pipeline.publish.upload import ONE_PUT_BYTES, PART_BYTES, RemoteFile

IN_MEMORY_BYTES = 200_000  # up to here sent as one block, which even a slow line shared by `WORKERS` takes within `CONNECT_TIMEOUT_S`
SENDS = 6  # tries to send a file that arrives corrupted; 2 for one in parts

_ARRIVED_CHANGED = {"XAmzContentSHA256Mismatch", "BadDigest", "IncompleteBody"}  # from servers that check content
_LOOK_AGAIN = {404, 409, 412}  # how servers answer when a condition fails


class S3Target:
    """A bucket, or a prefix of one. Credentials come from boto3's own chain and are never read here."""

    def __init__(self, settings: S3Settings, memory: Path, *, attempts: int = 6, digest: Callable[[Path], str] = digest_of) -> None:
        """`state_folder` keeps what is known between publications; `attempts` is the total number of tries of a request.

        `digest` computes the SHA-256 of a file and may use a cache.
        """
        prefix = settings.prefix.strip("/")
        self.name = f"s3://{settings.bucket}/{prefix}".rstrip("/")
        self._digest = digest
        self._settings, self._prefix = settings, f"{prefix}/" if prefix else ""
        self._manifest, self._conditions, self._lock_note = (memory / f"s3{name}.json" for name in ("", "-conditions", "-lock"))
        self._identity = f"{self.name} at {host_of(settings.endpoint_url)} {settings.acl}".rstrip()
        self._known = load_manifest(self._manifest, self._identity)
        self._told = partial(told, self.name, settings)
        with self._told():
            self._client = client_for(settings, attempts)
        self._lock: Lock | None = None
        self._parts = ThreadPoolExecutor(WORKERS)  # shared by the parts of all large files

    def list(self, keys: Collection[str]) -> dict[str, RemoteFile]:
        """Every object below the prefix: one request for each thousand, and one for each of `keys` that the manifest does not have."""
        there: dict[str, RemoteFile] = {}
        with self._told():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._settings.bucket, Prefix=self._prefix)
            for row in (row for page in pages for row in page.get("Contents", [])):
                there[row["Key"].removeprefix(self._prefix)] = RemoteFile(row["Size"], "", ("", ""), row["ETag"])
        self._known = {key: file for key, file in self._known.items() if key in there and _same_version(file, there[key])}
        unknown = [key for key in there if key in keys and key not in self._known]
        with ThreadPoolExecutor(WORKERS) as pool:
            looked_at = dict(zip(unknown, pool.map(self._head, unknown), strict=True))
        self._known.update({key: file for key, file in looked_at.items() if file is not None})
        return {**there, **self._known}

    def find(self, key: str) -> RemoteFile | None:
        """One object as it is now; None when there is none."""
        return self._head(key)

    def ready(self) -> None:
        """Probe conditional writes, unless the result is already known."""
        self.conditional()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock object where conditional writes do not work."""
        if self.conditional():
            yield
            return
        lock = Lock(self._client, self._settings.bucket, self._prefix, self.name, self._lock_note)
        with self._told():
            lock.take()
        self._lock = lock
        try:
            yield
        finally:
            self._lock = None
            with suppress(CauserieError), self._told():  # a lock that is not deleted expires
                lock.give_back()

    def put(self, file: PublicFile, moved: Callable[[int], None] = nobody) -> None:
        """Send one file with its headers and its digest, large ones in parts, and check that the stored content is what was sent."""
        with self._told(file.key):
            if not self._arrives(file, moved):
                if file.cache_control == IMMUTABLE:  # its name includes its digest; a page stays, as links may lead to it
                    self._client.delete_object(**self._address(file.key))
                raise self._damaged(file)

    def put_headers(self, file: PublicFile) -> None:
        """Copy the object onto itself with the right headers, if it is still the known version; S3 needs all headers again."""
        address = self._address(file.key)
        about = self._about(file)
        if file.key in self._known:
            about["CopySourceIfMatch"] = self._known[file.key].tag
        with self._told(file.key):
            answer = self._client.copy_object(
                **address, CopySource={"Bucket": address["Bucket"], "Key": address["Key"]}, MetadataDirective="REPLACE", **about
            )
        tag = answer["CopyObjectResult"]["ETag"]
        self._known[file.key] = RemoteFile(file.bytes, file.sha256, (file.content_type, file.cache_control), tag)

    def put_feed(self, file: PublicFile, expected: RemoteFile | None) -> str:
        """Write the feed if it is still `expected`: conditionally, or under the lock object where conditional writes do not work.

        Returns a note for the user when the lock object was used. Raises `CauserieError` when another publisher has replaced the feed.
        """
        if not self._lock and self.conditional():
            if self._put_if(file, expected):
                return ""
            self._set_conditional(False)
        if not self._lock:
            with self.alone():
                return self.put_feed(file, expected)
        with self._told(file.key):
            self._lock.must_be_ours()
            there = self._head(file.key)
            if _tag(there) != _tag(expected) and (there is None or there.sha256 != file.sha256):
                raise self._conflict(file)
            self._write_feed(file, {})
        return f"conditional writes do not work on {self.name}, a lock object was used instead: avoid publishing from two places at once"

    def conditional(self) -> bool:
        """Whether conditional writes work on this bucket: from the saved result, else probed."""
        if self._settings.conditional_writes == "off":
            return False
        known = remembered(self._conditions)
        if known.get("target") == self._identity:
            return known.get("conditional") is True
        with self._told():
            works = conditions_work(self._client, self._settings.bucket, self._prefix)
        self._set_conditional(works)
        return works

    def set_up(self, public_read: bool) -> Iterator[str]:
        """Set up the bucket and save whether its conditional writes work; yields a sentence for each thing done."""
        wanted = self._settings.conditional_writes != "off"
        with self._told():
            rows = set_up(self._client, self._settings.bucket, self._prefix, public_read=public_read, conditional=wanted)
            for sentence, conditional in rows:
                if conditional is not None and wanted:
                    self._set_conditional(conditional)
                yield sentence

    def read(self, key: str) -> bytes:
        """The content of one object."""
        with self._told(key):
            return content_of(self._client, self._address(key))[0]

    def delete(self, keys: Collection[str], ours: Collection[str] = ()) -> tuple[str, ...]:
        """Delete those of `keys` that the manifest or `owned` lists; return the deleted keys."""
        gone = tuple(key for key in keys if key in self._known or key in ours)
        for key in gone:
            with self._told(key):
                self._client.delete_object(**self._address(key))
            self._known.pop(key, None)
        return gone

    def close(self) -> None:
        """Save the manifest of what is at the target."""
        self._parts.shutdown(cancel_futures=True)
        save_manifest(self._manifest, self._identity, self._known)

    def _arrives(self, file: PublicFile, moved: Callable[[int], None] = nobody, condition: Condition | None = None) -> bool:
        """Send a file until the stored content is what was sent; with a condition, until another publisher's version is there."""
        from botocore.exceptions import ClientError

        for _ in range(SENDS if file.bytes <= ONE_PUT_BYTES else 2):
            try:
                if self._send(file, moved, condition or {}):
                    return True
                condition = {"IfMatch": self._known[file.key].tag} if condition else None
            except ClientError as error:
                if code_of(error) not in _ARRIVED_CHANGED:
                    raise
        return False

    def _send(self, file: PublicFile, moved: Callable[[int], None], condition: Condition) -> bool:
        """Send in one PUT up to `ONE_PUT_BYTES`, in parts above; return whether the stored content is what was sent, by its ETag."""
        with opened(file, self._digest) as handle:
            address, about = self._address(file.key), self._about(file)
            if file.bytes > ONE_PUT_BYTES:
                starts = range(0, file.bytes, PART_BYTES)
                bodies = [Body(handle, start, min(PART_BYTES, file.bytes - start), moved) for start in starts]
                tag = self._send_parts(file, bodies, moved)
            else:
                bodies = [Body(handle, 0, file.bytes, moved, file.sha256)]
                plain = bodies[0].read() if file.bytes <= IN_MEMORY_BYTES else bodies[0]  # small files do not wait for “100 Continue”
                about |= {"Body": plain, "ContentLength": file.bytes}  # botocore reads any stream, its stubs only know `IO`
                tag = self._client.put_object(**address, **about, **condition)["ETag"]
                moved(file.bytes if plain is not bodies[0] else 0)
            due = etag([body.md5() for body in bodies])
        sent = RemoteFile(file.bytes, "", (file.content_type, file.cache_control), tag)
        self._known[file.key] = sent  # the digest is unknown until the stored content has been checked, whatever the metadata say
        whole = tag.strip('"') == due or bool(tag) and self._stored_sha256(file.key) == file.sha256
        self._known[file.key] = replace(sent, sha256=file.sha256 if whole else "")
        return whole

    def _send_parts(self, file: PublicFile, bodies: Sequence[Body], moved: Callable[[int], None]) -> str:
        """Send a file in parts; return the ETag of the object then stored, empty when there is none.

        The upload may be gone before we complete it: the response to the completion was lost and boto3 retries, another publisher
        resumed the same upload, or the host cleaned it up. Ceph 16 completes it and returns an empty ETag.
        """
        from botocore.exceptions import ClientError

        try:
            tag = send_parts(self._client, self._address(file.key), self._about(file), bodies, self._parts, moved)
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":
                raise
            tag = ""
        return tag or _tag(self._head(file.key))

    def _put_if(self, file: PublicFile, expected: RemoteFile | None) -> bool:
        """Write the feed conditionally; return False when the server turns out not to support that, with nothing written.

        A failed condition is not a conflict yet: the response to our own write may have been lost and boto3 have retried it, and some
        servers fail conditions that hold (Ceph before 20) or do not support them (501).
        """
        from botocore.exceptions import ClientError

        try:
            with self._told(file.key, (*_LOOK_AGAIN, 501)):
                self._write_feed(file, {"IfMatch": expected.tag} if expected else {"IfNoneMatch": "*"})
        except ClientError as error:
            if status_of(error) == 501:
                return False
            there = self._head(file.key)
            if there is not None and there.sha256 == file.sha256:
                self._known[file.key] = there
                return True
            if status_of(error) == 409 or _tag(there) != _tag(expected):  # 409: another write is in progress
                raise self._conflict(file) from None
            return False
        return True

    def _write_feed(self, file: PublicFile, condition: Condition) -> None:
        """Send the feed, again when it arrives corrupted. When every response is lost, the stored object shows whether it was written."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if not self._arrives(file, condition=condition):
                raise self._damaged(file)
        except (BotoCoreError, ClientError) as error:
            refused = isinstance(error, ClientError) and status_of(error) not in {500, 502, 503, 504}
            there = None if refused else self._head(file.key)
            if there is None or there.sha256 != file.sha256:
                raise
            self._known[file.key] = there

    def _stored_sha256(self, key: str) -> str:
        """Download an object and return its SHA-256: needed only where the ETag is not an MD5, as with KMS encryption."""
        body, digest = self._client.get_object(**self._address(key))["Body"], sha256()
        for block in body.iter_chunks(1 << 20):
            digest.update(block)
        return digest.hexdigest()

    def _address(self, key: str) -> Address:
        return {"Bucket": self._settings.bucket, "Key": self._prefix + key}

    def _about(self, file: PublicFile) -> dict[str, Any]:  # Any: arguments of several types; the ACL is text from the settings
        """Return the headers, ACL and metadata to store with an object; never a Content-Encoding."""
        acl = self._settings.acl
        headers = {"ContentType": file.content_type, "CacheControl": file.cache_control, **({"ACL": acl} if acl else {})}
        return {**headers, "Metadata": {"sha256": file.sha256, **({"acl": acl} if acl else {})}}

    def _set_conditional(self, works: bool) -> None:
        write_json(self._conditions, {"version": 1, "target": self._identity, "conditional": works})

    def _conflict(self, file: PublicFile) -> CauserieError:
        said = "was replaced by another publisher during this publication, and was not overwritten"
        hint = "fetch their changes, build, and publish again: until then some pages are yours"
        return CauserieError(said, f"{self.name}/{file.key}", hint)

    def _damaged(self, file: PublicFile) -> CauserieError:
        said = "arrives corrupted each time it is sent"
        hint = "publish again; if it persists, find what changes data between this machine and the server"
        return CauserieError(said, f"{self.name}/{file.key}", hint)

    def _head(self, key: str) -> RemoteFile | None:
        """Describe one object from a HEAD request; None when there is none."""
        from botocore.exceptions import ClientError

        try:
            with self._told(key, (404,)):
                said = self._client.head_object(**self._address(key))
        except ClientError:
            return None
        metadata = {name.lower(): value for name, value in said.get("Metadata", {}).items()}  # some servers change the case
        headers = (said.get("ContentType", ""), said.get("CacheControl", ""))
        # Players fail on a stored Content-Encoding, and HEAD does not return the ACL: empty headers match nothing, so both get corrected.
        if said.get("ContentEncoding") or metadata.get("acl", "") != self._settings.acl:
            headers = ("", "")
        return RemoteFile(said["ContentLength"], metadata.get("sha256", ""), headers, said["ETag"])


def _tag(there: RemoteFile | None) -> str:
    return there.tag if there else ""


def _same_version(known: RemoteFile, listed: RemoteFile) -> bool:
    return (known.tag, known.bytes) == (listed.tag, listed.bytes)
