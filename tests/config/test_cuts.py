"""Cuts as a person writes them."""

from itertools import permutations

import pytest

from pipeline.config.cuts import entry_line, parse_cuts
from pipeline.config.table import read_toml
from pipeline.model import Cut

ROWS = ('{ start = "0:10", end = "0:12", said = "euh } ] {" }', "{ start = 2, end = 3.5 }", '{ start = "1:02.5", end = "1:03.25" }')


def parse(tmp_path, text):
    path, problems = tmp_path / "episode.toml", []
    path.write_text(text, encoding="utf-8")
    return parse_cuts(read_toml(path, "episodes/un/episode.toml", problems), path), [str(each) for each in problems]


@pytest.mark.parametrize("rows", permutations(ROWS))
def test_their_order_does_not_matter(tmp_path, rows):
    found, problems = parse(tmp_path, f"cuts = [{', '.join(rows)}]")
    assert found == (Cut(2, 3.5), Cut(10, 12, "euh } ] {"), Cut(62.5, 63.25)) and not problems


def test_without_cuts_there_are_none(tmp_path):
    assert parse(tmp_path, 'title = "x"\n') == ((), [])


def test_overlapping_cuts_are_one_sentence_with_file_line_and_key(tmp_path):
    text = 'title = "cuts = [ {"\n# cuts = [ {\ncuts = [\n  { start = 10, end = 12, said = "} ] {" }, # ] {\n\n  { start = 1, end = 2 },\n  { start = 11, end = 13 },\n]\n'
    problem = "episodes/un/episode.toml:7: cuts[3]: overlaps cuts[1], which goes from 0:10 to 0:12; make one cut of the two, or correct their times"
    assert parse(tmp_path, text)[1] == [problem]


def test_cuts_that_touch_do_not_overlap(tmp_path):
    assert parse(tmp_path, "cuts = [{ start = 1, end = 2 }, { start = 2, end = 3 }]")[1] == []


def test_they_may_be_tables(tmp_path):
    text = "[[cuts]]\nstart = 1\nend = 2\n[[cuts]]\nstart = 1.5\nend = 3\n"
    assert parse(tmp_path, text)[1][0].startswith("episodes/un/episode.toml:4: cuts[2]: overlaps cuts[1]")
    assert entry_line(text, 1) == 1


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ("{ end = 2 }", "start: is missing"),
        ("{ start = 2 }", "end: is missing"),
        ("{ start = 3, end = 2 }", "end: is not"),
        ("{ start = 2, end = 2.01 }", "end: is not"),
        ('{ start = "deux", end = 2 }', "start: “deux” is not a time"),
        ('{ start = 1, end = 2, sayd = "x" }', "sayd: is not a key"),
    ],
)
def test_a_wrong_cut_is_a_mistake(tmp_path, row, key):
    found, problems = parse(tmp_path, f"cuts = [{row}]")
    assert len(problems) == 1 and f"cuts[1].{key}" in problems[0]


def test_no_list_of_tables_is_a_mistake_too(tmp_path):
    assert parse(tmp_path, "cuts = [1, 2]")[1] == ["episodes/un/episode.toml: cuts: must be a list of tables; write each as [[cuts]]"]
