"""`publish --setup`: what a bucket needs once, said as it is done. Rules that are not ours stay as they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from pipeline.publish.s3_conditions import conditions_work
from pipeline.publish.s3_errors import code_of, status_of

CORS_ID, POLICY_ID, UPLOADS_ID = "causerie", "CauserieRead", "causerie-unfinished-uploads"
UNFINISHED_DAYS = 7
CORS = {
    "ID": CORS_ID,
    "AllowedMethods": ["GET", "HEAD"],
    "AllowedOrigins": ["*"],
    "AllowedHeaders": ["Range", "If-None-Match"],
    "ExposeHeaders": ["Content-Length", "Content-Range", "ETag"],
    "MaxAgeSeconds": 86_400,
}


def set_up(client: Any, bucket: str, prefix: str, *, public_read: bool, conditional: bool = True) -> Iterator[tuple[str, bool | None]]:
    """Prepare a bucket; yields sentences, and with the one on conditional writes whether they work (None with the others).

    Errors of boto3 escape only when the bucket cannot be used at all: what a server does not know is told and left.
    """
    client.head_bucket(Bucket=bucket)
    yield f"the bucket {bucket} answers", None
    yield _tried("CORS, which lets web players read transcripts and chapters,", lambda: _cors(client, bucket)), None
    if public_read:
        yield _tried("reading by everybody", lambda: _policy(client, bucket, prefix)), None
    yield _tried(f"the rule that ends unfinished uploads after {UNFINISHED_DAYS} days", lambda: _lifecycle(client, bucket, prefix)), None
    works = conditional and conditions_work(client, bucket, prefix)
    told = "conditional writes work here: of two publishers at once, the second is told"
    otherwise = "conditional writes do not work here: a lock object stands in for them; better not to publish from two places at once"
    yield (told if works else otherwise), works


def merged(rules: list[dict[str, Any]], rule: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The rules with ours in the place of an earlier one of the same name, or at the end. Pure."""
    if not any(each.get(key) == rule[key] for each in rules):
        return [*rules, rule]
    return [rule if each.get(key) == rule[key] else each for each in rules]


def read_policy(bucket: str, prefix: str) -> dict[str, Any]:
    """The statement that lets everybody read what lies below the prefix, and list nothing. Pure."""
    resource = f"arn:aws:s3:::{bucket}/{prefix}*"
    return {"Sid": POLICY_ID, "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": [resource]}


def _tried(what: str, do: Callable[[], bool]) -> str:
    """Do one thing; what became of it as a sentence."""
    from botocore.exceptions import ClientError

    try:
        return f"{what} {'was set' if do() else 'was set already'}"
    except ClientError as error:
        code = code_of(error)
        reason = "these credentials may not set it" if status_of(error) == 403 else f"the server does not do that through S3 ({code})"
        return f"{what} could not be set: {reason}; look in the host's own console"


def _cors(client: Any, bucket: str) -> bool:
    rules = _present(lambda: client.get_bucket_cors(Bucket=bucket)["CORSRules"])
    after = merged(rules, CORS, "ID")
    if after != rules:
        client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": after})
    return after != rules


def _policy(client: Any, bucket: str, prefix: str) -> bool:
    text = _present(lambda: [client.get_bucket_policy(Bucket=bucket)["Policy"]])
    policy = json.loads(text[0]) if text else {"Version": "2012-10-17", "Statement": []}
    before = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    after = merged(before, read_policy(bucket, prefix), "Sid")
    if after != before:
        client.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**policy, "Statement": after}))
    return after != before


def _lifecycle(client: Any, bucket: str, prefix: str) -> bool:
    rules = _present(lambda: client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"])
    ending = {"DaysAfterInitiation": UNFINISHED_DAYS}
    rule = {"ID": UPLOADS_ID, "Status": "Enabled", "Filter": {"Prefix": prefix}, "AbortIncompleteMultipartUpload": ending}
    after = merged(rules, rule, "ID")
    if after != rules:
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": after})
    return after != rules


def _present(read: Callable[[], list[Any]]) -> list[Any]:
    """What is configured, empty when nothing is (S3 answers 404 then)."""
    from botocore.exceptions import ClientError

    try:
        return read()
    except ClientError as error:
        if status_of(error) == 404:
            return []
        raise
