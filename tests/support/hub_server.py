"""A hub of models on 127.0.0.1, as far as the library of the Hugging Face hub asks it: one repository, whose lines may break."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Serves the files of a folder as the repository `repository`; `breaks_after` bytes of a file, where that is set, the line breaks."""

    daemon_threads = True

    def __init__(self, folder: Path, repository: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.repository = folder, repository
        self.breaks_after: int | None = None
        self.pause_s = 0.0  # between two blocks

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serve_hub(folder: Path, repository: str) -> Iterator[Hub]:
    """The hub, while the block runs."""
    with Hub(folder, repository) as hub:
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        try:
            yield hub
        finally:
            hub.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, with_body: bool) -> None:
        hub, path = self.server, self.path.split("?")[0]
        if path == "/":
            return self.send(200, b"", {}, with_body)
        if path.startswith(f"/api/models/{hub.repository}/tree/"):
            tree = [self.entry(file) for file in sorted(hub.folder.iterdir())]
            return self.send(200, json.dumps(tree).encode(), {"Content-Type": "application/json"}, with_body)
        if path.startswith(f"/api/models/{hub.repository}"):
            about = {"id": hub.repository, "sha": _COMMIT, "siblings": [{"rfilename": file.name} for file in hub.folder.iterdir()]}
            return self.send(200, json.dumps(about).encode(), {"Content-Type": "application/json"}, with_body)
        file = hub.folder / path.rpartition("/")[2]
        if path.startswith(f"/{hub.repository}/resolve/") and file.is_file():
            headers = {"ETag": f'"{hashlib.sha256(file.read_bytes()).hexdigest()}"', "X-Repo-Commit": _COMMIT}
            return self.send(200, file.read_bytes(), headers, with_body)
        return self.send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, with_body)

    def entry(self, file: Path) -> dict[str, object]:
        return {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": hashlib.sha1(file.read_bytes()).hexdigest()}

    def send(self, status: int, body: bytes, headers: dict[str, str], with_body: bool) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        for start in range(0, len(body) if with_body else 0, 1 << 20):
            if self.server.breaks_after is not None and start >= self.server.breaks_after:
                self.close_connection = True
                self.connection.close()
                return
            try:
                self.wfile.write(body[start : start + (1 << 20)])
            except OSError:  # whoever downloaded has stopped
                return
            time.sleep(self.server.pause_s)
