"""The facilitator's guide as one HTML file to read or to project: the clips are in it, so that a room without a network can play them."""

from __future__ import annotations

import zipfile
from base64 import b64encode
from pathlib import Path

from pipeline.engine import write_atomic
from pipeline.guide.render import load_view, render_html
from pipeline.model import EpisodeInfo, GuideSettings, ShowInfo


def write_screen_guide(
    text: Path,
    timed: Path,
    chapters: Path,
    clips: Path | None = None,
    *,
    facilitator_html: Path,
    show: ShowInfo,
    episode: EpisodeInfo,
    guide: GuideSettings,
    uncut: Path | None = None,
) -> None:
    """Write the facilitator's guide for a screen; `CauserieError` for a quote that nobody says.

    `clips` is the zip of its clips; where it could not be made, the guide has none.
    """
    value = load_view(text, timed, chapters, show=show, episode=episode, guide=guide, uncut=uncut)
    write_atomic(facilitator_html, render_html("guide.html.j2", value, clip_sounds(clips) if clips else {}))


def clip_sounds(clips: Path) -> dict[str, str]:
    """Return the sound of each clip in a zip as a `data:` URL, by the clip's number as guides print it."""
    with zipfile.ZipFile(clips) as archive:
        found = {name[:2].lstrip("0"): archive.read(name) for name in archive.namelist() if name.endswith(".mp3")}
    return {number: f"data:audio/mpeg;base64,{b64encode(sound).decode('ascii')}" for number, sound in found.items()}
