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

from pipeline.audio import container, ffmpeg
from pipeline.audio.stream_info import AudioStream, MediaInfo, parse_probe_output
from pipeline.model import CauserieError, terminal_safe

TRUNCATION_TOLERANCE_S = 0.1  # a decoded duration this much below the declared one means that the file is truncated
COPY_AGAIN = "copy it again from the recorder, or export it again"
ACCEPT_HINT = 'accept what is there with accept = "as it is" in [[recordings]]'
_COMPLETENESS_TOLERANCE_S = 0.01  # less than the shortest MP3 frame: within it the file is complete
PROBE_TIMEOUT_S = 20.0  # FFmpeg finds the streams in a moment, or else searches gigabytes to the end
_TAGS_BYTES = 1 << 20  # enough for titles: some files carry megabytes of tags
_DAMAGE_MESSAGES = ("Error submitting packet to decoder", "Decoding error", "CRC mismatch", "partial file", "File ended prematurely")


def probe_file(path: Path, *, as_it_is: bool = False) -> MediaInfo:
    """Read what `path` declares about its audio, without decoding it; `probe_fully` also decodes all of it.

    With `as_it_is`, a file that is torn or goes on behind its end is taken as FFmpeg reads it. Raises `CauserieError` when it is missing,
    empty, not a regular file, unreadable, not audio, or shorter than its header declares.
    """
    reject_unreadable(path)
    _reject_invalid_header(path, as_it_is=as_it_is)
    with tempfile.TemporaryFile() as tags:
        stream_copy = ["-map", "0:a", "-c", "copy", "-t", "0", "-map_metadata:g", "-1", "-map_chapters", "-1"]  # tags of streams only
        outputs = [*stream_copy, "-f", "framecrc", "pipe:1", *stream_copy, "-f", "ffmetadata", f"pipe:{tags.fileno()}"]
        facts = bytearray()
        try:
            with ffmpeg.open_process(
                [*ffmpeg.input_arguments(path), *outputs], inherited_fds=(tags.fileno(),), stall_timeout_s=PROBE_TIMEOUT_S
            ) as process:
                while block := process.read_available():
                    facts += block
        except CauserieError as error:
            _reject_non_audio(path, error)
        tags.seek(0)
        info = parse_probe_output(
            facts.decode("utf-8", "replace"), tags.read(_TAGS_BYTES).decode("utf-8", "replace"), _without_path(process.log, path)
        )
    if not any(each.is_decodable for each in info.audio_streams):
        defect = info.audio_streams[0].defect if info.audio_streams else "does not declare its audio format"
        raise CauserieError(f"cannot be read: it {defect}", str(path), COPY_AGAIN)
    return _with_doubts(path, info)


def _with_doubts(path: Path, info: MediaInfo) -> MediaInfo:
    """Add what the container leaves open, and correct durations that it counts otherwise: unwritten lengths, the pre-skip of Opus."""
    found = container.doubts(path)
    pre_skip_s = container.opus_pre_skip_s(path)

    def corrected(duration_s: float | None) -> float | None:
        return None if duration_s is None or container.NO_LENGTH in found else max(0.0, duration_s - pre_skip_s)

    streams = tuple(replace(each, duration_s=corrected(each.duration_s)) for each in info.audio_streams)
    return replace(info, duration_s=corrected(info.duration_s), audio_streams=streams, doubts=found)


def select_stream(path: Path, wanted: str = "", *, as_it_is: bool = False) -> AudioStream:
    """Select an audio stream of `path`: the only one, or the one that `wanted` names by number, title or language.

    Raises `CauserieError` as `probe_file`, and, listing the streams, when `wanted` does not identify exactly one.
    """
    return _select_stream(path, probe_file(path, as_it_is=as_it_is).audio_streams, wanted.strip())


def _select_stream(path: Path, streams: tuple[AudioStream, ...], wanted: str) -> AudioStream:
    if not wanted:
        usable = [each for each in streams if each.is_decodable]  # phones add one that only they can decode
        matching = usable if len(usable) == 1 else []
    elif wanted.isdecimal():
        matching = [each for each in streams if each.index + 1 == int(wanted)]
    else:
        matching = [each for each in streams if wanted.casefold() in (each.title.strip().casefold(), each.language.casefold())]
    if len(matching) != 1:
        contents = f"holds {len(streams)} audio stream{'s' if len(streams) > 1 else ''}: {', '.join(map(str, streams))}"
        message = (
            f"{contents}; “{terminal_safe(wanted)}” matches {'several of them' if matching else 'none of them'}" if wanted else contents
        )
        raise CauserieError(message, str(path), 'choose one with stream = "1" in episode.toml')
    if not matching[0].is_decodable:
        raise CauserieError(f"cannot be read: its audio stream {matching[0]} {matching[0].defect}", str(path), COPY_AGAIN)
    return matching[0]


def probe_fully(path: Path, stream: str = "", *, as_it_is: bool = False) -> MediaInfo:
    """Probe a file and decode it from end to end; the returned duration is the decoded one.

    Raises `CauserieError` when it is truncated or damaged, or as `select_stream`.
    """
    info, count = probe_file(path, as_it_is=as_it_is), [0]
    selected = _select_stream(path, info.audio_streams, stream.strip())

    def add(block: bytes) -> None:
        count[0] += len(block)

    output = [
        "-map",
        f"0:a:{selected.index}",
        "-ac",
        "1",
        "-ar",
        str(selected.sample_rate_hz),
        "-c:a",
        "pcm_s16le",
        "-f",
        "s16le",
        "pipe:1",
    ]
    log = decode(path, [*ffmpeg.input_arguments(path), *output], add)
    decoded_s = count[0] / 2 / selected.sample_rate_hz
    reject_damage(
        path, selected.codec, expected_s=None if as_it_is else selected.duration_s, decoded_s=decoded_s, log="" if as_it_is else log
    )
    return replace(info, duration_s=decoded_s)


def decode(path: Path, arguments: list[str], on_block: Callable[[bytes], None]) -> str:
    """Run `ffmpeg.read_output`; its errors name the recording."""
    try:
        return ffmpeg.read_output(arguments, on_block)
    except CauserieError as error:
        raise decode_error(path, error) from error


def decode_error(path: Path, error: CauserieError) -> CauserieError:
    """Return FFmpeg's error with the path of the recording; the hint of an error of the machine is kept."""
    return CauserieError(f"cannot be decoded ({error.message})", str(path), error.hint or COPY_AGAIN)


def reject_damage(path: Path, codec: str, *, expected_s: float | None, decoded_s: float, log: str) -> None:
    """Raise `CauserieError` when `path` decoded to less than it declares, or FFmpeg had to skip unreadable data.

    Unreadable data in a file that decoded to all it declares is behind its sound: a tag that FFmpeg does not know, a fragment. A file
    that is shorter than its times say, and holds every page or packet, began late. An MP3 of unknown length may have one fragment.
    """
    if decoded_s == 0 and expected_s != 0:
        raise CauserieError("holds no readable sound", str(path), COPY_AGAIN)
    lines = "\n".join(line for line in _without_path(log, path).splitlines() if not line.startswith(" "))  # indented lines hold titles
    errors = sum(lines.count(words) for words in _DAMAGE_MESSAGES)
    if expected_s is not None and decoded_s < expected_s - TRUNCATION_TOLERANCE_S:
        if errors > 1 and "partial file" not in lines and "ended prematurely" not in lines:  # a cut leaves one unreadable piece at most
            raise _damage_error(path, f"{decoded_s:.1f} s of {expected_s:.1f} s can be read; {ffmpeg.error_reason(lines)}")
        if errors or not container.is_structurally_complete(path):
            raise truncation_error(path, f" ({decoded_s:.1f} s of {expected_s:.1f} s are there)")
    elif errors and not _holds_all(codec, errors, expected_s, decoded_s):
        raise _damage_error(path, ffmpeg.error_reason(lines))


def _holds_all(codec: str, errors: int, expected_s: float | None, decoded_s: float) -> bool:
    """Whether nothing of the sound itself was unreadable, as far as can be known."""
    if expected_s is None:
        return codec.startswith("mp3") and errors == 1
    return decoded_s > expected_s - _COMPLETENESS_TOLERANCE_S


def _damage_error(path: Path, reason: str) -> CauserieError:
    return CauserieError(f"is damaged: some of it cannot be read ({reason})", str(path), f"{COPY_AGAIN}; or {ACCEPT_HINT}")


def truncation_error(path: Path, detail: str = "") -> CauserieError:
    """Return the error for a recording whose end is missing."""
    return CauserieError(f"is truncated: its end is missing{detail}", str(path), f"{COPY_AGAIN}; or {ACCEPT_HINT}")


def reject_unreadable(path: Path) -> None:
    """Raise `CauserieError` for what FFmpeg would only report as an input error, or would wait for endlessly."""
    try:
        status = path.stat()
    except FileNotFoundError as error:
        link = f"is a link to {terminal_safe(os.readlink(path))}, which is missing" if path.is_symlink() else "is missing"
        raise CauserieError(link, str(path), "put the recording there, or correct its name") from error
    except (OSError, ValueError) as error:  # a name too long, a link to itself, a folder without permission
        raise CauserieError(f"cannot be read ({getattr(error, 'strerror', None) or error})", str(path), "correct its name") from error
    if stat.S_ISDIR(status.st_mode):
        raise CauserieError("is a folder, not a recording", str(path), "name a file in it")
    if not stat.S_ISREG(status.st_mode):
        raise CauserieError("is a pipe, a socket or a device, not a file", str(path), "copy the sound into a file first")
    if not os.access(path, os.R_OK):
        raise CauserieError("cannot be read", str(path), "give yourself permission to read it")
    if status.st_size == 0:
        raise CauserieError("is empty", str(path), "copy the recording again")


def _without_path(log: str, path: Path) -> str:
    """Remove the file's name, which can contain anything, from a log."""
    return log.replace(os.fsencode(ffmpeg.file_url(path)).decode("utf-8", "replace"), "")


def _reject_non_audio(path: Path, error: CauserieError) -> NoReturn:
    """Always raise `CauserieError`: there is no audio stream, or no audio container."""
    if error.hint:  # the file is not the cause
        raise CauserieError(f"cannot be read ({error.message})", str(path), error.hint) from error
    if "matches no streams" in error.message or "not contain any stream" in error.message:
        raise CauserieError("holds no sound", str(path), "name the file that has the sound") from error
    if "moov atom not found" in error.message and container.is_mp4(path):
        message = "is incomplete: its index is missing, because the recording was never finished or its end was lost"
        raise CauserieError(message, str(path), "copy it again from the recorder, or let the recorder repair it") from error
    with path.open("rb") as stream:
        kind, hint = container.identify_non_audio(stream.read(4096))
    raise CauserieError(f"is {kind}", str(path), hint) from error


def _reject_invalid_header(path: Path, *, as_it_is: bool) -> None:
    """Raise `CauserieError` for defects visible in the header, on which FFmpeg would search for hours or play only half of the file."""
    if container.has_no_samples(path):
        raise CauserieError("holds no sound, only a header", str(path), COPY_AGAIN)
    if not as_it_is and container.is_truncated(path):
        raise truncation_error(path)
    if not as_it_is and container.has_data_past_end(path):
        hint = f"open it in an audio editor that reads it all, and export it again; or {ACCEPT_HINT}"
        message = "continues after the end that its header declares: more than 4 GiB were recorded, or it is damaged"
        raise CauserieError(message, str(path), hint)
    if bits := container.invalid_bit_depth(path):
        raise CauserieError(f"cannot be read: its header declares {bits} bits per sample", str(path), COPY_AGAIN)
