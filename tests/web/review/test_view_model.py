"""The annotations of a text that is being corrected."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.transcript.freeform import LineIndex
from pipeline.web.review.view_model import build_view_model, doubt_entries, locate_words, parse_errors
from tests.support.review_sample import TEXT, doubts_data, words_data

NO_TEXTS = LineIndex(read=str)


def line_of(part: str) -> int:
    return next(number for number, line in enumerate(TEXT.split("\n"), 1) if part in line)


def start_of(word: str, text: str = TEXT) -> float | None:
    """The start time of the first occurrence of a word in the text."""
    lines = text.split("\n")
    spots = {(each.line, each.column): each.start_s for each in locate_words(text, words_data())}
    line = next(number for number, content in enumerate(lines, 1) if word in content and not content.startswith("%%"))
    return spots.get((line, len(lines[line - 1][: lines[line - 1].index(word)].encode("utf-16-le")) // 2))


def test_every_word_is_found_where_it_stands_and_when_it_is_heard():
    assert [start_of(word) for word in ("Bonjour", "d’atente", "Prenez", "attendait")] == [1.0, 4.0, 8.0, 10.0]


def test_names_notes_titles_and_sounds_are_not_said():
    lines = {each.line for each in locate_words(TEXT, words_data())}
    assert not lines & {line_of("%% ?"), line_of("à moi"), line_of("## Archive"), line_of("voices")}
    assert start_of("Nora : Prenez") is None


def test_columns_are_counted_as_browsers_count():
    assert start_of("Prenez", TEXT.replace("Nora : Prenez", "😀 Nora Prenez")) == 8.0


def test_an_anchor_cuts_the_text_in_two():
    text = "On attendait.\n\n@0:11 On attendait."
    assert [each.start_s for each in locate_words(text, words_data()) if each.line == 3][0] == 11.0


def test_doubts_come_in_order_of_time_those_whose_note_is_gone_without_a_line():
    listed = doubt_entries(TEXT, locate_words(TEXT, words_data()), doubts_data()["passages"], "fr")
    assert [tuple(each.values()) for each in listed] == [
        (line_of("%% ?"), 2.0, 4.0, "« la file d’atente » (mots peu sûrs)"),
        (0, 10.0, 12.0, "On attendait (mots peu sûrs)"),
    ]


def test_a_doubt_of_a_person_without_a_time_is_about_what_follows():
    text = "%% ? vérifier\n\nPrenez un ticket."
    assert doubt_entries(text, locate_words(text, words_data()), (), "fr") == [
        {"line": 1, "start_s": 8.0, "end_s": None, "said": "vérifier"}
    ]


def test_mistakes_are_told_by_line_with_their_remedy():
    assert list(parse_errors("Bien.\n\n- Non.", "x.md", ())) == [
        {"line": 3, "said": "a line can begin with “- ” only inside « … »: open the insert with «, or name the voice"}
    ]


def test_without_what_was_heard_there_is_advice_and_no_times():
    found = build_view_model('Il a dit "oui".', None, None, where="x.md", texts=NO_TEXTS, people=(), language="fr")
    assert (found["words"], found["doubts"], found["remarks"][0]["line"]) == ([], [], 1)


@given(
    st.lists(
        st.sampled_from(
            ["«", "»", "[", "]", "- ", "## ", "%% ? 0:0", "@1:00 ", "Nora : ", "\\", "+++\n", "\n", "oui ", "😀 ", "[voices.", "\u2028"]
        ),
        max_size=14,
    )
)
@settings(max_examples=100, deadline=None)
def test_whatever_is_typed_every_word_shown_stands_in_the_text(pieces):
    text = "".join(pieces)
    found = build_view_model(text, words_data(), doubts_data(), where="x.md", texts=NO_TEXTS, people=(), language="fr")
    lines = text.split("\n")
    assert all(0 < line <= len(lines) and column < len(lines[line - 1].encode("utf-16-le")) for line, column, _ in found["words"])
    assert all(0 <= each["line"] <= len(lines) for part in ("doubts", "mistakes", "remarks") for each in found[part])
