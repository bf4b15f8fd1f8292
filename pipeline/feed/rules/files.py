"""The rules for the files of a feed: covers, audio, transcripts, chapters."""

from __future__ import annotations

from base64 import b64encode

from pipeline.feed.rules.channel import EPISODE_TAGS, HOSTING
from pipeline.feed.rules.item import extension
from pipeline.feed.rules.rule import ADVICE, ERROR, FileReference, LocalFile, Rule

_ARTWORK = "Artwork requirements (podcasters.apple.com/support/896)"
_AUDIO = "Audio requirements (podcasters.apple.com/support/893)"
_DOCS = "podcast-namespace, docs/tags"
_COVER_PX = (1400, 3000)
_EXTENSIONS = {"jpeg": (".jpg", ".jpeg"), "png": (".png",)}
_MIN_KBPS = {1: (32, 96), 2: (64, 128)}  # by number of channels: minimum, and advised
_RATES_HZ = (44_100, 48_000)
_TOLERANCE_S = 2.0  # rounding, and decoder padding


def _not_an_image(_: FileReference, file: LocalFile) -> str:
    return "" if file.image else "is not a JPEG or PNG image"


def _not_square(_: FileReference, file: LocalFile) -> str:
    image = file.image
    return f"is {image.width_px} × {image.height_px} pixels" if image and image.width_px != image.height_px else ""


def _wrong_size(_: FileReference, file: LocalFile) -> str:
    image = file.image
    outside = image and not (_COVER_PX[0] <= image.width_px <= _COVER_PX[1] and _COVER_PX[0] <= image.height_px <= _COVER_PX[1])
    return f"is {image.width_px} × {image.height_px} pixels" if image and outside else ""


def _below_preferred_size(_: FileReference, file: LocalFile) -> str:
    image = file.image
    return f"is {image.width_px} pixels wide" if image and _COVER_PX[0] <= image.width_px < _COVER_PX[1] else ""


def _not_rgb(_: FileReference, file: LocalFile) -> str:
    return f"is in {file.image.colour}" if file.image and file.image.colour != "RGB" else ""


def _has_alpha(_: FileReference, file: LocalFile) -> str:
    return "has an alpha channel" if file.image and file.image.alpha else ""


def _wrong_extension(use: FileReference, file: LocalFile) -> str:
    if not file.image or extension(use.url) in _EXTENSIONS[file.image.type]:
        return ""
    return f"is {file.image.type.upper()}, but its URL ends in “{extension(use.url)[:10]}”"


def _wrong_length(use: FileReference, file: LocalFile) -> str:
    declared = use.tag.get("length")
    return f"has {file.bytes} bytes, but the feed declares {declared[:20]}" if declared and declared != str(file.bytes) else ""


def _wrong_type(use: FileReference, file: LocalFile) -> str:
    declared = use.tag.get("type").partition(";")[0]
    if file.audio is None:
        return f"is not a valid {declared or 'audio'} file"
    type_aliases = {"audio/x-m4a": "audio/mp4", "audio/m4a": "audio/mp4", "audio/opus": "audio/ogg"}
    return "" if type_aliases.get(declared, declared) == file.audio.type else f"is {file.audio.type}, but the feed declares {declared[:40]}"


def _wrong_duration(use: FileReference, file: LocalFile) -> str:
    declared = use.item.text("itunes:duration") if use.item else ""
    if not file.audio or not declared.isdigit() or abs(file.audio.duration_s - int(declared[:9])) <= _TOLERANCE_S:
        return ""
    return f"lasts {file.audio.duration_s:.0f} s, but the feed declares {declared[:9]}"


def _is_mp3(file: LocalFile) -> bool:
    return file.audio is not None and file.audio.type == "audio/mpeg"


def _variable_bit_rate(_: FileReference, file: LocalFile) -> str:
    return "has a variable bit rate" if file.audio and _is_mp3(file) and not file.audio.constant else ""


def _no_info_header(_: FileReference, file: LocalFile) -> str:
    return "has no Info header" if file.audio and _is_mp3(file) and not file.audio.has_info else ""


def _below_min_kbps(_: FileReference, file: LocalFile) -> str:
    return _kbps_in_range(file, 0, _MIN_KBPS.get(file.audio.channels, (0, 0))[0]) if file.audio and _is_mp3(file) else ""


def _below_advised_kbps(_: FileReference, file: LocalFile) -> str:
    minimum, advised = _MIN_KBPS.get(file.audio.channels, (0, 0)) if file.audio and _is_mp3(file) else (0, 0)
    return _kbps_in_range(file, minimum, advised)


def _kbps_in_range(file: LocalFile, minimum: int, limit: int) -> str:
    audio = file.audio
    return (
        f"has {audio.kbps} kb/s on {audio.channels} channel{'s' * (audio.channels > 1)}" if audio and minimum <= audio.kbps < limit else ""
    )


def _unusual_sample_rate(_: FileReference, file: LocalFile) -> str:
    return f"has a sample rate of {file.audio.rate_hz} Hz" if file.audio and _is_mp3(file) and file.audio.rate_hz not in _RATES_HZ else ""


def _wrong_id3_version(_: FileReference, file: LocalFile) -> str:
    if not file.audio or not _is_mp3(file) or file.audio.id3 == (2, 3):
        return ""
    return f"has ID3 tags of version {'.'.join(map(str, file.audio.id3))}" if file.audio.id3 else "has no ID3 tags"


def _wrong_title(use: FileReference, file: LocalFile) -> str:
    title = use.item.text("title") if use.item else ""
    if not file.audio or not file.audio.title or file.audio.title == title:
        return ""
    return f"has the title “{file.audio.title[:60]}” in its tags, but the feed has “{title[:60]}”"


def _wrong_integrity(use: FileReference, file: LocalFile) -> str:
    if not file.sha256:
        return ""
    expected = f"sha256-{b64encode(bytes.fromhex(file.sha256)).decode()}"
    declared = [child.get("value") for child in use.tag.children if child.name == "podcast:integrity" and child.get("type") == "sri"]
    return "does not match the digest in the feed" if any(value.startswith("sha256-") and value != expected for value in declared) else ""


def _invalid_content(_: FileReference, file: LocalFile) -> str:
    return file.error


_BUILD_HINT = "run causerie build"

RULES = (
    Rule("Apple", "cover-format", ERROR, "cover", _ARTWORK, _not_an_image, "export it again as JPEG"),
    Rule("Apple", "cover-square", ERROR, "cover", _ARTWORK, _not_square, "crop it to a square"),
    Rule("Apple", "cover-size", ERROR, "cover", _ARTWORK, _wrong_size, "make it 1400 to 3000 pixels a side, 3000 at best"),
    Rule("Apple", "cover-largest", ADVICE, "cover", _ARTWORK, _below_preferred_size, "Apple prefers 3000 pixels a side"),
    Rule("Apple", "cover-colour", ERROR, "cover", _ARTWORK, _not_rgb, "export it again in RGB"),
    Rule("Apple", "cover-alpha", ADVICE, "cover", _ARTWORK, _has_alpha, "export it again without transparency"),
    Rule(
        "Apple", "cover-extension", ERROR, "cover", f"{HOSTING}, Artwork", _wrong_extension, "use the extension of its format, .jpg or .png"
    ),
    Rule("Apple", "audio-bytes", ERROR, "audio", f"{EPISODE_TAGS}, enclosure", _wrong_length, _BUILD_HINT),
    Rule("Apple", "audio-type", ERROR, "audio", f"{EPISODE_TAGS}, enclosure", _wrong_type, _BUILD_HINT),
    Rule("Apple", "audio-duration", ERROR, "audio", f"{EPISODE_TAGS}, itunes:duration", _wrong_duration, _BUILD_HINT),
    Rule(
        "Apple",
        "audio-constant",
        ADVICE,
        "audio",
        f"{_AUDIO}; seeking in VBR is a guess (marco.org, 2016/08)",
        _variable_bit_rate,
        "encode it at a constant rate",
    ),
    Rule(
        "Apple",
        "audio-info",
        ADVICE,
        "audio",
        "LAME, Mp3 Info Tag revision 1",
        _no_info_header,
        "encode it again: players read the exact length from it",
    ),
    Rule("Apple", "audio-least-rate", ERROR, "audio", f"{_AUDIO}, MP3", _below_min_kbps, "raise mp3_kbps in show.toml"),
    Rule(
        "Apple",
        "audio-advised-rate",
        ADVICE,
        "audio",
        f"{_AUDIO}, MP3",
        _below_advised_kbps,
        "Apple advises 96 kb/s for mono and 128 for stereo: mp3_kbps",
    ),
    Rule("Apple", "audio-sample-rate", ADVICE, "audio", f"{_AUDIO}, MP3", _unusual_sample_rate, "encode it at 44100 or 48000 Hz"),
    Rule(
        "Apple",
        "audio-id3",
        ADVICE,
        "audio",
        "ID3v2.3 (id3.org): the version that every player reads",
        _wrong_id3_version,
        "tag it in version 2.3",
    ),
    Rule("Apple", "audio-title", ADVICE, "audio", "ID3v2.3, 4.2.1 TIT2 (id3.org)", _wrong_title, _BUILD_HINT),
    Rule("Podcast Index", "alternate-bytes", ERROR, "alternate", f"{_DOCS}/alternate-enclosure.md", _wrong_length, _BUILD_HINT),
    Rule("Podcast Index", "alternate-type", ERROR, "alternate", f"{_DOCS}/alternate-enclosure.md", _wrong_type, _BUILD_HINT),
    Rule("Podcast Index", "alternate-integrity", ERROR, "alternate", f"{_DOCS}/integrity.md", _wrong_integrity, _BUILD_HINT),
    Rule(
        "Podcast Index",
        "transcript-content",
        ERROR,
        "transcript",
        f"{_DOCS}/transcript.md; WebVTT (W3C)",
        _invalid_content,
        "fix the transcript and run causerie build",
    ),
    Rule(
        "Podcast Index",
        "chapters-content",
        ERROR,
        "chapters",
        "podcast-namespace, jsonChapters.md 1.2",
        _invalid_content,
        "fix the chapters in episode.toml and run causerie build",
    ),
)
