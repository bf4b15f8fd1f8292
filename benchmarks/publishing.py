"""Publishing against `aws s3 sync`, `rclone sync` and `s3cmd sync`: the same files, the same server on loopback, one run after the other.

    python benchmarks/publishing.py --endpoint http://127.0.0.1:7480 [--small 1000] [--large 20] [--large-mb 30] [--memory-gb 2]

Credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; without --endpoint moto's server is started. Tools that are not
installed are left out. Times are of whole processes; read the ratios. Ours also looks at what it sent through the public address, which
the others do not; --unchecked leaves that out, to compare the sending alone. It knows the digests of the files, as `causerie build`
leaves them; --undigested makes it forget them.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipeline.engine import DigestCache  # noqa: E402
from pipeline.publish.s3.request_body import etag  # noqa: E402

BUCKET = "benchmark"


def main() -> None:
    """Make the files, send them with every tool, twice, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--endpoint", default="")
    parser.add_argument("--small", type=int, default=1000)
    parser.add_argument("--large", type=int, default=20)
    parser.add_argument("--large-mb", type=int, default=30)
    parser.add_argument("--memory-gb", type=float, default=0.0)
    parser.add_argument("--unchecked", action="store_true")
    parser.add_argument("--undigested", action="store_true")
    parser.add_argument("--ours", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.ours:
        ours(Path(asked.ours), asked.endpoint, asked.unchecked)
        return
    with ExitStack() as stack:
        from tests.support.faulty_proxy import faulty_proxy

        server = asked.endpoint or stack.enter_context(_moto()).url
        _client(server).create_bucket(Bucket=BUCKET)
        proxy = stack.enter_context(faulty_proxy(server))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files(folder / "files", asked.small, asked.large, asked.large_mb)
        print(f"{'tool':24}{'first':>9}{'again':>9}{'requests':>10}{'again':>7}")
        if not asked.undigested:
            digested(folder / "files")
        for name, command in tools(folder, asked.endpoint or server, asked.unchecked).items():
            times = [_timed(command(server)) for _ in range(2)]
            _emptied(server)
            asked_for = []
            for _ in range(2):  # counted apart: the proxy that counts is slow
                before = len(proxy.log)
                _timed(command(proxy.url))
                asked_for.append(len(proxy.log) - before)
            _emptied(server)
            print(f"{name:24}{times[0]:8.2f}s{times[1]:8.2f}s{asked_for[0]:10}{asked_for[1]:7}", flush=True)
        if asked.memory_gb:
            _memory(folder, asked.memory_gb)


def digested(folder: Path) -> DigestCache:
    """The digests of a folder's files, looked up or made."""
    digests = DigestCache(folder.parent)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digests.digest(str(path))
    digests.save()
    return digests


def ours(folder: Path, endpoint: str, unchecked: bool) -> None:
    """What `causerie publish` does with a tree, on any folder."""
    from pipeline.model.show import S3Settings
    from pipeline.publish.http_headers import IMMUTABLE
    from pipeline.publish.public_tree import MEDIA, TEXTS, PublicFile
    from pipeline.publish.s3.target import S3Target
    from pipeline.publish.transaction import TransactionHooks, run_transaction
    from pipeline.publish.upload_plan import plan_upload
    from pipeline.publish.verify import verify_files

    digests, tree = digested(folder), []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            key, size = path.relative_to(folder).as_posix(), path.stat().st_size
            is_sound = path.suffix == ".mp3"
            about = ("audio/mpeg" if is_sound else "text/plain; charset=utf-8", IMMUTABLE, MEDIA if is_sound else TEXTS)
            tree.append(PublicFile(key, path, size, digests.digest(str(path)) or "", *about))
    settings = S3Settings(BUCKET, "", endpoint, "us-east-1", "path", acl="public-read")
    target = S3Target(settings, folder.parent / "memory", digest=lambda path: digests.digest(str(path), fresh=True) or "")
    remote = target.list({file.key for file in tree})
    plan = plan_upload(tree, remote)
    if plan.changes:
        look = (lambda files: ()) if unchecked else (lambda files: verify_files(f"{endpoint}/{BUCKET}/", files))
        run_transaction(plan, target, remote, TransactionHooks(look))
    target.close()
    status = Path("/proc/self/status").read_text()  # getrusage would give the parent's peak when that is higher: it survives exec
    print(f"{int(status.split('VmHWM:')[1].split()[0]) / 1000:.0f} MB", file=sys.stderr)


def files(folder: Path, small: int, large: int, large_mb: int) -> None:
    """Small files of 0.5 to 20 KB in folders of eight, and large ones; the same each time, none like another."""
    dice = random.Random(1)
    for number in range(small):
        _write(folder / f"{number // 8:03}/{number:04}.txt", dice.randbytes(dice.randint(500, 20_000)))
    for number in range(large):
        _write(folder / f"{number:03}/{number:04}.mp3", dice.randbytes(large_mb << 20))


def tools(folder: Path, endpoint: str, unchecked: bool) -> dict[str, object]:
    """The command of each tool that is installed, as a function of the server's address."""
    source, environment = str(folder / "files"), str(folder / "s3cfg")
    Path(environment).write_text("")
    more = ["--unchecked"] if unchecked else []
    rclone = ["rclone", "--config", "/dev/null", "-q", "sync", "--checksum", "--fast-list", source]
    found = {
        "causerie": lambda url: [sys.executable, __file__, "--endpoint", url, "--ours", source, *more],
        "aws s3 sync": lambda url: ["aws", "--endpoint-url", url, "s3", "sync", "--only-show-errors", source, f"s3://{BUCKET}"],
        "rclone sync": lambda url: [*rclone, f":s3,provider=Other,env_auth=true,endpoint='{url}':{BUCKET}"],
        "s3cmd sync": lambda url: ["s3cmd", "-c", environment, "-q", "--no-ssl", f"--host={url.split('//')[1]}",
                                   f"--host-bucket={url.split('//')[1]}", "sync", f"{source}/", f"s3://{BUCKET}/"],
    }  # fmt: skip
    return {name: command for name, command in found.items() if shutil.which(command("http://x")[0])}


def _timed(command: list[str]) -> float:
    # With the one rclone 1.60 does not start, with the other Python compiles all of us each time, and nothing that was installed
    environment = {name: value for name, value in os.environ.items() if name not in {"AWS_CA_BUNDLE", "PYTHONDONTWRITEBYTECODE"}}
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT, env=environment)
    return time.monotonic() - began


def _memory(folder: Path, gigabytes: float) -> None:
    """One large file of nothing, sent to a server that takes everything and keeps nothing, and the most memory that it took."""
    place = folder / "one/files/long.mp3"
    place.parent.mkdir(parents=True)
    with place.open("wb") as stream:
        stream.truncate(int(gigabytes * 10**9))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Forgets) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        command = [sys.executable, __file__, "--endpoint", url, "--ours", str(place.parent), "--unchecked"]
        began = time.monotonic()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        server.shutdown()
    print(f"one file of {gigabytes:g} GB: {done.stderr.split()[-2]} MB of memory at most, {time.monotonic() - began:.0f} s")


class _Forgets(BaseHTTPRequestHandler):
    """As much of S3 as an upload in parts needs; of what is sent only the MD5 is kept."""

    protocol_version = "HTTP/1.1"
    parts: ClassVar[dict[int, bytes]] = {}

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""

    def do_PUT(self) -> None:
        digest, left = hashlib.md5(usedforsecurity=False), int(self.headers["Content-Length"])
        while left:
            block = self.rfile.read(min(left, 1 << 20))
            digest.update(block)
            left -= len(block)
        number = parse_qs(urlsplit(self.path).query).get("partNumber", ["0"])[0]
        self.parts[int(number)] = digest.digest()
        self._answer("", f'"{digest.hexdigest()}"')

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "uploads" in self.path:
            self.parts.clear()
            return self._answer("<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
        tag = etag([self.parts[number] for number in sorted(self.parts)])
        self._answer(f'<CompleteMultipartUploadResult><ETag>"{tag}"</ETag></CompleteMultipartUploadResult>')

    def do_GET(self) -> None:
        self._answer("<ListMultipartUploadsResult/>" if "uploads" in self.path else "<ListBucketResult/>")

    def do_DELETE(self) -> None:
        self._answer("")

    def _answer(self, body: str, tag: str = "") -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if tag:
            self.send_header("ETag", tag)
        self.end_headers()
        self.wfile.write(body.encode())


def _emptied(server: str) -> None:
    client = _client(server)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        keys = [{"Key": row["Key"]} for row in page.get("Contents", ())]
        if keys:
            client.delete_objects(Bucket=BUCKET, Delete={"Objects": keys})


def _client(server: str) -> object:
    import boto3
    from botocore.config import Config

    config = Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required")
    return boto3.client("s3", endpoint_url=server, region_name="us-east-1", config=config)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _moto() -> object:
    from tests.support.publishing import s3_server

    return s3_server()


if __name__ == "__main__":
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ.setdefault(key, "benchmark")
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    main()
