"""Write tags and chapters: ID3v2.3 for MP3, atoms for M4A, Vorbis comments for Opus. The audio data is not changed."""

from __future__ import annotations

import re
import shutil
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from pipeline.audio import ffmpeg
from pipeline.engine import read_json, sha256
from pipeline.model import HASH_DIGITS, CauserieError, Credit, EpisodeInfo, ShowInfo, format_timestamp, role_label

# ISO 639-1 to 639-2/T, as ID3 requires; "und" stands for any other language
ISO639_2_CODES = {
    "ar": "ara", "br": "bre", "ca": "cat", "co": "cos", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng",
    "es": "spa", "eu": "eus", "fi": "fin", "fr": "fra", "he": "heb", "it": "ita", "ja": "jpn", "nl": "nld", "no": "nor",
    "oc": "oci", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "sv": "swe", "tr": "tur", "uk": "ukr", "zh": "zho",
}  # fmt: skip
_HOST_ROLES = ("Host", "Co-Host", "Guest Host")
_COMPOSER_ROLES = ("Composer", "Theme Music", "Music Production", "Songwriter")
_AUTHOR_ROLES = ("Author", "Co-Writer", "Writer", "Guest Writer")
_IMAGE_SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n": "image/png"}
_UTF8 = 3  # in a version 2.3 tag mutagen writes UTF-16 with a byte order mark instead
MAX_ID3_CHAPTERS = 255  # CTOC counts chapters in one byte
_STIK_PODCAST = 21  # stik: the media kind for Apple's players
_MAX_DESC_BYTES = 255  # of desc; players cut longer ones, in the middle of a character
# Copy the audio without any metadata but the chapters; creation dates would make the file differ each time
_REMUX_ARGUMENTS = ("-c", "copy", "-map_metadata:g", "-1", "-bitexact", "-fflags", "+bitexact", "-movflags", "+faststart", "-f", "ipod")
_CONTROL_CHARS = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")  # NUL would end a text, the others have no meaning in one


class ChapterRow(TypedDict):
    """An entry of `chapters.json` (Podcasting 2.0, JSON chapters 1.2)."""

    startTime: float  # seconds
    title: str
    url: NotRequired[str]
    img: NotRequired[str]


TimedChapter = tuple[int, int, ChapterRow]  # start and end, milliseconds


def tag_mp3(
    audio: Path, cover: Path, chapters: Path, images: tuple[Path, ...] = (), *, tagged: Path, show: ShowInfo, episode: EpisodeInfo
) -> None:
    """Copy the MP3 with one ID3v2.3 tag at its start: titles, credits, cover, chapters and chapter images.

    Raises `CauserieError` when the MP3 or an image cannot be read.
    """
    mutagen = _mutagen()
    shutil.copyfile(audio, tagged)
    try:
        mutagen.id3.delete(tagged, delete_v1=True, delete_v2=True)
        duration_s = mutagen.mp3.MP3(tagged).info.length
    except mutagen.MutagenError as error:
        raise CauserieError("is not a readable MP3 file", audio.name, "delete it and build again") from error
    tags = mutagen.id3.ID3()
    heading = "Chapitres" if show.language.startswith("fr") else "Chapters"
    chapter_frames = _chapter_frames(_read_chapters(chapters), duration_s, heading, {sha256(path)[:HASH_DIGITS]: path for path in images})
    for frame in (*_text_frames(show, episode), *_url_frames(show, episode), _picture_frame(cover), *chapter_frames):
        tags.add(frame)
    tags.update_to_v23()  # the frames above are 2.3 already; mutagen would otherwise save 2.4 frames unchanged in a 2.3 tag
    tags.save(tagged, v1=0, v2_version=3, padding=lambda info: 0)
    _sort_chapter_frames(tagged)


def tag_opus(audio: Path, chapters: Path, *, tagged: Path, show: ShowInfo, episode: EpisodeInfo) -> None:
    """Copy the Opus file with Vorbis comments, including chapters. Raises `CauserieError` when it cannot be read."""
    mutagen = _mutagen()
    shutil.copyfile(audio, tagged)
    try:
        file = mutagen.oggopus.OggOpus(tagged)
    except mutagen.MutagenError as error:
        raise CauserieError("is not a readable Opus file", audio.name, "delete it and build again") from error
    file.tags.clear()
    for name, value in _vorbis_comments(show, episode, _read_chapters(chapters)):
        if value:
            file.tags.append((name, _strip_controls(value)))
    file.save(padding=lambda info: 0)


def tag_m4a(audio: Path, chapters: Path, cover: Path, *, tagged: Path, show: ShowInfo, episode: EpisodeInfo) -> None:
    """Copy the M4A with iTunes atoms, and chapters both as a text track (Apple) and as Nero's `chpl` (others).

    Raises `CauserieError` when the M4A or the cover cannot be read.
    """
    mutagen = _mutagen()
    try:
        timed_chapters = _chapter_spans(_read_chapters(chapters), mutagen.mp4.MP4(audio).info.length)
        _remux(audio, tagged, timed_chapters)
        file = mutagen.mp4.MP4(tagged)
    except mutagen.MutagenError as error:
        raise CauserieError("is not a readable M4A file", audio.name, "delete it and build again") from error
    file.tags.clear()
    file.tags.update({name: value for name, value in _mp4_atoms(show, episode, cover).items() if value})
    file.save(padding=lambda info: 0)


def iso639_2(language: str) -> str:
    """Return the ISO 639-2/T code of a language: `fr` and `fr-FR` give `fra`, an unknown one `und`."""
    return ISO639_2_CODES.get(language[:2].lower(), "und")


def _mutagen() -> Any:
    """Import mutagen and the formats used here. `Any`, as are its frames below, because mutagen's functions have no types."""
    import mutagen.id3
    import mutagen.mp3
    import mutagen.mp4
    import mutagen.oggopus

    return mutagen


def _text_values(show: ShowInfo, episode: EpisodeInfo) -> dict[str, str]:
    """Return the values of ID3v2.3 text frames by name; empty ones are not written.

    The date is split into its 2.3 frames here: when converting a TDRC, mutagen omits the time at every full hour.
    """
    published = episode.published
    return {
        "TIT2": episode.title,
        "TALB": show.title,
        "TRCK": str(episode.number or ""),
        "TPOS": str(episode.season or ""),
        "TPE1": _joined_names(episode.credits, _HOST_ROLES) or show.author,
        "TPE2": show.author,
        "TCON": "Podcast",
        "TYER": f"{published:%Y}",
        "TDAT": f"{published:%d%m}",
        "TIME": f"{published:%H%M}",
        "TLAN": iso639_2(show.language),
        "TCOP": f"{published:%Y} {show.copyright}" if show.copyright else "",
        "TCOM": _joined_names(episode.credits, _COMPOSER_ROLES),
        "TEXT": _joined_names(episode.credits, _AUTHOR_ROLES),
        "TPUB": show.author,
        "TDES": episode.summary,
        "TGID": episode.guid,
    }


def _text_frames(show: ShowInfo, episode: EpisodeInfo) -> list[Any]:
    id3 = _mutagen().id3
    frames = [
        getattr(id3, name)(encoding=_UTF8, text=[_strip_controls(text)]) for name, text in _text_values(show, episode).items() if text
    ]
    credits = [
        [_strip_controls(role_label(credit.role, credit.group, show.language)), _strip_controls(credit.person.name)]
        for credit in episode.credits
    ]
    if credits:
        frames.append(id3.IPLS(encoding=_UTF8, people=credits))
    about = _strip_controls(episode.description or episode.summary)
    return [*frames, id3.COMM(encoding=_UTF8, lang=iso639_2(show.language), desc="", text=[about]), id3.PCST(value=1)]


def _url_frames(show: ShowInfo, episode: EpisodeInfo) -> list[Any]:
    id3 = _mutagen().id3
    return [id3.WOAF(url=f"{show.website}{episode.slug}/"), id3.WORS(url=show.website)]


def _picture_frame(cover: Path) -> Any:
    """Return an image as an APIC frame, unchanged. A large one delays playback; reducing it is left to the user."""
    id3 = _mutagen().id3
    data = cover.read_bytes()
    mime_type = next((kind for start, kind in _IMAGE_SIGNATURES.items() if data.startswith(start)), "")
    if not mime_type:
        raise CauserieError("is not a JPEG or PNG image", cover.name, "export the cover again as JPEG")
    return id3.APIC(encoding=0, mime=mime_type, type=id3.PictureType.COVER_FRONT, desc="", data=data)


def _chapter_frames(chapters: list[ChapterRow], duration_s: float, heading: str, pictures: dict[str, Path]) -> list[Any]:
    """Return CHAP frames without gaps, in milliseconds, and their CTOC (id3v2-chapters-1.0): the first `MAX_ID3_CHAPTERS`.

    The CTOC has a title because some players ignore it without one.
    """
    id3 = _mutagen().id3
    frames = [
        id3.CHAP(element_id=f"chp{i}", start_time=start, end_time=end, sub_frames=_chapter_sub_frames(mark, pictures))
        for i, (start, end, mark) in enumerate(_chapter_spans(chapters, duration_s)[:MAX_ID3_CHAPTERS])
    ]
    flags = id3.CTOCFlags.TOP_LEVEL | id3.CTOCFlags.ORDERED
    title = id3.TIT2(encoding=_UTF8, text=[heading])
    contents = id3.CTOC(element_id="toc", flags=flags, child_element_ids=[frame.element_id for frame in frames], sub_frames=[title])
    return [*frames, contents] if frames else []


def _sort_chapter_frames(tagged: Path) -> None:
    """Rewrite the CHAP frames of an ID3v2.3 tag in time order: mutagen sorts frames by size, and FFmpeg reads chapters in file order."""
    with tagged.open("r+b") as file:
        size = sum((byte & 0x7F) << shift for byte, shift in zip(file.read(10)[6:], (21, 14, 7, 0), strict=True))
        body, frames, at = file.read(size), [], 0
        while at < size:
            end = at + 10 + int.from_bytes(body[at + 4 : at + 8], "big")
            frames.append(body[at:end])
            at = end
        starts = {frame: int.from_bytes(frame[10:].partition(b"\0")[2][:4], "big") for frame in frames if frame.startswith(b"CHAP")}
        in_time = iter(sorted(starts, key=starts.__getitem__))
        file.seek(10)
        file.write(b"".join(next(in_time) if frame in starts else frame for frame in frames))


def _chapter_sub_frames(chapter: ChapterRow, pictures: dict[str, Path]) -> list[Any]:
    """Return the title, link and image of a chapter; the image is identified by the digest prefix in its URL."""
    id3 = _mutagen().id3
    images = [_picture_frame(path) for digest, path in pictures.items() if f"-{digest}." in chapter.get("img", "")]
    link = [id3.WXXX(encoding=_UTF8, desc="", url=chapter["url"])] if chapter.get("url") else []
    return [id3.TIT2(encoding=_UTF8, text=[_strip_controls(chapter["title"])]), *link, *images]


def _mp4_atoms(show: ShowInfo, episode: EpisodeInfo, cover: Path) -> dict[str, Any]:
    """Return iTunes atoms by name; empty ones are not written. Credits are freeform atoms, one per role, with one value per person."""
    mp4, picture = _mutagen().mp4, _picture_frame(cover)
    kind = mp4.MP4Cover.FORMAT_PNG if picture.mime == "image/png" else mp4.MP4Cover.FORMAT_JPEG
    people: dict[str, list[Any]] = {}
    for credit in episode.credits:
        people.setdefault(f"----:com.apple.iTunes:{credit.role.upper()}", []).append(
            mp4.MP4FreeForm(_strip_controls(credit.person.name).encode())
        )
    values = _text_values(show, episode)
    text_atoms = {
        "\xa9nam": "TIT2",
        "\xa9ART": "TPE1",
        "aART": "TPE2",
        "\xa9alb": "TALB",
        "\xa9gen": "TCON",
        "\xa9wrt": "TCOM",
        "cprt": "TCOP",
    }
    texts = {
        **{atom: values[frame] for atom, frame in text_atoms.items()},
        "\xa9day": f"{episode.published:%Y-%m-%d}",
        "desc": episode.summary.encode()[:_MAX_DESC_BYTES].decode(errors="ignore"),
        "ldes": episode.description or episode.summary,
        "egid": episode.guid,
        "purl": show.website + show.feed_key if show.feed_key else "",
    }
    return {
        **{name: [_strip_controls(text)] for name, text in texts.items() if text},
        "trkn": [(episode.number, 0)] if episode.number else [],
        "disk": [(episode.season, 0)] if episode.season else [],
        "stik": [_STIK_PODCAST],
        "pcst": True,
        "covr": [mp4.MP4Cover(picture.data, kind)],
        **people,
    }


def _remux(audio: Path, tagged: Path, timed_chapters: list[TimedChapter]) -> None:
    """Copy the packets to a new file with those chapters. FFmpeg writes the text track, which mutagen cannot."""
    entries = [
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={_escape_ffmetadata(mark['title'])}\n"
        for start, end, mark in timed_chapters
    ]
    with tempfile.TemporaryDirectory() as folder:
        metadata_file = Path(folder) / "chapters.txt"
        metadata_file.write_text(";FFMETADATA1\n" + "".join(entries), encoding="utf-8")
        chapter_arguments = (
            ["-f", "ffmetadata", "-i", ffmpeg.file_url(metadata_file), "-map_chapters", "1"] if entries else ["-map_chapters", "-1"]
        )
        ffmpeg.run([*ffmpeg.input_arguments(audio), *chapter_arguments, "-map", "0:a", *_REMUX_ARGUMENTS, ffmpeg.file_url(tagged)])


def _escape_ffmetadata(title: str) -> str:
    """Escape a title for FFmpeg's metadata format: one line, which must not end in a backslash, because that would join the next line."""
    line = re.sub("[ \t\r\n]+", " ", _strip_controls(title)).strip()  # not `split()`, to keep French no-break spaces
    return re.sub(r"([=;#\\])", r"\\\1", line) + (" " if line.endswith("\\") else "")


def _vorbis_comments(show: ShowInfo, episode: EpisodeInfo, marks: list[ChapterRow]) -> list[tuple[str, str]]:
    """Return Vorbis comments; a name is repeated for each person."""
    chapters = []
    for i, mark in enumerate(marks, 1):
        chapters += [(f"CHAPTER{i:03}", format_timestamp(mark["startTime"])), (f"CHAPTER{i:03}NAME", mark["title"])]
        chapters += [(f"CHAPTER{i:03}URL", mark.get("url", ""))]
    return [
        ("TITLE", episode.title),
        ("ALBUM", show.title),
        *(("ARTIST", name) for name in _names_in_roles(episode.credits, _HOST_ROLES) or (show.author,)),
        ("ALBUMARTIST", show.author),
        *(("COMPOSER", name) for name in _names_in_roles(episode.credits, _COMPOSER_ROLES)),
        ("TRACKNUMBER", str(episode.number or "")),
        ("DISCNUMBER", str(episode.season or "")),
        ("DATE", f"{episode.published:%Y-%m-%d}"),
        ("GENRE", "Podcast"),
        ("LANGUAGE", iso639_2(show.language)),
        ("COPYRIGHT", f"{episode.published:%Y} {show.copyright}" if show.copyright else ""),
        ("LICENSE", show.license),
        ("ORGANIZATION", show.author),
        *(("PERFORMER", f"{credit.person.name} ({role_label(credit.role, credit.group, show.language)})") for credit in episode.credits),
        ("DESCRIPTION", episode.description or episode.summary),
        *chapters,
    ]


def _read_chapters(chapters: Path) -> list[ChapterRow]:
    """Read the entries of a `chapters.json`; starts are in seconds, to the millisecond."""
    entries: list[ChapterRow] = read_json(chapters)["chapters"]
    return entries


def _chapter_spans(chapters: list[ChapterRow], duration_s: float) -> list[TimedChapter]:
    """Return chapters from 0 to the end without gaps: start and end in milliseconds, and the entry."""
    chapters = [mark for mark in chapters if mark["startTime"] < duration_s]
    bounds_ms = [round(mark["startTime"] * 1000) for mark in chapters] + [round(duration_s * 1000)]
    return [(start, end, mark) for mark, (start, end) in zip(chapters, pairwise(bounds_ms), strict=True)]


def _joined_names(credits: tuple[Credit, ...], roles: tuple[str, ...]) -> str:
    return ", ".join(_names_in_roles(credits, roles))


def _names_in_roles(credits: tuple[Credit, ...], roles: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of people in those roles, each once."""
    return tuple(dict.fromkeys(credit.person.name for credit in credits if credit.role in roles))


def _strip_controls(text: str) -> str:
    return _CONTROL_CHARS.sub("", text)
