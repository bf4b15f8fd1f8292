"""What a guide plays, as sound: times, names, and a zip that opens anywhere."""

import io
import re
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from mutagen.id3 import ID3

from pipeline.audio.analysis import analyse
from pipeline.audio.level_profile import save_profiles
from pipeline.engine.files import write_json
from pipeline.guide.clips import PADDING_AFTER_S, PADDING_BEFORE_S, GuideClip, clip_list, find_clips, write_guide_clips
from pipeline.guide.document import parse_guide
from pipeline.guide.view_model import GuideContext, build_view
from pipeline.model.errors import CauserieError
from pipeline.model.transcript import TimedTranscript
from pipeline.transcript.timed_json import write_timed
from tests.support.audio_tools import speech_like_noise, write
from tests.support.guide_sample import EPISODE, GUIDE, GUIDES, SHOW, SLUG, said, sample

RATE_HZ = 24_000
WHERE = f"guides/{SLUG}.md"
TWO = "## Extraits à réécouter\n\n> Je connais les prénoms, les enfants, et même les chiens.\n\n> j'ai attendu deux heures\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The sample's first episode, said by noise."""
    folder, timed = tmp_path_factory.mktemp("guide"), sample()
    master = write(folder / "master.flac", speech_like_noise(timed.duration_s, rate_hz=RATE_HZ), rate_hz=RATE_HZ)
    profile = analyse(master, [], RATE_HZ, 1).profile
    save_profiles(folder / "levels.npz", master=profile, before=profile)
    write_json(folder / "encoded.json", {"gain_db": 3.0, "limit_dbtp": None, "softer": []})
    write_timed(folder / "timed.json", timed)
    return folder


def zipped(folder, text, name="clips.zip"):
    (folder / "guide.md").write_text(text, encoding="utf-8")
    inputs = (folder / each for each in ("master.flac", "levels.npz", "encoded.json", "guide.md", "timed.json"))
    write_guide_clips(*inputs, clips=folder / name, slug=SLUG, kbps=64, show="Le guichet", episode="La file")
    return zipfile.ZipFile(folder / name)


def test_each_quote_is_a_file_as_long_as_what_the_guide_plays(folder):
    archive = zipped(folder, TWO)
    wanted = find_clips(parse_guide(TWO, WHERE), sample(), WHERE)
    assert archive.testzip() is None and archive.namelist() == [*(one.file_name for one in wanted), "lisez-moi.txt"]
    for one in wanted:
        data = io.BytesIO(archive.read(one.file_name))
        sound, rate_hz = soundfile.read(data)
        first = round(one.start_s * rate_hz)
        assert rate_hz == RATE_HZ and len(sound) == round((one.end_s - one.start_s) * rate_hz) and first > 0
        assert np.std(sound) > 0.01
        data.seek(0)
        assert str(ID3(data)["TIT2"]).startswith(" ".join(one.quote.split()[:5]))


def test_the_zip_is_the_same_bytes_twice_and_stored(folder):
    archive = zipped(folder, TWO)
    zipped(folder, TWO, "again.zip")
    assert (folder / "clips.zip").read_bytes() == (folder / "again.zip").read_bytes()
    assert all(entry.compress_type == zipfile.ZIP_STORED and entry.date_time[0] == 1980 for entry in archive.infolist())


def test_the_quotes_of_the_sample_are_found_where_they_are_said():
    found = find_clips(parse_guide(GUIDE.read_text(encoding="utf-8"), WHERE), sample(), WHERE)
    assert len(found) == 4
    for one in found:
        words = [word for turn in sample().turns for word in turn.words if one.start_s <= word.start_s and word.end_s <= one.end_s]
        assert one.quote in " ".join(word.text for word in words)
        assert one.start_s == pytest.approx(words[0].start_s - PADDING_BEFORE_S) and one.end_s == pytest.approx(
            words[-1].end_s + PADDING_AFTER_S
        )


def test_the_list_gives_the_times_that_the_guide_prints():
    guide = parse_guide(GUIDE.read_text(encoding="utf-8"), WHERE)
    text = clip_list(find_clips(guide, sample(), WHERE), "fr")
    printed = [f"{clip['start']}–{clip['end']}" for clip in build_view(guide, GuideContext(SHOW, EPISODE, GUIDES, sample(), ()))["clips"]]
    assert len(printed) == 4 and re.findall(r"^\d\d  (\S+)", text, re.M) == printed


def test_the_list_says_that_a_start_is_estimated():
    assert "01  0:31–0:45 (début estimé" in clip_list((GuideClip(1, "Oui.", "Nora", 30.9, 44.9, (31, 45), True),), "fr")


def test_the_list_tells_times_voices_and_words():
    quote = "Je connais les prénoms, les enfants, et même les chiens."
    text = clip_list(
        (GuideClip(1, quote, "Guichetière", 30.9, 44.9, (31, 45)), GuideClip(2, "Vraiment\x1b[2J ?", "Élo", None, None)), "fr", "La file"
    )
    assert text.splitlines() == [
        "La file — Extraits à réécouter",
        "",
        "01  0:31–0:45  Guichetière",
        f"    «\u202f{quote}\u202f»",
        "",
        "02  sans minutage : pas de fichier  Élo",
        "    «\u202fVraiment?[2J\u202f?\u202f»",
    ]


def test_a_quote_that_nothing_placed_is_listed_without_a_file(folder):
    timed = TimedTranscript(20.0, "en", (said("nobody knows when this was said", "Nora", start_s=None),))
    write_timed(folder / "timed.json", timed)
    archive = zipped(folder, "## Extraits à réécouter\n\n> nobody knows\n")
    write_timed(folder / "timed.json", sample())
    assert archive.namelist() == ["readme.txt"] and "not placed" in archive.read("readme.txt").decode()


def test_a_quote_that_is_not_said_is_named(folder):
    with pytest.raises(CauserieError, match=rf"{WHERE}:3: the quote “jamais dit” is not in the transcript"):
        zipped(folder, "## Extraits à réécouter\n\n> jamais dit\n")


@pytest.mark.parametrize(
    ("voices", "start_s", "name"),
    [
        ("Nora", 31.7, "03 0m31 Nora.mp3"),
        ("Élodie Cœur, M. O’Neil", 3723.0, "03 1h02m03 Elodie Coeur M O Neil.mp3"),
        ("../../etc\\CON:?*\x00", 5.0, "03 0m05 etc CON.mp3"),
        ("声", 65.0, "03 1m05.mp3"),
    ],
)
def test_names_are_plain(voices, start_s, name):
    assert GuideClip(3, "", voices, start_s, start_s + 1).file_name == name


@given(st.text(max_size=80), st.floats(0, 90_000))
def test_no_voice_makes_a_name_that_a_system_refuses(voices, start_s):
    name = GuideClip(12, "", voices, start_s, None).file_name
    assert re.fullmatch(r"[A-Za-z0-9 -]{1,60}\.mp3", name) and " .mp3" not in name


def test_equal_names_of_voices_do_not_make_equal_files():
    one = GuideClip(1, "", "Nora", 31.0, 40.0)
    assert one.file_name != replace(one, number=2).file_name
