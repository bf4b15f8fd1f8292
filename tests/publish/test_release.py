"""The release of an episode, and which covers are rejected."""

from __future__ import annotations

import hashlib
import struct
import subprocess
import zlib
from pathlib import Path

import imageio_ffmpeg
import pytest

from pipeline.model.errors import CauserieError
from pipeline.model.images import image_size
from pipeline.publish.release import MEDIA_TYPES, read_release, release_cover, release_episode

COVER = Path(__file__).parents[2] / "episodes" / "cover.jpg"


@pytest.fixture(scope="module")
def mp3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a tone."""
    path = tmp_path_factory.mktemp("sound") / "tone.mp3"
    sound = ["-f", "lavfi", "-i", "sine=duration=2:sample_rate=44100", "-c:a", "libmp3lame", "-b:a", "64k"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *sound, str(path)], check=True)
    return path


def released(tmp_path: Path, mp3: Path) -> Path:
    """The release of an episode with an MP3, a transcript, chapters and a guide."""
    (tmp_path / "kept.vtt").write_text("WEBVTT\n", "utf-8")
    (tmp_path / "made.json").write_text("{}", "utf-8")
    files = {"audio": mp3, "transcript_vtt": tmp_path / "kept.vtt", "chapters": tmp_path / "made.json", "guide_facilitator_pdf": mp3}
    sources = {
        "audio": "episodes/la-file/la-file.mp3",
        "transcript_vtt": "transcripts/la-file.vtt",
        "chapters": "feeds/la-file.chapters.json",
        "guide_facilitator_pdf": "guides/la-file.facilitator.pdf",
    }
    release_episode(release=tmp_path / "release.json", slug="la-file", sources=sources, **files)
    return tmp_path / "release.json"


def png(width_px: int, height_px: int) -> bytes:
    """A black PNG of that size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes((3 * width_px + 1) * height_px), 1)) + chunk(b"IEND", b"")


def test_an_address_changes_with_the_content_except_a_guides(tmp_path: Path, mp3: Path) -> None:
    release = read_release(released(tmp_path, mp3))
    digest = hashlib.sha256(mp3.read_bytes()).hexdigest()
    assert release.file("audio").key == f"la-file/la-file-{digest[:10]}.mp3"
    assert release.file("transcript_vtt").key.startswith("la-file/transcript-") and release.file("transcript_vtt").key.endswith(".vtt")
    assert release.file("chapters").key.startswith("la-file/chapters-")
    assert release.file("guide_facilitator_pdf").key == "guides/la-file.facilitator.pdf"


def test_sizes_digests_types_and_duration_are_those_of_the_files(tmp_path: Path, mp3: Path) -> None:
    release = read_release(released(tmp_path, mp3))
    audio = release.file("audio")
    assert (audio.bytes, audio.type, audio.source) == (mp3.stat().st_size, "audio/mpeg", "episodes/la-file/la-file.mp3")
    assert release.file("chapters").type == "application/json+chapters"
    assert release.duration_s == pytest.approx(2.0, abs=0.06)
    assert release.duration_s == round(release.duration_s, 3)


def test_a_release_is_the_same_twice_wherever_the_files_lie(tmp_path: Path, mp3: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert released(tmp_path / "a", mp3).read_bytes() == released(tmp_path / "b", mp3).read_bytes()


def test_every_type_is_what_browsers_and_players_expect() -> None:
    assert MEDIA_TYPES[".html"] == "text/html; charset=utf-8"
    assert (MEDIA_TYPES[".vtt"], MEDIA_TYPES[".srt"], MEDIA_TYPES[".opus"]) == ("text/vtt", "application/x-subrip", "audio/ogg")


def test_an_audio_that_is_no_mp3_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.mp3").write_bytes(b"no sound at all")
    with pytest.raises(CauserieError, match=r"episodes/x/x\.mp3: is not a readable MP3"):
        release_episode(release=tmp_path / "r.json", slug="x", sources={"audio": "episodes/x/x.mp3"}, audio=tmp_path / "broken.mp3")


def test_the_sample_cover_is_published_under_its_digest(tmp_path: Path) -> None:
    release_cover(COVER, release=tmp_path / "release.json", source="episodes/cover.jpg")
    (cover,) = read_release(tmp_path / "release.json").files
    assert cover.key == f"cover-{hashlib.sha256(COVER.read_bytes()).hexdigest()[:10]}.jpg"
    assert (cover.role, cover.type, cover.bytes) == ("cover", "image/jpeg", COVER.stat().st_size)


def test_a_png_named_jpg_is_published_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "cover.jpg").write_bytes(png(1400, 1400))
    release_cover(tmp_path / "cover.jpg", release=tmp_path / "release.json", source="cover.jpg")
    (cover,) = read_release(tmp_path / "release.json").files
    assert cover.key.endswith(".png") and cover.type == "image/png"


def test_an_episodes_cover_is_published_beside_it_as_what_it_is(tmp_path: Path, mp3: Path) -> None:
    (tmp_path / "c.jpeg").write_bytes(COVER.read_bytes())
    sources = {"audio": "episodes/un/un.mp3", "cover": "episodes/un/c.jpeg"}
    release_episode(release=tmp_path / "r.json", slug="un", sources=sources, audio=mp3, cover=tmp_path / "c.jpeg")
    cover = read_release(tmp_path / "r.json").file("cover")
    assert cover.key == f"un/cover-{hashlib.sha256(COVER.read_bytes()).hexdigest()[:10]}.jpg"
    assert (cover.type, cover.width_px, cover.height_px) == ("image/jpeg", *image_size(COVER.read_bytes(), "x")[1:])
    (tmp_path / "c.jpeg").write_bytes(png(1400, 1401))
    with pytest.raises(CauserieError, match=r"episodes/un/c\.jpeg: is 1400 × 1401 pixels"):
        release_episode(release=tmp_path / "r.json", slug="un", sources=sources, audio=mp3, cover=tmp_path / "c.jpeg")


def test_other_pictures_of_a_show_may_have_any_shape_and_a_name_that_is_safe(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(png(1920, 1080))
    release_cover(COVER, (tmp_path / "x",), release=tmp_path / "r.json", source="cover.jpg", sources=("art/Bandeau d’été.jpg",))
    cover, picture = read_release(tmp_path / "r.json").files
    assert (cover.role, picture.role, picture.type) == ("cover", "image", "image/png")
    assert picture.key == f"bandeau-d-ete-{picture.sha256[:10]}.png" and (picture.width_px, picture.height_px) == (1920, 1080)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (png(1400, 1401), "1400 × 1401"),
        (png(1399, 1399), "1399 × 1399"),
        (png(3001, 3001), "3001 × 3001"),
        (b"GIF89a", "not a JPEG or PNG"),
        (b"\xff\xd8\xff\xe0\x00\x04ab", "not a JPEG or PNG"),
        (b"\xff\xd8" + b"\xff" * 40, "not a JPEG or PNG"),
        (b"", "not a JPEG or PNG"),
    ],
)
def test_a_cover_that_directories_refuse_is_refused_here_by_name(tmp_path: Path, data: bytes, problem: str) -> None:
    (tmp_path / "cover").write_bytes(data)
    with pytest.raises(CauserieError, match=problem) as caught:
        release_cover(tmp_path / "cover", release=tmp_path / "release.json", source="art/cover.jpg")
    assert caught.value.where == "art/cover.jpg" and caught.value.hint
    assert not (tmp_path / "release.json").exists()


def test_the_size_is_found_past_a_jpegs_other_segments(tmp_path: Path) -> None:
    for pixel_format in ("yuvj420p", "yuvj444p"):
        path = tmp_path / f"{pixel_format}.jpg"
        picture = ["-f", "lavfi", "-i", "color=red:size=1600x1500", "-frames:v", "1", "-pix_fmt", pixel_format]
        subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *picture, str(path)], check=True)
        assert image_size(path.read_bytes(), "x") == (".jpg", 1600, 1500)


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.99])
@pytest.mark.parametrize("form", ["jpg", "png"])
def test_a_cover_that_was_cut_is_refused_by_name(tmp_path: Path, form: str, kept: float) -> None:
    data = COVER.read_bytes() if form == "jpg" else png(1400, 1400)
    (tmp_path / "cover").write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(CauserieError, match="cannot be decoded whole") as caught:
        release_cover(tmp_path / "cover", release=tmp_path / "release.json", source="art/cover.jpg")
    assert caught.value.where == "art/cover.jpg" and caught.value.hint


def test_a_cover_with_a_hole_in_its_middle_is_refused(tmp_path: Path) -> None:
    data = bytearray(COVER.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = bytes(byte ^ 0x5A for byte in data[middle : middle + 300])
    (tmp_path / "cover").write_bytes(data)
    with pytest.raises(CauserieError, match="cannot be decoded whole"):
        release_cover(tmp_path / "cover", release=tmp_path / "release.json", source="cover.jpg")
