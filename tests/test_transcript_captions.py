"""The five published forms: the same words and voices, in files that strict readers accept."""

import html as markup
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import webvtt

from pipeline.transcript.captions import captions
from pipeline.transcript.timed import read_timed

FORMS = ("vtt", "srt", "json", "html", "txt")
GOLDEN = Path(__file__).resolve().parent / "golden" / "captions"
PAIRS = sorted(path.name.removesuffix(".timed.json") for path in GOLDEN.glob("*.timed.json"))
TIMES = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)\.(\d{3}) --> (\d\d):([0-5]\d):([0-5]\d)\.(\d{3})")


@pytest.fixture(scope="module", params=PAIRS)
def made(request, tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp(request.param)
    captions(GOLDEN / f"{request.param}.timed.json", **{form: folder / f"x.{form}" for form in FORMS})
    return {form: (folder / f"x.{form}").read_text(encoding="utf-8") for form in FORMS} | {"name": request.param, "folder": str(folder)}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_as_it_was_approved(made, form):
    assert made[form] == (GOLDEN / f"{made['name']}.{form}").read_text(encoding="utf-8")


def plain(text: str) -> str:
    """Words only: no tags, entities, names or line ends."""
    return " ".join(markup.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def expected(made: dict[str, str]) -> str:
    transcript = read_timed(GOLDEN / f"{made['name']}.timed.json")
    return " ".join(" ".join(turn.text for turn in transcript.turns).split())


def vtt_cues(text: str) -> list[tuple[float, float, list[str]]]:
    """A strict reading of WebVTT as we write it: anything unexpected fails."""
    head, *blocks = text.removesuffix("\n").split("\n\n")
    assert head == "WEBVTT"
    found = []
    for block in blocks:
        first, *lines = block.split("\n")
        numbers = TIMES.fullmatch(first)
        assert numbers, first
        h1, m1, s1, t1, h2, m2, s2, t2 = map(int, numbers.groups())
        assert 1 <= len(lines) <= 2
        for line in lines:
            bare = re.sub(r"</?c(?:\.[a-z-]+)?>|<v(?:\.[a-z0-9-]+)* [^<>\n]+>", "", line)
            assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)|-->", bare), line
            shown = markup.unescape(bare)
            assert len(shown) <= 42
            assert shown == shown.strip()
        found.append((h1 * 3600 + m1 * 60 + s1 + t1 / 1000, h2 * 3600 + m2 * 60 + s2 + t2 / 1000, lines))
    return found


def test_webvtt_passes_a_strict_reader(made):
    found = vtt_cues(made["vtt"])
    assert all(start_s < end_s for start_s, end_s, _ in found)
    assert all(before[1] <= after[0] for before, after in zip(found, found[1:], strict=False))
    assert plain(" ".join(line for _, _, lines in found for line in lines)) == expected(made)


def test_somebody_elses_reader_finds_every_cue_and_voice(made):
    read = webvtt.read(str(Path(made["folder"]) / "x.vtt"))
    assert len(read) == len(vtt_cues(made["vtt"]))
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
    """What a browser would show, by tag."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.shown: dict[str, list[str]] = {"p": [], "cite": [], "time": []}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.shown[self.tags[-1]].append(data)


def test_html_holds_three_kinds_of_tags_and_the_same_words(made):
    fragment = Fragment()
    fragment.feed(made["html"])
    assert set(fragment.tags) <= {"cite", "time", "p"}
    assert " ".join(" ".join(fragment.shown["p"]).split()) == expected(made)


def test_plain_text_names_the_same_voices_as_html(made):
    fragment = Fragment()
    fragment.feed(made["html"])
    paragraphs = made["txt"].strip("\n").split("\n\n")
    assert len(paragraphs) == len(fragment.shown["p"])
    assert all(any(paragraph.startswith(f"{name} ") for paragraph in paragraphs) for name in fragment.shown["cite"])
