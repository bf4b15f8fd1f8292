"""The S3 target: the only place that talks to boto3.

Written for every S3-compatible server: checksums only when required (older Ceph stores `aws-chunked` as a Content-Encoding
otherwise), no ACL unless asked for, conditions on the feed where the server knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
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
from pipeline.publish.s3_client import WORKERS, client_for, content_of
from pipeline.publish.s3_conditions import Lock, conditions_work
from pipeline.publish.s3_errors import code_of, host_of, status_of, told
from pipeline.publish.s3_parts import send_parts
from pipeline.publish.s3_setup import set_up
from pipeline.publish.state import load_manifest, remembered, save_manifest
from pipeline.publish.target import nobody
from pipeline.publish.tree import PublicFile
from pipeline.publish.upload import ONE_PUT_BYTES, PART_BYTES, RemoteFile

IN_MEMORY_BYTES = 200_000  # goes in one piece, which even a slow line shared by `WORKERS` takes within `CONNECT_S`
SENDS = 6  # of a file that arrives damaged; of one in parts 2

_ARRIVED_CHANGED = {"XAmzContentSHA256Mismatch", "BadDigest", "IncompleteBody"}  # refused by a server that checks what it gets
_LOOK_AGAIN = {404, 409, 412}  # what a refused condition looks like, on one server or another


class S3Target:
    """A bucket, or a prefix of one. Credentials come from boto3's own chain and are never looked at here."""

    def __init__(self, settings: S3Settings, memory: Path, *, attempts: int = 6, digest: Callable[[Path], str] = digest_of) -> None:
        """`memory` is the folder for what is remembered between publications; `attempts` a request's tries in all.

        `digest` gives the SHA-256 of a file as it is now, from memory when it can.
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
        self._parts = ThreadPoolExecutor(WORKERS)  # for the parts of all large files together

    def list(self, keys: Collection[str]) -> dict[str, RemoteFile]:
        """Everything below the prefix: one request a thousand, and one more for each of `keys` that we do not remember."""
        there: dict[str, RemoteFile] = {}
        with self._told():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._settings.bucket, Prefix=self._prefix)
            for row in (row for page in pages for row in page.get("Contents", ())):
                there[row["Key"].removeprefix(self._prefix)] = RemoteFile(row["Size"], "", ("", ""), row["ETag"])
        self._known = {key: file for key, file in self._known.items() if key in there and _same_version(file, there[key])}
        unknown = [key for key in there if key in keys and key not in self._known]
        with ThreadPoolExecutor(WORKERS) as pool:
            looked_at = dict(zip(unknown, pool.map(self._head, unknown), strict=True))
        self._known.update({key: file for key, file in looked_at.items() if file is not None})
        return {**there, **self._known}

    def find(self, key: str) -> RemoteFile | None:
        """One object as it is now."""
        return self._head(key)

    def ready(self) -> None:
        """Try out conditional writes, unless it is remembered whether they work."""
        self.conditional()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock object, where conditional writes do not work."""
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
            with suppress(CauserieError), self._told():  # left behind, it ends by itself
                lock.give_back()

    def put(self, file: PublicFile, moved: Callable[[int], None] = nobody) -> None:
        """Send one file with its headers and its digest, large ones in parts, and see that what arrived is what was sent."""
        with self._told(file.key):
            if not self._arrives(file, moved):
                if file.cache_control == IMMUTABLE:  # its name promises its content; a page stays, something may lead to it
                    self._client.delete_object(**self._address(file.key))
                raise self._damaged(file)

    def put_headers(self, file: PublicFile) -> None:
        """Copy the object onto itself with the right headers, if it is still the one we know; S3 wants all of them restated."""
        address = self._address(file.key)
        same = {"CopySourceIfMatch": self._known[file.key].tag} if file.key in self._known else {}
        with self._told(file.key):
            answer = self._client.copy_object(**address, **same, CopySource=address, MetadataDirective="REPLACE", **self._about(file))
        tag = answer["CopyObjectResult"]["ETag"]
        self._known[file.key] = RemoteFile(file.bytes, file.sha256, (file.content_type, file.cache_control), tag)

    def put_feed(self, file: PublicFile, expected: RemoteFile | None) -> str:
        """Write the feed if nobody else has since `expected` was seen: on that condition, or under a lock where conditions do not work."""
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
        return f"{self.name} has no working conditional writes: a lock object stood in; better not to publish from two places at once"

    def conditional(self) -> bool:
        """Whether this bucket's conditional writes work: as remembered, else tried out."""
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
        """Prepare the bucket, and remember whether its conditional writes work; what was done, as sentences."""
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
        """Delete those of `keys` that we remember putting there, or that are among `ours`."""
        gone = tuple(key for key in keys if key in self._known or key in ours)
        for key in gone:
            with self._told(key):
                self._client.delete_object(**self._address(key))
            self._known.pop(key, None)
        return gone

    def close(self) -> None:
        """Remember what is there."""
        self._parts.shutdown(cancel_futures=True)
        save_manifest(self._manifest, self._identity, self._known)

    def _arrives(self, file: PublicFile, moved: Callable[[int], None] = nobody, **condition: str) -> bool:
        """Send a file until what the server holds is what was sent; on a condition, until somebody else's is there."""
        from botocore.exceptions import ClientError

        for _ in range(SENDS if file.bytes <= ONE_PUT_BYTES else 2):
            try:
                if self._send(file, moved, **condition):
                    return True
                condition = {"IfMatch": self._known[file.key].tag} if condition else {}
            except ClientError as error:
                if code_of(error) not in _ARRIVED_CHANGED:
                    raise
        return False

    def _send(self, file: PublicFile, moved: Callable[[int], None], **condition: str) -> bool:
        """One PUT up to `ONE_PUT_BYTES`, parts above; whether what the server holds is what was sent, of which its ETag tells."""
        with opened(file, self._digest) as handle:
            address, about = self._address(file.key), self._about(file)
            if file.bytes > ONE_PUT_BYTES:
                starts = range(0, file.bytes, PART_BYTES)
                bodies = [Body(handle, start, min(PART_BYTES, file.bytes - start), moved) for start in starts]
                tag = self._send_parts(file, bodies, moved)
            else:
                bodies = [Body(handle, 0, file.bytes, moved, file.sha256)]
                plain = bodies[0].read() if file.bytes <= IN_MEMORY_BYTES else bodies[0]  # no wait for “100 Continue” with small ones
                tag = self._client.put_object(**address, Body=plain, ContentLength=file.bytes, **about, **condition)["ETag"]
                moved(file.bytes if plain is not bodies[0] else 0)
            due = etag([body.md5() for body in bodies])
        sent = RemoteFile(file.bytes, "", (file.content_type, file.cache_control), tag)
        self._known[file.key] = sent  # until it has been looked at nobody knows what it holds, whatever its metadata say
        whole = tag.strip('"') == due or bool(tag) and self._stored_sha256(file.key) == file.sha256
        self._known[file.key] = replace(sent, sha256=file.sha256 if whole else "")
        return whole

    def _send_parts(self, file: PublicFile, bodies: list[Body], moved: Callable[[int], None]) -> str:
        """Send a file in parts; the ETag of what is there then, empty when nothing is.

        An upload can be over before we have ended it: the answer to its end was lost and boto3 asks again, another publisher went on
        with the same one, or the host tidied it away. Ceph 16 ends it and leaves the ETag of its answer empty.
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
        """Write the feed on condition; False when the server turns out not to know conditions, and nothing was written.

        A refusal is looked into before it is called a conflict: the answer to our own write may have been lost on the way and
        boto3 have tried again, and some servers refuse conditions that hold (Ceph before 20) or do not know them (501).
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
            if status_of(error) == 409 or _tag(there) != _tag(expected):  # 409: being written now
                raise self._conflict(file) from None
            return False
        return True

    def _write_feed(self, file: PublicFile, condition: dict[str, str]) -> None:
        """Send the feed, again when it arrives damaged; when every answer is lost, what is there tells whether it is out."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if not self._arrives(file, **condition):
                raise self._damaged(file)
        except (BotoCoreError, ClientError) as error:
            refused = isinstance(error, ClientError) and status_of(error) not in {500, 502, 503, 504}
            there = None if refused else self._head(file.key)
            if there is None or there.sha256 != file.sha256:
                raise
            self._known[file.key] = there

    def _stored_sha256(self, key: str) -> str:
        """The digest of an object's content, read back: asked only where the ETag is no MD5, as with encryption by KMS."""
        body, digest = self._client.get_object(**self._address(key))["Body"], sha256()
        for block in body.iter_chunks(1 << 20):
            digest.update(block)
        return digest.hexdigest()

    def _address(self, key: str) -> dict[str, str]:
        return {"Bucket": self._settings.bucket, "Key": self._prefix + key}

    def _about(self, file: PublicFile) -> dict[str, Any]:
        """What is said of an object besides its content; never a Content-Encoding."""
        acl = self._settings.acl
        headers = {"ContentType": file.content_type, "CacheControl": file.cache_control, **({"ACL": acl} if acl else {})}
        return {**headers, "Metadata": {"sha256": file.sha256, **({"acl": acl} if acl else {})}}

    def _set_conditional(self, works: bool) -> None:
        write_json(self._conditions, {"version": 1, "target": self._identity, "conditional": works})

    def _conflict(self, file: PublicFile) -> CauserieError:
        said = "somebody else has published meanwhile, the feed was left as they wrote it"
        return CauserieError(said, f"{self.name}/{file.key}", "fetch their work, build, and publish again: until then some pages are yours")

    def _damaged(self, file: PublicFile) -> CauserieError:
        said = "what arrives is something else than was sent, each time"
        return CauserieError(said, f"{self.name}/{file.key}", "publish again; if it stays, find what changes data on the way there")

    def _head(self, key: str) -> RemoteFile | None:
        """An object as the server describes it; None when there is none."""
        from botocore.exceptions import ClientError

        try:
            with self._told(key, (404,)):
                said = self._client.head_object(**self._address(key))
        except ClientError:
            return None
        metadata = {name.lower(): value for name, value in said.get("Metadata", {}).items()}  # some servers recase the names
        headers = (said.get("ContentType", ""), said.get("CacheControl", ""))
        # Players fail on a stored Content-Encoding, and HEAD does not tell the ACL: headers that match nothing get both corrected.
        if said.get("ContentEncoding") or metadata.get("acl", "") != self._settings.acl:
            headers = ("", "")
        return RemoteFile(said["ContentLength"], metadata.get("sha256", ""), headers, said["ETag"])


def _tag(there: RemoteFile | None) -> str:
    return there.tag if there else ""


def _same_version(known: RemoteFile, listed: RemoteFile) -> bool:
    return (known.tag, known.bytes) == (listed.tag, listed.bytes)
