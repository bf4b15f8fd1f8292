"""Numbers, dates, sizes, durations and counts as a French and an English reader expects them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.model.language import (
    format_bytes,
    format_date,
    format_duration,
    format_elapsed,
    format_number,
    format_size,
    is_plural,
    iso_duration,
    language_data,
    pluralise,
    text_direction,
)
from pipeline.model.roles import ROLES
from pipeline.templates import labels

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("value", "language", "unit", "signed", "text"),
    [
        (-16.04, "fr", "LUFS", False, f"−16,0{NBSP}LUFS"),
        (-16.04, "en", "LUFS", False, f"−16.0{NBSP}LUFS"),
        (2.5, "fr-CA", "dB", True, f"+2,5{NBSP}dB"),
        (2.5, "en", "", False, "2.5"),
        (-0.04, "en", "dB", True, f"0.0{NBSP}dB"),
        (0.04, "fr", "", True, "0,0"),
        (1.5, "frr", "", False, "1.5"),
        (1.5, "FR", "", False, "1,5"),
    ],
)
def test_a_number_has_its_language_s_point_a_true_minus_and_stays_with_its_unit(
    value: float, language: str, unit: str, signed: bool, text: str
) -> None:
    assert format_number(value, language, unit, signed=signed) == text


def test_the_number_of_decimals_is_chosen() -> None:
    assert [format_number(1.256, "fr", digits=digits) for digits in (0, 1, 2)] == ["1", "1,3", "1,26"]


@pytest.mark.parametrize(
    ("size", "french", "english"),
    [
        (0, "1 ko", "1 kB"),
        (54_321, "54 ko", "54 kB"),
        (999_499, "999 ko", "999 kB"),
        (999_500, "1,0 Mo", "1.0 MB"),
        (7_680_000, "7,7 Mo", "7.7 MB"),
        (1_234_000_000, "1234,0 Mo", "1234.0 MB"),
    ],
)
def test_a_size_is_in_the_reader_s_units(size: int, french: str, english: str) -> None:
    assert [format_size(size, language) for language in ("fr", "en")] == [text.replace(" ", NBSP) for text in (french, english)]


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (12_345, "12.3 kB"), (9_000_000, "9.0 MB"), (2_500_000_000, "2.5 GB")],
)
def test_bytes_for_producers_have_plain_spaces(count: int, text: str) -> None:
    assert format_bytes(count) == text


def test_a_date_is_written_out_and_the_first_of_a_month_is_an_ordinal_in_french() -> None:
    first, second = datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 8, 2, tzinfo=UTC)
    assert [format_date(day, "fr") for day in (first, second)] == [f"1er{NBSP}décembre 2026", f"2{NBSP}août 2026"]
    assert [format_date(day, "it") for day in (first, second)] == [f"1{NBSP}December 2026", f"2{NBSP}August 2026"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(9.84, "9,8 s"), (59.94, "59,9 s"), (59.96, "1 min 00 s"), (204, "3 min 24 s"), (3599.6, "1 h 00 min"), (3725, "1 h 02 min")],
)
def test_a_duration_names_its_two_largest_units(seconds: float, text: str) -> None:
    assert format_duration(seconds, "fr") == text.replace(" ", NBSP)


def test_the_time_a_command_took_has_whole_seconds_and_plain_spaces() -> None:
    assert [format_elapsed(seconds) for seconds in (0.4, 59.4, 59.7, 125.2, 3725)] == [
        "0 s",
        "59 s",
        "1 min 00 s",
        "2 min 05 s",
        "1 h 02 min",
    ]


def test_a_duration_for_machines_is_iso_8601() -> None:
    assert [iso_duration(seconds) for seconds in (0, 486.9, 3600, 3723)] == ["PT0S", "PT8M6S", "PT1H0S", "PT1H2M3S"]


def test_nothing_is_plural_in_english_and_singular_in_french() -> None:
    assert [is_plural(count, "fr") for count in (0, 1, 2)] == [False, False, True]
    assert [is_plural(count, "en") for count in (0, 1, 2)] == [True, False, True]
    assert [pluralise(count, "file") for count in (0, 1, 2)] == ["0 files", "1 file", "2 files"]


@pytest.mark.parametrize("code", ["de", "es"])
def test_a_language_is_one_file_with_every_label_that_readers_see(code: str) -> None:
    data = language_data(code)
    english = {area: labels(area, "en") for area in ("feed", "site", "transcript")}
    for area, known in english.items():
        assert data[area].keys() == known.keys()
        assert {key for value in data[area].values() if isinstance(value, dict) for key in value} == {
            key for value in known.values() if isinstance(value, dict) for key in value
        }
        assert labels(area, code) == data[area]
    assert set(data["roles"]) <= ROLES
    assert len(data["numbers"]["months"]) == 12


@pytest.mark.parametrize(
    ("language", "first", "fifth", "size"),
    [
        ("es-MX", "1 de diciembre de 2026", "5 de diciembre de 2026", "7,7 MB"),
        ("de", "1. Dezember 2026", "5. Dezember 2026", "7,7 MB"),
        ("fr-CA", "1er décembre 2026", "5 décembre 2026", "7,7 Mo"),
        ("it", "1 December 2026", "5 December 2026", "7.7 MB"),
    ],
)
def test_dates_and_sizes_are_written_as_the_language_does(language: str, first: str, fifth: str, size: str) -> None:
    plain = [format_date(datetime(2026, 12, day, tzinfo=UTC), language).replace("\u00a0", " ") for day in (1, 5)]
    assert [*plain, format_size(7_700_000, language).replace("\u00a0", " ")] == [first, fifth, size]


@pytest.mark.parametrize(
    ("language", "direction"),
    [("ar", "rtl"), ("fa-IR", "rtl"), ("HE", "rtl"), ("az-Arab", "rtl"), ("ur-Latn", "ltr"), ("fr", "ltr"), ("", "ltr"), ("arn", "ltr")],
)
def test_a_script_in_the_tag_decides_the_direction_else_the_language(language: str, direction: str) -> None:
    assert text_direction(language) == direction


@pytest.mark.parametrize("code", ["../fr", "", "xx", "x/y", "fr\x00"])
def test_a_code_that_is_no_language_has_no_file(code: str) -> None:
    assert language_data(code) == {}
