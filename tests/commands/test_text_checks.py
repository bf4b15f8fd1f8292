"""What `causerie check` says of texts, and what it keeps of them."""

from pathlib import Path

import pytest

from pipeline.commands import text_checks
from pipeline.commands.text_checks import TextChecks
from pipeline.config import read_config
from pipeline.engine import FileCache
from tests.conftest import small_show

CREDITS = "Une émission préparée par toute l’équipe de la mairie."
GUIDE = '+++\nversion = "1"\n+++\n\n## Extraits à réécouter\n\n> {}\n'


@pytest.fixture
def show(tmp_path: Path) -> Path:
    small_show(tmp_path)
    for folder in ("transcripts", "guides"):
        (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / "transcripts/un.md").write_text(f"+++\n+++\n\n{CREDITS}\n", "utf-8")
    return tmp_path


def checks(root: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """The errors and the advice of a run of its own, with what earlier runs kept."""
    found, _ = read_config(root)
    assert found
    cache = FileCache(root)
    texts = TextChecks(root, found, cache)
    errors = [str(error) for episode in found.episodes for error in texts.errors(episode)]
    advice = [(each.where, each.problem) for each in texts.advice()]
    cache.save()
    return errors, advice


def test_a_second_check_parses_only_what_has_changed(show: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (show / "guides/un.md").write_text(GUIDE.format("préparée par tous"), "utf-8")
    first = checks(show)
    assert "is not in the transcript" in first[0][0]
    parsed: list[str] = []
    monkeypatch.setattr(text_checks, "parse_transcript", lambda text, where, people: parsed.append(where))
    assert checks(show) == first
    assert parsed == []
    (show / "transcripts/un.md").write_text(f"+++\n+++\n\n{CREDITS} Voilà.\n", "utf-8")
    with pytest.raises(AttributeError):  # what the replaced parser returns is no transcript
        checks(show)
    assert parsed == ["transcripts/un.md"]


def test_a_quote_is_looked_up_again_when_the_transcript_changes(show: Path) -> None:
    (show / "guides/un.md").write_text(GUIDE.format("préparée par toute l’équipe"), "utf-8")
    assert checks(show)[0] == []
    (show / "transcripts/un.md").write_text("+++\n+++\n\nAutre chose.\n", "utf-8")
    assert "guides/un.md:7: the quote" in checks(show)[0][0]


def test_a_slip_is_found_again_when_only_the_other_text_changes(show: Path) -> None:
    other = show / "transcripts/deux.md"
    other.write_text(f"+++\n+++\n\n{CREDITS}\n", "utf-8")
    assert [each for each in checks(show)[1] if "one word" in each[1]] == []
    other.write_text(f"+++\n+++\n\n{CREDITS.replace('toute', 'notre')}\n", "utf-8")
    assert ("transcripts/un.md:4", "one word differs from transcripts/deux.md:4: “toute” here, “notre” there") in checks(show)[1]


def test_captions_that_cannot_be_read_are_told_with_their_times(show: Path) -> None:
    cues = [f"00:0{i}:00.000 --> 00:0{i}:01.000\n{'a' * (20 + 5 * (i == 3))}" for i in range(1, 5)]
    (show / "transcripts/un.vtt").write_text("WEBVTT\n\n" + "\n\n".join(cues) + "\n", "utf-8")
    (show / "transcripts/un.srt").write_text("1\n00:01:00,000 --> 00:01:01,000\nun\ndeux\ntrois\n", "utf-8")
    assert [each for each in checks(show)[1] if "caption" in each[1]] == [
        ("transcripts/un.vtt:9", "nobody can read 1 caption of over 20 characters a second: 3:00 (25)"),
        ("transcripts/un.srt:2", "1 caption with more than 2 lines: 1:00 (3 lines)"),
    ]
