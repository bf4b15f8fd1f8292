"""Tags and chapters, read back by mutagen and by FFmpeg."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import imageio_ffmpeg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutagen.id3 import ID3
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4, MP4Cover
from mutagen.oggopus import OggOpus

from pipeline.audio.tags import MAX_ID3_CHAPTERS, iso639_2, tag_m4a, tag_mp3, tag_opus
from pipeline.engine.files import write_json
from pipeline.model.errors import CauserieError
from pipeline.model.show import Chapter, Credit, EpisodeInfo, Person, ShowInfo
from pipeline.transcript.chapters import chapters_to_json

pytestmark = pytest.mark.slow

COVER = Path(__file__).parents[2] / "episodes" / "cover.jpg"
NORA, MALIK = Person("nora", "Nora Belkacem"), Person("malik", "Malik Sørensen")
SHOW = ShowInfo("Demain, le guichet", "…", "Mission prospective", "https://example.org/guichet/", copyright="Ville d’Orvalle")
EPISODE = EpisodeInfo(
    slug="la-file",
    title="La file d’attente — «\u202foù\u202f?\u202f»",
    summary="Nous prenons un ticket.",
    published=datetime(2026, 1, 15, 19, 0, tzinfo=UTC),
    number=3,
    season=2,
    credits=(Credit(NORA, "Host", "Cast"), Credit(MALIK, "Co-Host", "Cast"), Credit(MALIK, "Composer", "Audio Post-Production")),
    guid="8e8487b8-6deb-50c5-8a71-3de42579304c",
)
MARKS = (Chapter(0, "Ouverture"), Chapter(20, "L’archive, un titre plus long que les autres", "https://example.org/a"), Chapter(40, "Fin"))


def ffmpeg(*arguments: str) -> bytes:
    """What FFmpeg writes to its standard output."""
    return subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *arguments], check=True, capture_output=True).stdout


def ffmpeg_log(path: Path) -> bytes:
    """What FFmpeg says of a file."""
    return subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path)], check=False, capture_output=True).stderr


def sound_of(path: Path) -> bytes:
    """The digest of the encoded sound, its packets as they are."""
    return ffmpeg("-i", str(path), "-map", "0:a", "-c", "copy", "-f", "md5", "-")


def read_chapters(path: Path) -> list[tuple[float, float, str]]:
    """Start, end and title of each chapter as FFmpeg understands the file, in time order, seconds."""
    found = re.findall(
        r"TIMEBASE=(\d+)/(\d+)\nSTART=(\d+)\nEND=(\d+)\n(?:title=(.*))?", ffmpeg("-i", str(path), "-f", "ffmetadata", "-").decode()
    )
    return sorted((int(start) * int(up) / int(down), int(end) * int(up) / int(down), title) for up, down, start, end, title in found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of a tone as MP3, M4A and Opus, with what FFmpeg writes into them, and chapters."""
    folder = tmp_path_factory.mktemp("tags")
    tone = ("-f", "lavfi", "-i", "sine=duration=60:sample_rate=48000", "-metadata", "title=old", "-metadata", "comment=left over")
    ffmpeg(*tone, "-c:a", "libmp3lame", "-b:a", "32k", "-write_id3v1", "1", str(folder / "raw.mp3"))
    ffmpeg(*tone, "-c:a", "aac", "-b:a", "32k", str(folder / "raw.m4a"))
    ffmpeg(*tone, "-c:a", "libopus", "-b:a", "24k", str(folder / "raw.opus"))
    write_json(folder / "chapters.json", chapters_to_json(MARKS))
    return folder


def mp3(folder: Path, episode: EpisodeInfo = EPISODE, name: str = "tagged.mp3") -> Path:
    """The MP3, tagged."""
    tag_mp3(folder / "raw.mp3", COVER, folder / "chapters.json", tagged=folder / name, show=SHOW, episode=episode)
    return folder / name


def opus(folder: Path, episode: EpisodeInfo = EPISODE, name: str = "tagged.opus") -> Path:
    """The Opus file, tagged."""
    tag_opus(folder / "raw.opus", folder / "chapters.json", tagged=folder / name, show=SHOW, episode=episode)
    return folder / name


def m4a(folder: Path, episode: EpisodeInfo = EPISODE, name: str = "tagged.m4a", chapters: str = "chapters.json") -> Path:
    """The M4A, tagged."""
    tag_m4a(folder / "raw.m4a", folder / chapters, COVER, tagged=folder / name, show=SHOW, episode=episode)
    return folder / name


def test_the_sound_is_not_touched(folder: Path) -> None:
    assert sound_of(mp3(folder)) == sound_of(folder / "raw.mp3")
    assert sound_of(opus(folder)) == sound_of(folder / "raw.opus")
    assert sound_of(m4a(folder)) == sound_of(folder / "raw.m4a")
    heard = [ffmpeg("-i", str(path), "-map", "0:a", "-f", "md5", "-") for path in (m4a(folder), folder / "raw.m4a")]
    assert heard[0] == heard[1]  # from its first sample to its last
    assert mp3(folder).read_bytes()[ID3(mp3(folder)).size :] in (folder / "raw.mp3").read_bytes()


def test_tagging_is_the_same_bytes_twice(folder: Path) -> None:
    assert mp3(folder).read_bytes() == mp3(folder, name="again.mp3").read_bytes()
    assert opus(folder).read_bytes() == opus(folder, name="again.opus").read_bytes()
    assert m4a(folder).read_bytes() == m4a(folder, name="again.m4a").read_bytes()


def test_there_is_one_tag_of_version_2_3_and_nothing_of_an_older_one(folder: Path) -> None:
    data = mp3(folder).read_bytes()
    tags = ID3(mp3(folder), translate=False)
    assert data[:5] == b"ID3\x03\x00" and b"TAG" not in data[-128:]
    assert tags.version == (2, 3, 0) and not tags.unknown_frames
    assert not {"TDRC", "TIPL", "TMCL", "TDRL", "TSSE"} & tags.keys()
    assert b"left over" not in data


def test_names_and_credits_are_where_players_look(folder: Path) -> None:
    tags = ID3(mp3(folder), translate=False)
    texts = {key: str(tags[key]) for key in tags if key.startswith("T")}
    assert texts == {
        "TIT2": EPISODE.title,
        "TALB": "Demain, le guichet",
        "TRCK": "3",
        "TPOS": "2",
        "TPE1": "Nora Belkacem, Malik Sørensen",
        "TPE2": "Mission prospective",
        "TCON": "Podcast",
        "TYER": "2026",
        "TDAT": "1501",
        "TIME": "1900",
        "TLAN": "fra",
        "TCOP": "2026 Ville d’Orvalle",
        "TCOM": "Malik Sørensen",
        "TGID": EPISODE.guid,
        "TPUB": "Mission prospective",
        "TDES": "Nous prenons un ticket.",
    }
    assert ["Composition", "Malik Sørensen"] in tags["IPLS"].people and len(tags["IPLS"].people) == 3
    assert str(tags["COMM::fra"]) == "Nous prenons un ticket."
    assert (tags["WOAF"].url, tags["WORS"].url) == ("https://example.org/guichet/la-file/", "https://example.org/guichet/")


def test_the_cover_is_the_file_as_it_is(folder: Path) -> None:
    picture = ID3(mp3(folder))["APIC:"]
    assert (picture.mime, picture.type, picture.data) == ("image/jpeg", 3, COVER.read_bytes())


def test_ffmpeg_finds_the_chapters_without_a_gap_to_the_end(folder: Path) -> None:
    bounds_s = [*(mark.start_s for mark in MARKS), MP3(mp3(folder)).info.length]
    for found in map(read_chapters, (mp3(folder), opus(folder), m4a(folder))):  # FFmpeg takes the MP3's 25 ms of delay off
        assert [title for _, _, title in found] == [mark.title for mark in MARKS]
        assert [start_s for start_s, _, _ in found] == pytest.approx(bounds_s[:-1], abs=0.03)
        assert [end_s for _, end_s, _ in found] == pytest.approx(bounds_s[1:], abs=0.06)


def test_the_chapters_of_an_mp3_lie_in_time_order_whatever_their_size(folder: Path) -> None:
    many = tuple(Chapter(2.0 * i, "x" * (1 + i * 7 % 11)) for i in range(25))
    write_json(folder / "many.json", chapters_to_json(many))
    tag_mp3(folder / "raw.mp3", COVER, folder / "many.json", tagged=folder / "many.mp3", show=SHOW, episode=EPISODE)
    starts = re.findall(r"START=(\d+)", ffmpeg("-i", str(folder / "many.mp3"), "-f", "ffmetadata", "-").decode())
    assert [int(start) for start in starts] == sorted(map(int, starts)) and len(starts) == 25
    assert len(ID3(folder / "many.mp3").getall("CHAP")) == 25 and sound_of(folder / "many.mp3") == sound_of(folder / "raw.mp3")


def test_the_table_of_contents_orders_the_chapters_and_has_a_title(folder: Path) -> None:
    tags = ID3(mp3(folder))
    (contents,) = tags.getall("CTOC")
    titles = [str(tags[f"CHAP:{name}"].sub_frames["TIT2"]) for name in contents.child_element_ids]
    assert titles == [mark.title for mark in MARKS]
    assert (int(contents.flags), str(contents.sub_frames["TIT2"])) == (3, "Chapitres")
    assert tags[f"CHAP:{contents.child_element_ids[1]}"].sub_frames["WXXX:"].url == "https://example.org/a"


def test_ffmpeg_reads_the_names_of_both(folder: Path) -> None:
    for path, where in ((mp3(folder), "0"), (opus(folder), "0:s:0")):
        found = ffmpeg("-i", str(path), "-map_metadata", where, "-f", "ffmetadata", "-").decode()
        assert (
            f"title={EPISODE.title}".lower() in found.lower() and "album=demain, le guichet" in found.lower()
        )  # Vorbis names are in capitals


def test_the_m4a_says_what_players_of_podcasts_look_for(folder: Path) -> None:
    tags = dict(MP4(m4a(folder)).tags)
    cover, *people = tags.pop("covr"), *(tags.pop(f"----:com.apple.iTunes:{role}") for role in ("HOST", "CO-HOST", "COMPOSER"))
    assert (bytes(cover[0]), cover[0].imageformat) == (COVER.read_bytes(), MP4Cover.FORMAT_JPEG)
    assert [[bytes(one).decode() for one in each] for each in people] == [["Nora Belkacem"], ["Malik Sørensen"], ["Malik Sørensen"]]
    assert tags == {
        "\xa9nam": [EPISODE.title],
        "\xa9ART": ["Nora Belkacem, Malik Sørensen"],
        "aART": ["Mission prospective"],
        "\xa9alb": ["Demain, le guichet"],
        "\xa9gen": ["Podcast"],
        "\xa9wrt": ["Malik Sørensen"],
        "\xa9day": ["2026-01-15"],
        "cprt": ["2026 Ville d’Orvalle"],
        "desc": ["Nous prenons un ticket."],
        "ldes": ["Nous prenons un ticket."],
        "egid": [EPISODE.guid],
        "purl": ["https://example.org/guichet/feed.xml"],
        "trkn": [(3, 0)],
        "disk": [(2, 0)],
        "stik": [21],
        "pcst": True,
    }


def test_the_m4a_begins_with_its_index_and_has_its_chapters_twice(folder: Path) -> None:
    data = m4a(folder).read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat") and b"left over" not in data
    assert [(mark.start, mark.title) for mark in MP4(m4a(folder)).chapters] == [(mark.start_s, mark.title) for mark in MARKS]
    assert b"Data: bin_data (text" in ffmpeg_log(m4a(folder))  # the track that Apple's players read


def test_an_m4a_without_chapters_or_with_hostile_ones(folder: Path) -> None:
    write_json(folder / "none.json", chapters_to_json(()))
    assert read_chapters(m4a(folder, name="bare.m4a", chapters="none.json")) == []
    titles = ("a=b;c#d\\", "[CHAPTER] START=0", "two\nlines", "x\\")
    write_json(folder / "hostile.json", chapters_to_json(tuple(Chapter(10.0 * i, title) for i, title in enumerate(titles))))
    found = MP4(m4a(folder, name="hostile.m4a", chapters="hostile.json")).chapters
    assert [mark.title.strip() for mark in found] == ["a=b;c#d\\", "[CHAPTER] START=0", "two lines", "x\\"]


def test_opus_has_a_comment_for_each_person_and_none_of_the_old_ones(folder: Path) -> None:
    comments = OggOpus(opus(folder)).tags
    assert comments["artist"] == ["Nora Belkacem", "Malik Sørensen"]
    assert comments["title"] == [EPISODE.title] and "comment" not in comments and "license" not in comments
    assert comments["chapter002"] == ["00:00:20.000"] and comments["chapter002url"] == ["https://example.org/a"]


def test_an_episode_of_which_little_is_known_is_tagged_with_that(folder: Path) -> None:
    bare = EpisodeInfo("x", "Titre", "", EPISODE.published)
    tags = ID3(mp3(folder, bare, "bare.mp3"), translate=False)
    assert not {"TRCK", "TPOS", "TCOM", "TGID", "IPLS", "TEXT", "TDES"} & tags.keys()
    assert str(tags["TPE1"]) == "Mission prospective"
    assert OggOpus(opus(folder, bare, "bare.opus")).tags["artist"] == ["Mission prospective"]


def test_languages_have_three_letters() -> None:
    assert [iso639_2(code) for code in ("fr", "en", "fr-FR", "xx")] == ["fra", "eng", "fra", "und"]


@pytest.mark.parametrize(
    "tag",
    [
        tag_opus,
        lambda audio, *rest, **more: tag_mp3(audio, COVER, *rest, **more),
        lambda audio, *rest, **more: tag_m4a(audio, *rest, COVER, **more),
    ],
)
def test_a_file_that_is_no_audio_is_named(folder: Path, tag: object) -> None:
    with pytest.raises(CauserieError, match=r"chapters\.json: is not a readable"):
        tag(folder / "chapters.json", folder / "chapters.json", tagged=folder / "no", show=SHOW, episode=EPISODE)


def test_a_cover_that_is_no_image_players_show_is_named(folder: Path) -> None:
    with pytest.raises(CauserieError, match=r"chapters\.json: is not a JPEG or PNG"):
        tag_mp3(folder / "raw.mp3", folder / "chapters.json", folder / "chapters.json", tagged=folder / "no", show=SHOW, episode=EPISODE)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30), st.sampled_from(["", "👩‍🚒", "\x00x", "\ud800", "שלום", "=;#\\"]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_title_comes_back_without_its_controls(folder: Path, title: str, more: str) -> None:
    episode = replace(EPISODE, title=f"T{title}{more}")
    kept = re.sub("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", "", episode.title)
    assert ID3(mp3(folder, episode, "any.mp3"))["TIT2"].text == [kept]
    assert OggOpus(opus(folder, episode, "any.opus"))["title"] == [kept]
    if title.isascii():  # a few are enough: each is a FFmpeg
        assert MP4(m4a(folder, episode, "any.m4a"))["\xa9nam"] == [kept]


def test_an_mp3_holds_255_chapters_and_the_last_ends_where_the_next_would_begin(folder: Path) -> None:
    marks = tuple(Chapter(0.2 * i, f"n° {i}") for i in range(270))
    write_json(folder / "270.json", chapters_to_json(marks))
    tag_mp3(folder / "raw.mp3", COVER, folder / "270.json", tagged=folder / "270.mp3", show=SHOW, episode=EPISODE)
    frames = sorted(ID3(folder / "270.mp3").getall("CHAP"), key=lambda frame: frame.start_time)
    assert len(frames) == MAX_ID3_CHAPTERS and (frames[-1].start_time, frames[-1].end_time) == (50_800, 51_000)
    found = read_chapters(m4a(folder, name="270.m4a", chapters="270.json"))
    assert len(found) == 270 and found[-1][1] == pytest.approx(60, abs=0.06)
