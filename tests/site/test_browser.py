"""The pages in a real browser: with and without script, by keyboard, on a narrow screen, in print, from a local folder."""

import mimetypes
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.site_sample import DURATION_S, FIRST, SHOW, Voice, make_tone, make_turn, publish_sample

pytestmark = pytest.mark.slow

HOME = "http://localhost:1/"  # never contacted: requests are intercepted and answered from the folder
EPISODE = HOME + "01-la-file/index.html"
KINDS = ("index", "01-la-file/index", "01-la-file/embed", "people/index", "themes/accueil/index", "transcripts/index", "404")


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    return publish_sample(tmp_path_factory.mktemp("site"), sound=make_tone(DURATION_S)).root


@pytest.fixture
def browse(chromium, public):
    """A function that opens a URL and returns the page; the teardown fails on any console message or error."""
    contexts, wrong = [], []

    def answer(route, request):
        if not request.url.startswith(HOME):
            wrong.append(f"asked for {request.url}")
        hand_over(route, request, public)

    def open_page(url=EPISODE, **options):
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        if url.startswith("http"):
            page.route("**/*", answer)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong


def hand_over(route, request, public: Path) -> None:
    """Respond like an S3 bucket, with byte ranges."""
    name = request.url.removeprefix(HOME).partition("#")[0]
    data, kind = (public / name).read_bytes(), mimetypes.guess_type(name)[0] or "text/plain"
    if "jpg" in name:
        data, kind = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>', "image/svg+xml"
    start, _, end = request.headers.get("range", "").removeprefix("bytes=").partition("-")
    headers = {"Content-Type": kind, "Accept-Ranges": "bytes"}
    if not start:
        route.fulfill(status=200, headers=headers, body=data)
        return
    last = int(end or len(data) - 1)
    headers["Content-Range"] = f"bytes {start}-{last}/{len(data)}"
    route.fulfill(status=206, headers=headers, body=data[int(start) : last + 1])


def wait_until(page, condition: str) -> None:
    page.wait_for_function(f"() => {{ const audio = document.querySelector('audio'); return {condition}; }}")


def time_of(page) -> float:
    return page.evaluate("document.querySelector('audio').currentTime")


def play(page) -> None:
    page.evaluate("document.querySelector('audio').play()")


def current(page) -> list[str]:
    return page.eval_on_selector_all("[aria-current]", "found => found.map(turn => turn.id)")


@pytest.mark.parametrize(("fragment", "start_s", "turn"), [("31", 31, "t31"), ("0:13", 13, "t13"), ("10,12", 10, "t10"), ("0", 0, "")])
def test_a_link_to_a_moment_opens_there_without_playing(browse, fragment, start_s, turn):
    page = browse(f"{EPISODE}#t={fragment}")
    wait_until(page, f"audio.readyState && audio.currentTime === {start_s}")
    assert current(page) == ([turn] if turn else [])
    assert page.evaluate("document.querySelector('audio').paused")


def test_a_link_to_a_passage_stops_at_its_end(browse):
    page = browse(f"{EPISODE}#t=10,10.5")
    wait_until(page, "audio.currentTime === 10")
    play(page)
    wait_until(page, "audio.paused && audio.currentTime >= 10.5")
    assert time_of(page) < 12


def test_a_fragment_that_means_nothing_changes_nothing(browse):
    page = browse(f"{EPISODE}#t=<b>,::")
    wait_until(page, "audio.readyState")
    assert time_of(page) == 0


def test_enter_on_a_time_plays_from_there_and_writes_the_address(browse):
    page = browse()
    page.locator("#t13 .time").focus()
    page.keyboard.press("Enter")
    wait_until(page, "!audio.paused && audio.currentTime > 13")
    assert page.url.endswith("#t=13")
    assert current(page) == ["t13"]


def test_a_chapter_plays_from_its_start(browse):
    page = browse()
    page.get_by_role("navigation", name="Chapitres").get_by_role("link", name="Micro-trottoir").click()
    wait_until(page, "!audio.paused && audio.currentTime > 30")


def test_the_place_is_kept_and_resumed(browse):
    page = browse(f"{EPISODE}#t=20")
    wait_until(page, "audio.currentTime === 20")
    play(page)
    wait_until(page, "audio.currentTime > 20.2")
    page.evaluate("document.querySelector('audio').pause()")
    page.goto(HOME + "index.html")
    page.goto(EPISODE)
    wait_until(page, "audio.currentTime > 20")
    assert page.get_by_role("status").filter(has_text="reprend").is_visible()


@pytest.mark.parametrize("leave", ["reload", "back"])
def test_who_listened_on_from_a_moment_comes_back_to_where_they_stopped_not_to_the_moment(browse, leave):
    page = browse()
    page.locator("#t13 .time").click()
    wait_until(page, "!audio.paused && audio.currentTime > 13")
    page.evaluate("document.querySelector('audio').currentTime = 40")
    wait_until(page, "audio.currentTime > 40.2")
    page.evaluate("document.querySelector('audio').pause()")
    if leave == "back":
        page.get_by_role("link", name="Tous les épisodes").click()
        page.wait_for_url("**/index.html")
        page.go_back()
    else:
        page.reload()
    assert page.url.endswith("#t=13")
    wait_until(page, "audio.currentTime > 40")


def test_search_counts_and_shows_the_passages_whatever_their_accents(browse):
    page = browse()
    box, shown = page.get_by_label("Chercher dans la transcription"), page.locator(".turn:visible")
    found = {"ETE compris": (1, "1 passage trouvé"), "j'attends": (1, "1 passage trouvé"), "Odile": (2, "2 passages trouvés")}
    for words, (count, told) in {**found, "zèbre": (0, "Aucun passage trouvé"), "": (8, "")}.items():
        box.fill(words)
        assert (shown.count(), page.locator("output").inner_text()) == (count, told)


def test_a_quotation_is_copied_with_its_voice_its_title_and_its_address(browse):
    page = browse(permissions=["clipboard-read", "clipboard-write"])
    page.locator("#t10").hover()
    page.locator("#t10").get_by_role("button", name="Copier la citation").click()
    page.locator("#t10").get_by_role("button", name="Copié").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").replace("\u202f", " ") == (
        f"« Madame, combien de personnes ? » Le reporter, La file d’attente, Demain, le guichet\n{SHOW.website}01-la-file/#t=10"
    )


def test_the_text_follows_only_when_asked(browse):
    page = browse(viewport={"width": 900, "height": 500})
    assert not page.get_by_label("Faire défiler").is_checked()
    page.get_by_label("Faire défiler").check()
    wait_until(page, "audio.readyState")
    page.evaluate("scrollTo(0, 0); document.querySelector('audio').currentTime = 31")
    page.wait_for_function("() => scrollY > 200 && document.querySelector('#t31').getBoundingClientRect().bottom < innerHeight")


def test_everything_is_reached_by_keyboard_and_nothing_focused_is_hidden(browse):
    page = browse(viewport={"width": 900, "height": 700})
    wanted = page.locator("a[href]:visible, input:visible, button:visible").count()
    for key in ("Tab", "Shift+Tab"):
        seen = set()
        for _ in range(wanted + 15):  # the player's own controls take focus too
            page.keyboard.press(key)
            seen.add(page.evaluate(FOCUS))
        assert not [place for place in seen if place.startswith("hidden")]
        assert len(seen - {""}) >= wanted


FOCUS = """() => {
  const focused = document.activeElement, box = focused.getBoundingClientRect();
  if (!focused.matches("a, input, button")) return "";
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const name = [...document.querySelectorAll("*")].indexOf(focused) + focused.outerHTML.slice(0, 80);
  return (focused.contains(top) || top?.contains(focused) ? "" : "hidden ") + name;
}"""


@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing_by_day_and_by_night(browse, kind):
    import axe_playwright_python

    axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    page = browse(f"{HOME}{kind}.html")
    page.evaluate(axe)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate("rules => axe.run({ runOnly: rules })", AXE_RULES)
        assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
        assert len(found["passes"]) > 10


AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_telephone_s_width_is_enough_and_targets_are_large(browse, kind):
    page = browse(f"{HOME}{kind}.html", viewport={"width": 320, "height": 600})
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    small = "found => found.filter(node => node.offsetHeight && node.offsetHeight < 24).map(node => node.outerHTML)"
    assert page.eval_on_selector_all("a, button, input", small) == []


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_a_stranger_typed_runs_or_runs_over(browse, chromium, tmp_path, kind):
    odd = "</title><script>alert(1)</script><img src=x onerror=alert(1)>" + "x" * 300 + " مرحبا 🎧 \u202e"
    people = tuple(replace(credit, person=replace(credit.person, name=odd)) for credit in FIRST.credits)
    episode = replace(FIRST, title=odd, summary=odd, description=odd, credits=people)
    turns = (make_turn(odd, 1.0, Voice(odd, odd, label=odd), odd), make_turn(odd, 5.0, Voice("B", odd)))
    root = publish_sample(
        tmp_path, show=replace(SHOW, title=odd, status=odd), episodes=(episode,), turns=turns, chapters=((0, odd),), sound=bytes(64)
    ).root
    page = browse((root / f"{kind}.html").as_uri(), viewport={"width": 320, "height": 600})
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert not page.locator("[onerror]").count()


def test_a_role_that_turns_its_direction_round_leaves_the_words_in_their_order(browse, tmp_path):
    root = publish_sample(
        tmp_path, episodes=(FIRST,), turns=(make_turn("Bonjour à vous.", 1.0, Voice("A", "\u2067archive")),), chapters=(), sound=bytes(64)
    ).root
    page = browse((root / EPISODE.removeprefix(HOME)).as_uri())
    lefts = page.eval_on_selector_all(
        ".turn > b, .turn > .role, .turn > .words", "parts => parts.map(part => part.getBoundingClientRect().x)"
    )
    assert len(lefts) == 4 and lefts == sorted(lefts)


@pytest.mark.parametrize(("width", "title"), [(300, FIRST.title), (900, "Un titre qui en dit long " * 10)])
def test_a_small_frame_shows_the_player_whole_and_hides_no_link(browse, tmp_path, width, title):
    root = publish_sample(tmp_path, episodes=(replace(FIRST, title=title.strip()),), sound=make_tone(1)).root
    page = browse((root / "01-la-file/embed.html").as_uri(), viewport={"width": width, "height": 240})
    for _ in range(2):
        box = page.locator("audio").bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 240
        page.keyboard.press("Tab")
        assert not page.evaluate(FOCUS).startswith("hidden")


def test_a_guide_fits_a_telephone_whatever_its_longest_word(browse, tmp_path):
    from tests.support import guide_sample

    made = guide_sample.render(tmp_path, "## But de la rencontre\n\n" + "x" * 300, episode=replace(guide_sample.EPISODE, title="é" * 200))
    for form in ("facilitator_html", "handout_html"):
        page = browse(made[form].as_uri(), viewport={"width": 320, "height": 600})
        assert page.evaluate("document.documentElement.scrollWidth") == 320
    page = browse(made["facilitator_html"].as_uri(), viewport={"width": 320, "height": 600})
    lines = (
        "times => times.map(time => { const range = new Range(); range.selectNodeContents(time); return range.getClientRects().length; })"
    )
    assert set(page.eval_on_selector_all("table tbody td:first-child", lines)) == {1}  # a time does not wrap


def test_the_speed_is_kept_from_one_page_to_the_next(browse):
    page = browse()
    page.get_by_label("Vitesse").select_option("1.5")
    wait_until(page, "audio.playbackRate === 1.5")
    page.goto(HOME + "02-la-voix/index.html")
    wait_until(page, "audio.playbackRate === 1.5")
    assert page.get_by_label("Vitesse").input_value() == "1.5"


def test_in_colours_of_the_reader_s_own_the_current_turn_stands_out(browse):
    page = browse(f"{EPISODE}#t=13", forced_colors="active")
    wait_until(page, "audio.currentTime === 13")
    edges = page.eval_on_selector_all(".turn", "turns => turns.map(turn => getComputedStyle(turn).borderLeftColor)")
    assert len(set(edges)) == 2 and edges.count(edges[3]) == 1


def test_without_a_script_everything_is_there_and_times_are_links_into_the_file(browse):
    page = browse(java_script_enabled=False)
    assert page.locator(".turn:visible").count() == 8
    assert page.locator(".tools:visible, button:visible").count() == 0
    assert page.locator("#t31 .time").get_attribute("href") == "01-la-file-a.mp3#t=31"


def test_the_pages_work_from_a_folder(browse, public):
    page = browse((public / "01-la-file/index.html").as_uri() + "#t=31")
    wait_until(page, "audio.readyState && Math.abs(audio.duration - 60) < 1 && audio.currentTime === 31")
    page.get_by_role("link", name="Tous les épisodes").click()
    assert page.get_by_role("heading", level=1).inner_text() == SHOW.title
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgba(0, 0, 0, 0)"


def test_on_paper_there_is_the_text_and_its_address_and_no_player(browse):
    page = browse()
    page.get_by_label("Chercher dans la transcription").fill("Odile")
    page.emulate_media(media="print")
    assert page.locator(".turn:visible").count() == 8
    assert page.get_by_text(f"{SHOW.website}01-la-file/", exact=True).is_visible()
    assert not page.locator("audio:visible, button:visible, form:visible").count()
