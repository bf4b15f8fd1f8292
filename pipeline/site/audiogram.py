"""A passage as a video to share: cover, titles, its waveform with a line that moves along, and captions, always.

Typst draws the pictures, FFmpeg the rest.

A picture changes with its caption only, and only the line moves: nothing flashes (WCAG 2.2, 2.3.1).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.audio import input_arguments, open_process
from pipeline.model import CauserieError, NamePairs, apply_typography, font_characters, font_family, merge_palettes, parse_header
from pipeline.site.social_card import drawable_text
from pipeline.templates import folder
from pipeline.transcript import ExcerptCaption

Box = tuple[int, int, int, int]  # left, top, width, height; pixels
FRAMES_PER_S = 25
_CURSOR_PX = 6
_VIDEO = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-pix_fmt", "yuv420p", "-r", str(FRAMES_PER_S))
_AUDIO = ("-c:a", "aac", "-b:a", "160k", "-ar", "44100")
_REPRODUCIBLE = ("-map_metadata", "-1", "-bitexact", "-fflags", "+bitexact", "-movflags", "+faststart")


@dataclass(frozen=True)
class AudiogramShape:
    """The size of a video, and where its parts are; in a vertical one, away from what apps draw over its top and bottom."""

    size: tuple[int, int]
    cover: Box
    title: Box
    wave: Box
    caption: Box


SHAPES = {
    "square": AudiogramShape((1080, 1080), (64, 64, 300, 300), (404, 64, 612, 300), (64, 408, 952, 180), (64, 616, 952, 390)),
    "vertical": AudiogramShape((1080, 1920), (290, 230, 500, 500), (90, 760, 900, 230), (90, 1010, 900, 180), (90, 1220, 900, 350)),
    "wide": AudiogramShape((1920, 1080), (96, 96, 420, 420), (576, 96, 1248, 240), (576, 360, 1248, 156), (96, 580, 1728, 420)),
}


@dataclass(frozen=True)
class AudiogramLook:
    """What an audiogram shows beside its captions: titles, cover, the show's colours and font files."""

    show: str
    episode: str
    language: str
    cover: Path
    colours: NamePairs = ()
    fonts: tuple[Path, ...] = ()  # TrueType or OpenType


def write_audiogram(
    clip: Path, video: Path, *, captions: Sequence[ExcerptCaption], duration_s: float, shape: AudiogramShape, look: AudiogramLook
) -> None:
    """Write the sound of `clip` as an MP4 (H.264, AAC) with its captions in the picture. Raises `CauserieError` when the cover cannot be
    drawn.
    """
    pictures = list(picture_times(captions, duration_s))
    texts = list(dict.fromkeys((speaker, lines) for speaker, lines, _ in pictures))
    palette = merge_palettes(dict(look.colours), {})["light"]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for index, png in enumerate(_draw(texts, shape, look, palette)):
            (work / f"{index}.png").write_bytes(png)
        rows = [f"file {texts.index((speaker, lines))}.png\nduration {length / FRAMES_PER_S:.3f}\n" for speaker, lines, length in pictures]
        last = f"file {texts.index(pictures[-1][:2])}.png\n"  # the duration of the last picture counts only when it is named again
        (work / "list.txt").write_text("".join([*rows, last]))
        _run([*input_arguments(clip), "-filter_complex", _wave_filter(shape, palette), "-frames:v", "1", f"file:{work / 'wave.png'}"])
        inputs = ["-f", "concat", "-i", f"file:{work / 'list.txt'}", *input_arguments(clip), "-i", f"file:{work / 'wave.png'}"]
        outputs = ["-map", "[video]", "-map", "1:a", "-t", f"{duration_s:.3f}", *_VIDEO, *_AUDIO, *_REPRODUCIBLE]
        made = work / "made.mp4"
        _run([*inputs, "-filter_complex", _video_filter(shape, palette, duration_s), *outputs, f"file:{made}"])
        video.write_bytes(made.read_bytes())


def _wave_filter(shape: AudiogramShape, palette: dict[str, str]) -> str:
    """Draws the whole sound at once: a shape that changes with every frame would flicker."""
    _, _, width, height = shape.wave
    return (
        f"[0:a]aformat=channel_layouts=mono,showwavespic=s={width}x{height}:scale=sqrt:draw=full:colors={_ffmpeg_colour(palette['lamp'])}"
    )


def _video_filter(shape: AudiogramShape, palette: dict[str, str], duration_s: float) -> str:
    """The pictures, the waveform, and a line that moves along it with the sound."""
    left, top, width, height = shape.wave
    cursor = f"color=c={_ffmpeg_colour(palette['on-band'])}:s={_CURSOR_PX}x{height}:r={FRAMES_PER_S}"
    at = f"{left}+{width - _CURSOR_PX}*min(1\\,t/{duration_s:.3f})"
    return f"[0:v]fps={FRAMES_PER_S}[a];[a][2:v]overlay={left}:{top}[b];{cursor}[c];[b][c]overlay=x={at}:y={top}:shortest=1[video]"


def _ffmpeg_colour(colour: str) -> str:
    return colour.replace("#", "0x")


def _run(arguments: Sequence[str]) -> None:
    """Run FFmpeg to its end; it prints nothing."""
    with open_process(arguments) as process:
        while process.read_available():
            pass


def picture_times(captions: Sequence[ExcerptCaption], duration_s: float) -> Iterator[tuple[str, tuple[str, ...], int]]:
    """Yield each picture, its speaker and lines, and how many frames it lasts: captions, and nothing between them."""
    at, end = 0, max(1, round(duration_s * FRAMES_PER_S))
    for caption in captions:
        first, last = (min(round(time_s * FRAMES_PER_S), end) for time_s in (caption.start_s, caption.end_s))
        if first > at:
            yield "", (), first - at
        if last > max(first, at):
            yield caption.speaker, caption.lines, last - max(first, at)
        at = max(at, last)
    if end > at:
        yield "", (), end - at


def _draw(texts: Sequence[tuple[str, tuple[str, ...]]], shape: AudiogramShape, look: AudiogramLook, palette: dict[str, str]) -> list[bytes]:
    """A PNG for each text."""
    import typst

    more = frozenset[str]().union(*map(font_characters, look.fonts))

    def shown(text: str) -> str:
        return drawable_text(apply_typography(text, look.language), more)

    header = parse_header(look.cover.read_bytes())
    data = {
        "size": shape.size,
        "boxes": {"cover": shape.cover, "title": shape.title, "caption": shape.caption},
        "show": shown(look.show),
        "episode": shown(look.episode),
        "language": look.language[:2],
        "pages": [(shown(speaker), [*map(shown, lines)]) for speaker, lines in texts],
        "cover": f"/{look.cover.name}",
        "form": "png" if header and header.type == "png" else "jpg",
        "colours": palette,
        "fonts": [*map(font_family, look.fonts)],
    }
    source, paths = (folder("site") / "audiogram.typ").read_bytes(), sorted({font.parent for font in look.fonts})
    data_input, root = {"data": json.dumps(data)}, look.cover.parent
    try:
        # typst's stubs ask for `root` in the type of the source; the compiler takes bytes and a path
        drawn = typst.compile(source, format="png", ppi=72, sys_inputs=data_input, root=root, font_paths=paths, ignore_system_fonts=True)  # type: ignore[call-overload]
    except RuntimeError as error:
        raise CauserieError(f"cannot be drawn: {error}", str(look.cover), "export it again as JPEG") from error
    return drawn if isinstance(drawn, list) else [drawn]
