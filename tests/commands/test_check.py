"""`causerie check` on a built feed and the files it names."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import imageio_ffmpeg
import pytest
from click.testing import CliRunner, Result

from cli import main
from pipeline.commands.check import as_errors, check_show
from pipeline.commands.directories import check_directories
from pipeline.commands.status import format_status
from pipeline.engine.file_cache import FileCache
from pipeline.engine.files import sha256, write_json
from pipeline.feed.rules.feed_reader import parse_feed
from pipeline.feed.rules.local_files import files_by_url, inspect_files
from pipeline.feed.rules.registry import file_references
from pipeline.web.server import make_server
from tests.conftest import causerie, small_show

pytestmark = pytest.mark.slow

AT = "https://podcast.example.org/essai/"
DATA = Path(__file__).parents[1] / "data/directories"
REPOSITORY = Path(__file__).parents[2]


def ffmpeg(*arguments: str | Path) -> None:
    """Make a small file with FFmpeg's encoders."""
    import subprocess

    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *arguments], check=True, stdin=subprocess.DEVNULL)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A show whose feed names a cover and an audio file that exist, and others that do not."""
    small_show(tmp_path)
    sound = tmp_path / "episodes/un/un.mp3"
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "sine=duration=2",
        "-ac",
        "2",
        "-b:a",
        "128k",
        "-id3v2_version",
        "3",
        "-metadata",
        "title=La file d’attente",
        sound,
    )
    feed = (DATA / "good.xml").read_text("utf-8").replace("https://example.org/guichet/", AT)
    feed = feed.replace('length="1000"', f'length="{sound.stat().st_size}"').replace("<itunes:duration>96", "<itunes:duration>2")
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds/feed.xml").write_text(feed, "utf-8")
    for folder, key, source in (("un", "la-file-1.mp3", sound), ("show", "cover-1.jpg", tmp_path / "cover.jpg")):
        file = {"role": "x", "key": key, "source": str(source.relative_to(tmp_path)), "sha256": sha256(source), "bytes": 1, "type": ""}
        write_json(tmp_path / f".causerie/{folder}/release.json", {"version": 1, "slug": "", "duration_s": 0, "files": [file]})
    return tmp_path


def run_check(root: Path, *options: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["check", "--show", str(root), *options])


def rules_of(root: Path) -> set[str]:
    """The rules of the findings."""
    return {finding.rule for finding in check_directories(root, AT)}


def test_a_good_feed_has_no_mistake_and_missing_files_are_counted(published: Path) -> None:
    result = run_check(published)
    assert result.exit_code == 0 and result.output.startswith("No mistakes found.\n")
    assert "feeds/feed.xml: names 7 files that are not in this folder" in result.output


def test_audio_and_image_properties_are_read_from_the_files(published: Path) -> None:
    found = inspect_files(
        file_references(parse_feed((published / "feeds/feed.xml").read_bytes())), files_by_url(published, AT), FileCache(published)
    )
    audio, cover = found[f"{AT}la-file-1.mp3"].audio, found[f"{AT}cover-1.jpg"].image
    assert audio and (audio.kbps, audio.rate_hz, audio.channels, audio.constant, audio.has_info) == (128, 44_100, 2, True, True)
    assert (audio.id3, audio.title, round(audio.duration_s)) == ((2, 3), "La file d’attente", 2)
    assert cover and (cover.width_px, cover.height_px, cover.colour, cover.alpha) == (3000, 3000, "RGB", False)


def test_audio_encoded_by_another_program_is_detected(published: Path) -> None:
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "sine=duration=9",
        "-ac",
        "1",
        "-ar",
        "22050",
        "-q:a",
        "6",
        "-id3v2_version",
        "4",
        published / "episodes/un/un.mp3",
    )
    assert rules_of(published) >= {"audio-bytes", "audio-duration", "audio-constant", "audio-sample-rate", "audio-id3"}


def test_a_second_check_reads_only_changed_files_and_reports_the_same(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_check(published, "--json").output
    with monkeypatch.context() as patch:
        for place in ("commands.directories.parse_feed", "feed.rules.local_files._inspect_file", "commands.check.probe_fully"):
            patch.setattr(f"pipeline.{place}", lambda *_: 1 // 0)
        assert run_check(published, "--json").output == first
    (published / "episodes/un/un.mp3").write_bytes(b"no sound")
    assert "audio-type" in run_check(published, "--json").output
    first_release = published / ".causerie/un/release.json"
    first_release.write_text(first_release.read_text().replace("la-file-1.mp3", "la-file-2.mp3"))
    assert "audio-type" not in run_check(published, "--json").output


def test_progress_is_reported_while_checking(published: Path) -> None:
    said: list[str] = []
    check_show(published, on_status=said.append)
    assert [line.partition(":")[0] for line in said] == ["recording 1 of 2", "recording 2 of 2", "directory rules"]


def test_a_read_only_show_can_be_checked(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path, content: str) -> None:
        raise PermissionError(path)

    monkeypatch.setattr("pipeline.engine.file_cache.write_atomic", refused)
    assert run_check(published).output.startswith("No mistakes found.\n")


def test_an_image_with_the_name_of_an_audio_file_is_detected(published: Path) -> None:
    (published / "episodes/un/un.mp3").write_bytes((published / "cover.jpg").read_bytes()[:5000])
    assert "audio-type" in rules_of(published)


@pytest.mark.parametrize(("pixels", "rule"), [("gray", "cover-colour"), ("rgba", "cover-alpha"), ("rgb24", "cover-extension")])
def test_covers_made_by_other_programs_are_checked(published: Path, pixels: str, rule: str) -> None:
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "color=red:1400x1400",
        "-frames:v",
        "1",
        "-pix_fmt",
        pixels,
        "-c:v",
        "png",
        "-f",
        "image2",
        published / "cover.jpg",
    )
    assert rule in rules_of(published)


def test_an_error_of_a_directory_is_a_mistake_with_its_pack_and_rule(published: Path) -> None:
    feed = published / "feeds/feed.xml"
    feed.write_text(feed.read_text("utf-8").replace(">serial<", ">daily<"), "utf-8")
    result = run_check(published)
    assert result.exit_code == 1
    assert "feeds/feed.xml:3: the show has itunes:type “daily” [Apple: show-type]; write episodic or serial" in result.output


def test_in_json_a_finding_has_level_pack_rule_source_where_problem_and_remedy(published: Path) -> None:
    feed = published / "feeds/feed.xml"
    feed.write_text(feed.read_text("utf-8").replace(' isPermaLink="false"', ""), "utf-8")
    found = [json.loads(line) for line in run_check(published, "--json").stdout.splitlines()]
    assert [list(each) for each in found] == [["level", "pack", "rule", "source", "where", "problem", "remedy"]] * len(found)
    assert [each["rule"] for each in found if each["level"] == "error"] == ["guid-permalink"] * 3


def test_servers_are_requested_only_with_online(published: Path) -> None:
    tree = published / "public"
    tree.mkdir()
    for key, source in (("la-file-1.mp3", "episodes/un/un.mp3"), ("cover-1.jpg", "cover.jpg"), ("feed.xml", "feeds/feed.xml")):
        shutil.copyfile(published / source, tree / key)
    (tree / "la-file-1.vtt").write_text("WEBVTT\n", "utf-8")
    with make_server(tree, port=0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        feed = published / "feeds/feed.xml"
        feed.write_text(feed.read_text("utf-8").replace(AT, f"http://127.0.0.1:{server.server_port}/"), "utf-8")
        asked = [each for each in check_directories(published, AT, online=True) if each.rule.startswith("served")]
        server.shutdown()
    gone = {each.problem for each in asked if each.rule == "served"}
    assert "bonus-1.mp3 answers 404 to HEAD" in gone and not {each for each in gone if "la-file-1.mp3" in each or "cover" in each}
    assert not [each for each in check_directories(published, AT) if each.rule.startswith("served")]


def test_a_feed_that_is_not_built_is_one_line_and_no_mistake(tmp_path: Path) -> None:
    result = run_check(small_show(tmp_path))
    assert result.exit_code == 0 and result.output.count("is not built yet") == 1


def test_a_hostile_feed_is_one_sentence_and_no_traceback(published: Path) -> None:
    (published / "feeds/feed.xml").write_bytes(b'<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss version="2.0">&a;</rss>')
    result = causerie("check", root=published, check=False)
    assert result.returncode == 1 and "declares a document type" in result.stderr + result.stdout and "Traceback" not in result.stderr


def test_words_of_a_feed_cannot_move_a_terminal(published: Path) -> None:
    feed = published / "feeds/feed.xml"
    feed.write_text(feed.read_text("utf-8").replace(">serial<", ">\u202e\u009b31m<"), "utf-8")
    result = causerie("check", root=published, check=False)
    assert result.returncode == 1 and not {"\u202e", "\u009b"} & set(result.stdout + result.stderr)


def test_a_damaged_release_is_reported(published: Path) -> None:
    (published / ".causerie/un/release.json").write_text("{")
    result = run_check(published)
    assert result.exit_code == 1 and ".causerie/un/release.json: is not readable JSON" in result.output + result.stderr


def test_advice_of_directories_comes_after_causeries_own(published: Path) -> None:
    assert [each.where.partition(":")[0] for each in as_errors(check_directories(published, AT))] == ["feeds/feed.xml"]


def test_speakers_of_a_recording_are_asked_for_and_their_names_checked(tmp_path: Path) -> None:
    toml = small_show(tmp_path) / "episodes/un/episode.toml"
    (toml.parent / "raw.rttm").write_text("SPEAKER raw 1 0.5 75.0 <NA> <NA> SPEAKER_00 <NA> <NA>\n")
    episode = toml.read_text(encoding="utf-8") + 'diarisation = "raw.rttm"\n'
    toml.write_text(episode, encoding="utf-8")
    asked = format_status(tmp_path, at=datetime(2026, 6, 1, tzinfo=UTC), as_json=False)
    assert "name the speaker SPEAKER_00, episodes/un/episode.toml: [recordings.speakers]; 1:15 in total" in asked
    assert "does not name the speaker SPEAKER_00" in str(check_show(tmp_path))
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "transcripts/un.md").write_text("+++\n+++\nOdile : Bonjour.\n\nOdile : Au revoir.\n", encoding="utf-8")
    assert "does not name the speaker" not in str(check_show(tmp_path))  # a person's text does
    toml.write_text(f'{episode}[recordings.speakers]\nSPEAKER_0 = "nora"\n', encoding="utf-8")
    messages = [str(each) for each in as_errors(check_show(tmp_path))]
    assert (
        "episodes/un/episode.toml: recordings[1].speakers: “SPEAKER_0” is not a speaker in episodes/un/raw.rttm; did you mean “SPEAKER_00”?"
        in messages
    )
    (toml.parent / "raw.rttm").write_text("SPEAKER raw\n")
    assert any(str(each).startswith("episodes/un/raw.rttm:1: not a valid SPEAKER line") for each in as_errors(check_show(tmp_path)))
