"""The guide of a whole series: one page an episode, one meeting that adds up, nothing of an episode that is not out."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.commands.build import select_steps
from pipeline.engine.files import write_json
from pipeline.guide.agenda import SERIES_CLIPS, SERIES_MIN, series_minutes
from pipeline.guide.document import format_guide, parse_guide
from pipeline.guide.draft import propose_guide
from pipeline.guide.series import build_series_view, render_series_guide
from pipeline.guide.view_model import GuideContext, build_view
from pipeline.model.show import EpisodeInfo, GuideSettings
from pipeline.plan import SERIES_GUIDE_EPISODES, plan_steps
from pipeline.publish.public_tree import collect_public_files
from pipeline.publish.release import SERIES_RELEASE, release_series
from pipeline.site.context import PageContext
from pipeline.site.show_pages import write_index_page
from pipeline.transcript.timed_json import write_timed
from tests.support.guide_sample import SHOW, written
from tests.support.publishing import AT, build, put, show

TITLES = {
    "01-le-premier-rendez-vous": "Le premier rendez-vous",
    "02-la-lettre-que-personne-ne-lit": "La lettre que personne ne lit",
    "03-l-algorithme-et-l-assistante": "L'algorithme & l'assistante <script>",
}
EPISODES = tuple(
    EpisodeInfo(slug, title, "Résumé.", datetime(2026, 9, i, 6, tzinfo=UTC), i) for i, (slug, title) in enumerate(TITLES.items(), 1)
)
GUIDE = GuideSettings("guides@guichet.example")
NAMES = ("Anne, maire", "Luc, maire")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("series")
    reads: dict[str, list[Path]] = {"texts": [], "timed": [], "chapters": []}
    for info in EPISODES:
        timed = written(info.slug)
        text, words, marks = (folder / f"{info.slug}.{name}" for name in ("md", "timed.json", "chapters.json"))
        text.write_text(format_guide(propose_guide(timed, SHOW, info)[0], "fr"), encoding="utf-8")
        write_timed(words, timed)
        write_json(marks, {"version": "1.2.0", "chapters": []})
        for key, path in zip(reads, (text, words, marks), strict=True):
            reads[key].append(path)
    files = {"series_pdf": folder / "series.pdf", "series_html": folder / "series.html"}
    render_series_guide(**{key: tuple(paths) for key, paths in reads.items()}, **files, show=SHOW, episodes=EPISODES, guide=GUIDE)
    return files


def seen(count: int, clips: bool = True) -> list[dict]:
    timed = written("01-le-premier-rendez-vous")
    text = "## Extraits à réécouter\n> le carnet fait peur aux gens\n" if clips else ""
    one = build_view(parse_guide(text, "x"), GuideContext(SHOW, EPISODES[0], GUIDE, timed, ()))
    return [one] * count


def test_it_is_tagged_and_each_episode_has_its_page(made: dict[str, Path]) -> None:
    reader = pypdf.PdfReader(made["series_pdf"])
    assert "/StructTreeRoot" in reader.trailer["/Root"] and reader.trailer["/Root"]["/Lang"] == "fr-FR"
    pages = [page.extract_text().replace("\u200b", "") for page in reader.pages]
    assert [sum(f"Épisode {i} ·" in page for page in pages) for i in (1, 2, 3)] == [1, 1, 1]
    assert len(pages) <= 4 + len(EPISODES)


def test_paper_and_screen_have_the_same_clips_and_nothing_hostile(made: dict[str, Path]) -> None:
    page = made["series_html"].read_text(encoding="utf-8")
    assert "<script" not in page and "L’algorithme &amp; l’assistante &lt;script&gt;" in page
    assert len(re.findall(r'class="clip"', page)) == 3 * 2 + 3
    assert not re.search(r"\b(?:src|srcset)=|<link|@import|url\(", page)


@given(st.floats(0, 6 * 45))
def test_the_meeting_over_the_series_adds_up(listen_s: float) -> None:
    minutes = series_minutes(listen_s)
    assert sum(minutes.values()) == SERIES_MIN and min(minutes.values()) >= 1
    assert minutes["listen"] * 60 >= listen_s


@pytest.mark.parametrize("count", [1, 2, 6, 7, 30])
def test_a_long_series_is_heard_through_a_few_clips_spread_over_it(count: int) -> None:
    value = build_series_view(seen(count), SHOW)
    assert len(value["session_clips"]) <= SERIES_CLIPS and len(value["episodes"]) == count
    assert [clip["number"] for clip in value["session_clips"]] == [str(i) for i in range(1, len(value["session_clips"]) + 1)]


def test_episodes_without_clips_still_make_a_guide() -> None:
    value = build_series_view(seen(2, clips=False), replace(SHOW, status=""))
    assert value["session_clips"] == [] and sum(int(row["minutes"].split()[0]) for row in value["order"]) == SERIES_MIN


def test_one_episodes_guides_need_no_other_episode() -> None:
    assert {step.episode for step in select_steps(show("un", "deux"), "guide", ["un"], AT)} == {"un"}


def test_an_episode_that_is_not_out_is_not_in_the_series_guide() -> None:
    whole = show("un", "deux", "trois")
    late = replace(whole.episodes[2], info=replace(whole.episodes[2].info, published=AT + timedelta(days=1)))
    steps = {step.name: step for step in plan_steps(replace(whole, episodes=(*whole.episodes[:2], late)), AT)}
    assert [episode.slug for episode in steps["show/series-guide"].settings["episodes"]] == ["un", "deux"]
    assert not any("trois" in path for paths in steps["show/series-guide"].reads.values() for path in paths)
    many = show(*(f"e{i}" for i in range(SERIES_GUIDE_EPISODES + 5)))
    newest = next(step for step in plan_steps(many, AT) if step.name == "show/series-guide").settings["episodes"]
    assert [one.slug for one in newest] == [f"e{i}" for i in range(5, SERIES_GUIDE_EPISODES + 5)]
    assert "show/series-guide" not in {step.name for step in plan_steps(show("un"), AT)}


def test_the_series_guide_is_published_and_linked(tmp_path: Path) -> None:
    build(tmp_path, "un", "deux")
    file = put(tmp_path / "guides/series.facilitator.pdf", b"%PDF")
    sources = {"guide_series_pdf": "guides/series.facilitator.pdf"}
    release_series(release=tmp_path / SERIES_RELEASE, sources=sources, guide_series_pdf=file)
    both = show("un", "deux")
    assert "guides/series.facilitator.pdf" in {one.key for one in collect_public_files(both, both.episodes, tmp_path)}
    assert "guides/series.facilitator.pdf" not in {one.key for one in collect_public_files(both, both.episodes[:1], tmp_path)}
    page, cover = tmp_path / "page.html", tmp_path / ".causerie/show/release.json"
    write_index_page((), cover, tmp_path / SERIES_RELEASE, page=page, frame=PageContext.for_show(both, ()), episodes=())
    assert 'href="guides/series.facilitator.pdf">Guide de la série à imprimer (PDF, 1\u00a0ko)' in page.read_text(encoding="utf-8")


def test_a_comma_in_a_name_makes_no_two_people() -> None:
    views = [{**one, "credits": [{"role": "Invités", "people": [name], "names": name}]} for one, name in zip(seen(2), NAMES, strict=True)]
    assert build_series_view(views, SHOW)["credits"] == [{"role": "Invités", "names": "Anne, maire, Luc, maire"}]
