"""boto3's client as a bucket's settings want it, and as slow lines and silent servers need it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import __version__
from pipeline.model import S3Settings
from pipeline.publish.bodies import Body

WORKERS = 8
CONNECT_S = 10  # and, as http.client has it, for each block that is sent
SILENCE_S = 20  # of a server that has all of a request
READS = 6  # of an object that breaks off

_KNOWING = "causerie-s3v4"  # the name under which botocore finds it


def client_for(settings: S3Settings, attempts: int) -> Any:
    """boto3's client as the settings want it."""
    import boto3
    from botocore.config import Config
    from botocore.session import get_session

    session = get_session()
    # As the AWS command line does: times stay the text they are; a listing tells a thousand, and nobody reads them
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        s3={"addressing_style": settings.addressing_style},
        request_checksum_calculation=settings.checksums,
        response_checksum_validation=settings.checksums,
        connect_timeout=CONNECT_S,
        read_timeout=SILENCE_S,
        max_pool_connections=2 * WORKERS,
        user_agent=f"causerie/{__version__}",  # boto3's own is put together anew for each request, at a twentieth of its cost
    )
    where = {"endpoint_url": settings.endpoint_url or None, "region_name": settings.region or None}
    client = boto3.Session(botocore_session=session).client("s3", **where, config=config)
    _sign_by_what_is_known(client)
    client.meta.events.register_first("request-created.s3", lambda request, **_: _sends(request.body, False), unique_id="causerie-signing")
    client.meta.events.register_last("request-created.s3", lambda request, **_: _sends(request.body, True), unique_id="causerie-sending")
    return client


def content_of(client: Any, address: Mapping[str, str], tries: int = READS) -> tuple[bytes, dict[str, str]]:
    """The content of a small object, and the headers it came with; asked again when it breaks off, which boto3 leaves to us."""
    from botocore.exceptions import IncompleteReadError, ResponseStreamingError

    answer = client.get_object(**address)
    try:
        return answer["Body"].read(), answer["ResponseMetadata"]["HTTPHeaders"]
    except (IncompleteReadError, ResponseStreamingError):
        if tries == 1:
            raise
        return content_of(client, address, tries - 1)


def _sign_by_what_is_known(client: Any) -> None:
    """Sign a file by the SHA-256 it was built with: reading all of it again for that is half the work of sending it.

    What arrives is then held to what was built, by every server that checks signatures (Signature Version 4, `x-amz-content-sha256`).
    """
    from botocore.auth import AUTH_TYPE_MAPS, S3SigV4Auth

    class Knowing(S3SigV4Auth):  # type: ignore[misc]
        def payload(self, request: Any) -> str:
            return getattr(request.body, "sha256", "") or str(super().payload(request))

    def choose(signature_version: str, **_: Any) -> str | None:
        return _KNOWING if signature_version in {"v4", "s3v4"} else None

    AUTH_TYPE_MAPS[_KNOWING] = Knowing
    client.meta.events.register("choose-signer.s3.PutObject", choose, unique_id=_KNOWING)


def _sends(body: Any, sending: bool) -> None:
    """Between the two events botocore reads a body to sign it, which is no progress."""
    if isinstance(body, Body):
        body.sending = sending
