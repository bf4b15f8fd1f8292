"""`[site]` of show.toml, above all its colours."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.site import read_site_settings, read_tags
from pipeline.config.table import Table
from pipeline.model.colours import DARK, LIGHT, contrast_ratio, low_contrast_pairs, merge_palettes
from pipeline.model.site import SiteSettings

COLOUR = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


def read(values, root):
    problems = []
    return read_site_settings(Table(values, "show.toml", problems, "site"), root), [str(problem) for problem in problems]


def test_contrast_is_that_of_the_specification():
    known = {("#000000", "#ffffff"): 21.0, ("#777777", "#ffffff"): 4.48, ("#0000ff", "#ffffff"): 8.59, ("#123456", "#123456"): 1.0}
    for pair, ratio in known.items():
        assert contrast_ratio(*pair) == contrast_ratio(*reversed(pair)) == pytest.approx(ratio, abs=0.005)


def test_our_own_colours_can_all_be_read():
    assert [list(low_contrast_pairs(palette)) for palette in merge_palettes({}, {}).values()] == [[], []]


def test_a_show_without_the_table_has_our_pages(tmp_path):
    assert read({}, tmp_path) == (SiteSettings(), [])


def test_a_colour_nobody_can_read_is_refused_with_what_it_stands_on(tmp_path):
    _, problems = read({"light": {"link": "#8899aa"}}, tmp_path)
    assert problems[0].startswith(
        "show.toml: site.light.link: has a contrast of 2.78:1 with paper (#fdf9f0) on light screens; text needs 4.5:1"
    )


def test_a_colour_of_the_light_palette_is_held_against_the_dark_one_where_that_inherits_it(tmp_path):
    _, problems = read({"light": {"lamp": "#173149", "band": "#ffffff", "on-band": "#173149"}}, tmp_path)
    assert [problem.split(": has")[0] for problem in problems] == ["show.toml: site.light.on-band", "show.toml: site.light.lamp"]
    assert all("dark screens" in problem for problem in problems)


@given(
    st.dictionaries(st.sampled_from(sorted(LIGHT)), COLOUR, max_size=4), st.dictionaries(st.sampled_from(sorted(DARK)), COLOUR, max_size=3)
)
@settings(max_examples=60, deadline=None)
def test_colours_are_refused_if_and_only_if_some_pair_cannot_be_read(tmp_path_factory, light, dark):
    _, problems = read({"light": light, "dark": dark}, tmp_path_factory.getbasetemp())
    assert bool(problems) == any(any(low_contrast_pairs(palette)) for palette in merge_palettes(light, dark).values())
    own = {f"site.light.{name}" for name in light} | {f"site.dark.{name}" for name in dark}
    assert {problem.split(": ")[1] for problem in problems} <= own


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"light": {"link": "red"}}, "site.light.link: cannot be “red”"),
        ({"light": {"links": "#000000"}}, "did you mean “link”?"),
        ({"subscribe": {"Apple": "javascript:alert(1)"}}, "site.subscribe.Apple: cannot be"),
        ({"subscribe": {"Apple": 'https://example.org/"><script>'}}, "site.subscribe.Apple: cannot be"),
        ({"subscribe": {"Apple": "https://[example.org/"}}, "site.subscribe.Apple: cannot be"),
        ({"subscribe": {"App\u202ele": "https://example.org/"}}, "holds a character that cannot be printed, U+202E"),
        ({"font": "missing.woff2"}, "site.font: there is no file missing.woff2"),
        ({"title_font": "page.woff2"}, "site.title_font: page.woff2 is not a font"),
    ],
)
def test_each_mistake_is_named_with_its_key(tmp_path, values, said):
    (tmp_path / "page.woff2").write_text("<html>")
    assert said in " ".join(read(values, tmp_path)[1])


@pytest.mark.parametrize(
    "url", ["https://example.org", "https://a-b.example:8443/%C3%A9?q[]=1#t=1,2", "http://localhost:8000/", "https://u:p@x.fr/~a/(b)/'c'"]
)
def test_addresses_people_paste_are_taken(tmp_path, url):
    settings, problems = read({"subscribe": {"Apple": url}}, tmp_path)
    assert problems == [] and settings.subscribe


def test_a_template_that_stands_for_none_of_ours_is_a_mistake(tmp_path):
    (tmp_path / "templates").mkdir()
    for name in ("cast.html.j2", "_logo.html.j2", "episodes.html.j2", "README.md"):
        (tmp_path / "templates" / name).write_text("")
    found, problems = read({}, tmp_path)
    assert {"templates/cast.html.j2", "templates/_logo.html.j2"} < set(found.templates)
    (problem,) = problems
    assert problem.startswith("templates/episodes.html.j2: is not the name of a template of the pages") and "episode.html.j2" in problem


def test_a_template_cannot_be_a_file_from_outside_the_show(tmp_path):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "show/templates").mkdir(parents=True)
    (tmp_path / "show/templates/_x.html.j2").symlink_to(tmp_path / "secret")
    assert read({}, tmp_path / "show")[1] == ["templates/_x.html.j2: is a link that leads out of the show; put a copy in its place"]


def test_tags_that_cannot_name_a_page_are_mistakes_and_two_spellings_are_one():
    problems = []
    assert read_tags(Table({"tags": ["Accueil", "accueil", "日本", "x" * 61]}, "episode.toml", problems)) == ("Accueil",)
    assert [problem.where for problem in problems] == ["episode.toml: tags"] * 2
