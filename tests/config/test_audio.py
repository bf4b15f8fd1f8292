import pytest

from pipeline.config.audio import AudioDefaults, parse_audio_defaults, parse_diarisation, parse_mix, parse_soundbites
from pipeline.config.table import Table
from pipeline.model.audio import Bed, CleanupOptions, DiarisationSource, Part, Soundbite
from pipeline.model.show import Person

TRACK = {"recordings": [{"file": "raw.wav"}]}


def read(tmp_path, toml, of_show=None):
    """Return the mix of an `episode.toml` with these values, and its problems."""
    for name in ("jingle.flac", "bed.flac", "archive.mp3"):
        (tmp_path / name).touch()
    problems = []
    table = Table({**TRACK, **toml}, "episode.toml", problems)
    found = parse_mix(table, tmp_path, tmp_path, {"nora": Person("nora", "Nora")}, of_show or AudioDefaults())
    table.reject_unknown()
    return found, [str(problem) for problem in problems]


def test_an_episode_that_says_nothing_is_its_recordings(tmp_path):
    found, problems = read(tmp_path, {})
    assert found.parts == (Part(),) and found.level == "gentle" and found.recordings[0].clean == CleanupOptions() and not problems
    assert found.files == ("raw.wav",)


def test_the_show_s_jingles_stand_around_the_parts(tmp_path):
    found, _ = read(tmp_path, {}, AudioDefaults(intro="jingle.flac", outro="jingle.flac"))
    assert [(part.name, part.kind, part.gap_s) for part in found.parts] == [
        ("intro", "music", 0),
        ("", "speech", 0.3),
        ("outro", "music", 0.3),
    ]
    assert found.files == ("raw.wav", "jingle.flac")
    assert read(tmp_path, {"intro": ""}, AudioDefaults(intro="jingle.flac"))[0].parts == (Part(),)


def test_parts_come_in_their_order(tmp_path):
    parts = [
        {"name": "ouverture", "body": True, "start": "12:03", "end": "12:31"},
        {"file": "jingle.flac", "kind": "music", "crossfade": 1.5},
        {"body": True, "fade_out": 2},
        {"file": "archive.mp3", "start": 5, "gain_db": -3, "stream": 2},
    ]
    found, problems = read(tmp_path, {"parts": parts})
    assert not problems
    assert found.parts == (
        Part("ouverture", start_s=723, end_s=751, number=1),
        Part(file="jingle.flac", kind="music", crossfade_s=1.5, number=2),
        Part(fade_out_s=2, number=3),
        Part(file="archive.mp3", stream="2", start_s=5, gain_db=-3, number=4),
    )


def test_a_bed_lies_under_a_part_by_its_name(tmp_path):
    toml = {"parts": [{"name": "récit", "body": True}], "beds": [{"file": "bed.flac", "under": "récit", "end": "0:40", "duck_db": 9}]}
    found, problems = read(tmp_path, toml)
    assert found.beds == (Bed("bed.flac", under="récit", end_s=40, duck_db=9),) and not problems


def test_what_is_cleaned_is_named_for_the_show_and_changed_for_a_recording(tmp_path):
    of_show = parse_audio_defaults(Table({"clean": {"hum": True}, "level": "off"}, "show.toml", []), tmp_path)
    assert of_show == AudioDefaults(level="off", clean=CleanupOptions(hum=True))
    found, _ = read(
        tmp_path, {"recordings": [{"file": "a.wav", "clean": {"highpass": False}}, {"file": "b.wav", "stream": "Micro"}]}, of_show
    )
    assert [recording.clean for recording in found.recordings] == [CleanupOptions(highpass=False, hum=True), CleanupOptions(hum=True)]
    assert found.level == "off" and found.recordings[1].stream == "Micro"


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ({"recordings": []}, "recordings: is missing"),
        ({"parts": [{"file": "archive.mp3"}]}, "parts: do not include the recordings"),
        ({"parts": [{"body": True}, {}]}, "parts[2].file: or body = true is required, but not both"),
        ({"parts": [{"body": True, "file": "archive.mp3"}]}, "parts[1].file: or body = true"),
        ({"parts": [{"body": True, "crossfade": 90}]}, "parts[1].crossfade: cannot be 90"),
        ({"parts": [{"body": True}, {"file": "gone.wav"}]}, "parts[2].file: there is no file gone.wav"),
        ({"beds": [{"file": "bed.flac", "under": "nulle part"}]}, "beds[1].under: “nulle part” is not the name of a part"),
        ({"level": "strongest"}, "level: cannot be strongest"),
        ({"recordings": [{"file": "a.wav", "clean": {"denoise": True}}]}, "recordings[1].clean.denoise: is not a key"),
        ({"recordings": [{"file": "a.wav", "voice": "mora"}]}, "recordings[1].voice: “mora” is not a person"),
        ({"start": "0:30", "end": "0:20"}, "end: is not after start"),
    ],
)
def test_a_mistake_is_told_with_its_key(tmp_path, toml, said):
    problems = read(tmp_path, toml)[1]
    assert any(said in problem for problem in problems), problems


def test_soundbites_have_a_start_and_a_length():
    problems = []
    table = Table(
        {"soundbites": [{"start": "1:00", "duration": 30}, {"start": 5, "end": "0:25", "title": "Là"}, {"start": 3}]}, "e", problems
    )
    assert parse_soundbites(table)[:2] == (Soundbite(60, 30), Soundbite(5, 20, "Là"))
    assert [str(problem) for problem in problems] == [
        "e: soundbites[3].duration: is missing or not between 1 and 600 s; give duration or end; players like 15 to 120 s"
    ]


def test_a_start_at_zero_is_not_the_same_as_none(tmp_path):
    found, _ = read(tmp_path, {"parts": [{"body": True, "start": "0:00", "end": "0:06"}, {"body": True}]})
    assert [part.start_s for part in found.parts] == [0.0, None]


def test_a_key_of_the_episode_in_a_table_is_told_where_it_belongs(tmp_path):
    _, problems = read(tmp_path, {"recordings": [{"file": "a.wav", "level": "strong"}]})
    assert problems == ["episode.toml: recordings[1].level: does not belong to this table; write it above the first line in [brackets]"]


def test_recordings_that_are_no_tables_are_one_mistake(tmp_path):
    _, problems = read(tmp_path, {"recordings": ["a.wav"]})
    assert len(problems) == 1 and "[[recordings]]" in problems[0]


def test_a_soundbite_that_ends_before_it_begins_is_told_so(tmp_path):
    problems = []
    parse_soundbites(Table({"soundbites": [{"start": "0:31", "end": "0:20"}]}, "episode.toml", problems))
    assert [str(problem) for problem in problems] == [
        "episode.toml: soundbites[1].end: is not after start; give a later time, or a duration"
    ]


def speakers(tmp_path, **recording):
    """Return the diarisation sources of an `episode.toml`, and its problems."""
    (tmp_path / "vox pop.rttm").touch()
    problems = []
    table = Table({"recordings": [{"file": "son/vox pop.wav", **recording}]}, "episode.toml", problems)
    people = {"nora": Person("nora", "Nora")}
    parse_mix(table, tmp_path, tmp_path, people, AudioDefaults())
    return parse_diarisation(table, tmp_path, tmp_path, people), [str(problem) for problem in problems]


def test_a_recording_may_have_its_speakers_found_by_another_program(tmp_path):
    names = {"SPEAKER_00": "nora", "SPEAKER_01": ""}
    found, problems = speakers(tmp_path, diarisation="vox pop.rttm", speakers=names)
    assert found == (DiarisationSource("vox pop.rttm", 0, "vox pop", tuple(names.items())),) and not problems


@pytest.mark.parametrize(
    ("recording", "problem"),
    [
        ({"diarisation": "autre.rttm"}, "recordings[1].diarisation: there is no file autre.rttm"),
        ({"diarisation": "vox pop.rttm", "speakers": {"A": "mora"}}, "recordings[1].speakers.A: “mora” is not a person in show.toml"),
        ({"diarisation": "vox pop.rttm", "voice": "nora"}, "recordings[1].voice: and diarisation both name the speakers"),
        ({"speakers": {"A": "nora"}}, "recordings[1].speakers: needs a diarisation file"),
        ({"diarization": "vox pop.rttm"}, "recordings[1].diarization: is not a key"),
    ],
)
def test_mistakes_about_speakers_are_told(tmp_path, recording, problem):
    told = speakers(tmp_path, **recording)[1]
    assert len(told) == 1 and told[0].startswith(f"episode.toml: {problem}")


def test_a_torn_recording_is_accepted_in_these_words_only(tmp_path):
    found, problems = read(tmp_path, {"recordings": [{"file": "raw.wav", "accept": "as it is"}]})
    assert found.recordings[0].accept == "as it is" and not problems
    _, problems = read(tmp_path, {"recordings": [{"file": "raw.wav", "accept": "yes"}]})
    assert len(problems) == 1 and "accept" in problems[0] and "as it is" in problems[0]


@pytest.mark.parametrize(("value", "channel"), [("left", "left"), ("right", "right"), ("mono", "mono"), (3, "3")])
def test_a_channel_is_a_side_or_a_number(tmp_path, value, channel):
    found, problems = read(tmp_path, {"recordings": [{"file": "raw.wav", "channel": value}, {"file": "raw.wav"}]})
    assert [each.channel for each in found.recordings] == [channel, ""] and not problems and found.files == ("raw.wav",)


@pytest.mark.parametrize("value", ["middle", 0, True, 65])
def test_another_channel_is_a_mistake(tmp_path, value):
    assert len(read(tmp_path, {"recordings": [{"file": "raw.wav", "channel": value}]})[1]) == 1
