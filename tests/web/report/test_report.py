"""The audio report: figures against hand calculations, the page in an HTML parser and in a browser."""

import json
from dataclasses import replace
from pathlib import Path

import lxml.html
import numpy as np
import pytest

from pipeline.audio.level_profile import BLOCKS_PER_S, MOMENTARY_PER_S, LevelProfile, save_profiles
from pipeline.engine.files import write_json
from pipeline.model.show import Chapter
from pipeline.model.transcript import TimedTranscript, Turn, Voice, Word
from pipeline.transcript.chapters import chapters_to_json
from pipeline.transcript.timed_json import write_timed
from pipeline.web.report.labels import ReportFormatter
from pipeline.web.report.report import write_report
from pipeline.web.report.speakers import display_safe, turns_from_transcript
from pipeline.web.report.statistics import envelope_db, gains_db, loudness_lufs, noise_floor_db, smoothed_lufs
from pipeline.web.report.svg import area_path, axis_range_db, curve_path, stroke_path, time_ticks

pytestmark = pytest.mark.slow

HOSTILE = '<script>alert("x")</script>\u202e\u2067' + "Très-long-nom" * 12


def make_profile(*pieces: tuple[float, float]) -> LevelProfile:
    """A profile of (seconds, LUFS) pieces: RMS level of the same number of dB, peaks 6 dB higher, instant loudness changes."""
    blocks = np.concatenate([np.full(round(seconds * BLOCKS_PER_S), level, np.float32) for seconds, level in pieces])
    moments = np.concatenate([np.full(round(seconds * MOMENTARY_PER_S), level, np.float32) for seconds, level in pieces])
    samples = round(sum(seconds for seconds, _ in pieces) * 1000)
    return LevelProfile(1000, samples, np.power(10, blocks / 10), np.power(10, (blocks + 6) / 20), moments)


def make_turn(name: str, start_s: float, end_s: float, **more: str) -> Turn:
    return Turn(Voice(name, **more), (Word("oui", start_s, end_s),))


TURNS = (make_turn("Nora", 2, 12, person="nora"), make_turn(HOSTILE, 13, 23), make_turn("Nora", 24, 28, person="nora"))
BEFORE = make_profile((2, -60), (10, -30), (1, -60), (10, -18), (1, -60), (4, -30), (2, -60))
AFTER = make_profile((2, -50), (10, -16.5), (1, -50), (10, -15.5), (1, -50), (4, -16.5), (2, -50))
CHAPTERS = (Chapter(0, "Début"), Chapter(13, HOSTILE))
SOUND = {
    "version": 1,
    "duration_s": 30.0,
    "level": "gentle",
    "recordings": [
        {
            "file": HOSTILE + ".wav",
            "stream": "",
            "voice": "nora",
            "codec": "pcm_s24le",
            "sample_rate_hz": 48000,
            "channels": 1,
            "duration_s": 32.0,
            "integrated_lufs": -23.1,
            "peak_dbfs": -3.2,
            "noise_floor_db": -62.0,
            "gain_db": 4.1,
            "cleaned": ["high-pass, 75 Hz", "hum, 50 Hz and 5 harmonics"],
        }
    ],
    "parts": [
        {"name": "", "file": HOSTILE, "kind": "music", "start_s": 0.0, "end_s": 2.0, "gain_db": -2.0},
        {"name": "body", "file": "", "kind": "speech", "start_s": 2.0, "end_s": 30.0, "gain_db": 0.0},
    ],
    "beds": [{"file": "nappe.flac", "start_s": 4.0, "end_s": 9.0, "gain_db": -9.0, "duck_db": 12.0}],
    "turns": [{"start_s": 2, "end_s": 12, "voice": "nora", "loudness_lufs": -30, "gain_db": 9.8}],
    "trimmed_s": [0.8, 1.2],
}
ENCODED = {"integrated_lufs": -16.0, "true_peak_dbtp": -1.2, "range_lu": 2.2, "duration_s": 30.0, "gain_db": 4.5, "limit_dbtp": -1.6}
ENCODED |= {"limited": True, "limited_s": 1.5, "attempts": 2, "target_lufs": -16.0, "ceiling_dbtp": -1.0}


def write_sample_report(
    folder: Path,
    *,
    before=BEFORE,
    after=AFTER,
    sound=SOUND,
    encoded=ENCODED,
    turns=TURNS,
    chapters=CHAPTERS,
    title="L'attente",
    language="fr",
    edits=None,
) -> tuple[Path, Path]:
    """Write the report of a programme into a folder; returns the page and the figures."""
    paths = {name: folder / name for name in ("sound", "levels", "encoded", "curve", "timed", "chapters", "page", "figures")}
    write_json(paths["sound"], sound)
    write_json(paths["encoded"], encoded)
    write_json(paths["chapters"], chapters_to_json(chapters))
    write_timed(paths["timed"], TimedTranscript(after.duration_s, language, turns))
    save_profiles(paths["levels"], before=before, master=after)
    save_profiles(paths["curve"], published=after)
    paths["timed"] = paths["timed"] if turns else None
    write_report(**paths, title=title, slug="attente", language=language, names={"nora": "Nora Belkacem"}, edits=edits)
    return paths["page"].rename(folder / "page.html"), paths["figures"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    page, figures = write_sample_report(tmp_path_factory.mktemp("report"), title=HOSTILE)
    return page, lxml.html.parse(page).getroot(), json.loads(figures.read_text())


def select(element, path: str) -> list:
    """Elements by a path such as `table.voices tbody tr`."""
    steps = (step.partition(".") for step in path.split())
    each = (f"{tag}[contains(concat(' ', @class, ' '), ' {name} ')]" if name else tag for tag, _, name in steps)
    return element.xpath(".//" + "//".join(each))


def text(element) -> str:
    return " ".join(element.text_content().split())


def test_a_voice_is_as_loud_as_its_turns_and_neighbours_do_not_count():
    assert loudness_lufs(BEFORE, [(2, 12), (24, 28)]) == pytest.approx(-30, abs=0.01)
    assert loudness_lufs(BEFORE, [(13.0, 23.0)]) == pytest.approx(-18, abs=0.01)
    assert loudness_lufs(BEFORE, [(0, 0.2)]) is None  # too short for one measure
    assert loudness_lufs(make_profile((5, -90)), [(0, 5)]) is None


def test_what_is_far_under_a_voice_s_own_mean_is_left_out_of_its_loudness():
    halves = make_profile((10, -20), (10, -33))
    assert loudness_lufs(halves, [(0, 20)]) == pytest.approx(-20, abs=0.15)  # without the gate it would be −23
    near = 10 * np.log10((10**-2.0 + 10**-2.6) / 2)
    assert loudness_lufs(make_profile((10, -20), (10, -26)), [(0, 20)]) == pytest.approx(near, abs=0.05)


def test_noise_is_measured_between_words_and_digital_silence_is_not_noise():
    spoken = [(2, 12), (13, 23), (24, 28)]
    assert noise_floor_db(BEFORE, spoken) == (pytest.approx(-60, abs=0.1), True)
    assert noise_floor_db(make_profile((5, -40), (5, -200)), [(0, 3)]) == (pytest.approx(-40, abs=0.1), True)
    assert noise_floor_db(make_profile((5, -40)), [(0, 4.8)]) == (pytest.approx(-40, abs=0.1), False)
    assert noise_floor_db(make_profile((2, -200)), []) == (None, False)


@pytest.mark.parametrize("columns", [1, 7, 30, 1200])
def test_an_envelope_reaches_every_peak_however_few_its_columns(columns):
    highest, quietest = envelope_db(BEFORE, columns)
    assert len(highest) == len(quietest) == columns
    assert highest.max() == pytest.approx(-12, abs=0.01)
    assert quietest.min() == pytest.approx(-60, abs=0.01)


def test_the_loudness_line_stands_over_its_sound_and_the_gain_is_what_was_added():
    line = smoothed_lufs(BEFORE, 30, 1.0)  # a column a second
    assert line[5] == pytest.approx(-30, abs=0.01) and line[17] == pytest.approx(-18, abs=0.01)
    gains = gains_db(BEFORE, AFTER, 30)
    assert gains[5] == pytest.approx(13.5, abs=0.01) and gains[17] == pytest.approx(2.5, abs=0.01)
    assert gains[0] is None  # a pause


def test_paths_are_steps_lines_and_strokes():
    assert area_path([-10, -10, -70]) == "M0 600V100h1h1v500h1V600z"
    assert curve_path([-10, -12.5, None, -20, -90]) == "M0.5 100l1 25M3.5 200"
    assert stroke_path([(1, 3, 50), (4, 4, 50), (11, 12, 50)], 10, 100) == "M10.0 50h20.0M40.0 50h0.5"


@pytest.mark.parametrize("duration_s", [0.1, 1, 10, 97, 612, 3600, 10_800, 90_000])
def test_times_along_the_axis_are_round_and_few(duration_s):
    found = time_ticks(duration_s)
    assert found[0] == (0, "0:00") and len(found) <= 13 and found[-1][0] < max(duration_s, 1)


def test_the_gain_s_scale_holds_zero_and_every_move():
    assert axis_range_db([None, 3.6, 16.0]) == (0, 18)
    assert axis_range_db([-7.0, None]) == (-12, 0)
    assert axis_range_db([]) == (0, 6)


def test_two_voices_of_one_name_are_told_apart_and_sounds_are_no_voice():
    music = Turn(Voice(""), (Word("[musique]", 0, 3),))
    turns = (
        music,
        make_turn("Voix 1", 3, 4, role="archive"),
        make_turn("Voix 1", 5, 6, role="rue"),
        make_turn("", 7, 8),
        make_turn("N", 8, 9, person="nora"),
    )
    found = turns_from_transcript(TimedTranscript(10, "fr", turns), {"nora": "Nora"}, {"narrator": "Narration"})
    assert [each.voice for each in found] == ["Voix 1 (archive)", "Voix 1 (rue)", "Narration", "Nora"]


def test_a_name_cannot_reorder_or_break_the_line_it_stands_in():
    assert display_safe("a\u202eb\u2067c\nd\x07e") == "abc d e"
    assert display_safe("می\u200cخواهم") == "می\u200cخواهم"  # joiners shape letters and stay


def test_numbers_are_written_in_the_language_of_the_show():
    fr, en = ReportFormatter("fr-CA"), ReportFormatter("en")
    assert fr.number(-16.04, "LUFS") == "−16,0\u00a0LUFS"
    assert (en.number(2, "dB", signed=True), en.number(-0.04), en.number(None, "LU")) == ("+2.0\u00a0dB", "0.0", "–")
    lengths = [en.duration(each).replace("\u00a0", " ") for each in (9.84, 59.97, 204, 3725)]
    assert lengths == ["9.8 s", "1 min 00 s", "3 min 24 s", "1 h 02 min"]


def test_what_was_cleaned_is_said_in_french_and_the_unknown_as_it_is():
    found = ["high-pass, 75 Hz", "hum, 50 Hz and 1 harmonic", "hum, 3 harmonics of 60 Hz", "noise, floor −58 dB", "de-essing", "new\u202e"]
    assert ReportFormatter("fr").cleanup_list(found).replace("\u00a0", " ").replace("\u202f", "") == (
        "coupe-bas à 75 Hz; ronflement à 50 Hz et 1 harmonique; ronflement, 3 harmoniques de 60 Hz; bruit de fond; sifflantes adoucies; new"
    )
    assert ReportFormatter("en").cleanup_list([]) == "–"


def test_the_figures_are_those_of_the_profiles_and_of_the_encoded_file(sample):
    figures = sample[2]
    nora, other = sorted(figures["voices"], key=lambda voice: voice["name"] != "Nora Belkacem")
    assert (nora["talk_s"], nora["turns"], nora["before_lufs"], nora["after_lufs"]) == (14, 2, pytest.approx(-30), pytest.approx(-16.5))
    assert (other["before_lufs"], other["after_lufs"]) == (pytest.approx(-18), pytest.approx(-15.5))
    assert (figures["before"]["voices_spread_lu"], figures["after"]["voices_spread_lu"]) == (pytest.approx(12), pytest.approx(1))
    assert figures["before"]["peak_dbfs"] == pytest.approx(-12, abs=0.01)
    assert (figures["after"]["integrated_lufs"], figures["after"]["true_peak_dbtp"]) == (-16.0, -1.2)
    assert len(figures["series"]["before_lufs"]) == len(figures["series"]["after_lufs"]) == 30


def test_the_page_says_the_figures_it_gives(sample):
    _, page, figures = sample
    assert "−16,0 LUFS, −1,2 dBTP : conforme à ce qui était demandé" in text(select(page, "p.verdict")[0])
    words = ReportFormatter("fr")
    rows = [text(row) for row in select(page, "table.voices tbody tr")]
    for row, voice in zip(rows, figures["voices"], strict=True):
        for side in ("before_lufs", "after_lufs"):
            assert words.number(voice[side], "LUFS").replace("\u00a0", " ") in row
    table = text(select(page, "table.measures")[0])
    for key, unit in (("integrated_lufs", "LUFS"), ("range_lu", "LU"), ("voices_spread_lu", "LU"), ("noise_floor_db", "dB")):
        for side in ("before", "after"):
            assert words.number(figures[side][key], unit).replace("\u00a0", " ") in table


def test_hostile_names_stay_text_and_nothing_is_fetched(sample):
    path, page, _ = sample
    assert not page.xpath("//script | //link | //img | //iframe | //a | //*[@src or @href or @onload]")
    assert "<script" not in path.read_text() and "\u202e" not in path.read_text() and "url(" not in path.read_text()
    assert '<script>alert("x")</script>' in text(select(page, "h1")[0])


def test_drawings_have_words_and_tables_have_heads(sample):
    page = sample[1]
    for drawing in page.xpath("//svg[@role='img']"):
        named = (drawing.get("aria-labelledby") or "").split()
        assert drawing.get("aria-label") or all(text(page.get_element_by_id(each)) for each in named)
    assert len(select(page, "svg.panel")) == 3
    for table in select(page, "table"):
        assert all(head.get("scope") for head in select(table, "th"))
    ids = [element.get("id") for element in page.xpath("//*[@id]")]
    assert len(ids) == len(set(ids))


def test_what_was_done_is_told_with_its_reasons(sample):
    done = text(select(sample[1], "dl.done")[0])
    said = (
        "0,8 s au début",
        "coupe-bas à 75 Hz",
        "une prise de parole, +9,8 dB",
        "12,0 LU ; il y a 1,0 LU",
        "1,5 s en tout",
        "Encodé 2 fois",
    )
    for words in said:
        assert words in done.replace("\u00a0", " ").replace("\u202f", " ")
    assert done.count("−2,0") == 1  # a jingle's gain is listed once, and not as a voice's


@pytest.mark.parametrize(
    ("changed", "said"), [({"true_peak_dbtp": -0.4}, "peaks pass"), ({"integrated_lufs": -15.4}, "the loudness is not")]
)
def test_a_miss_is_said_at_the_top(tmp_path, changed, said):
    page, figures = write_sample_report(tmp_path, encoded={**ENCODED, **changed}, language="en")
    verdict = select(lxml.html.parse(page).getroot(), "p.verdict")[0]
    assert said in text(verdict) and "bad" in verdict.get("class")
    assert not all(json.loads(figures.read_text())["within"].values())


def test_without_a_transcript_the_tracks_are_the_voices(tmp_path):
    _, figures = write_sample_report(tmp_path, turns=())
    assert [voice["name"] for voice in json.loads(figures.read_text())["voices"]] == ["Nora Belkacem"]


@pytest.mark.parametrize("length_s", [0.1, 0.5, 10])
def test_a_very_short_or_silent_sound_is_drawn(tmp_path, length_s):
    silent = {**SOUND, "turns": [], "recordings": [], "parts": [], "beds": [], "level": "off"}
    plain = {**ENCODED, "limited": False, "limited_s": 0.0, "limit_dbtp": None, "duration_s": length_s}
    page, figures = write_sample_report(
        tmp_path,
        before=make_profile((length_s, -200)),
        after=make_profile((length_s, -16)),
        sound=silent,
        encoded=plain,
        turns=(),
        chapters=(),
    )
    assert json.loads(figures.read_text())["before"]["integrated_lufs"] is None
    paths = "".join(lxml.html.parse(page).getroot().xpath("//@d"))
    assert "nan" not in paths and "inf" not in paths


def test_three_hours_of_talk_weigh_less_than_400_kb(tmp_path):
    talk = [(6.0, -30.0 if i % 2 else -20.0) for i in range(1800)]
    turns = tuple(make_turn("Nora" if i % 2 else f"Voix {i % 16}", 6.0 * i, 6.0 * i + 5.5) for i in range(1800))
    rng = np.random.default_rng(1)
    before = make_profile(*talk)
    noisy = replace(before, peaks=(before.peaks * rng.uniform(0.1, 1, len(before.peaks))).astype(np.float32))
    noisy = replace(noisy, momentary_lufs=(before.momentary_lufs + rng.normal(0, 3, len(before.momentary_lufs))).astype(np.float32))
    page, _ = write_sample_report(
        tmp_path, before=noisy, after=noisy, turns=turns, chapters=tuple(Chapter(300 * i, f"Chapitre {i}") for i in range(36))
    )
    assert page.stat().st_size < 400_000


def test_the_same_sound_gives_the_same_bytes(tmp_path):
    pages = []
    for name in "ab":
        (tmp_path / name).mkdir()
        pages.append([path.read_bytes() for path in write_sample_report(tmp_path / name)])
    assert pages[0] == pages[1]


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1200, "light")])
def test_in_a_browser_nothing_overflows_and_nothing_is_asked_for(chromium, sample, width, scheme):
    page, asked = chromium.new_context(viewport={"width": width, "height": 700}, color_scheme=scheme).new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text))
    page.goto(sample[0].as_uri())
    assert asked == [sample[0].as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    outside = "found => found.filter(each => each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML)"
    assert page.eval_on_selector_all("main p, main td, main th, main dd, main li, svg.panel", outside) == []
    assert page.locator("svg.panel path.curve").first.bounding_box()["width"] > 0.7 * (width - 70)
    page.context.close()


def test_on_paper_the_drawings_are_on_the_first_page(chromium, sample, tmp_path):
    from pypdf import PdfReader

    page = chromium.new_page()
    page.goto(sample[0].as_uri())
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    pages = [sheet.extract_text() for sheet in PdfReader(tmp_path / "report.pdf").pages]
    assert "Après" in pages[0] and "0:25" in pages[0] and len(pages) <= 4
    page.close()


EDITS = {
    "version": 1,
    "rate_hz": 44_100,
    "samples": 30 * 44_100,
    "removed": [{"first": 0, "end": 2 * 44_100, "fade": 441}],
    "cuts": [
        {"start_s": 1, "end_s": 3, "said": "rien", "heard": HOSTILE, "master": [{"start_s": 0.0, "end_s": 2.0}], "in_sound": True},
        {"start_s": 40, "end_s": 42, "said": "", "heard": "", "master": [], "in_sound": False},
        {"start_s": 50, "end_s": 51, "said": "Euh", "heard": "euh…", "master": [{"start_s": 3.0, "end_s": 3.2}], "in_sound": False},
    ],
}


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_report_says_what_was_cut_and_which_words_are_gone(tmp_path, language):
    write_json(tmp_path / "edits.json", EDITS)
    page, figures = write_sample_report(tmp_path, language=language, edits=tmp_path / "edits.json")
    shown, values = text(lxml.html.parse(page).getroot()), json.loads(figures.read_text())
    assert [cut["removed_s"] for cut in values["cuts"]] == [2.0, 0, 0.2] and [cut["noted"] for cut in values["cuts"]] == ["rien", "", ""]
    assert [part["start_s"] for part in values["parts"]] == [0.0] and values["beds"][0]["start_s"] == 2.0
    said = {
        "fr": ("3 coupes, 2,2 s en moins", "ce passage n’est pas dans l’épisode", "Le son ne retombe pas"),
        "en": ("3 cuts, 2.2 s less", "not in the episode", "The sound does not fall there"),
    }[language]
    assert all(each in shown for each in said) and "<script" not in page.read_text()


def test_without_cuts_the_figures_do_not_name_them(sample):
    assert "cuts" not in sample[2]
