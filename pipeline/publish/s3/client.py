"""The boto3 client, configured for a bucket's settings, slow lines and servers that do not respond."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from pipeline import __version__
from pipeline.model import S3Settings
from pipeline.publish.s3.request_body import FileBody

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WORKERS = 8
CONNECT_TIMEOUT_S = 10  # also, in http.client, for each block that is sent
READ_TIMEOUT_S = 20  # waiting for a response once the request is sent
READ_TRIES = 6  # tries to read an object whose body breaks off

_SIGNER_NAME = "causerie-s3v4"  # its name in botocore's table of signers


class ObjectLocation(TypedDict):
    """An object's location, as keyword arguments of a request."""

    Bucket: str
    Key: str


def make_client(settings: S3Settings, attempts: int) -> S3Client:
    """Make a boto3 S3 client for a bucket's settings; `attempts` is the total number of tries of a request."""
    import boto3
    from botocore.config import Config
    from botocore.session import get_session

    session = get_session()
    # As the AWS command line does, keep times as text: a listing has a thousand and none is used
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)
    options: dict[str, Any] = {  # Any: text from the settings; botocore raises on values it does not know
        "s3": {"addressing_style": settings.addressing_style},
        "request_checksum_calculation": settings.checksums,
        "response_checksum_validation": settings.checksums,
    }
    config = Config(
        **options,
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        max_pool_connections=2 * WORKERS,
        user_agent=f"causerie/{__version__}",  # boto3 builds its own for each request, at a twentieth of the request's cost
    )
    client = boto3.Session(botocore_session=session).client(
        "s3", endpoint_url=settings.endpoint_url or None, region_name=settings.region or None, config=config
    )
    _sign_with_known_sha256(client)
    client.meta.events.register_first(
        "request-created.s3", lambda request, **_: _mark_sending(request.body, False), unique_id="causerie-signing"
    )
    client.meta.events.register_last(
        "request-created.s3", lambda request, **_: _mark_sending(request.body, True), unique_id="causerie-sending"
    )
    return client


def read_object(client: S3Client, location: ObjectLocation, tries: int = READ_TRIES) -> tuple[bytes, dict[str, str]]:
    """Return the content and response headers of a small object, retrying when the body breaks off, which boto3 does not."""
    from botocore.exceptions import IncompleteReadError, ResponseStreamingError

    response = client.get_object(**location)
    try:
        return response["Body"].read(), response["ResponseMetadata"]["HTTPHeaders"]
    except (IncompleteReadError, ResponseStreamingError):
        if tries == 1:
            raise
        return read_object(client, location, tries - 1)


def _sign_with_known_sha256(client: S3Client) -> None:
    """Sign a file with the SHA-256 known from its build: reading it again for the signature is half the work of sending it.

    Servers that check signatures then also check that what arrives is what was built (Signature Version 4, `x-amz-content-sha256`).
    """
    from botocore.auth import AUTH_TYPE_MAPS, S3SigV4Auth

    class KnownSha256Auth(S3SigV4Auth):
        def payload(self, request: Any) -> str:  # Any: as in botocore's stubs
            return getattr(request.body, "sha256", "") or str(super().payload(request))

    def choose(signature_version: str, **_: object) -> str | None:
        return _SIGNER_NAME if signature_version in {"v4", "s3v4"} else None

    AUTH_TYPE_MAPS[_SIGNER_NAME] = KnownSha256Auth
    client.meta.events.register("choose-signer.s3.PutObject", choose, unique_id=_SIGNER_NAME)  # type: ignore[arg-type]  # stubs: no result


def _mark_sending(body: object, is_sending: bool) -> None:
    """Mark whether a body is being sent: between the two events botocore reads it to sign it, which is not progress."""
    if isinstance(body, FileBody):
        body.is_sending = is_sending
