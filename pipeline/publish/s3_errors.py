"""boto3's errors as sentences that say what to do.

They are raised without their cause: boto3's own texts can quote an endpoint with its password, or a signed request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import CauserieError
from pipeline.model import S3Settings

_SETTINGS = "correct publish.s3 in show.toml"
_KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
_ANSWERS: tuple[tuple[set[str], str, str], ...] = (
    ({"NoSuchBucket"}, "there is no bucket named {bucket}", "create it, or correct publish.s3.bucket in show.toml"),
    ({"AccessDenied", "403", "Forbidden", "AllAccessDisabled"}, "access is denied", "let these credentials list, read and write here"),
    ({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"}, "the credentials are refused", _KEYS),
    ({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"},
     "the credentials have expired", "get new ones, and publish again: what has arrived is not sent twice"),
    ({"AccessControlListNotSupported"}, "the bucket takes no ACLs", "set publish.s3.acl to '' and open it with a bucket policy"),
    ({"PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"},
     "the bucket is in another region", "correct publish.s3.region in show.toml"),
    ({"RequestTimeTooSkewed"}, "this machine's clock is wrong", "set the clock"),
    ({"QuotaExceeded", "InsufficientStorage", "507", "XMinioStorageFull", "ServiceQuotaExceeded", "StorageFull"},
     "the bucket is full", "make room there, or raise its quota, and publish again"),
    ({"SlowDown", "ServiceUnavailable", "InternalError", "500", "502", "503", "504"}, "the server is out of order or too busy",
     "publish again later: what has arrived is not sent twice"),
    ({"NoSuchKey", "404"}, "is not there", "publish again"),
)  # fmt: skip
_FAILURES: tuple[tuple[set[str], str, str], ...] = (
    ({"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError"},
     "no credentials were found", _KEYS),
    ({"ProfileNotFound"}, "the AWS profile does not exist", "correct AWS_PROFILE"),
    ({"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"}, "{host} cannot be reached",
     "check publish.s3.endpoint_url and the network"),
    ({"SSLError"}, "{host} shows a certificate this machine does not trust", "check publish.s3.endpoint_url, or set AWS_CA_BUNDLE"),
    ({"ReadTimeoutError", "ConnectionClosedError", "HTTPClientError", "ResponseStreamingError", "IncompleteReadError"},
     "{host} stopped answering", "publish again: what has arrived is not sent twice"),
    ({"ParamValidationError", "ValueError", "InvalidRegionError", "InvalidS3AddressingStyleError", "InvalidChecksumConfigError"},
     "the settings of the bucket are not usable", _SETTINGS),
)  # fmt: skip


@contextmanager
def told(name: str, settings: S3Settings, key: str = "", handled: Collection[int] = ()) -> Iterator[None]:
    """Turn what boto3 raises about `key` of the target `name` into a `CauserieError`, but for the HTTP statuses in `handled`."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    where = f"{name}/{key}" if key else name
    try:
        yield
    except ClientError as error:
        if status_of(error) in handled:
            raise
        problem = refused(str(error.response.get("Error", {}).get("Code", "")), status_of(error), where, settings)
    except (BotoCoreError, Boto3Error, ValueError) as error:
        problem = failed(type(error).__name__, where, settings)
    else:
        return
    raise problem from None


def refused(code: str, status: int, where: str, settings: S3Settings) -> CauserieError:
    """What the server answered: S3's error code, and the HTTP status."""
    for codes, message, hint in _ANSWERS:
        if code in codes:
            return CauserieError(message.format(bucket=settings.bucket), where, hint)
    plain = _plain(code)
    return CauserieError(f"the server refused ({status} {plain})", where, "publish again; if it stays, ask the host")


def failed(kind: str, where: str, settings: S3Settings) -> CauserieError:
    """What went wrong before an answer came; `kind` is the name of botocore's exception."""
    for kinds, message, hint in _FAILURES:
        if kind in kinds:
            return CauserieError(message.format(host=host_of(settings.endpoint_url)), where, hint)
    return CauserieError(f"the upload failed ({kind})", where, "publish again: what has arrived is not sent twice")


def status_of(error: Any) -> int:
    """The HTTP status of a botocore `ClientError`; 0 when it has none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def code_of(error: Any) -> str:
    """S3's word for what a `ClientError` is about, when it is one word."""
    return _plain(str(error.response.get("Error", {}).get("Code", "")))


def _plain(code: str) -> str:
    return code if code.isalnum() and len(code) < 60 else "without a reason"


def host_of(endpoint_url: str) -> str:
    """The server's name, without whatever else an address can carry."""
    try:
        return (urlsplit(endpoint_url).hostname or "the endpoint") if endpoint_url else "Amazon S3"
    except ValueError:
        return "the endpoint"
