"""A large file in parts, in parallel; what an interrupted upload has already sent is not sent again.

Nothing is remembered here: the server lists the parts it has, and a part counts when its size and its MD5 are right. So an upload
goes on after a kill, on another machine, and even when somebody else began it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

from pipeline.publish.bodies import Body
from pipeline.publish.s3_errors import status_of

Address = Mapping[str, str]  # Bucket and Key


def send_parts(
    client: Any, address: Address, about: Mapping[str, Any], bodies: list[Body], pool: Executor, moved: Callable[[int], None]
) -> str:
    """Send an open file in parts, equal but for the last (R2 demands that they are); the object's ETag, or nothing if it is not told.

    `about` is what is said of the object besides its content. When something fails the upload is left as it is, to be gone on with.
    """
    upload, there = _begun(client, address) or (client.create_multipart_upload(**address, **about)["UploadId"], {})

    def send(number: int) -> dict[str, Any]:
        body = bodies[number - 1]
        if number in there and there[number] == (body.md5().hex(), len(body)):
            moved(len(body))
            return {"PartNumber": number, "ETag": f'"{there[number][0]}"'}
        sent = client.upload_part(**address, UploadId=upload, PartNumber=number, Body=body, ContentLength=len(body))
        return {"PartNumber": number, "ETag": sent["ETag"]}

    jobs = [pool.submit(send, number) for number in range(1, len(bodies) + 1)]
    try:
        parts = [job.result() for job in jobs]
    except BaseException:
        for job in jobs:
            job.cancel()
        for job in jobs:  # those under way still read the open file
            job.cancelled() or job.exception()
        raise
    said = client.complete_multipart_upload(**address, UploadId=upload, MultipartUpload={"Parts": parts})
    return str(said.get("ETag", ""))


def _begun(client: Any, address: Address) -> tuple[str, dict[int, tuple[str, int]]] | None:
    """The last unfinished upload of this key, and its parts by number as (MD5, bytes); None when there is none or nobody may ask."""
    from botocore.exceptions import ClientError

    try:
        answer = client.list_multipart_uploads(Bucket=address["Bucket"], Prefix=address["Key"])
        mine = sorted((row["Initiated"], row["UploadId"]) for row in answer.get("Uploads", ()) if row["Key"] == address["Key"])
        if not mine:
            return None
        pages = client.get_paginator("list_parts").paginate(**address, UploadId=mine[-1][1])
        rows = [row for page in pages for row in page.get("Parts", ())]
    except ClientError as error:
        if status_of(error) in {400, 403, 404, 405, 501}:  # the server does not know the question, or the credentials may not ask it
            return None
        raise
    return mine[-1][1], {row["PartNumber"]: (row["ETag"].strip('"'), row["Size"]) for row in rows}
