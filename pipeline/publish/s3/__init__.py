"""The bucket target: one client, conditional writes, multipart uploads, set-up, and errors in sentences."""

from pipeline.publish.s3.target import S3Target

__all__ = [
    "S3Target",
]
