"""The guide for a screen: its clips play, and the meeting is shown a step at a time, without a network."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pipeline.guide.screen import clip_sounds
from tests.support import audio_tools
from tests.support.guide_sample import GUIDE, render

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("screen")
    tone = audio_tools.write(folder / "tone.wav", audio_tools.speech_like_noise(3))
    sound = audio_tools.convert(tone, folder / "tone.mp3").read_bytes()
    return render(folder / "guide", GUIDE.read_text(encoding="utf-8"), sound=sound)["facilitator_html"]


@pytest.fixture
def opened(chromium, page_file):
    wrong, asked = [], []
    page = chromium.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(60_000)
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    yield page
    page.close()
    assert wrong == []
    assert all(url.startswith(("file:", "data:")) for url in asked)


def seconds(page) -> int:
    """The time left as it is shown."""
    minutes, rest = page.locator("#stage [role=timer]").inner_text().split(":")
    return 60 * int(minutes) + int(rest)


def test_the_meeting_is_shown_a_step_at_a_time_with_the_time_that_is_left(opened):
    opened.get_by_role("button", name="Projeter la rencontre").click()
    stage = opened.locator("#stage")
    assert stage.get_by_role("heading").inner_text() == "Accueil et cadre"
    before = seconds(opened)
    opened.wait_for_timeout(1500)
    assert seconds(opened) < before
    opened.keyboard.press("p")
    held = seconds(opened)
    opened.wait_for_timeout(1200)
    assert seconds(opened) == held
    opened.keyboard.press("ArrowRight")
    assert stage.get_by_role("heading").inner_text() == "Avant l’écoute"
    assert stage.locator(".asked p").count() == 1
    opened.keyboard.press("Escape")
    stage.wait_for(state="hidden")


def test_a_clip_plays_and_only_one_at_a_time(opened):
    opened.evaluate("document.querySelector('.clip audio').play()")
    opened.wait_for_timeout(700)
    assert opened.evaluate("document.querySelector('.clip audio').currentTime") > 0


def test_a_step_whose_time_is_over_says_so(opened):
    opened.get_by_role("button", name="Projeter la rencontre").click()
    opened.evaluate("leftS[0] = 0.4")
    opened.locator("#stage .said", has_text="Le temps de cette étape est passé").wait_for()
    assert opened.locator("#stage [role=timer]").inner_text().startswith(("+", "0:00"))


def test_clips_are_found_by_the_number_of_their_file(tmp_path):
    with zipfile.ZipFile(tmp_path / "clips.zip", "w") as archive:
        archive.writestr("02 1m05 Malik.mp3", b"ID3")
        archive.writestr("extraits.txt", b"")
    assert clip_sounds(tmp_path / "clips.zip") == {"2": "data:audio/mpeg;base64,SUQz"}
