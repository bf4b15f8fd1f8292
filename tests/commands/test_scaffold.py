"""Creating a show and an episode; existing files are never overwritten."""

import os
import tomllib
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio.stream_info import AudioStream
from pipeline.commands.check import check_show
from pipeline.commands.console import Console
from pipeline.commands.pending import folders_left_out, pending_work
from pipeline.commands.publish import publish_show
from pipeline.commands.recordings import recording_advice
from pipeline.commands.scaffold import _text_name, create_episode, create_show, episode_toml
from pipeline.commands.workspace import load_show
from pipeline.config.loader import load_config
from pipeline.engine.file_cache import FileCache
from pipeline.feed.ledger import load_ledger, podcast_guid
from pipeline.model.errors import CauserieError
from pipeline.model.show import Chapter
from tests.conftest import REPOSITORY
from tests.support.audio_tools import silence, speech_like_noise, write

AT = datetime(2026, 1, 15, 19, 0, 42, tzinfo=timezone(timedelta(hours=1)))
RAW = REPOSITORY / "episodes/jingle-intro.flac"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_new_show_with_a_new_episode_has_no_mistake(tmp_path, language):
    create_show(tmp_path / "show", language)
    said = create_episode(tmp_path / "show", "01-premier-essai", [RAW], at=AT)
    (episode,) = load_config(tmp_path / "show").episodes
    assert (episode.info.title, episode.info.number) == ("Premier essai", 1)
    assert "0:05, 48000 Hz, stereo, flac" in said
    assert (tmp_path / "show/episodes/01-premier-essai" / RAW.name).read_bytes() == RAW.read_bytes()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_show_with_placeholders_has_no_guid_and_is_not_published(tmp_path, language):
    create_show(tmp_path, language)
    assert [problem.where for problem in check_show(tmp_path) if problem.level == "error"] == [
        f"show.toml: {key}" for key in ("title", "description", "author", "website")
    ]
    load_show(tmp_path, save_guids=True)
    assert not (tmp_path / "feeds/ledger.json").exists()
    with pytest.raises(CauserieError, match="show.toml: website: is still the placeholder of causerie init"):
        publish_show(tmp_path, at=AT, dry_run=False, prune=False, take_over=False, console=Console(quiet=True))


def test_its_guid_is_made_from_the_address_that_was_filled_in(tmp_path):
    create_show(tmp_path, "fr")
    text = (tmp_path / "show.toml").read_text().replace("https://podcast.example.org/ma-serie/", "https://balado.example/serie/")
    (tmp_path / "show.toml").write_text(text)
    load_show(tmp_path, save_guids=True)
    assert load_ledger(tmp_path / "feeds/ledger.json").guid == podcast_guid("https://balado.example/serie/feed.xml")


def test_a_second_episode_takes_the_next_number(tmp_path):
    create_show(tmp_path / "show", "fr")
    for slug in ("un", "deux"):
        create_episode(tmp_path / "show", slug, [RAW], at=AT)
    assert sorted(episode.info.number for episode in load_config(tmp_path / "show").episodes) == [1, 2]


def test_a_folder_that_is_not_empty_is_left_unchanged(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CauserieError, match="is not an empty folder; choose a new name; nothing was written"):
        create_show(tmp_path, "fr")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_existing_episode_is_left_unchanged(tmp_path):
    create_show(tmp_path / "show", "fr")
    create_episode(tmp_path / "show", "un", [RAW], at=AT)
    with pytest.raises(CauserieError, match="exists already"):
        create_episode(tmp_path / "show", "un", [RAW], at=AT)


def test_nothing_is_written_for_a_file_that_is_not_a_recording(tmp_path):
    create_show(tmp_path / "show", "fr")
    (tmp_path / "raw.wav").write_text("hello")
    with pytest.raises(CauserieError, match="raw.wav"):
        create_episode(tmp_path / "show", "un", [tmp_path / "raw.wav"], at=AT)
    assert not (tmp_path / "show/episodes/un").exists()


@pytest.mark.parametrize("slug", ["../out", "Été", "guides", ""])
def test_a_slug_that_would_escape_is_refused_with_one_that_would_not(tmp_path, slug):
    create_show(tmp_path / "show", "fr")
    with pytest.raises(CauserieError, match="cannot name|is a reserved name"):
        create_episode(tmp_path / "show", slug, [RAW], at=AT)
    assert not list(Path(tmp_path / "show/episodes").iterdir())


def test_two_recordings_of_one_name_are_refused(tmp_path):
    create_show(tmp_path / "show", "fr")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / RAW.name).write_bytes(RAW.read_bytes())
    with pytest.raises(CauserieError, match="two recordings have the same name"):
        create_episode(tmp_path / "show", "un", [RAW, tmp_path / "other" / RAW.name], at=AT)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=3))
def test_any_file_name_survives_toml(names):
    streams = (AudioStream(0, "aac", 48_000, 2, title=names[0]), AudioStream(1, "aac", 48_000, 1, language=names[-1]))
    read = tomllib.loads(episode_toml("un", 1, AT, "fr", dict.fromkeys(names, streams)))
    assert [recording["file"] for recording in read["recordings"]] == list(dict.fromkeys(names))
    assert all(recording["stream"] == 1 for recording in read["recordings"])
    assert read["published"] == AT.replace(second=0)


def two_sides(folder: Path, left: np.ndarray, right: np.ndarray) -> Path:
    return write(folder / "deux.wav", np.column_stack([left, right]))


TALK = np.concatenate([silence(1), speech_like_noise(4), silence(1), speech_like_noise(3, seed=2)])
HISS = np.random.default_rng(3).standard_normal(len(TALK)) / 400


@pytest.mark.parametrize("right", [0 * TALK, HISS], ids=["silence", "noise"])
def test_a_side_without_a_voice_is_told_and_the_other_chosen(tmp_path, right):
    create_show(tmp_path / "show", "fr")
    lines = create_episode(tmp_path / "show", "un", [two_sides(tmp_path, TALK, right)], at=AT)
    assert 'channel = "left"' in lines
    assert load_config(tmp_path / "show").episodes[0].mix.recordings[0].channel == "left"


def test_opposite_channels_and_voices_on_each_side_are_told_and_nothing_is_chosen(tmp_path):
    create_show(tmp_path / "show", "fr")
    assert "opposite phase" in create_episode(tmp_path / "show", "un", [two_sides(tmp_path, TALK, -TALK)], at=AT)
    other = np.concatenate([speech_like_noise(1), silence(4), speech_like_noise(1, seed=8), silence(3)])
    assert "voice on each side" in create_episode(tmp_path / "show", "deux-voix", [two_sides(tmp_path, TALK, other)], at=AT)
    assert not any(episode.mix.recordings[0].channel for episode in load_config(tmp_path / "show").episodes)


def test_check_gives_the_channels_of_a_recording_as_advice(tmp_path):
    create_show(tmp_path, "fr")
    create_episode(tmp_path, "un", [two_sides(tmp_path, TALK, -TALK)], at=AT)
    episode, cache = load_config(tmp_path).episodes[0], FileCache(tmp_path)
    (advice,) = recording_advice(tmp_path, episode, cache)
    assert advice.where == "episodes/un/episode.toml: recordings[1]" and "opposite phase" in advice.problem
    mono = replace(episode, mix=replace(episode.mix, recordings=(replace(episode.mix.recordings[0], channel="left"),)))
    assert list(recording_advice(tmp_path, mono, cache)) == []


LATIN_1 = "entrevue d\udcb4\udce9t\udce9.flac"  # bytes of an old disk, as Python holds them


def test_a_file_name_in_latin_1_becomes_text(tmp_path):
    create_show(tmp_path / "show", "fr")
    raw = tmp_path / LATIN_1
    raw.write_bytes(RAW.read_bytes())
    lines = create_episode(tmp_path / "show", "un", [raw], at=AT)
    lines.encode()  # can be printed
    (recording,) = load_config(tmp_path / "show").episodes[0].mix.recordings
    assert recording.file == "episodes/un/entrevue d´été.flac"
    assert (tmp_path / "show" / recording.file).read_bytes() == RAW.read_bytes()


@given(st.binary(min_size=1, max_size=40).filter(lambda name: not {0, 47} & set(name)))
def test_the_name_of_a_file_in_any_bytes_becomes_one_line_of_utf_8(name):
    text = _text_name(Path("/tmp") / os.fsdecode(name + b".wav"))
    assert text.encode() and "/" not in text and "\0" not in text


def test_a_new_episode_that_fails_leaves_no_folder(tmp_path, monkeypatch):
    create_show(tmp_path / "show", "fr")
    monkeypatch.setattr("pipeline.commands.scaffold.write_atomic", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        create_episode(tmp_path / "show", "un", [RAW], at=AT)
    assert not (tmp_path / "show/episodes/un").exists()


def test_a_recording_that_declares_no_duration_is_decoded_to_tell_it(tmp_path):
    create_show(tmp_path / "show", "fr")
    raw = write(tmp_path / "a.wav", speech_like_noise(3))
    content = bytearray(raw.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = b"\xff\xff\xff\x7f"
    raw.write_bytes(content)
    assert "a.wav: 0:03, 44100 Hz, mono, pcm_s24le; its length was never written" in create_episode(tmp_path / "show", "un", [raw], at=AT)


def test_a_folder_without_an_episode_is_told_as_what_waits(tmp_path):
    create_show(tmp_path, "fr")
    (tmp_path / "episodes/notes").mkdir()
    assert list(folders_left_out(tmp_path)) == ["give episodes/notes an episode.toml, or move it elsewhere; it is left out"]


def test_more_chapters_than_tags_hold_are_told(tmp_path):
    create_show(tmp_path, "fr")
    create_episode(tmp_path, "un", [RAW], at=AT)
    episode = load_config(tmp_path).episodes[0]
    many = replace(episode, chapters=tuple(Chapter(float(i), f"n° {i}") for i in range(300)))
    assert "join some of the 300 chapters of un: the tags of its MP3 hold the first 255" in list(pending_work(tmp_path, many, AT))
    assert not any("chapters" in sentence for sentence in pending_work(tmp_path, episode, AT))
