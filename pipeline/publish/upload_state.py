"""A cache of what is known about targets, under `.causerie/publish/`: it saves reading files and sending requests.

When it is lost or damaged, the next publication is slower, and nothing else.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any  # of JSON values

from pipeline.engine import read_json, write_json
from pipeline.model import CauserieError
from pipeline.publish.upload_plan import RemoteFile


def load_manifest(path: Path, target: str) -> dict[str, RemoteFile]:
    """Load the manifest of `target`: what was last written there. Empty when the file is missing, damaged or for another target."""
    value = read_json_object(path)
    if value.get("target") != target:
        return {}
    try:
        return {
            key: RemoteFile(row["bytes"], row["sha256"], _header_pair(row["headers"]), row["tag"]) for key, row in value["files"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def save_manifest(path: Path, target: str, files: dict[str, RemoteFile]) -> None:
    """Save a manifest. It names only files that are already public."""
    write_json(path, {"version": 1, "target": target, "files": {key: asdict(files[key]) for key in sorted(files)}})


def _header_pair(headers: Any) -> tuple[str, str] | None:
    return None if headers is None else (headers[0], headers[1])


def read_json_object(path: Path) -> dict[str, Any]:
    """Read the JSON object in a file; empty when there is no readable one."""
    try:
        value = read_json(path)
    except (CauserieError, OSError):
        return {}
    return value if isinstance(value, dict) else {}
