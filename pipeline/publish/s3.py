"""The S3 target: the only place that talks to boto3.

Written for every S3-compatible server: checksums only when required (older Ceph stores `aws-chunked` as a Content-Encoding
otherwise), no ACL unless asked for, conditions on the feed where the server knows them.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import Any

from pipeline.errors import CauserieError
from pipeline.files import sha256
from pipeline.model import S3Settings
from pipeline.publish.s3_errors import host_of, status_of, told
from pipeline.publish.state import load_manifest, save_manifest
from pipeline.publish.tree import PublicFile
from pipeline.publish.upload import RemoteFile

ONE_PUT_BYTES = 64_000_000  # above this, multipart: below, one request instead of six
PART_BYTES = 16_000_000
WORKERS = 8

_LOOK_AGAIN = {404, 409, 412}  # what a refused condition looks like, on one server or another


class S3Target:
    """A bucket, or a prefix of one. Credentials come from boto3's own chain and are never looked at here."""

    def __init__(self, settings: S3Settings, memory: Path, *, attempts: int = 5) -> None:
        """`memory` is the folder for what is remembered between publications; `attempts` a request's tries in all."""
        prefix = settings.prefix.strip("/")
        self.name = f"s3://{settings.bucket}/{prefix}".rstrip("/")
        self._settings, self._prefix = settings, f"{prefix}/" if prefix else ""
        self._manifest = memory / "s3.json"
        self._identity = f"{self.name} at {host_of(settings.endpoint_url)} {settings.acl}".rstrip()
        self._known = load_manifest(self._manifest, self._identity)
        self._told = partial(told, self.name, settings)
        with self._told():
            self._client = _client(settings, attempts)

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

    def put(self, file: PublicFile) -> None:
        """Send one file with its headers and its digest; large ones in parts."""
        self._put(file)

    def put_headers(self, file: PublicFile) -> None:
        """Copy the object onto itself with the right headers; S3 wants all of them restated."""
        key = self._prefix + file.key
        with self._told(file.key):
            answer = self._client.copy_object(
                Key=key, CopySource={"Bucket": self._settings.bucket, "Key": key}, MetadataDirective="REPLACE", **self._about(file)
            )
        self._remember(file, answer["CopyObjectResult"]["ETag"])

    def put_feed(self, file: PublicFile, expected: RemoteFile | None) -> str:
        """Write the feed on condition that nobody else has since `expected` was seen.

        A refusal is looked into before it is called a conflict: the answer to our own write may have been lost on the way
        and boto3 have tried again, and some servers refuse conditions that hold (Ceph before 20) or do not know them (501).
        """
        from botocore.exceptions import ClientError

        condition = {"IfMatch": expected.tag} if expected else {"IfNoneMatch": "*"}
        try:
            self._put(file, condition, handled=(*_LOOK_AGAIN, 501))
        except ClientError as error:
            if status_of(error) in _LOOK_AGAIN:
                there = self._head(file.key)
                if there is not None and there.sha256 == file.sha256:
                    self._known[file.key] = there
                    return ""
                if status_of(error) == 409 or (there.tag if there else "") != (expected.tag if expected else ""):  # 409: being written now
                    raise CauserieError(
                        "somebody else has published meanwhile, the feed was left as they wrote it",
                        f"{self.name}/{file.key}",
                        "fetch their work, build, and publish again",
                    ) from None
            self._put(file)
            return f"{self.name} does not know conditional writes: two people must not publish at the same time"
        return ""

    def read(self, key: str) -> bytes:
        """The content of one object."""
        with self._told(key):
            body: bytes = self._client.get_object(Bucket=self._settings.bucket, Key=self._prefix + key)["Body"].read()
        return body

    def delete(self, keys: Collection[str]) -> tuple[str, ...]:
        """Delete those of `keys` that we remember putting there."""
        gone = tuple(key for key in keys if key in self._known)
        for key in gone:
            with self._told(key):
                self._client.delete_object(Bucket=self._settings.bucket, Key=self._prefix + key)
            del self._known[key]
        return gone

    def close(self) -> None:
        """Remember what is there."""
        save_manifest(self._manifest, self._identity, self._known)

    def _put(self, file: PublicFile, condition: dict[str, str] | None = None, handled: tuple[int, ...] = ()) -> None:
        """One PUT up to `ONE_PUT_BYTES`, parts above; `handled` are the HTTP statuses the caller deals with."""
        with self._told(file.key, handled):
            if file.bytes > ONE_PUT_BYTES:
                tag = self._put_parts(file)
            else:
                body = file.source.read_bytes()
                _hold_to(file, sha256_of(body).hexdigest())
                key = self._prefix + file.key
                tag = self._client.put_object(Key=key, Body=body, **self._about(file), **(condition or {}))["ETag"]
        self._remember(file, tag)

    def _put_parts(self, file: PublicFile) -> str:
        """Send a large file in equal parts (R2 demands that they are); its ETag. boto3 aborts what it cannot finish."""
        from boto3.s3.transfer import TransferConfig

        _hold_to(file, sha256(file.source))
        parts = TransferConfig(multipart_threshold=ONE_PUT_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=4)
        about = self._about(file)
        self._client.upload_file(str(file.source), about.pop("Bucket"), self._prefix + file.key, ExtraArgs=about, Config=parts)
        there = self._head(file.key)
        return there.tag if there else ""

    def _about(self, file: PublicFile) -> dict[str, Any]:
        """What is said of an object besides its content; never a Content-Encoding."""
        acl = self._settings.acl
        headers = {"ContentType": file.content_type, "CacheControl": file.cache_control, **({"ACL": acl} if acl else {})}
        return {"Bucket": self._settings.bucket, **headers, "Metadata": {"sha256": file.sha256, **({"acl": acl} if acl else {})}}

    def _remember(self, file: PublicFile, tag: str) -> None:
        self._known[file.key] = RemoteFile(file.bytes, file.sha256, (file.content_type, file.cache_control), tag)

    def _head(self, key: str) -> RemoteFile | None:
        """An object as the server describes it; None when there is none."""
        from botocore.exceptions import ClientError

        try:
            with self._told(key, (404,)):
                said = self._client.head_object(Bucket=self._settings.bucket, Key=self._prefix + key)
        except ClientError:
            return None
        metadata = {name.lower(): value for name, value in said.get("Metadata", {}).items()}  # some servers recase the names
        headers = (said.get("ContentType", ""), said.get("CacheControl", ""))
        # Players fail on a stored Content-Encoding, and HEAD does not tell the ACL: headers that match nothing get both corrected.
        if said.get("ContentEncoding") or metadata.get("acl", "") != self._settings.acl:
            headers = ("", "")
        return RemoteFile(said["ContentLength"], metadata.get("sha256", ""), headers, said["ETag"])


def _client(settings: S3Settings, attempts: int) -> Any:
    """boto3's client as the settings want it."""
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        s3={"addressing_style": settings.addressing_style},
        request_checksum_calculation=settings.checksums,
        response_checksum_validation=settings.checksums,
        connect_timeout=10,
        max_pool_connections=2 * WORKERS,
    )
    return boto3.client("s3", endpoint_url=settings.endpoint_url or None, region_name=settings.region or None, config=config)


def _hold_to(file: PublicFile, digest: str) -> None:
    """Refuse to send what is not what was compared: it would be kept for a year under the wrong name."""
    if digest != file.sha256:
        raise CauserieError("changed while it was being published", str(file.source), "build again, then publish")


def _same_version(known: RemoteFile, listed: RemoteFile) -> bool:
    return (known.tag, known.bytes) == (listed.tag, listed.bytes)
