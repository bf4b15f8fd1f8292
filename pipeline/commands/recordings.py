"""What `causerie check` says of recordings that can be used: doubts about a file, and channels that are silent, noise or opposite."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pipeline.audio import describe_findings, inspect_channels, probe_file, select_stream
from pipeline.commands.directories import OWN_PACK, PACKAGES
from pipeline.engine import FileCache, source_signature
from pipeline.feed.rules import ADVICE, Finding
from pipeline.model import AS_IT_IS, CauserieError, Episode, Recording

_SOURCES = (PACKAGES / "audio",)  # code whose changes invalidate what was found


def recording_advice(root: Path, episode: Episode, cache: FileCache) -> Iterator[Finding]:
    """Advice on each recording of an episode; those that cannot be read are reported as mistakes elsewhere."""
    for number, recording in enumerate(episode.mix.recordings, 1):
        path = root / recording.file
        if path.is_file():
            key = f"remarks {recording.file!r} {recording.stream!r} {recording.channel!r}"
            for remark in cache.get_or_compute(path, key, source_signature(*_SOURCES), partial(_remarks, path, recording)):
                where = f"episodes/{episode.slug}/episode.toml: recordings[{number}]"
                problem, _, remedy = remark.partition("; ")
                yield Finding(ADVICE, OWN_PACK, "recording", "", where, problem, remedy or "listen to its end")


def _remarks(path: Path, recording: Recording) -> list[str]:
    """What is to be known of a file, each as what was found and, after a semicolon, what to do."""
    as_it_is = recording.accept == AS_IT_IS
    try:
        doubts = probe_file(path, as_it_is=as_it_is).doubts
        found = inspect_channels(path, select_stream(path, recording.stream, as_it_is=as_it_is)) if not recording.channel else None
    except CauserieError:
        return []
    return [*doubts, *(describe_findings(found) if found else ())]
