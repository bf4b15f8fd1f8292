"""`causerie cuts`: proposals, and what a person takes of them."""

import json
import tomllib

import pytest

from pipeline.commands.cuts import add_cuts, parse_numbers
from pipeline.model import CauserieError, Cut
from tests.conftest import build, built_steps, causerie

CUTS = (Cut(12.5, 13.25, "euh"), Cut(3723.0, 3724.001))
WRITTEN = [{"start": "0:12.500", "end": "0:13.250", "said": "euh"}, {"start": "1:02:03.000", "end": "1:02:04.001"}]
EPISODE = '# à moi\ntitle = "x"  # le titre\n\n[[recordings]]\nfile = "raw.flac" # la prise\n'


def test_the_first_cuts_stand_above_the_first_table_one_a_line():
    text = add_cuts(EPISODE, CUTS)
    assert tomllib.loads(text) == {"title": "x", "cuts": WRITTEN, "recordings": [{"file": "raw.flac"}]}
    assert text.startswith('# à moi\ntitle = "x"  # le titre\n') and text.endswith('\n[[recordings]]\nfile = "raw.flac" # la prise\n')
    assert '\ncuts = [\n  { start = "0:12.500", end = "0:13.250", said = "euh" },\n' in text


@pytest.mark.parametrize(
    "list_text",
    [
        'cuts = [\n  # un bruit\n  { start = 1, end = 2, said = "} ]" }, # gardé\n  { start = 5, end = 6 }\n]\n',
        "cuts = [{ start = 1, end = 2 }, { start = 5, end = 6 }]\n",
        "cuts = []\n",
        "cuts = [\n]\n",
    ],
)
def test_more_cuts_keep_what_is_there(list_text):
    before = tomllib.loads(list_text)["cuts"]
    text = add_cuts(list_text + EPISODE, CUTS)
    assert tomllib.loads(text)["cuts"] == [*before, *WRITTEN]
    assert all(comment in text for comment in ("# un bruit", "# gardé") if comment in list_text)
    assert EPISODE in text
    assert '\n  { start = "0:12.500", end = "0:13.250", said = "euh" },\n  { start = "1:02:03.000"' in text


def test_cuts_written_as_tables_stay_tables():
    text = add_cuts("[[cuts]]\nstart = 1 # ici\nend = 2\n", CUTS)
    assert tomllib.loads(text)["cuts"] == [{"start": 1, "end": 2}, *WRITTEN] and "# ici" in text


@pytest.mark.parametrize("said", ['"', "\\", "\n", "é\u202f» ]", "# { ", "\x7f\x1b"])
def test_whatever_was_said_is_read_again(said):
    assert tomllib.loads(add_cuts("", [Cut(1, 2, said)]))["cuts"][0]["said"] == said


def test_numbers_of_the_list():
    assert parse_numbers("1, 3-5", 5) == {1, 3, 4, 5}


@pytest.mark.parametrize("text", ["0", "6", "5-3", "a", "1,,2", "-1", "", "1-6"])
def test_a_number_that_is_not_in_the_list_is_wrong_usage(text):
    with pytest.raises(CauserieError, match="is no number of the list; give numbers from 1 to 5"):
        parse_numbers(text, 5)


@pytest.fixture
def paused(built):
    """An episode in which something is there to cut: its words say so."""
    path = built / "transcripts/un.words.json"
    value = json.loads(path.read_text())
    words = [word for segment in value["segments"] for word in segment["words"]]
    words[3]["text"] = "euh"
    words[6]["text"] = words[5]["text"] = "le"
    path.write_text(json.dumps(value))
    return built


def test_nothing_is_cut_until_a_person_says_yes(paused):
    before = (paused / "episodes/un/episode.toml").read_bytes()
    said = causerie("cuts", "un", root=paused).stdout
    assert "2 cuts to propose" in said and "[euh]" in said and "nothing is cut until you say yes" in said
    rows = [json.loads(line) for line in causerie("cuts", "un", "--json", root=paused).stdout.splitlines()]
    assert [row["kind"] for row in rows] == ["filler", "repeated start"]
    assert (paused / "episodes/un/episode.toml").read_bytes() == before


def test_what_is_taken_is_written_and_proposed_no_more(paused):
    said = causerie("cuts", "un", "--take", "1", root=paused).stdout
    assert "Wrote 1 cut to episodes/un/episode.toml" in said and 'said = "euh"' in said
    assert "1 cut to propose" in causerie("cuts", "un", root=paused).stdout
    assert "Wrote 1 cut" in causerie("cuts", "un", "--yes", root=paused).stdout
    assert causerie("cuts", "un", root=paused).stdout == "un: nothing to propose\n"


def test_a_wrong_choice_is_wrong_usage(paused):
    done = causerie("cuts", "un", "--take", "9", root=paused, check=False)
    assert done.returncode == 2 and done.stderr.startswith("--take: “9” is no number of the list")


def test_an_episode_that_was_not_heard_says_what_to_run(built):
    (built / "transcripts/un.words.json").unlink()
    done = causerie("cuts", "un", root=built, check=False)
    assert done.returncode == 1 and done.stderr == "episodes/un: has not been heard yet; run causerie transcribe un first\n"


@pytest.mark.slow
def test_a_cut_encodes_again_and_hears_drafts_and_aligns_nothing_again(built):
    path = built / "episodes/un/episode.toml"
    path.write_text(add_cuts(path.read_text(), [Cut(2.0, 3.5)]))
    guide = (built / "guides/un.md").read_bytes()
    ran = {name.partition("/")[2] for name in built_steps(build(built, "un"))}
    assert {"edit", "edited-text", "encode", "light", "captions", "tag"} <= ran
    assert not ran & {"ingest", "transcribe", "doubts", "draft", "align", "guide-draft"}
    assert (built / "guides/un.md").read_bytes() == guide
    assert set(build(built, "un").values()) == {"current"}
