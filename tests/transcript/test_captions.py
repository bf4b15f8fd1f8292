"""The five published formats: the same words and voices, in files that strict parsers accept."""

import html as markup
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.feed.rules.text_formats import first_error
from pipeline.model.transcript import TextReview, TimedTranscript, Turn, Voice, Word
from pipeline.publish.release import MEDIA_TYPES
from pipeline.transcript import captions as forms
from pipeline.transcript.captions import write_captions
from pipeline.transcript.cues import split_cues
from pipeline.transcript.timed_json import read_timed, write_timed
from tests.support import webvtt_strict

FORMATS = ("vtt", "srt", "json", "html", "txt")
GOLDEN = Path(__file__).parents[1] / "golden" / "captions"
PAIRS = sorted(path.name.removesuffix(".timed.json") for path in GOLDEN.glob("*.timed.json"))


@pytest.fixture(scope="module", params=PAIRS)
def made(request, tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp(request.param)
    write_captions(GOLDEN / f"{request.param}.timed.json", **{form: folder / f"x.{form}" for form in FORMATS})
    return {form: (folder / f"x.{form}").read_text(encoding="utf-8") for form in FORMATS} | {"name": request.param, "folder": str(folder)}


def test_there_are_approved_files():
    assert PAIRS == ["fil", "hostile"]  # without them what follows would be skipped


@pytest.mark.parametrize("form", FORMATS)
def test_each_form_is_as_it_was_approved(made, form):
    assert made[form] == (GOLDEN / f"{made['name']}.{form}").read_text(encoding="utf-8")


def plain(text: str) -> str:
    """Words only: no tags, entities, names or line ends."""
    return " ".join(markup.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def expected(made: dict[str, str]) -> str:
    transcript = read_timed(GOLDEN / f"{made['name']}.timed.json")
    return " ".join(" ".join(turn.text for turn in forms.with_section_labels(transcript).turns).split())


def test_webvtt_passes_a_strict_reader(made):
    found = webvtt_strict.read(made["vtt"].encode())
    assert all(before.end_s <= after.start_s for before, after in zip(found, found[1:], strict=False))
    assert all(len(cue.lines) <= 2 and max(map(len, cue.lines)) <= 42 for cue in found)
    assert all(line == line.strip() for cue in found for line in cue.lines)
    assert " ".join(" ".join(line for cue in found for line in cue.lines).split()) == expected(made)


def test_somebody_elses_reader_finds_every_cue_and_voice(made):
    read = webvtt.read(str(Path(made["folder"]) / "x.vtt"))
    assert len(read) == len(webvtt_strict.read(made["vtt"].encode()))
    spoken = json.loads(made["json"])["segments"]
    assert [caption.start_in_seconds for caption in read] == [int(part["startTime"]) for part in spoken]


def test_srt_has_short_lines_and_the_same_words(made):
    blocks = [block.split("\n") for block in made["srt"].strip("\n").split("\n\n")]
    assert [block[0] for block in blocks] == [str(number) for number in range(1, len(blocks) + 1)]
    assert all(len(block) <= 4 and max(map(len, block[2:])) <= 32 for block in blocks)
    said = plain(" ".join(markup.escape(line) for block in blocks for line in block[2:]))
    transcript = read_timed(GOLDEN / f"{made['name']}.timed.json")
    for turn in transcript.turns:
        assert " ".join(turn.text.replace("<", "‹").replace(">", "›").split()) in said


def test_json_segments_have_the_speakers_and_the_words(made):
    value = json.loads(made["json"])
    assert value["version"] == "1.0.0"
    assert " ".join(" ".join(part["body"] for part in value["segments"]).split()) == expected(made)
    assert all(part["startTime"] < part["endTime"] for part in value["segments"])
    named = {part.get("speaker") for part in value["segments"]} - {None}
    assert named == {markup.unescape(name) for name in re.findall(r"<v(?:\.[a-z0-9-]+)? ([^>]+)>", made["vtt"])}


class Fragment(HTMLParser):
    """The text a browser would show, by tag."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.shown: dict[str, list[str]] = {"p": [], "cite": [], "time": [], "h2": []}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.shown[self.tags[-1]].append(data)


def test_html_holds_four_kinds_of_tags_and_the_same_words(made):
    fragment = Fragment()
    fragment.feed(made["html"])
    assert set(fragment.tags) <= {"cite", "time", "p", "h2"}
    transcript = read_timed(GOLDEN / f"{made['name']}.timed.json")
    assert " ".join(" ".join(fragment.shown["p"]).split()) == " ".join(" ".join(turn.text for turn in transcript.turns).split())


def test_plain_text_names_the_same_voices_as_html(made):
    fragment = Fragment()
    fragment.feed(made["html"])
    paragraphs = made["txt"].strip("\n").split("\n\n")
    assert len(paragraphs) == len(fragment.shown["p"]) + len(fragment.shown["h2"])
    assert [f"## {label}" for label in fragment.shown["h2"]] == [each for each in paragraphs if each.startswith("## ")]
    assert all(any(paragraph.startswith(f"{name} ") for paragraph in paragraphs) for name in fragment.shown["cite"])


HOSTILE = (
    "mot",
    "oui.",
    "&",
    "<b>",
    "-->",
    "a>b",
    "&amp;",
    "é\u00a0!",
    "[rires]",
    "œuf,",
    "</v>",
    "WEBVTT",
    "NOTE",
    "1978",
    "\u202b",
    "{\\an8}",
    "‹x›",
)
NAMES = ("", "Nora", "A & <B>", "L’agent", "Voix 1", "x\ny")


@st.composite
def transcripts(draw) -> TimedTranscript:
    """Turns of hostile words and names; a tenth of the words have no time."""
    clock_s, made = 0.0, []
    for said in draw(st.lists(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=25), min_size=1, max_size=5)):
        words = []
        for text in said:
            length_s = draw(st.sampled_from((0.05, 0.3, 0.8)))
            words.append(Word(text, round(clock_s, 3), round(clock_s + length_s, 3)) if draw(st.integers(0, 9)) else Word(text))
            clock_s += length_s + draw(st.sampled_from((0.0, 0.05, 2.5)))
        voice = Voice(draw(st.sampled_from(NAMES)), draw(st.sampled_from(("récit", "fiction", "a b"))))
        made.append(Turn(Voice("") if all(word.is_sound for word in words) else voice, tuple(words)))
    return TimedTranscript(round(clock_s + 1, 3), draw(st.sampled_from(("fr", "en"))), tuple(made))


def visible_words(text: str) -> str:
    """The words in order, without the characters that no format can hold."""
    return " ".join("".join(char for char in text if char.isprintable() or char in " \n\u00a0\u202f").split())


@given(transcripts())
@settings(max_examples=80, deadline=None)
def test_the_five_forms_hold_the_same_words_and_the_same_voices(transcript):
    language, shown = transcript.language, split_cues(transcript, forms.VTT_LINE_CHARS)
    everything = visible_words(" ".join(turn.text for turn in transcript.turns))
    named = [forms.speaker_name(turn.voice, language) for turn in transcript.turns if turn.voice.name or turn.voice.role]

    vtt = webvtt_strict.read(forms.vtt_text(shown, language).encode())
    assert visible_words(" ".join(line for cue in vtt for line in cue.lines)) == everything
    assert {cue.voice for cue in vtt} - {""} == set(named)

    segments = forms.json_value(shown, language)["segments"]
    assert visible_words(" ".join(segment["body"] for segment in segments)) == everything
    assert {segment["speaker"] for segment in segments if "speaker" in segment} == set(named)

    fragment = Fragment()
    fragment.feed(forms.html_text(transcript))
    assert visible_words(" ".join(fragment.shown["p"])) == everything
    colon = "\u00a0:" if language == "fr" else ":"
    assert fragment.shown["cite"] == [name + colon for name in named]

    paragraphs = [block.replace("\n", " ") for block in forms.plain_text(transcript).removesuffix("\n").split("\n\n")]
    speakers = [f"{name}{colon} " for name in named]
    for turn, paragraph in zip(transcript.turns, paragraphs, strict=True):
        start = speakers.pop(0) if turn.voice.name or turn.voice.role else ""
        assert visible_words(paragraph) == visible_words(start + turn.text)

    srt = forms.srt_text(transcript)
    said = [line for block in srt.strip("\n").split("\n\n") for line in block.split("\n")[2:]]
    bare = " ".join(said).replace("‹", "<").replace("›", ">")
    in_order = iter(visible_words(bare).split())
    assert all(word in in_order for word in everything.replace("‹", "<").replace("›", ">").split())
    assert all(name in visible_words(bare).replace("\u00a0", " ") for name in map(visible_words, named) if "<" not in name)
    assert all(len(line) <= forms.SRT_LINE_CHARS for line in said)


def test_a_sound_on_two_lines_keeps_its_class_on_both():
    words = (Word("[musique : « Petit matin », Les Frères Smith]", 1.0, 5.0),)
    transcript = TimedTranscript(10, "fr", (Turn(Voice("Nora"), words),))
    text = forms.vtt_text(split_cues(transcript, 42), "fr")
    assert "<c.son>[musique : « Petit matin »,</c>\n<c.son>Les Frères Smith]</c>" in text
    assert [cue.classes for cue in webvtt_strict.read(text.encode())] == [("son", "son")]


def said_at(start_s, end_s, duration_s, state="draft"):
    turn = Turn(Voice("Nora"), (Word("Bonjour.", start_s, end_s),))
    return TimedTranscript(duration_s, "fr", (turn,), TextReview(state, "2026-10-05" if state == "reviewed" else "", ""))


def test_every_form_says_that_nobody_has_checked_a_machines_text(tmp_path):
    write_timed(tmp_path / "timed.json", said_at(5.0, 6.0, 9.0))
    write_captions(tmp_path / "timed.json", **{form: tmp_path / f"x.{form}" for form in FORMATS})
    read = {form: (tmp_path / f"x.{form}").read_text(encoding="utf-8") for form in FORMATS}
    notice = "Transcription automatique, non relue"
    assert read["vtt"].startswith(f"WEBVTT\n\nNOTE {notice}\n\n")
    assert read["srt"].startswith("1\n00:00:00,000 --> 00:00:04,000\n[Transcription automatique, non\nrelue]\n\n2\n")
    assert json.loads(read["json"])["notice"] == notice
    assert read["html"].startswith(f"<p>[{notice}]</p>\n")
    assert read["txt"].startswith(f"[{notice}]\n\nNora")
    for form in ("vtt", "srt", "json", "html"):
        assert first_error(MEDIA_TYPES[f".{form}"].partition(";")[0], read[form].encode()) == ""


@pytest.mark.parametrize(
    ("start_s", "end_s", "duration_s", "starts"),
    [
        (1.0, 2.0, 3.0, ["00:00:00,000", "00:00:01,000"]),
        (0.5, 2.0, 3.5, ["00:00:00,500", "00:00:02,000"]),
        (0.5, 2.0, 2.5, ["00:00:00,500"]),
    ],
)
def test_in_srt_the_notice_stands_where_nobody_speaks_or_above_the_first_words(start_s, end_s, duration_s, starts):
    text = forms.srt_text(said_at(start_s, end_s, duration_s))
    assert re.findall(r"(\S+) -->", text) == starts
    assert "[Transcription" in text
    assert first_error("application/x-subrip", text.encode()) == ""


def test_a_checked_text_says_by_whom_without_a_cue():
    transcript = said_at(5.0, 6.0, 9.0, "reviewed")
    assert "[Transcription" not in forms.srt_text(transcript)
    assert forms.plain_text(transcript).startswith("[Transcription relue le 5\u00a0octobre 2026]")


def test_a_persons_name_cannot_end_the_comment_of_webvtt():
    vtt = forms.vtt_text((), "fr", "relue par a --> b\n\n00:00.000 --> 00:01.000\nx")
    assert vtt.split("\n\n")[1].startswith("NOTE relue par a —> b")
    assert len(vtt.split("\n\n")) == 2


def test_a_section_has_its_label_once_in_every_form(tmp_path):
    def said(text: str, start_s: float, section: str) -> Turn:
        return Turn(Voice("Nora"), (Word(text, start_s, start_s + 2),), section)

    turns = (said("Un.", 0, "Archive [INA] : 1958"), said("Deux.", 2, "Archive [INA] : 1958"), said("Trois.", 4, "Récit"))
    write_timed(tmp_path / "t.json", TimedTranscript(6, "fr", turns))
    made = {form: tmp_path / f"x.{form}" for form in FORMATS}
    write_captions(tmp_path / "t.json", **made)
    text = {form: path.read_text(encoding="utf-8") for form, path in made.items()}
    label = "Archive (INA)\u00a0: 1958"
    assert f"<h2>{label}</h2>\n" in text["html"]
    assert text["txt"].startswith(f"## {label}\n\nNora\u00a0: Un.\n\nNora\u00a0: Deux.\n\n## Récit\n\n")
    assert text["vtt"].count(f"<c.son>[{label}]</c>") == 1
    assert text["srt"].count(f"\n[{label}]\n") == 1
    assert [part["body"] for part in json.loads(text["json"])["segments"] if "speaker" not in part] == [f"[{label}]", "[Récit]"]


@pytest.mark.parametrize(("turns_s", "label_at"), [(((0, 4),), 0), (((0, 4), (4, 4.5)), 1), (((0, 0.5), (0.5, 6)), 1)])
def test_a_label_without_a_pause_takes_its_time_from_the_longer_neighbour(turns_s, label_at):
    turns = [Turn(Voice("Nora"), (Word("Une phrase assez longue.", *span),), str(n == label_at)) for n, span in enumerate(turns_s)]
    turns.insert(label_at, Turn(Voice(""), (Word("[Archive]"),), "True"))
    shown = split_cues(TimedTranscript(8, "fr", tuple(turns)), 42)
    assert shown[label_at].end_s - shown[label_at].start_s >= 0.5
