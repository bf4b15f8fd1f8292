"""Broken and unusual recordings, and files that are none: `python tests/support/broken_files.py FOLDER` writes them, reproducibly for a seed.

Each file must either be rejected with one clear sentence, or yield the audio it contains.
"""

from __future__ import annotations

import math
import os
import random
import socket
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.audio.ffmpeg import BITEXACT_ARGUMENTS
from tests.support.audio_tools import convert, speech_like_noise, write

RATE_HZ, SECONDS = 48_000, 3.0
FORMS = {"wav": (), "flac": (), "mp3": ("-b:a", "96k"), "m4a": (), "ogg": (), "opus": (), "aiff": (), "caf": (), "w64": ()}


@dataclass(frozen=True)
class Broken:
    """A file and the expected result: `seconds` of audio, or None when it must be rejected."""

    path: Path
    seconds: float | None = None
    says: str = ""  # pattern of the error message
    level_db: float = 0.0  # relative to the common source; NaN when the audio is different


def broken_files(folder: Path, seed: int = 1) -> list[Broken]:
    """Write all of them to an empty folder."""
    chance, forms = random.Random(seed), _valid_files(folder)
    kinds = (_truncated, _wavs, _non_wav_headers, _invalid_samples, _not_audio, _mp3s, _mp4s)
    files = [_write_file(folder, *each) for kind in kinds for each in kind(forms, chance)]
    return files + _special_files(folder, forms) + _odd_names(folder, forms["wav"])


def wav(data: bytes, *, form=1, channels=1, rate=RATE_HZ, bits=16, align=None, length=None, before=b"", after=b"") -> bytes:
    """Return a WAV with any header values."""
    align = channels * bits // 8 if align is None else align
    fmt = struct.pack("<HHIIHH", form, channels % 65536, rate, rate * align % 2**32, align % 65536, bits)
    chunks = b"fmt " + struct.pack("<I", 16) + fmt + before + b"data" + struct.pack("<I", len(data) if length is None else length) + data
    return b"RIFF" + struct.pack("<I", len(chunks) + len(after) + 4) + b"WAVE" + chunks + after


def rf64(data: bytes, length: int | None = None, kind: bytes = b"RF64") -> bytes:
    """Return a WAV with 64-bit lengths (EBU Tech 3306)."""
    plain = wav(data, length=0xFFFFFFFF)
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, len(plain) + 28, len(data) if length is None else length, len(data) // 2, 0)
    return kind + b"\xff\xff\xff\xffWAVE" + ds64 + plain[12:]


Made = tuple[str, bytes] | tuple[str, bytes, dict]


def _write_file(folder: Path, name: str, content: bytes, expected_error: dict | None = None) -> Broken:
    path = folder / name
    path.write_bytes(content)
    return Broken(path, **expected_error or {})


def _valid_files(folder: Path) -> dict[str, bytes]:
    """Return the same audio in every format, as bytes; `pcm` is its samples."""
    sources = folder / "sources"
    sources.mkdir()
    source = write(sources / "a.wav", _sound(), rate_hz=RATE_HZ, subtype="PCM_16")
    forms = {
        form: (source if form == "wav" else convert(source, sources / f"a.{form}", *BITEXACT_ARGUMENTS, *more)).read_bytes()
        for form, more in FORMS.items()
    }
    forms["fast.m4a"] = convert(source, sources / "fast.m4a", *BITEXACT_ARGUMENTS, "-movflags", "+faststart").read_bytes()
    forms["low.mp3"] = convert(source, sources / "low.mp3", *BITEXACT_ARGUMENTS, "-ar", "22050").read_bytes()
    forms["film.mp4"] = convert(
        source, sources / "film.mp4", "-f", "lavfi", "-i", "color=s=16x16:d=1", "-map", "1:v", "-c:v", "mpeg4"
    ).read_bytes()
    forms["pcm"] = forms["wav"][44:]
    for file in sources.iterdir():
        file.unlink()
    sources.rmdir()
    return forms


def _sound() -> np.ndarray:
    return speech_like_noise(SECONDS, rate_hz=RATE_HZ)


RIGHT = {"seconds": SECONDS}


def _truncated(forms: dict[str, bytes], chance: random.Random) -> Iterator[Made]:
    for form, content in {**forms, "rf64.wav": rf64(forms["pcm"])}.items():
        if form not in ("pcm", "low.mp3", "film.mp4"):
            for which in (1, 2):
                cut = content[: chance.randrange(len(content) // 20, len(content) * 19 // 20)]
                yield f"cut{which}.{form}", cut, {"says": "truncated|not a recording|end was lost|damaged|no sound"}


def _wavs(forms: dict[str, bytes], chance: random.Random) -> Iterator[Made]:
    pcm = forms["pcm"]
    yield "length-long.wav", wav(pcm, length=10**9), {"says": "truncated"}
    yield "length-short.wav", wav(pcm, length=20_000), {"says": "continues after"}
    yield "length-0.wav", wav(pcm, length=0), RIGHT
    yield "length-open.wav", wav(pcm, length=2**32 - 1), RIGHT
    yield "length-int-max.wav", wav(pcm, length=2**31 - 1), RIGHT
    yield "channels-0.wav", wav(pcm, channels=0, align=2), {"says": "0 channels"}
    yield "channels-65535.wav", wav(pcm, channels=65535), {"says": "channels"}
    yield "rate-0.wav", wav(pcm, rate=0), {}
    yield "rate-1.wav", wav(pcm[:6], rate=1), {"says": "sample rate of 1 Hz"}
    yield "rate-3.wav", wav(pcm[:60], rate=3), {"says": "sample rate of 3 Hz"}
    yield "rate-4e9.wav", wav(pcm, rate=4_000_000_000), {}
    yield "rate-768k.wav", wav(np.repeat(np.frombuffer(pcm, "<i2")[:RATE_HZ], 16).tobytes(), rate=768_000), {"seconds": 1.0}
    yield "align-0.wav", wav(pcm, align=0), RIGHT
    yield "bits-7.wav", wav(pcm, bits=7, align=1), {"says": "7 bits"}
    yield "bits-0.wav", wav(pcm, bits=0, align=0), {}
    yield "codec-unknown.wav", wav(pcm, form=0x4242), {"says": "does not know"}
    yield "data-missing.wav", wav(b"")[:36], {}
    yield "header-only.wav", wav(b""), {"says": "only a header"}
    yield "fact-lies.wav", wav(pcm, before=b"fact" + struct.pack("<II", 4, 10**9)), RIGHT
    yield "list-lies.wav", wav(pcm, before=b"LIST" + struct.pack("<I", 2**31)), {}
    yield "garbage-after.wav", wav(pcm, after=chance.randbytes(3000)), RIGHT
    yield "chunks-empty.wav", b"RIFF\0\0\0\0WAVE" + b"JUNK\0\0\0\0" * 300_000, {}
    yield "rf64.wav", rf64(pcm), RIGHT
    yield "bw64.wav", rf64(pcm, kind=b"BW64"), RIGHT
    yield "rf64-long.wav", rf64(pcm, length=5 * 2**30), {"says": "truncated"}
    yield "extension-wrong.mp3", wav(pcm), RIGHT


def _non_wav_headers(forms: dict[str, bytes], chance: random.Random) -> Iterator[Made]:
    flac, aiff, ogg = (forms[form] for form in ("flac", "aiff", "ogg"))
    yield "samples-many.flac", _flac_samples(flac, 2**35), {"says": "truncated"}
    yield "samples-0.flac", _flac_samples(flac, 0), RIGHT
    yield "rate-lies.flac", flac[:18] + bytes([flac[18] ^ 0x10]) + flac[19:], RIGHT  # each frame declares its own
    yield "header-only.flac", flac[:42], {}
    yield "ssnd-long.aiff", _patched(aiff, b"SSND", 4, struct.pack(">I", 10**9)), {"says": "truncated"}
    yield "frames-many.aiff", _patched(aiff, b"COMM", 10, struct.pack(">I", 10**8)), {"says": "truncated"}
    yield "rate-0.aiff", _patched(aiff, b"COMM", 16, bytes(10)), {}
    last = ogg.rindex(b"OggS")
    yield "granule-lies.ogg", _ogg_page(ogg, last, 6, struct.pack("<q", 10**12)), RIGHT  # every page is there
    yield "page-lies.ogg", ogg[: last - 200] + b"\xff" * 150 + ogg[last - 50 :], {"says": "damaged|truncated"}
    yield "pages-swapped.ogg", ogg[last:] + ogg[:last], {}
    hole = bytearray(flac)
    hole[len(flac) // 2 : len(flac) // 2 + 900] = chance.randbytes(900)
    yield "hole.flac", bytes(hole), {"says": "damaged|truncated|decoded"}


def _invalid_samples(forms: dict[str, bytes], chance: random.Random) -> Iterator[Made]:
    sound = _sound().astype("<f4")

    def floats(kind: str = "<f4", **at: float) -> bytes:
        samples = sound.astype(kind)
        samples[RATE_HZ : RATE_HZ + 3] = at["value"]
        return wav(samples.tobytes(), form=3, bits=samples.itemsize * 8)

    for name, value in (("nan", math.nan), ("inf", math.inf), ("minus-inf", -math.inf)):
        yield f"{name}.wav", floats(value=value), {"says": "invalid samples"}
    yield "nan-f64.wav", floats("<f8", value=math.nan), {"says": "invalid samples"}
    yield "huge-f64.wav", floats("<f8", value=1e300), {"says": "invalid samples"}
    yield "huge.wav", floats(value=1e30), {"says": "invalid samples"}
    yield "all-nan.wav", wav(np.full(RATE_HZ, math.nan, "<f4").tobytes(), form=3, bits=32), {"says": "invalid samples"}
    yield "scaled-as-integers.wav", wav((sound * 32768).tobytes(), form=3, bits=32), {**RIGHT, "level_db": 9.0}  # reduced below full scale
    yield "clipped.wav", wav(np.clip(sound * 3.2e6, -32768, 32767).astype("<i2").tobytes()), {"seconds": SECONDS, "level_db": 23.45}
    yield "dc-offset.wav", wav((sound + 0.3).astype("<f4").tobytes(), form=3, bits=32), RIGHT
    click = np.zeros(RATE_HZ * 3, "<i2")
    yield "silence.wav", wav(click.tobytes()), {"says": "silence"}
    click[RATE_HZ] = 30_000
    yield "silence-and-click.wav", wav(click.tobytes()), {"seconds": SECONDS, "level_db": -28.35}
    yield "dither.wav", wav(np.random.default_rng(1).integers(-1, 2, RATE_HZ * 3).astype("<i2").tobytes()), {"says": "silence"}
    for seconds in (0.1, 0.01):
        yield f"{seconds}-s.wav", wav(forms["pcm"][: round(seconds * RATE_HZ) * 2]), {"says": "short|silence"}
    yield "one-sample.wav", wav(forms["pcm"][:2]), {"says": "short|silence"}


def _not_audio(forms: dict[str, bytes], chance: random.Random) -> Iterator[Made]:
    for form in ("wav", "flac", "mp3", "m4a", "ogg", "opus", "aiff", "aac", "mka", "wma", "amr", "webm"):
        yield f"random.{form}", chance.randbytes(60_000), {}
    texts = {
        "text.wav": "Bonjour, voici le texte de l’émission.\n" * 50,
        "page.mp3": "<!DOCTYPE html><html><body>Sign in</body></html>",
        "project.wav": "SQLite format 3\0" + "x" * 5000,
        "list.m3u": "#EXTM3U\na.wav\n",
        "list.mp3": "[playlist]\nFile1=a.wav\n",
        "list.wav": "ffconcat version 1.0\nfile a.wav\n",
        "cue.flac": 'FILE "a.wav" WAVE\n  TRACK 01 AUDIO\n',
        "titles.mp3": "1\n00:00:00,000 --> 00:00:02,000\nBonjour\n",
    }
    yield from ((name, text.encode(), {"says": "not a recording"}) for name, text in texts.items())
    yield "paper.wav", b"%PDF-1.7\n" + chance.randbytes(3000), {"says": "document"}
    yield "cover.mp3", b"\x89PNG\r\n\x1a\n" + chance.randbytes(3000), {"says": "picture"}
    yield "show.wav", b"PK\x03\x04" + chance.randbytes(3000), {"says": "archive"}
    yield "zeros.wav", bytes(200_000), {"says": "zeros"}
    yield "empty.wav", b"", {"says": "empty"}
    yield "film.wav", forms["film.mp4"], {"says": "no sound"}


def _mp3s(forms: dict[str, bytes], chance: random.Random) -> Iterator[Made]:
    mp3 = forms["mp3"]
    yield "xing-many.mp3", _patched(mp3, b"Info" if b"Info" in mp3 else b"Xing", 8, struct.pack(">I", 10**6)), {"says": "truncated"}
    yield "id3-only.mp3", _id3(b"TIT2", b"\x03x", 0), {}
    yield "id3-huge.mp3", _id3(b"PRIV", bytes(2 << 20), 0) + mp3, RIGHT
    yield "id3-lies.mp3", b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + mp3, {}
    yield "picture-huge.mp3", _id3(b"APIC", b"\0image/png\0\x03\0" + _png(1500), 0) + mp3, RIGHT
    yield "garbage-first.mp3", chance.randbytes(1 << 20) + mp3, {"says": "damaged"}
    yield "zeros-first.mp3", bytes(1 << 20) + mp3, RIGHT
    yield "two-rates.mp3", mp3 + forms["low.mp3"], {"seconds": 2 * SECONDS}
    yield "twice.mp3", mp3 + mp3, {"seconds": 2 * SECONDS}
    at = len(mp3) // 2
    yield "hole.mp3", mp3[:at] + chance.randbytes(4000) + mp3[at + 4000 :], {"says": "damaged|truncated|decoded"}


def _mp4s(forms: dict[str, bytes], chance: random.Random) -> Iterator[Made]:
    m4a, fast = forms["m4a"], forms["fast.m4a"]
    moov = m4a[m4a.index(b"moov") - 4 :]
    yield "moov-missing.m4a", m4a[: len(m4a) - len(moov)], {"says": "index"}
    yield "moov-twice.m4a", m4a + moov, RIGHT
    yield "moov-empty.m4a", m4a[: len(m4a) - len(moov)] + b"\0\0\0\x08moov", {}
    yield "stco-lies.m4a", _patched(m4a, b"stco", 12, struct.pack(">I", 10**8)), {}
    yield "stsz-lies.m4a", _patched(m4a, b"stsz", 12, struct.pack(">II", 2**30, 2**31)), {}
    yield "mdat-random.m4a", _patched(fast, b"mdat", 4, chance.randbytes(len(fast) // 2)), {}
    yield "boxes-random.m4a", m4a[:40] + chance.randbytes(3000) + m4a[3040:], {}


def _special_files(folder: Path, forms: dict[str, bytes]) -> list[Broken]:
    """Write links, folders, pipes and other things that are not regular files."""
    (folder / "folder.wav").mkdir()
    os.mkfifo(folder / "fifo.wav")
    (folder / "dangling.wav").symlink_to("absent.wav")
    (folder / "loop.wav").symlink_to("loop.wav")
    (folder / "zero.wav").symlink_to("/dev/zero")
    here = os.getcwd()
    os.chdir(folder)  # the address of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.wav")
    os.chdir(here)
    said = {"folder": "folder", "fifo": "pipe", "dangling": "link", "loop": "cannot be read", "zero": "device", "socket": "socket"}
    special = [Broken(folder / f"{name}.wav", says=says) for name, says in said.items()]
    return [*special, Broken(folder / f"{'long' * 75}.wav", says="too long"), Broken(folder / "absent.wav", says="missing")]


def _odd_names(folder: Path, content: bytes) -> list[Broken]:
    """Write valid recordings with unusual names."""
    names = [b"two\nlines.wav", b"red\x1b[31m.wav", b"-i.wav", "🎙️ été.wav".encode(), b"n" * 251 + b".wav", b"a:b|c%03d.wav"]
    return [_write_file(folder, os.fsdecode(name), content, RIGHT) for name in names]


def _patched(content: bytes, mark: bytes, after: int, value: bytes) -> bytes:
    at = content.index(mark) + after
    return content[:at] + value + content[at + len(value) :]


def _flac_samples(flac: bytes, samples: int) -> bytes:
    """Set the total in STREAMINFO, which starts at byte 8: the last 36 bits of its bytes 13 to 17."""
    word = int.from_bytes(flac[18:26], "big") >> 36 << 36
    return flac[:18] + (word | samples).to_bytes(8, "big") + flac[26:]


def _ogg_page(ogg: bytes, at: int, field: int, value: bytes) -> bytes:
    """Change a field of the Ogg page at `at`, with a correct checksum."""
    page = bytearray(ogg[at:])
    page[field : field + len(value)] = value
    page[22:26] = ogg_crc(page)
    return ogg[:at] + bytes(page)


def ogg_crc(page: bytes) -> bytes:
    """Return the checksum of an Ogg page, whatever its own checksum field holds (RFC 3533, section 6)."""
    crc = 0
    for byte in (*page[:22], 0, 0, 0, 0, *page[26:]):
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 1 << 31 else 0)) & 0xFFFFFFFF
    return struct.pack("<I", crc)


def _id3(frame: bytes, content: bytes, flags: int) -> bytes:
    """Return an ID3v2.4 tag with one frame."""

    def size(number: int) -> bytes:
        return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))

    body = frame + size(len(content)) + bytes([0, flags]) + content
    return b"ID3\x04\0\0" + size(len(body)) + body


def _png(side: int) -> bytes:
    """Return an image of noise, which does not compress."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = np.random.default_rng(1).integers(0, 256, (side, side + 1), np.uint8)
    rows[:, 0] = 0
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)) + chunk(b"IEND", b"")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir()
    for each in broken_files(target):
        print(each)
