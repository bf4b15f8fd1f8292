"""Pages that hold several episodes."""

import pytest

from pipeline.model.errors import CauserieError
from pipeline.transcript.freeform.episodes import split_episodes
from pipeline.transcript.freeform.import_text import import_file
from pipeline.transcript.freeform.lines import split_lines

ONE = "Le bac\nUn village.\nBAC_EP{0}_VF\nDurée : 00h08\n{1}\nÉpisode {0} : Le bac.\nIl pleut en {0}.\n{2}\n"
START, END = "(début fichier audio « BAC_EP{}_VF »)", "(fin fichier audio « BAC_EP{}_VF »)"


def page(*marks: tuple[bool, bool]) -> str:
    return "\n".join(
        ONE.format(n, START.format(n) if start else "Générique : [musique]", END.format(n) if end else "Merci à tous.")
        for n, (start, end) in enumerate(marks, 1)
    )


@pytest.mark.parametrize("marks", [((1, 1), (1, 1), (1, 1)), ((1, 1), (0, 1), (1, 0)), ((0, 0), (0, 0)), ((1, 0), (1, 0))])
def test_a_page_is_cut_before_the_head_of_each_episode(marks):
    parts = split_episodes(split_lines(page(*marks)))
    assert [part[0].text for part in parts] == ["Le bac"] * len(marks)
    assert all(f"Il pleut en {n}." in [line.text for line in part] for n, part in enumerate(parts, 1))


@pytest.mark.parametrize("text", [page((1, 1)), page((0, 0)), "Bonjour.\nMerci."])
def test_one_episode_is_whole(text):
    lines = split_lines(text)
    assert split_episodes(lines) == (lines,)


def test_a_page_is_refused_with_the_places_until_an_episode_is_chosen(tmp_path):
    file = tmp_path / "page.txt"
    file.write_text(page((True, True), (True, True)), encoding="utf-8")
    with pytest.raises(CauserieError, match="holds 2 episodes: 1 at line 1, 2 at line 10") as caught:
        import_file(file, "x", {})
    assert caught.value.where.endswith("page.txt:10")
    assert "--episode 1" in caught.value.hint
    found = import_file(file, "x", {}, episode=2)
    assert found.header.number == 2
    assert "Il pleut en 2." in found.text
    assert "Il pleut en 1." not in found.text
    with pytest.raises(CauserieError, match="holds no episode 3"):
        import_file(file, "x", {}, episode=3)
