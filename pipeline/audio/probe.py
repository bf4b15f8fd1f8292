"""Probe a recording: its streams and duration, and whether it is complete.

FFmpeg's wheel has no ffprobe. The text that `ffmpeg -i` prints cannot be trusted: a title, a tag name or a language can contain lines
that look like its own. So facts and tags come from two of its muxers, which omit or escape untrusted text.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from pipeline.audio import ffmpeg, headers
from pipeline.audio.streams import Probe, Stream, parse
from pipeline.errors import CauserieError
from pipeline.text import printable

MISSING_S = 0.1  # a decoded duration this much below the declared one means that the file is truncated
AGAIN = "copy it again from the recorder, or export it again"
_GLITCH_S = 0.01  # less than the shortest MP3 frame: within it the file is complete
LOOK_S = 20.0  # FFmpeg finds the streams in a moment, or else searches gigabytes to the end
_TAGS_BYTES = 1 << 20  # enough for titles: some files carry megabytes of tags
_DAMAGE = ("Error submitting packet to decoder", "Decoding error", "CRC mismatch", "partial file", "File ended prematurely")


def probe(path: Path) -> Probe:
    """Read what `path` declares about its audio, without decoding it; `probe_fully` also decodes all of it.

    Raises `CauserieError` when it is missing, empty, not a regular file, unreadable, not audio, or shorter than its header declares.
    """
    refuse_unreadable(path)
    _refuse_header_that_lies(path)
    with tempfile.TemporaryFile() as tags:
        copied = ["-map", "0:a", "-c", "copy", "-t", "0", "-map_metadata:g", "-1", "-map_chapters", "-1"]  # tags of streams only
        outputs = [*copied, "-f", "framecrc", "pipe:1", *copied, "-f", "ffmetadata", f"pipe:{tags.fileno()}"]
        facts = bytearray()
        try:
            with ffmpeg.running([*ffmpeg.source(path), *outputs], shares=(tags.fileno(),), stall_s=LOOK_S) as process:
                while block := process.read_some():
                    facts += block
        except CauserieError as error:
            _refuse_what_is_no_audio(path, error)
        tags.seek(0)
        found = parse(facts.decode("utf-8", "replace"), tags.read(_TAGS_BYTES).decode("utf-8", "replace"), _nameless(process.log, path))
    if not any(each.readable for each in found.audio):
        wrong = found.audio[0].oddity if found.audio else "does not declare its audio format"
        raise CauserieError(f"cannot be read: it {wrong}", str(path), AGAIN)
    return found


def chosen(path: Path, stream: str = "") -> Stream:
    """Select an audio stream of `path`: the only one, or the one that `stream` names by number, title or language.

    Raises `CauserieError` as `probe_file`, and, listing the streams, when `stream` does not identify exactly one.
    """
    return _chosen(path, probe(path).audio, stream.strip())


def _chosen(path: Path, audio: tuple[Stream, ...], wanted: str) -> Stream:
    if not wanted:
        usable = [each for each in audio if each.readable]  # phones add one that only they can decode
        meant = usable if len(usable) == 1 else []
    elif wanted.isdecimal():
        meant = [each for each in audio if each.index + 1 == int(wanted)]
    else:
        meant = [each for each in audio if wanted.casefold() in (each.title.strip().casefold(), each.language.casefold())]
    if len(meant) != 1:
        held = f"holds {len(audio)} audio stream{'s' if len(audio) > 1 else ''}: {', '.join(map(str, audio))}"
        message = f"{held}; “{printable(wanted)}” matches {'several of them' if meant else 'none of them'}" if wanted else held
        raise CauserieError(message, str(path), 'choose one with stream = "1" in episode.toml')
    if not meant[0].readable:
        raise CauserieError(f"cannot be read: its audio stream {meant[0]} {meant[0].oddity}", str(path), AGAIN)
    return meant[0]


def whole(path: Path, stream: str = "") -> Probe:
    """Probe a file and decode it from end to end; the returned duration is the decoded one.

    Raises `CauserieError` when it is truncated or damaged, or as `select_stream`.
    """
    found, count = probe(path), [0]
    taken = _chosen(path, found.audio, stream.strip())

    def add(block: bytes) -> None:
        count[0] += len(block)

    plain = ["-map", f"0:a:{taken.index}", "-ac", "1", "-ar", str(taken.sample_rate_hz), "-c:a", "pcm_s16le", "-f", "s16le", "pipe:1"]
    log = decoding(path, [*ffmpeg.source(path), *plain], add)
    decoded_s = count[0] / 2 / taken.sample_rate_hz
    refuse_damage(path, taken, expected_s=taken.duration_s, decoded_s=decoded_s, log=log)
    return replace(found, duration_s=decoded_s)


def decoding(path: Path, arguments: list[str], consume: Callable[[bytes], None]) -> str:
    """Run `ffmpeg.read_output`; its errors name the recording."""
    try:
        return ffmpeg.pipe(arguments, consume)
    except CauserieError as error:
        raise undecodable(path, error) from error


def undecodable(path: Path, error: CauserieError) -> CauserieError:
    """Return FFmpeg's error with the path of the recording; the hint of an error of the machine is kept."""
    return CauserieError(f"cannot be decoded ({error.message})", str(path), error.hint or AGAIN)


def refuse_damage(path: Path, found: Probe | Stream, *, expected_s: float | None, decoded_s: float, log: str) -> None:
    """Raise `CauserieError` when `path` decoded to less than it declares, or FFmpeg had to skip unreadable data.

    One unreadable frame is tolerated in an otherwise complete MP3: encoders and taggers leave fragments after the last frame.
    """
    if decoded_s == 0 and expected_s != 0:
        raise CauserieError("holds no readable sound", str(path), AGAIN)
    if expected_s is not None and decoded_s < expected_s - MISSING_S:
        raise truncated(path, f" ({decoded_s:.1f} s of {expected_s:.1f} s are there)")
    told = "\n".join(line for line in _nameless(log, path).splitlines() if not line.startswith(" "))  # indented lines hold titles
    errors = sum(told.count(words) for words in _DAMAGE)
    complete = expected_s is None or decoded_s > expected_s - _GLITCH_S
    if errors and not (found.codec.startswith("mp3") and errors == 1 and complete):
        raise CauserieError(f"is damaged: some of it cannot be read ({ffmpeg.why(told)})", str(path), AGAIN)


def truncated(path: Path, detail: str = "") -> CauserieError:
    """Return the error for a recording whose end is missing."""
    return CauserieError(f"is truncated: its end is missing{detail}", str(path), AGAIN)


def refuse_unreadable(path: Path) -> None:
    """Raise `CauserieError` for what FFmpeg would only report as an input error, or would wait for endlessly."""
    try:
        found = path.stat()
    except FileNotFoundError as error:
        link = f"is a link to {printable(os.readlink(path))}, which is missing" if path.is_symlink() else "is missing"
        raise CauserieError(link, str(path), "put the recording there, or correct its name") from error
    except (OSError, ValueError) as error:  # a name too long, a link to itself, a folder without permission
        raise CauserieError(f"cannot be read ({getattr(error, 'strerror', None) or error})", str(path), "correct its name") from error
    if stat.S_ISDIR(found.st_mode):
        raise CauserieError("is a folder, not a recording", str(path), "name a file in it")
    if not stat.S_ISREG(found.st_mode):
        raise CauserieError("is a pipe, a socket or a device, not a file", str(path), "copy the sound into a file first")
    if not os.access(path, os.R_OK):
        raise CauserieError("cannot be read", str(path), "give yourself permission to read it")
    if found.st_size == 0:
        raise CauserieError("is empty", str(path), "copy the recording again")


def _nameless(log: str, path: Path) -> str:
    """Remove the file's name, which can contain anything, from a log."""
    return log.replace(os.fsencode(ffmpeg.address(path)).decode("utf-8", "replace"), "")


def _refuse_what_is_no_audio(path: Path, error: CauserieError) -> NoReturn:
    """Always raise `CauserieError`: there is no audio stream, or no audio container."""
    if error.hint:  # the file is not the cause
        raise CauserieError(f"cannot be read ({error.message})", str(path), error.hint) from error
    if "matches no streams" in error.message or "not contain any stream" in error.message:
        raise CauserieError("holds no sound", str(path), "name the file that has the sound") from error
    if "moov atom not found" in error.message and headers.begins_as_mp4(path):
        told = "is incomplete: its index is missing, because the recording was never finished or its end was lost"
        raise CauserieError(told, str(path), "copy it again from the recorder, or let the recorder repair it") from error
    with path.open("rb") as stream:
        kind, hint = headers.kind_of(stream.read(4096))
    raise CauserieError(f"is {kind}", str(path), hint) from error


def _refuse_header_that_lies(path: Path) -> None:
    """Raise `CauserieError` for defects visible in the header, on which FFmpeg would search for hours or play only half of the file."""
    if headers.is_bare(path):
        raise CauserieError("holds no sound, only a header", str(path), AGAIN)
    if headers.ends_early(path):
        raise truncated(path)
    if headers.goes_on(path):
        hint = "open it in an audio editor that reads it all, and export it again"
        message = "continues after the end that its header declares: more than 4 GiB were recorded, or it is damaged"
        raise CauserieError(message, str(path), hint)
    if bits := headers.odd_bits(path):
        raise CauserieError(f"cannot be read: its header declares {bits} bits per sample", str(path), AGAIN)
