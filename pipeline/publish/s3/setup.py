"""`publish --setup`: configure a bucket once: CORS, public reading, unfinished uploads. Rules that Causerie did not set are kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.publish.s3.errors import code_of, status_of
from pipeline.publish.s3.locking import conditional_writes_work

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CORSRuleOutputTypeDef, LifecycleRuleOutputTypeDef

Rule = TypeVar("Rule", bound=Mapping[str, Any])  # Any: a rule of CORS, of a policy or of a lifecycle, as S3 documents it
Item = TypeVar("Item")

CORS_ID, POLICY_ID, UPLOADS_ID = "causerie", "CauserieRead", "causerie-unfinished-uploads"
UNFINISHED_DAYS = 7
CORS_RULE: CORSRuleOutputTypeDef = {
    "ID": CORS_ID,
    "AllowedMethods": ["GET", "HEAD"],
    "AllowedOrigins": ["*"],
    "AllowedHeaders": ["Range", "If-None-Match"],
    "ExposeHeaders": ["Content-Length", "Content-Range", "ETag"],
    "MaxAgeSeconds": 86_400,
}


def set_up_bucket(
    client: S3Client, bucket: str, prefix: str, *, public_read: bool, conditional: bool = True
) -> Iterator[tuple[str, bool | None]]:
    """Configure a bucket; yields (sentence, whether conditional writes work), None for sentences about other things.

    boto3's errors are raised only when the bucket cannot be used at all; settings that a server does not support are reported.
    """
    client.head_bucket(Bucket=bucket)
    yield f"the bucket {bucket} exists", None
    yield _try_setting("CORS, which lets web players read transcripts and chapters,", lambda: _set_cors(client, bucket)), None
    if public_read:
        yield _try_setting("public read access", lambda: _set_policy(client, bucket, prefix)), None
    yield (
        _try_setting(
            f"the rule that deletes unfinished uploads after {UNFINISHED_DAYS} days", lambda: _set_lifecycle(client, bucket, prefix)
        ),
        None,
    )
    works = conditional and conditional_writes_work(client, bucket, prefix)
    works_message = "conditional writes work: of two simultaneous publishers, the second is stopped"
    lock_message = "conditional writes do not work: a lock object is used instead; avoid publishing from two places at once"
    yield (works_message if works else lock_message), works


def merge_rule(rules: list[Rule], rule: Rule, key: str) -> list[Rule]:
    """Return the rules with `rule` in place of the one with the same value of `key`, or at the end. Pure."""
    if not any(each.get(key) == rule[key] for each in rules):
        return [*rules, rule]
    return [rule if each.get(key) == rule[key] else each for each in rules]


def public_read_statement(bucket: str, prefix: str) -> dict[str, Any]:
    """Return the policy statement that lets everyone read objects below the prefix, but not list them. Pure."""
    resource = f"arn:aws:s3:::{bucket}/{prefix}*"
    return {"Sid": POLICY_ID, "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": [resource]}


def _try_setting(what: str, apply: Callable[[], bool]) -> str:
    """Apply one setting; return the outcome as a sentence."""
    from botocore.exceptions import ClientError

    try:
        return f"{what} {'was set' if apply() else 'was set already'}"
    except ClientError as error:
        code = code_of(error)
        reason = "these credentials may not set it" if status_of(error) == 403 else f"the server does not support it through S3 ({code})"
        return f"{what} could not be set: {reason}; use the host's console"


def _set_cors(client: S3Client, bucket: str) -> bool:
    rules = _read_existing(lambda: client.get_bucket_cors(Bucket=bucket)["CORSRules"])
    after = merge_rule(rules, CORS_RULE, "ID")
    if after != rules:
        client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": after})
    return after != rules


def _set_policy(client: S3Client, bucket: str, prefix: str) -> bool:
    text = _read_existing(lambda: [client.get_bucket_policy(Bucket=bucket)["Policy"]])
    policy = json.loads(text[0]) if text else {"Version": "2012-10-17", "Statement": []}
    before = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    after = merge_rule(before, public_read_statement(bucket, prefix), "Sid")
    if after != before:
        client.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**policy, "Statement": after}))
    return after != before


def _set_lifecycle(client: S3Client, bucket: str, prefix: str) -> bool:
    rules = _read_existing(lambda: client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"])
    rule: LifecycleRuleOutputTypeDef = {
        "ID": UPLOADS_ID,
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": UNFINISHED_DAYS},
    }
    after = merge_rule(rules, rule, "ID")
    if after != rules:
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": after})
    return after != rules


def _read_existing(read: Callable[[], list[Item]]) -> list[Item]:
    """Return the existing rules, empty when none are configured (S3 then answers 404)."""
    from botocore.exceptions import ClientError

    try:
        return read()
    except ClientError as error:
        if status_of(error) == 404:
            return []
        raise
