"""Exit statuses, messages, and output streams of the command line."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from cli import main
from pipeline.commands.console import Console
from pipeline.commands.preview import PREVIEW_FOLDER, rebuild
from pipeline.engine.runner import Result
from pipeline.engine.step import Step
from tests.conftest import causerie, small_show

pytestmark = pytest.mark.slow


def run(*arguments: object):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_without_a_command_it_explains_itself():
    result = run("--help")
    assert result.exit_code == 0
    assert "Raw recordings in, a published podcast out" in result.output


@pytest.mark.parametrize("command", ["build", "status", "check", "publish", "serve"])
def test_outside_a_show_each_command_says_so_in_one_sentence(command, tmp_path):
    result = run(command, "--show", tmp_path)
    assert result.exit_code == 1
    assert "show.toml" in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_wrong_usage_is_status_two(tmp_path):
    small_show(tmp_path)
    for arguments in (
        ["build", "--colour"],
        ["build", "nulle-part"],
        ["publish", "--at", "hier"],
        ["serve", "--at", "2026-12-01"],
        ["bluid"],
    ):
        result = run(*arguments, *([] if arguments == ["bluid"] else ["--show", tmp_path]))
        assert result.exit_code == 2, arguments
        assert "Traceback" not in result.output


def test_an_unknown_slug_suggests_the_closest(tmp_path):
    small_show(tmp_path)
    assert "did you mean “deux”?" in run("build", "--show", tmp_path, "deu").output


def test_every_mistake_is_reported_and_nothing_is_written(tmp_path):
    small_show(tmp_path)
    (tmp_path / "show.toml").write_text((tmp_path / "show.toml").read_text().replace("title =", "titel ="))
    before = sorted(path for path in tmp_path.rglob("*") if ".causerie" not in path.parts)
    result = run("build", "--show", tmp_path)
    assert result.exit_code == 1
    assert "show.toml: title: is missing" in result.output
    assert "show.toml: titel: is not a key Causerie knows; did you mean “title”?" in result.output
    assert sorted(path for path in tmp_path.rglob("*") if ".causerie" not in path.parts) == before


def test_check_reports_recordings_covers_and_texts_at_once(tmp_path):
    small_show(tmp_path)
    (tmp_path / "episodes/un/raw.flac").write_bytes(b"")
    (tmp_path / "episodes/deux/raw.flac").unlink()
    (tmp_path / "cover.jpg").write_bytes(b"not a picture")
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "transcripts/un.md").write_text("+++\n[voices\n+++\nBonjour.\n")
    result = run("check", "--show", tmp_path)
    assert result.exit_code == 1
    for start in ("episodes/un/raw.flac: is empty", "episodes/deux/raw.flac: is missing", "cover.jpg: ", "transcripts/un.md:"):
        assert any(line.startswith(start) for line in result.output.splitlines()), (start, result.output)


def test_check_in_json_is_one_object_a_line(tmp_path):
    small_show(tmp_path)
    (tmp_path / "episodes/un/raw.flac").write_bytes(b"")
    (problem,) = map(json.loads, causerie("check", "--json", root=tmp_path, check=False).stdout.splitlines())
    assert problem["where"] == "episodes/un/raw.flac"


def test_a_show_without_mistakes_is_reported_as_such(tmp_path):
    lines = run("check", "--show", small_show(tmp_path)).output.splitlines()
    assert lines[0] == "No mistakes found."
    assert [line for line in lines[1:] if not line.startswith("feeds/feed.xml: is not built yet")] == []


def test_status_says_what_waits_for_a_person(built):
    result = run("status", "--show", built)
    assert "waits for you: correct the transcript, transcripts/un.md, a draft" in result.output
    assert "stale" not in result.output


def test_a_text_whose_episode_was_renamed_is_reported(tmp_path):
    show = small_show(tmp_path)
    (show / "transcripts").mkdir()
    (show / "transcripts/ancien-nom.md").write_text("Corrigé pendant deux heures.\n")
    (show / "transcripts/README.md").write_text("Our habits.\n")
    waits = [line for line in run("status", "--show", show).output.splitlines() if line.startswith("waits for you: ")]
    assert waits == [
        "waits for you: rename transcripts/ancien-nom.md to the slug of its episode; nothing uses it, because there is no episodes/ancien-nom"
    ]


def test_a_reason_that_fails_several_steps_is_printed_once(capsys):
    step = Step("un/guide", run)
    console = Console()
    for name in ("un/guide", "un/guide-clips"):
        console.on_finish(Result(replace(step, name=name), "failed", "guides/un.md:47: the quote is not in the transcript"))
    assert capsys.readouterr().err.splitlines() == [
        "un/guide: failed: guides/un.md:47: the quote is not in the transcript",
        "un/guide-clips: failed: same reason as un/guide",
    ]


def test_a_quiet_build_without_work_prints_nothing(built):
    done = causerie("build", "--quiet", root=built)
    assert (done.stdout, done.stderr) == ("", "")


def test_serving_before_publishing_says_what_to_do(built):
    assert "run causerie build, then causerie publish" in run("serve", "--show", built).output


def test_a_preview_shows_what_is_due_at_the_given_time_and_publishing_requires_a_build(built):
    for day, shown in ((1, {"un"}), (2, {"un", "deux"})):
        rebuild(built, datetime(2026, 1, day, 12, tzinfo=UTC))
        assert {path.parent.name for path in (built / PREVIEW_FOLDER).glob("*/embed.html")} == shown
    assert "run causerie build first" in run("publish", "--show", built, "--at", "2026-01-01T12:00:00Z").output


def test_doctor_names_the_model_of_the_show(built):
    result = run("doctor", "--show", built)
    assert result.exit_code == 0
    assert re.search("ok  model: base, 145 MB, from ", result.output)


@pytest.mark.parametrize(
    "toml",
    [
        "level = 'loud'\n",
        "[[beds]]\nfile = 'raw.flac'\nunder = 'recti'\n",
        "[[parts]]\nfile = 'raw.flac'\n[[beds]]\nfile = 'raw.flac'\n",
        "recordings = []\n",
    ],
)
def test_check_reports_any_mistake_in_an_episode_without_a_traceback(tmp_path, toml):
    small_show(tmp_path)
    path = tmp_path / "episodes/un/episode.toml"
    text = path.read_text()
    path.write_text(
        text + toml if toml.startswith("[[") else toml + (text if toml.startswith("level") else text.replace("[[recordings]]", "[[recs]]"))
    )
    result = run("check", "--show", tmp_path)
    assert result.exit_code == 1 and "episodes/un/episode.toml" in result.output
    assert isinstance(result.exception, SystemExit)


def test_a_text_that_cannot_be_parsed_is_reported_by_status(tmp_path):
    small_show(tmp_path)
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "transcripts/un.md").write_text("« Bonjour.\n")
    result = run("status", "--show", tmp_path)
    assert result.exit_code == 0 and "correct transcripts/un.md:1: « is not closed" in result.output


def test_a_new_person_in_the_show_does_not_run_whisper_again(tmp_path):
    from datetime import UTC, datetime

    from pipeline.commands.workspace import load_show
    from pipeline.plan import plan_steps

    small_show(tmp_path)
    kinds = []
    for _ in range(2):
        steps = {step.name: step for step in plan_steps(load_show(tmp_path), datetime(2030, 1, 1, tzinfo=UTC))}
        kinds.append(steps["un/transcribe"].settings)
        with (tmp_path / "show.toml").open("a") as show:
            show.write("\n[people.invitee]\nname = 'Rosa Invitée'\n")
    assert kinds[0] == kinds[1]


def test_what_subscribers_will_notice_is_printed_before_and_after_publishing(built):
    lines = causerie("feed", "--diff", "--quiet", "--at", "2030-01-01", root=built).stdout.splitlines()
    assert lines == ["2 new episodes, 0 downloads repeated", "  new: Épisode deux, Épisode un"]
    causerie("publish", "--quiet", "--at", "2030-01-01", root=built)
    lines = causerie("feed", "--diff", "--quiet", "--at", "2030-01-01", root=built).stdout.splitlines()
    assert lines == ["Subscribers will notice nothing."]


def test_one_show_has_several_feeds(built):
    (built / "show.toml").write_text((built / "show.toml").read_text() + '[[feeds]]\nname = "leger"\naudio = "light"\n')
    causerie("build", "--quiet", "--at", "2030-01-01", root=built)
    causerie("publish", "--quiet", "--at", "2030-01-01", root=built)
    feed = (built / "public/feeds/leger/feed.xml").read_text()
    assert feed.count('type="audio/ogg"/>') == 2 and 'href="https://podcast.example.org/essai/feeds/leger/feed.xml"' in feed


def test_check_looks_up_quotes_in_the_current_transcript(tmp_path):
    small_show(tmp_path)
    for folder, text in (
        ("transcripts", "Il pleut sur la ville depuis hier soir.\n"),
        ("guides", "## Extraits à réécouter\n\n> Il pleut sur la ville depuis hier.\n"),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "un.md").write_text(text)
    assert "guides/un.md:" not in run("check", "--show", tmp_path).output
    (tmp_path / "transcripts/un.md").write_text("Il neige sur la ville depuis hier soir.\n")
    assert "guides/un.md:3: " in run("check", "--show", tmp_path).output
