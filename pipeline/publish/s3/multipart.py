"""Multipart uploads in parallel; the parts of an interrupted upload are not sent again.

No state is kept here: the server lists its parts, and a part is reused when its size and MD5 match. An upload can therefore be
resumed after a kill, on another machine, and even when another publisher began it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from pipeline.publish.s3.client import ObjectLocation
from pipeline.publish.s3.errors import status_of
from pipeline.publish.s3.request_body import FileBody

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef


def send_parts(
    client: S3Client,
    location: ObjectLocation,
    extra_args: Mapping[str, Any],  # Any: the arguments of `create_multipart_upload`, of several types
    bodies: Sequence[FileBody],
    pool: Executor,
    on_progress: Callable[[int], None],
) -> str:
    """Send an open file in parts; return the object's ETag, empty when the server does not give it.

    All parts but the last have the same size (Cloudflare R2 requires it). `extra_args` are the object's headers, ACL and metadata.
    After a failure the upload stays open, to be resumed.
    """
    upload_id, uploaded = _find_unfinished(client, location) or (client.create_multipart_upload(**location, **extra_args)["UploadId"], {})

    def send(number: int) -> CompletedPartTypeDef:
        body = bodies[number - 1]
        if number in uploaded and uploaded[number] == (body.md5().hex(), len(body)):
            on_progress(len(body))
            return {"PartNumber": number, "ETag": f'"{uploaded[number][0]}"'}
        response = client.upload_part(**location, UploadId=upload_id, PartNumber=number, Body=body, ContentLength=len(body))  # type: ignore[arg-type]  # a stream to botocore
        return {"PartNumber": number, "ETag": response["ETag"]}

    jobs = [pool.submit(send, number) for number in range(1, len(bodies) + 1)]
    try:
        parts = [job.result() for job in jobs]
    except BaseException:
        for job in jobs:
            job.cancel()
        for job in jobs:  # running ones still read the open file
            job.cancelled() or job.exception()
        raise
    response = client.complete_multipart_upload(**location, UploadId=upload_id, MultipartUpload={"Parts": parts})
    return str(response.get("ETag", ""))


def _find_unfinished(client: S3Client, location: ObjectLocation) -> tuple[str, dict[int, tuple[str, int]]] | None:
    """Return the ID of the last unfinished upload of this key and its parts by number as (MD5, bytes).

    None when there is none, or when the server or the credentials do not allow listing.
    """
    from botocore.exceptions import ClientError

    try:
        response = client.list_multipart_uploads(Bucket=location["Bucket"], Prefix=location["Key"])
        uploads = sorted((row["Initiated"], row["UploadId"]) for row in response.get("Uploads", ()) if row["Key"] == location["Key"])
        if not uploads:
            return None
        pages = client.get_paginator("list_parts").paginate(**location, UploadId=uploads[-1][1])
        rows = [row for page in pages for row in page.get("Parts", ())]
    except ClientError as error:
        if status_of(error) in {400, 403, 404, 405, 501}:  # not supported by the server, or not allowed
            return None
        raise
    return uploads[-1][1], {row["PartNumber"]: (row["ETag"].strip('"'), row["Size"]) for row in rows}
