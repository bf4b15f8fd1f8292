"""The pages of the show: people, themes, all transcripts, 404 page, sitemap, social cards."""

import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import lxml.html
import pytest

from pipeline.commands.build import TARGET_STEPS
from pipeline.config.loader import RESERVED_SLUGS
from pipeline.engine.files import write_atomic
from pipeline.engine.step import execute_step
from pipeline.model.errors import CauserieError
from pipeline.model.fonts import font_characters
from pipeline.model.images import parse_header
from pipeline.model.show import Credit
from pipeline.model.site import SiteSettings
from pipeline.model.transcript import TimedTranscript, Voice, Word
from pipeline.model.urls import MAX_TRANSCRIPTS_ON_PAGE, SHOW_PAGES, collect_themes, show_keys, sitemap_keys
from pipeline.plan import plan_steps, work_path
from pipeline.site.assets import minify_script
from pipeline.site.social_card import draw_card, drawable_text
from pipeline.site.speaking_time import compute_speaking_time
from pipeline.site.structured_data import csp_hash
from tests.support.site_sample import FIRST, NORA, SECOND, SHOW, TURNS, make_show, publish_sample


def parse(path):
    return lxml.html.document_fromstring(path.read_bytes(), parser=lxml.html.HTMLParser(encoding="utf-8"))


def lines(node):
    return " ".join(node.text_content().split())


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    return publish_sample(tmp_path_factory.mktemp("site")).root


def test_everybody_is_named_once_with_what_they_did(public):
    people = [lines(item) for item in parse(public / "people/index.html").xpath("//ul[@class='people']/li")]
    assert people == ["Nora Belkacem Présentation Toute la série Montage Toute la série", "Malik Aubry Avec Toute la série"]


def test_a_role_in_some_episodes_leads_to_them(tmp_path):
    second = replace(SECOND, credits=(*SECOND.credits, Credit(NORA, "Composer", "Audio Post-Production")))
    page = parse(publish_sample(tmp_path, episodes=(FIRST, second)).root / "people/index.html")
    assert page.xpath("//dt[text()='Composition']/following-sibling::dd/a/@href") == ["../02-la-voix/index.html"]


def test_a_theme_has_a_page_with_its_episodes_and_they_lead_to_it(public):
    page = parse(public / "themes/l-attente/index.html")
    assert lines(page.find(".//h1")) == "Thème : L’attente"
    assert page.xpath("//h3/a/@href") == ["../../01-la-file/index.html", "../../02-la-voix/index.html"]
    assert "../themes/l-attente/index.html" in parse(public / "01-la-file/index.html").xpath("//p[@class='themes']/a/@href")


def test_two_spellings_of_a_theme_are_one_page():
    one, other = make_show(tags=("L'accueil",)), make_show(tags=("l’Accueil",))
    (theme,) = collect_themes((one.episodes[0], other.episodes[1]))
    assert (theme.name, theme.slug, theme.episodes) == ("L'accueil", "l-accueil", (FIRST.slug, SECOND.slug))


def test_all_transcripts_are_on_one_page_and_times_lead_into_the_episodes(public):
    page = parse(public / "transcripts/index.html")
    assert len(page.find_class("turn")) == 2 * len(TURNS)
    assert page.xpath("//p[@id='02-la-voix-t31']/a/@href") == ["../02-la-voix/index.html#t=31"]


def test_no_episode_takes_the_name_of_a_part_of_the_page(tmp_path):
    episodes = tuple(replace(FIRST, slug=slug) for slug in ("flux", "contenu", "sommaire"))
    ids = parse(publish_sample(tmp_path, episodes=episodes).root / "transcripts/index.html").xpath("//@id")
    assert len(ids) == len(set(ids))


def test_nobody_prints_a_thousand_transcripts():
    many = tuple(replace(FIRST, slug=f"e{i}") for i in range(MAX_TRANSCRIPTS_ON_PAGE + 1))
    show = make_show(episodes=many)
    assert show_keys(show, show.episodes)["transcripts"] == {}


def test_the_lost_page_holds_its_style_and_leads_home_from_anywhere(public):
    page = parse(public / "404.html")
    assert f"style-src 'sha256-{csp_hash(page.findtext('.//style'))}'" in page.xpath("//meta[@http-equiv]/@content")[0]
    assert not page.xpath("//link | //script | //@src") and page.xpath("//main//a/@href") == [SHOW.website]


def test_the_sitemap_names_every_page_that_may_be_found(public):
    urls = [node.text for node in ElementTree.parse(public / "sitemap.xml").iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    pages = {f"{SHOW.website}{path.relative_to(public).as_posix().removesuffix('index.html')}" for path in public.rglob("index.html")}
    assert sorted(urls) == sorted(pages)
    assert (public / "robots.txt").read_text() == f"User-agent: *\nAllow: /\nSitemap: {SHOW.website}sitemap.xml\n"


def test_a_private_show_is_found_by_nobody(tmp_path):
    root = publish_sample(tmp_path, show=replace(SHOW, feed_key="")).root
    assert not (root / "sitemap.xml").exists() and (root / "robots.txt").read_text() == "User-agent: *\nDisallow: /\n"
    assert parse(root / "01-la-file/index.html").xpath("//meta[@name='robots']/@content") == ["noindex"]


def test_the_player_for_other_pages_leads_to_ours_and_its_code_can_be_copied(public):
    page, embed = parse(public / "01-la-file/index.html"), parse(public / "01-la-file/embed.html")
    (frame,) = lxml.html.fragments_fromstring(page.get_element_by_id("cadre").text_content())
    assert frame.get("src") == f"{SHOW.website}01-la-file/embed.html" and frame.get("title") == "Écouter\u00a0: La file d’attente"
    assert set(embed.xpath("//main//a/@target")) == {"_top"} and embed.xpath("//audio/source/@src") == ["01-la-file-a.mp3"]


def test_an_episode_is_shared_with_its_card(public):
    page = parse(public / "01-la-file/index.html")
    said = {node.get("property"): node.get("content") for node in page.xpath("//meta[@property]")}
    assert said["og:image"] == f"{SHOW.website}01-la-file/card-e.png"
    assert (said["og:image:width"], said["og:image:height"]) == ("1200", "630")


@pytest.mark.parametrize("title", ["La file d’attente", '#panic() *x* $y$ \\ "', "مرحبا", "é" * 300, "一二三 a", "Titre 🎧"])
def test_a_card_is_drawn_whatever_the_title_and_each_time_the_same(tmp_path, title):
    cards = [tmp_path / name for name in ("a.png", "b.png")]
    for each in cards:
        draw_card(cover(tmp_path), card=each, show="Demain", episode=title, number=2, language="fr")
    drawn = parse_header(cards[0].read_bytes())
    assert (drawn.width_px, drawn.height_px) == (1200, 630) and cards[0].read_bytes() == cards[1].read_bytes()


def test_a_card_of_long_titles_shows_its_number_whole(tmp_path):
    import imageio_ffmpeg

    drawn = tmp_path / "card.png"
    draw_card(cover(tmp_path), card=drawn, show="UN NOM DE SÉRIE " * 15, episode="UN TITRE QUI EN DIT LONG " * 10, number=1, language="fr")
    read = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", drawn, "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    grey = subprocess.run(read, capture_output=True, check=True).stdout
    band, rows = grey[0], [grey[1200 * y : 1200 * y + 724] for y in range(630)]
    inked = [y for y, row in enumerate(rows[:600]) if set(row) != {band}]
    assert inked[0] > 56 + 5 and inked[-1] < 556 - 5  # the text box spans rows 56 to 556


def cover(folder):
    """A small PNG cover, drawn by Typst."""
    import typst

    path = folder / "cover.png"
    path.write_bytes(typst.compile(b"#set page(width: 40pt, height: 40pt, fill: red)", format="png", ppi=72))
    return path


def test_letters_that_cannot_be_drawn_leave_no_boxes():
    assert (drawable_text("Épisode 2 🎧"), drawable_text("日本 a"), drawable_text("« Où ? »")) == ("Épisode 2", "", "« Où ? »")


def test_a_show_has_its_own_colours_and_fonts(tmp_path):
    site = SiteSettings(light=(("band", "#000091"),), dark=(("band", "#000060"),), title_font="marianne.woff2")
    write_atomic(tmp_path / "marianne.woff2", b"wOF2")
    root = publish_sample(tmp_path, site=site).root
    css = (root / "style.css").read_text()
    assert "--band: #000091" in css.split("@media")[0] and "--band: #000060" in css
    assert 'url("fonts/title_font.woff2")' in css and '--serif: "title_font", ' in css
    assert (root / "fonts/title_font.woff2").read_bytes() == b"wOF2"
    assert parse(root / "01-la-file/index.html").xpath("//meta[@name='theme-color']/@content") == ["#000091", "#000060"]


def own(root, **texts):
    """The settings of a show with its own templates."""
    files = {f"templates/{name.replace('__', '.')}": text for name, text in texts.items()}
    for name, text in files.items():
        write_atomic(root / name, text)
    return SiteSettings(templates=tuple(files))


def test_a_template_of_the_show_stands_for_ours_or_extends_it(tmp_path):
    extending = '{% extends "ours/episode.html.j2" %}{% block foot %}<p id="marque">{{ words.listen }}</p>{{ super() }}{% endblock %}'
    site = own(tmp_path, episode__html__j2=extending, labels__fr__toml='listen = "À vous d’écouter"')
    root = publish_sample(tmp_path, site=site).root
    page = parse(root / "01-la-file/index.html")
    assert page.get_element_by_id("marque").text == "À vous d’écouter" and page.find_class("turn")
    assert not parse(root / "index.html").xpath("//*[@id='marque']")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% if %}", r"templates/cast.html.j2:1: cannot be read"),
        ("\n{{ nothing.here }}", r"templates/cast.html.j2:2: fails: 'nothing' is undefined"),
        (r'{% include "\x1b[2J" %}', r"templates/cast.html.j2:1: fails: \?\[2J"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", r"templates/cast.html.j2:1: fails: access to attribute '__class__'"),
    ],
)
def test_a_template_that_fails_is_named_with_its_line(tmp_path, text, said):
    with pytest.raises(CauserieError, match=said):
        publish_sample(tmp_path, site=own(tmp_path, cast__html__j2=text))


def test_guides_that_have_no_name_of_ours_are_offered_all_the_same(tmp_path):
    root = publish_sample(tmp_path, more={"guide_card_game_docx": ("guides/{slug}.jeu-de-cartes.docx", "x/y")}).root
    assert "jeu-de-cartes (DOCX, 7,7 Mo, français, 1er septembre 2026)" in lines(
        parse(root / "01-la-file/index.html").find_class("guide")[0]
    )


def test_speaking_time_is_that_of_the_words_by_voice_and_by_role():
    def turn(name, role, *times):
        return replace(TURNS[0], voice=Voice(name, role), words=tuple(Word("mot", *time) for time in times))

    turns = (
        turn("A", "archive", (0, 1), (8, 10)),
        turn("B", "récit", (10, 20)),
        turn("A", "récit", (None, None)),
        turn("A", "récit", (20, 40)),
    )
    found = compute_speaking_time(TimedTranscript(50, "fr", turns), {}, "Narration")
    assert [(share.name, share.seconds, share.percent) for share in found.voices] == [("A", 30, 75), ("B", 10, 25)]
    assert [(share.name, share.seconds) for share in found.roles] == [("récit", 30), ("archive", 10)]


def test_one_voice_alone_is_compared_with_nobody():
    assert compute_speaking_time(TimedTranscript(50, "fr", TURNS[:2]), {}, "Narration").voices == ()


def test_five_hundred_voices_are_told_and_folded(tmp_path):
    turns = tuple(replace(TURNS[0], voice=Voice(f"Voix {i}"), words=(Word("Oui.", i / 10, i / 10 + 0.05),)) for i in range(500))
    page = parse(publish_sample(tmp_path, episodes=(FIRST,), turns=turns).root / "01-la-file/index.html")
    assert len(page.xpath("//details//tbody/tr")) == 500 and "Par voix (500)" in page.findtext(".//summary")


def test_the_script_is_sent_without_what_only_we_read():
    assert (
        minify_script("// about\n(() => {\n  // why\n  go('//x');  // not a line of its own\n\n})();\n")
        == "(() => {\ngo('//x');  // not a line of its own\n})();\n"
    )


def test_a_step_run_again_gives_the_same_bytes(tmp_path):
    made = publish_sample(tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "site").rglob("*.*")}
    for step in made.steps:
        execute_step(step, tmp_path, tmp_path)
    assert {path: path.read_bytes() for path in (tmp_path / "site").rglob("*.*")} == before
    assert (tmp_path / work_path(FIRST.slug, "release.json")).exists()


def test_a_page_of_the_show_is_in_every_list_that_pages_stand_in():
    show = make_show(tags=("accueil",))
    keys = show_keys(show, show.episodes)
    pages = {kind for kind, files in keys.items() if any(key.endswith("index.html") for key in files.values())}
    assert pages == set(SHOW_PAGES)
    planned = {
        step.kind for step in plan_steps(show, show.episodes[-1].info.published) if step.writes and "site/" in "".join(step.writes.values())
    }
    assert {*keys, "page"} <= TARGET_STEPS["site"] and keys.keys() <= planned
    assert {key for kind in pages for key in keys[kind].values()} < set(sitemap_keys(show, show.episodes))
    folders = {key.split("/")[0] for files in keys.values() for key in files.values() if "/" in key}
    assert folders and folders <= RESERVED_SLUGS


def test_with_a_font_a_title_in_its_script_is_drawn_and_not_only_the_cover(tmp_path):
    title, font = "مرحبا بكم في الحلقة", Path(__file__).parents[2] / "tests/data/fonts/arabic.ttf"
    drawn = []
    for name, fonts in (("without", ()), ("with", (font,))):
        draw_card(cover(tmp_path), card=tmp_path / name, show="Demain", episode=title, number=None, language="ar", fonts=fonts)
        drawn.append((tmp_path / name).read_bytes())
    assert drawn[0] != drawn[1]
    assert drawable_text(title) == ""
    assert drawable_text(title, font_characters(font)) == title
