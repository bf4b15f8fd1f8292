"""An episode in another language than its show: its texts in that language, and a feed for each language."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import feedparser
import lxml.html
import podcastparser
import pytest

from pipeline.config.loader import load_config
from pipeline.engine.receipts import to_canonical
from pipeline.engine.step import Step
from pipeline.model.feed import ChannelOptions, FeedVariant
from pipeline.model.show import Credit
from pipeline.model.text import language_matches
from pipeline.plan import plan_steps
from pipeline.site.context import feed_key
from tests.config.test_loader import EPISODE, SHOW, add, mistakes
from tests.feed.test_feed_options import made
from tests.feed.test_rss import FILE, VOICE, find
from tests.support.site_sample import FIRST, NORA, SECOND, make_show
from tests.support.site_sample import SHOW as SITE_SHOW
from tests.support.site_sample import publish_sample as pages

AT = datetime(2027, 1, 1, tzinfo=UTC)
ENGLISH = FeedVariant("english", "Tomorrow, the counter", key="feeds/english/feed.xml", description="Waiting, and after.", language="en")
TALK = replace(VOICE, language="en-gb")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A French show with two episodes, two in English; Whisper may translate into English."""
    (tmp_path / "show.toml").write_text(SHOW + '[speech]\ntranslate = ["en"]\n[[feeds]]\nname = "english"\nlanguage = "en"\n')
    (tmp_path / "cover.png").write_bytes(b"x")
    for number, language in enumerate(("fr", "", "en", "en-gb"), 1):
        told = f'language = "{language}"\n' if language else ""
        add(tmp_path, f"e{number}", told + EPISODE.replace("number = 1", f"number = {number}"))
    return tmp_path


def steps(root: Path) -> dict[str, Step]:
    return {step.name: step for step in plan_steps(load_config(root), AT)}


def test_an_episode_is_transcribed_captioned_tagged_and_discussed_in_its_language(root: Path) -> None:
    made_of = steps(root)
    assert [made_of[f"e{i}/transcribe"].settings["language"] for i in (1, 2, 3, 4)] == ["fr", "fr", "en", "en"]
    assert made_of["e3/draft"].settings["language"] == "en"
    for kind in ("tag", "tag-light", "guide-draft", "guide"):
        assert [made_of[f"e{i}/{kind}"].settings["show"].language for i in (2, 3, 4)] == ["fr", "en", "en-gb"]
    assert made_of["e3/card"].settings["language"] == "en"


def test_an_english_episode_is_not_translated_into_english(root: Path) -> None:
    assert [f"e{i}/translate" in steps(root) for i in (1, 2, 3, 4)] == [True, True, False, False]


def test_the_guide_of_the_series_is_about_the_episodes_in_the_shows_language(root: Path) -> None:
    series = steps(root)["show/series-guide"]
    assert series.settings["show"].language == "fr" and [info.slug for info in series.settings["episodes"]] == ["e1", "e2"]


def test_an_episode_without_the_key_has_the_settings_it_had_before(root: Path) -> None:
    both = [to_canonical({**step.settings, "reads": step.reads}) for name, step in steps(root).items() if name.startswith(("e1/", "e2/"))]
    assert "language" not in {key for told in both for key in told.get("episode", {})}
    assert not any("house" in told.get("frame", {}) for told in both)


@pytest.mark.parametrize(
    ("file", "before", "after", "sentence"),
    [
        ("episodes/e3/episode.toml", '"en"', '"English"', "episode.toml: language: cannot be “English”; write it like fr or fr-ca"),
        ("show.toml", 'language = "en"', 'language = "br"', "show.toml: feeds[1].language: no episode is in the language “br”"),
        ("show.toml", "[[feeds]]", '[feed]\nlanguage = "de"\n[[feeds]]', "show.toml: feed.language: no episode is in the language “de”"),
    ],
)
def test_a_language_without_episodes_is_a_mistake(root: Path, file: str, before: str, after: str, sentence: str) -> None:
    (root / file).write_text((root / file).read_text().replace(before, after, 1))
    assert sentence in "\n".join(mistakes(root))


@pytest.mark.parametrize(
    ("language", "wanted", "is_so"), [("en-GB", "en", True), ("en", "en-gb", False), ("fr", "en", False), ("fr", "", True)]
)
def test_a_regional_form_of_a_language_matches_it(language: str, wanted: str, is_so: bool) -> None:
    assert language_matches(language, wanted) is is_so


def test_a_feed_of_a_language_has_its_episodes_and_says_so(tmp_path: Path) -> None:
    feeds = made(tmp_path, ChannelOptions(others=(ENGLISH,)), (FILE, TALK))
    theirs = feedparser.parse(feeds["feed_english"])
    assert (theirs.feed.language, theirs.feed.title, theirs.feed.subtitle) == ("en", "Tomorrow, the counter", "Waiting, and after.")
    assert [each.title for each in theirs.entries] == [VOICE.title]
    whole = podcastparser.parse("https://example.org/feed.xml", BytesIO(feeds["feed"]))
    assert (whole["language"], len(whole["episodes"])) == ("fr", 2)
    for feed in feeds.values():
        item = f"//item[title='{VOICE.title}']"
        assert set(find(feed, f"{item}/podcast:transcript/@language")) == {"en-gb"}
        assert "Read the transcript" in find(feed, f"{item}/description/text()")[0]
    assert set(find(feeds["feed"], f"//item[title='{FILE.title}']/podcast:transcript/@language")) == {"fr"}


def test_the_main_feed_may_keep_to_one_language(tmp_path: Path) -> None:
    feeds = made(tmp_path, ChannelOptions(language="fr", others=(ENGLISH,)), (FILE, TALK))
    assert [find(feed, "//item/title/text()") for feed in feeds.values()] == [[FILE.title], [VOICE.title]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of a French show whose second episode is in English."""
    second = replace(SECOND, title="Where does it go?", summary="A voice: whose?", language="en")
    second = replace(second, credits=(*second.credits, Credit(NORA, "Composer", "Audio Post-Production")))
    show = replace(SITE_SHOW, title="Où va l'eau ?")
    return pages(tmp_path_factory.mktemp("site"), show=show, episodes=(FIRST, second)).root


def page(path: Path) -> lxml.html.HtmlElement:
    return lxml.html.document_fromstring(path.read_bytes(), parser=lxml.html.HTMLParser(encoding="utf-8"))


def test_a_page_is_in_the_language_of_its_episode_and_names_the_shows_own_parts(site: Path) -> None:
    found = page(site / "02-la-voix/index.html")
    assert found.get("lang") == "en" and found.xpath("//h2[@id='transcription']/text()") == ["Transcript"]
    assert found.xpath("//nav[1]/a[@lang='fr']/text()")[0] == "Où va l’eau\u202f?"
    assert found.xpath("//nav[@class='around']//bdi[@lang='fr']/text()") == ["La file d’attente"]
    assert found.xpath("//p[@lang]") == [] and found.xpath("//h1/text()") == ["Where does it go?"]


@pytest.mark.parametrize("name", ["index.html", "people/index.html", "themes/accueil/index.html", "transcripts/index.html"])
def test_pages_of_the_show_mark_what_is_in_another_language(site: Path, name: str) -> None:
    found = page(site / name)
    assert found.get("lang") == "fr" and not found.xpath("//body//*[@lang='fr']")
    titles = found.xpath("//body//*[normalize-space(text())='Where does it go?']")
    assert titles and {each.xpath("ancestor-or-self::*[@lang][1]/@lang")[0] for each in titles} == {"en"}


@pytest.mark.parametrize(
    ("others", "language", "key"),
    [
        ((ENGLISH,), "en", "feeds/english/feed.xml"),
        ((ENGLISH,), "", "feed.xml"),
        ((replace(ENGLISH, private=True),), "en", "feed.xml"),
        ((replace(ENGLISH, audio="light"),), "en", "feed.xml"),
    ],
)
def test_an_episodes_page_leads_to_the_public_feed_of_its_language(others: tuple[FeedVariant, ...], language: str, key: str) -> None:
    episode = replace(SECOND, language=language)
    assert feed_key(replace(make_show(), feed=ChannelOptions(others=others)), episode) == key
    private = make_show(replace(SITE_SHOW, feed_key=""))
    assert feed_key(replace(private, feed=ChannelOptions(others=others)), episode) == ""
