"""Translate boto3's errors into messages that say what to do.

They are raised without their cause: boto3's messages can quote an endpoint with its password, or a signed request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.model import CauserieError, S3Settings

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_FIX_SETTINGS = "correct publish.s3 in show.toml"
_SET_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
_AGAIN = "publish again: files that were sent are not sent twice"
_RESPONSE_ERRORS: tuple[tuple[set[str], str, str], ...] = (
    ({"NoSuchBucket"}, "the bucket {bucket} does not exist", "create it, or correct publish.s3.bucket in show.toml"),
    ({"AccessDenied", "403", "Forbidden", "AllAccessDisabled"}, "access is denied", "let these credentials list, read and write here"),
    ({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"}, "the credentials were rejected", _SET_CREDENTIALS),
    ({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"},
     "the credentials have expired", f"get new ones, and {_AGAIN}"),
    ({"AccessControlListNotSupported"}, "the bucket does not support ACLs",
     "set publish.s3.acl to '' and open it with a bucket policy"),
    ({"PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"},
     "the bucket is in another region", "correct publish.s3.region in show.toml"),
    ({"RequestTimeTooSkewed"}, "this machine's clock is wrong", "set the clock"),
    ({"QuotaExceeded", "InsufficientStorage", "507", "XMinioStorageFull", "ServiceQuotaExceeded", "StorageFull"},
     "the bucket is full", "free space there, or raise its quota, and publish again"),
    ({"SlowDown", "ServiceUnavailable", "InternalError", "500", "502", "503", "504"}, "the server fails or is overloaded",
     "publish again later: files that were sent are not sent twice"),
    ({"NoSuchKey", "404"}, "does not exist", "publish again"),
)  # fmt: skip
_TRANSPORT_ERRORS: tuple[tuple[set[str], str, str], ...] = (
    ({"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError"},
     "no credentials were found", _SET_CREDENTIALS),
    ({"ProfileNotFound"}, "the AWS profile does not exist", "correct AWS_PROFILE"),
    ({"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"}, "{host} cannot be reached",
     "check publish.s3.endpoint_url and the network"),
    ({"SSLError"}, "{host} has a certificate that this machine does not trust", "check publish.s3.endpoint_url, or set AWS_CA_BUNDLE"),
    ({"ReadTimeoutError", "ConnectionClosedError", "HTTPClientError", "ResponseStreamingError", "IncompleteReadError"},
     "{host} stopped responding", _AGAIN),
    ({"ParamValidationError", "ValueError", "InvalidRegionError", "InvalidS3AddressingStyleError", "InvalidChecksumConfigError"},
     "the bucket's settings are invalid", _FIX_SETTINGS),
)  # fmt: skip


@contextmanager
def translate_errors(name: str, settings: S3Settings, key: str = "", handled: Collection[int] = ()) -> Iterator[None]:
    """Turn boto3's errors about `key` of the target `name` into a `CauserieError`, except for the HTTP statuses in `handled`."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    where = f"{name}/{key}" if key else name
    try:
        yield
    except ClientError as error:
        if status_of(error) in handled:
            raise
        problem = response_error(str(error.response.get("Error", {}).get("Code", "")), status_of(error), where, settings)
    except (BotoCoreError, Boto3Error, ValueError) as error:
        problem = transport_error(type(error).__name__, where, settings)
    else:
        return
    raise problem from None


def response_error(code: str, status: int, where: str, settings: S3Settings) -> CauserieError:
    """Return the error for a response: `code` is S3's error code, `status` the HTTP status."""
    for codes, message, hint in _RESPONSE_ERRORS:
        if code in codes:
            return CauserieError(message.format(bucket=settings.bucket), where, hint)
    reason = _safe_code(code)
    return CauserieError(f"the server rejected the request ({status} {reason})", where, "publish again; if it persists, ask the host")


def transport_error(kind: str, where: str, settings: S3Settings) -> CauserieError:
    """Return the error for a request without a response; `kind` is the name of botocore's exception."""
    for kinds, message, hint in _TRANSPORT_ERRORS:
        if kind in kinds:
            return CauserieError(message.format(host=host_of(settings.endpoint_url)), where, hint)
    return CauserieError(f"the upload failed ({kind})", where, _AGAIN)


def status_of(error: ClientError) -> int:
    """The HTTP status of a botocore `ClientError`; 0 when it has none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def code_of(error: ClientError) -> str:
    """S3's error code of a `ClientError`; `without a reason` when it is not one short alphanumeric word."""
    return _safe_code(str(error.response.get("Error", {}).get("Code", "")))


def _safe_code(code: str) -> str:
    return code if code.isalnum() and len(code) < 60 else "without a reason"


def host_of(endpoint_url: str) -> str:
    """The server's host name, without credentials or other parts of the URL."""
    try:
        return (urlsplit(endpoint_url).hostname or "the endpoint") if endpoint_url else "Amazon S3"
    except ValueError:
        return "the endpoint"
