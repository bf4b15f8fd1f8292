"""The review page in a real browser against the real server."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from pipeline.web.review.server import make_review_server
from tests.support.review_sample import SLUG, TEXT, make_session, make_tone

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sound() -> bytes:
    return make_tone(60)


class Page:
    """A page and its transcript file. Its Content-Security-Policy forbids `wait_for_function`, so conditions are polled here."""

    def __init__(self, page, file: Path) -> None:
        self.page, self.file = page, file

    def until(self, condition: str) -> None:
        for _ in range(1200):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"never: {condition}")

    def text(self) -> str:
        return self.page.locator("#head").input_value() + self.page.locator("#text").input_value()

    def put_cursor(self, before: str, after: int = 0) -> None:
        """Put the cursor before some words, as a click there would."""
        at = f"{TEXT.index(before) + after} - head.value.length"  # the front matter is not in the box of the text
        self.page.evaluate(f"text.focus(); text.setSelectionRange({at}, {at})")

    def saved(self) -> None:
        self.page.keyboard.press("Control+s")
        self.page.locator("#status", has_text=re.compile("^Enregistré$")).wait_for()


@pytest.fixture
def opened(chromium, tmp_path, sound):
    server, address = make_review_server(make_session(tmp_path, sound=sound))
    wrong, asked = [], []
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        page = chromium.new_page(viewport={"width": 1200, "height": 800})
        page.set_default_timeout(60_000)  # a busy machine is slow, not wrong
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        found = Page(page, tmp_path / f"transcripts/{SLUG}.md")
        found.until("document.querySelector('.at:not([hidden])') !== null && audio.readyState > 0")
        yield found
        page.close()
        server.shutdown()
        thread.join()
    assert not [message for message in wrong if "409" not in message and "ERR_FAILED" not in message]
    assert all(url.startswith((address, "data:")) for url in asked)


def test_what_is_typed_is_saved_with_its_keys(opened):
    opened.put_cursor("atente", after=2)
    opened.page.keyboard.type("t")
    assert "Pas encore" in opened.page.locator("#status").inner_text()
    opened.saved()
    assert opened.file.read_text(encoding="utf-8") == TEXT.replace("atente", "attente", 1)


def test_a_file_changed_by_another_hand_is_told_and_kept(opened):
    opened.file.write_text("Une autre main.\n", encoding="utf-8")
    opened.page.locator("#text").focus()
    opened.page.keyboard.type("x")
    opened.page.keyboard.press("Control+s")
    opened.page.get_by_role("alert").filter(has_text="a été changé par ailleurs").wait_for()
    assert opened.file.read_text(encoding="utf-8") == "Une autre main.\n"
    assert "x" in opened.text()


def test_a_click_in_a_paragraph_goes_to_the_word(opened):
    box = opened.page.locator(".line", has_text="Prenez un ticket").bounding_box()
    opened.page.mouse.click(box["x"] + 85, box["y"] + 10)  # at the start of the line, in its name
    opened.until("audio.currentTime === 8")
    opened.put_cursor("ticket", after=2)
    opened.page.keyboard.press("Control+Enter")
    opened.until("!audio.paused && audio.currentTime >= 9 && audio.currentTime < 10")
    assert opened.page.locator(".now").inner_text().endswith("ticket.")


def test_keys_play_stop_and_go_back_while_one_types(opened):
    opened.page.evaluate("audio.currentTime = 20")
    opened.page.locator("#text").focus()
    opened.page.keyboard.press("Escape")
    opened.until("!audio.paused && audio.currentTime > 20")
    opened.page.keyboard.press("Escape")
    opened.until("audio.paused")
    before = opened.page.evaluate("audio.currentTime")
    opened.page.keyboard.press("F2")
    opened.until(f"Math.abs(audio.currentTime - {before - 3}) < 0.05")
    assert opened.text() == TEXT


def test_the_next_doubt_plays_from_two_seconds_before_and_its_note_can_be_deleted(opened):
    opened.page.keyboard.press("F4")
    opened.until("!audio.paused && audio.currentTime < 2")
    assert "la file d’atente" in opened.page.locator(".chosen").inner_text()
    opened.page.get_by_role("button", name="Entendu").click()
    opened.page.locator("#n-doubts", has_text="(0)").wait_for()
    assert opened.text() == TEXT.replace("%% ? 0:02–0:04 « la file d’atente » (mots peu sûrs)\n\n", "")
    opened.page.keyboard.press("Control+z")
    assert opened.text() == TEXT


def test_doubted_words_are_marked_in_the_text(opened):
    marked = opened.page.evaluate("[...CSS.highlights.get('doubted')].map(String).join(' ')")
    assert marked == "tous, voici la file"  # from second 2 to second 4


def test_a_time_in_the_margin_plays_from_there_also_after_lines_were_added(opened):
    opened.put_cursor("Nora : Prenez")
    opened.page.keyboard.type("Une ligne.\n\n")
    opened.page.get_by_role("button", name="0:08", include_hidden=True).click()
    opened.until("!audio.paused && audio.currentTime >= 8 && audio.currentTime < 9")


def test_mistakes_show_while_one_types_and_lead_to_their_line(opened):
    opened.put_cursor("Nora : Prenez")
    opened.page.keyboard.type("- Non.\n\n")
    mistake = opened.page.locator("#mistakes").get_by_role("button").first
    mistake.click()
    assert mistake.inner_text().startswith(f"l. {TEXT[: TEXT.index('Nora : Prenez')].count(chr(10)) + 1} ")
    assert opened.page.evaluate("text.value.slice(text.selectionStart)").startswith("- Non.")
    assert opened.page.locator(".wrong").inner_text().endswith("- Non.")


def test_leaving_with_something_unsaved_is_asked_about(opened):
    asked = []
    opened.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    opened.page.locator("#text").focus()
    opened.page.keyboard.type("x")
    opened.page.reload()
    opened.page.locator(".at:visible").first.wait_for()
    assert asked == ["beforeunload"]


def test_the_copy_underneath_lies_line_for_line_under_the_text(opened):
    opened.page.set_viewport_size({"width": 700, "height": 800})
    long = "une phrase assez longue pour qu’elle passe à la ligne plusieurs fois, et encore un peu ; " * 6
    opened.put_cursor("Bonjour")
    opened.page.keyboard.insert_text(long)
    assert opened.page.evaluate("Math.abs(text.scrollHeight - text.clientHeight)") <= 1
    assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_server_that_was_stopped_is_told_and_the_text_stays(opened):
    opened.page.route("**/text", lambda route: route.abort())
    opened.page.locator("#text").focus()
    opened.page.keyboard.type("x")
    opened.page.keyboard.press("Control+s")
    opened.page.get_by_role("alert").filter(has_text="ne répond plus").wait_for()
    opened.page.unroute("**/text")
    assert "x" in opened.text()


def test_who_has_gone_through_the_doubts_can_state_it_and_undo_it(opened):
    page = opened.page
    assert not page.locator("#check-now").is_visible()
    page.locator("#doubts button", has_text="✓").click()
    page.locator("#check-now").wait_for(state="visible")
    page.locator("#by").fill("H. Marchand")
    page.locator("#check-off").click()
    page.locator("#checked", has_text="par H. Marchand").wait_for()
    page.locator("#status", has_text=re.compile("^Enregistré$")).wait_for()
    assert re.match(r'\+\+\+\nreviewed = "\d{4}-\d\d-\d\d, H\. Marchand"\n\[voices', opened.file.read_text(encoding="utf-8"))
    assert not page.locator("#check-now").is_visible()
    page.keyboard.press("Control+z")
    opened.until("!whole().includes('reviewed')")


def test_the_front_matter_has_a_box_of_its_own_and_is_saved_with_the_text(opened):
    assert opened.page.locator("#text").input_value().startswith("Bonjour à tous")
    assert not opened.page.locator("#head").is_visible()
    opened.page.locator("#front summary").click()
    opened.page.locator("#head").fill("+++\n[voices.Nora]\nrole = 3\n+++\n\n")
    mistake = opened.page.locator("#mistakes").get_by_role("button").first
    mistake.click()
    assert mistake.inner_text().startswith("l. 2 ")
    assert opened.page.evaluate("document.activeElement.id") == "head"
    opened.saved()
    assert opened.file.read_text(encoding="utf-8") == TEXT.replace('"récit"', "3", 1)
