"""`causerie audiogram`: which passages there are, and the files it writes."""

import pytest

from tests.conftest import build, causerie

BITE = '[[soundbites]]\nstart = 2\nduration = 2.5\ntitle = "Là"\n'


@pytest.mark.slow
def test_a_soundbite_becomes_a_video_with_its_captions(built):
    path = built / "episodes/un/episode.toml"
    path.write_text(path.read_text() + BITE)
    build(built, "un")
    assert "--clip 1" in causerie("audiogram", "un", root=built).stdout
    made = causerie("audiogram", "un", "--clip", "1", "--shape", "wide", "--shape", "square", root=built).stdout.split()
    names = ["un.clip-01.vtt", "un.clip-01.wide.mp4", "un.clip-01.square.mp4"]
    assert made == [str(built / "episodes/un" / name) for name in names]
    assert (built / "episodes/un/un.clip-01.vtt").read_text().startswith("WEBVTT")
    assert all((built / "episodes/un" / name).stat().st_size > 10_000 for name in names[1:])
    done = causerie("audiogram", "un", "--clip", "7", root=built, check=False)
    assert done.returncode == 2 and done.stderr.startswith("--clip: there is no clip 7 in un")


def test_an_episode_that_was_not_built_says_what_to_run(built):
    (built / ".causerie/un/encoded.json").unlink()
    done = causerie("audiogram", "un", "--clip", "1", root=built, check=False)
    assert done.returncode == 1 and done.stderr == "episodes/un: has not been built yet; run causerie build un first\n"


def test_a_clip_and_a_quote_at_once_are_wrong_usage(built):
    assert causerie("audiogram", "un", "--clip", "1", "--quote", "1", root=built, check=False).returncode == 2
