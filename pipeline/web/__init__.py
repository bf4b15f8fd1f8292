"""What is served on 127.0.0.1: files with byte ranges, for `causerie serve`, previews and the review page."""

from pipeline.web.server import (
    PLAIN_TEXT,
    FileRequestHandler,
    StaticHandler,
    bind_server,
    find_file,
    serve_folder,
    serve_until_interrupted,
    server_url,
)

__all__ = [
    "FileRequestHandler",
    "PLAIN_TEXT",
    "StaticHandler",
    "bind_server",
    "find_file",
    "serve_folder",
    "serve_until_interrupted",
    "server_url",
]
