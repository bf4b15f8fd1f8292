"""The pages as files: correct, complete, safe and reproducible."""

import base64
import hashlib
import json
from dataclasses import replace
from urllib.parse import unquote, urldefrag, urlsplit

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engine.files import read_json, write_json
from pipeline.engine.step import execute_step
from pipeline.model.errors import CauserieError
from pipeline.model.show import Chapter, Credit, Person
from pipeline.model.text import apply_typography
from pipeline.model.transcript import TextReview, TimedTranscript, Turn, Voice, Word
from pipeline.plan import work_path
from pipeline.publish.release import Release, write_release
from pipeline.site.context import Neighbours
from pipeline.site.render import safe_href
from pipeline.site.transcript_view import turn_views
from pipeline.transcript.timed_json import read_timed, write_timed
from tests.support.site_sample import DURATION_S, FIRST, SECOND, SHOW, make_turn, publish_sample

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}<!--"
PAGES = ("index.html", "01-la-file/index.html", "02-la-voix/index.html")
AROUND = ("people/index.html", "themes/accueil/index.html", "themes/l-attente/index.html", "transcripts/index.html")
EMBED, LOST = "01-la-file/embed.html", "404.html"


def parse(path):
    return lxml.html.document_fromstring(path.read_bytes(), parser=lxml.html.HTMLParser(encoding="utf-8"))


def texts(page, css_class):
    return [" ".join(node.text_content().split()) for node in page.find_class(css_class)]


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    return publish_sample(tmp_path_factory.mktemp("site")).root


@pytest.fixture(scope="module")
def episode(public):
    return parse(public / "01-la-file/index.html")


@pytest.mark.parametrize("name", PAGES)
def test_every_link_is_relative_and_leads_to_a_file_and_a_place_in_it(public, name):
    page = parse(public / name)
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    for link in page.xpath("//body//@href | //head/link[not(@rel='canonical')]/@href | //@src"):
        path, fragment = urldefrag(link)
        if urlsplit(link).scheme:
            assert link == "https://example.org/nora"
            continue
        target = (public / name).parent / unquote(path) if path else public / name
        assert target.is_file(), link
        if fragment.startswith("t="):
            assert 0 <= float(fragment[2:]) < DURATION_S
        elif fragment:
            assert fragment in parse(target).xpath("//@id"), link


def test_turns_have_anchors_times_and_speakers_in_words(episode):
    assert episode.xpath("//p[starts-with(@class, 'turn')]/@id") == ["t1", "t9", "t10", "t13", "t16", "t16-2", "t31"]
    turns = texts(episode, "turn")
    assert turns[0] == "0:01 Nora Belkacem\u00a0: Bonjour, vous écoutez l’épisode.".replace("\u00a0", " ")
    assert turns[1] == "0:09 [musique]"
    assert turns[2] == "0:10 Le reporter (archive) : « Madame, combien de personnes ?"
    assert turns[3] == "0:13 Odile Ferrand, guichetière : Une soixantaine, été compris."
    assert turns[5] == "0:16 Odile : Je reviens."
    assert turns[7] == "Nora Belkacem : Une phrase que personne n’a placée."


def test_a_turn_whose_beginning_was_not_found_offers_no_link(tmp_path):
    turn = Turn(Voice("", "récit", "nora"), (Word("Perdue"), Word("puis"), Word("entendue.", 4.0, 4.5)))
    public = publish_sample(tmp_path, episodes=(FIRST,), turns=(turn,), chapters=((0, "Le récit"),)).root
    (found,) = parse(public / "01-la-file/index.html").find_class("turn")
    assert found.get("id") is None and not found.xpath(".//a")


def test_a_turn_whose_time_is_estimated_says_so(tmp_path):
    turns = (Turn(Voice("", "récit", "nora"), (Word("Deviné.", 4.0, 4.5, estimated=True),)), Turn(Voice("", "récit"), (Word("Su.", 5, 6),)))
    public = publish_sample(tmp_path, episodes=(FIRST,), turns=turns, chapters=((0, "Le récit"),)).root
    page = parse(public / "01-la-file/index.html")
    assert [link.text_content() for link in page.xpath("//p[contains(@class, 'turn')]/a")] == ["≈\u00a00:04", "0:05"]


def test_sounds_inside_a_turn_are_marked_as_sounds(episode):
    assert texts(episode, "son") == ["[musique]", "[rires]"]


def test_chapters_are_listed_and_head_the_transcript_where_they_start(episode):
    assert [" ".join(item.text_content().split()) for item in episode.xpath("//nav[@class='chapters']//a")] == [
        "0:00 Le récit", "0:10 Une archive", "0:30 Micro-trottoir !",
    ]  # fmt: skip
    heads = {h.text: h.xpath("following-sibling::p[contains(@class, 'turn')][1]/@id")[0] for h in episode.xpath("//div[@class='turns']/h3")}
    assert heads == {"Le récit": "t1", "Une archive": "t10", "Micro-trottoir\u202f!": "t31"}
    assert texts(episode, "section") == ["Archive : 1978"]  # the chapter's title is already « micro-trottoir ! »


def test_the_player_is_followed_by_the_transcript_and_the_downloads_with_form_and_weight(episode):
    player = episode.find_class("player")[0]
    assert player.xpath("audio/@controls") and player.xpath("audio/@preload") == ["metadata"] and not player.xpath("audio/@autoplay")
    links = [" ".join(link.text_content().split()) for link in player.getnext().xpath("a")]
    assert links == ["Transcription", "Télécharger (MP3, 7,7 Mo)", "Version légère (Opus, 7,7 Mo)"]


def test_guides_say_their_form_weight_and_language(episode):
    assert "Guide d’animation à imprimer (PDF, 7,7 Mo, français, 1er septembre 2026)" in " ".join(texts(episode, "guide"))


def test_credits_carry_french_roles_and_only_web_links(episode):
    rows = [" ".join(row.text_content().split()) for row in episode.xpath("//dl/div")]
    assert rows == ["Présentation Nora Belkacem", "Avec Malik Aubry", "Montage Nora Belkacem"]
    assert not [link for link in episode.xpath("//@href") if link.startswith("javascript")]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//example.org", "http://[", ""])
def test_only_addresses_of_the_web_are_followed(url):
    assert safe_href(url) == "" and safe_href("https://example.org/a?b[]=1") == "https://example.org/a?b%5B%5D=1"


def test_neighbours_know_their_place():
    assert Neighbours.of((FIRST, SECOND), 0) == Neighbours(1, 2, None, (SECOND.slug, SECOND.title))
    assert Neighbours.of((FIRST, SECOND), 1) == Neighbours(2, 2, (FIRST.slug, FIRST.title), None)
    assert Neighbours.of((FIRST,), 0) == Neighbours(1, 1)


def test_the_heading_is_the_title_as_it_is_spoken(tmp_path):
    spoken = replace(FIRST, spoken_title="Prendre un ticket")
    page = parse(publish_sample(tmp_path, episodes=(spoken, SECOND)).root / FIRST.slug / "index.html")
    assert page.findtext(".//h1") == "Prendre un ticket"


def test_previous_and_next_say_where_they_lead(public):
    assert "Épisode suivant (2/2) Une voix" in " ".join(texts(parse(public / PAGES[1]), "around"))
    assert "Épisode précédent (1/2) La file d’attente" in " ".join(texts(parse(public / PAGES[2]), "around"))


@pytest.mark.parametrize("name", PAGES)
def test_schema_org_data_parses_and_the_policy_knows_it(public, name):
    page = parse(public / name)
    data = page.xpath("//script[@type='application/ld+json']/text()")[0]
    digest = base64.b64encode(hashlib.sha256(data.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page.xpath("//meta[@http-equiv]/@content")[0]
    value = json.loads(data)
    if value["@type"] == "PodcastEpisode":
        assert (value["duration"], value["partOfSeries"]["webFeed"]) == ("PT1M0S", "https://guichet.example/podcast/feed.xml")
    assert page.xpath("//link[@rel='canonical']/@href") == [value["url"]]


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_inline_that_the_policy_forbids(public, name):
    page = parse(public / name)
    assert page.xpath("//script[not(@src)]/@type") == ["application/ld+json"]
    assert not page.xpath("//style | //@style | //@*[starts-with(name(), 'on')]")


def test_hostile_text_stays_text_everywhere(tmp_path):
    person = Person("x", HOSTILE, 'https://example.org/"><script>')
    show = replace(SHOW, **dict.fromkeys(("title", "description", "author", "cover_alt", "status", "copyright"), HOSTILE))
    episode = replace(FIRST, title=HOSTILE, summary=HOSTILE, description=HOSTILE, credits=(Credit(person, "Host", "Cast"),))
    voice = Voice(HOSTILE, HOSTILE, "x", HOSTILE)
    turns = (make_turn(HOSTILE, 1.0, voice, HOSTILE), Turn(voice, (Word(f"[{HOSTILE}]", 2.0, 3.0),)))
    root = publish_sample(tmp_path, show=show, episodes=(episode, SECOND), turns=turns, chapters=((0, HOSTILE),)).root
    for name in PAGES:
        page = parse(root / name)
        assert len(page.xpath("//script")) == 2 and len(page.xpath("//img")) == 1 and not page.xpath("//@onerror")
        assert json.loads(page.xpath("//script[@type]/text()")[0])
        assert "49" not in page.findtext(".//h1")
    page = parse(root / PAGES[1])
    assert "".join(page.findtext(".//h1").split()) == "".join(apply_typography(HOSTILE, "fr").split())
    (frame,) = lxml.html.fragments_fromstring(page.get_element_by_id("cadre").text_content())  # as pasted into another page
    assert set(frame.attrib) == {"src", "title", "width", "height", "loading"} and len(frame) == 0


def test_an_english_show_has_english_pages(tmp_path):
    text = (publish_sample(tmp_path, show=replace(SHOW, language="en")).root / PAGES[1]).read_text(encoding="utf-8")
    for words in ('<html lang="en">', "Download (MP3, 7.7\u00a0MB)", "<dt>Host</dt>", "1\u00a0September 2026"):
        assert words in text


def test_the_same_inputs_give_the_same_bytes(tmp_path, public):
    again = publish_sample(tmp_path).root
    assert all((again / name).read_bytes() == (public / name).read_bytes() for name in (*PAGES, "style.css", "page.js"))


def test_a_licence_in_words_of_one_s_own_is_printed_as_it_was_written(tmp_path):
    owners = [
        texts(parse(publish_sample(tmp_path / name[:2], show=replace(SHOW, license=name)).root / "index.html"), "owner")
        for name in ("cc-by-4.0", "Tous droits")
    ]
    assert ["Licence : CC-BY-4.0" in owners[0][0].replace("\u00a0", " "), "Tous droits" in owners[1][0]] == [True, True]


def test_a_show_without_episodes_has_a_page(tmp_path):
    page = parse(publish_sample(tmp_path, episodes=()).root / "index.html")
    assert "Aucun épisode" in page.xpath("//main")[0].text_content() and not page.find_class("episodes")


def test_an_episode_without_chapters_or_words_has_a_page(tmp_path):
    page = parse(publish_sample(tmp_path, turns=(), chapters=()).root / PAGES[1])
    assert not page.find_class("chapters") and not page.find_class("turns") and not page.find_class("tools")
    assert "pas encore disponible" in page.find_class("transcript")[0].text_content()


def test_the_newest_episode_comes_first_unless_the_show_is_a_serial(tmp_path, public):
    serial = publish_sample(tmp_path, show=replace(SHOW, kind="serial")).root
    titles = [parse(root / "index.html").xpath("//h3/a/text()") for root in (public, serial)]
    assert titles == [["Une voix", "La file d’attente"], ["La file d’attente", "Une voix"]]


def test_a_release_without_audio_says_what_to_do(tmp_path):
    made = publish_sample(tmp_path)
    write_release(tmp_path / work_path(FIRST.slug, "release.json"), Release(FIRST.slug, 1.0, ()))
    with pytest.raises(CauserieError, match="the release of 01-la-file lists no audio file; delete .causerie and build again"):
        execute_step(next(step for step in made.steps if step.kind == "page"), tmp_path, tmp_path)


@given(st.lists(st.tuples(st.text("ab[]", min_size=1), st.none() | st.floats(0, 5)), max_size=12), st.lists(st.integers(0, 5), max_size=4))
@settings(max_examples=80, deadline=None)
def test_whatever_the_times_no_word_is_lost_and_no_anchor_is_shared(words, starts):
    turns = tuple(Turn(Voice("A"), (Word(text, start, start),)) for text, start in words)
    made = turn_views(TimedTranscript(9.0, "en", turns), tuple(Chapter(start, str(start)) for start in sorted(starts)), {}, "Narrator")
    assert [piece.text for passage in made for piece in passage.pieces] == [text for text, _ in words]
    anchors = [passage.anchor for passage in made if passage.anchor]
    assert len(anchors) == len(set(anchors)) == sum(start is not None for _, start in words)


def test_style_and_script_are_small_and_fetch_nothing(public):
    css, script = (public / "style.css").read_text(encoding="utf-8"), (public / "page.js").read_bytes()
    assert len(script) <= 4096
    assert "url(" not in css and "@import" not in css and b"http" not in script and b"innerHTML" not in script


def test_the_pages_say_that_nobody_has_checked_a_machines_text(tmp_path):
    sample = publish_sample(tmp_path)
    timed = tmp_path / work_path("01-la-file", "timed.json")
    write_timed(timed, replace(read_timed(timed), review=TextReview("draft")))
    for step in sample.steps:
        execute_step(step, tmp_path, tmp_path)
    notice = "Transcription automatique, non relue."
    assert texts(parse(tmp_path / "site/01-la-file/index.html"), "review") == [notice]
    assert texts(parse(tmp_path / "site/02-la-voix/index.html"), "review") == []
    assert texts(parse(tmp_path / "site/transcripts/index.html"), "review") == [notice]


def test_chapters_that_a_machine_proposed_are_labelled(tmp_path):
    sample = publish_sample(tmp_path)
    assert texts(parse(sample.root / "01-la-file/index.html"), "proposed") == []
    chapters = tmp_path / "feeds/01-la-file.chapters.json"
    write_json(chapters, {**read_json(chapters), "proposed": True})
    for step in sample.steps:
        execute_step(step, tmp_path, tmp_path)
    assert texts(parse(tmp_path / "site/01-la-file/index.html"), "proposed") == ["Proposés par une machine, d’après le texte."]


@pytest.mark.parametrize(
    ("language", "direction", "label"), [("ar", "rtl", "Transcript"), ("es-MX", None, "Transcripción"), ("de", None, "Transkript")]
)
def test_pages_are_in_the_shows_language_and_direction(tmp_path, language, direction, label):
    sample = publish_sample(tmp_path, show=replace(SHOW, language=language))
    for name in ("index.html", "01-la-file/index.html", EMBED, LOST):
        page = parse(sample.root / name)
        assert (page.get("lang"), page.get("dir")) == (language, direction)
    assert parse(sample.root / "01-la-file/index.html").get_element_by_id("transcription").text == label
