"""Loading of `show.toml` and `episode.toml`, valid and invalid."""

import os
import unicodedata
from pathlib import Path

import pytest

from pipeline.config.fields import parse_time
from pipeline.config.loader import episode_folders_without_toml, load_config, read_config
from pipeline.model.errors import Problems

SHOW = """
title = "Essai"
description = "Un essai."
author = "Nous"
website = "https://podcast.example.org/essai"
categories = ["Society & Culture > Documentary"]
cover = "cover.png"
[people.nora]
name = "Nora Belkacem"
[credits]
Host = ["nora"]
"""
EPISODE = """
title = "Un"
summary = "Le premier."
published = 2026-01-15T19:00:00+01:00
number = 1
[[recordings]]
file = "raw.wav"
[credits]
"audio engineer" = ["nora"]
[[chapters]]
start = "0:00"
title = "Ouverture"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "show.toml").write_text(SHOW)
    (tmp_path / "cover.png").write_bytes(b"x")
    add(tmp_path, "un", EPISODE)
    return tmp_path


def add(root: Path, slug: str, toml: str) -> None:
    (root / "episodes" / slug).mkdir(parents=True, exist_ok=True)
    (root / "episodes" / slug / "episode.toml").write_text(toml)


def mistakes(root: Path) -> list[str]:
    return [str(problem) for problem in read_config(root)[1]]


def test_a_show_is_read_completely(root):
    show = load_config(root)
    (episode,) = show.episodes
    assert show.info.website == "https://podcast.example.org/essai/"
    assert show.info.categories == (("Society & Culture", "Documentary"),)
    assert episode.mix.recordings[0].file == "episodes/un/raw.wav"
    assert [(credit.person.name, credit.role, credit.group) for credit in episode.info.credits] == [
        ("Nora Belkacem", "Host", "Cast"),
        ("Nora Belkacem", "Audio Engineer", "Audio Production"),
    ]


def test_the_shows_host_is_credited_once_by_an_episode(root):
    add(root, "un", EPISODE.replace('"audio engineer"', "host"))
    assert [credit.role for credit in load_config(root).episodes[0].info.credits] == ["Host"]


def test_episodes_come_in_order_of_publication(root):
    add(root, "a-la-fin", EPISODE.replace("2026-01", "2026-02").replace("number = 1", "number = 2"))
    assert [episode.slug for episode in load_config(root).episodes] == ["un", "a-la-fin"]


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("number = 1", 'number = "1"', "episodes/un/episode.toml: number: must be a whole number, not 1"),
        ("number = 1", "number = true", "episodes/un/episode.toml: number: must be a whole number, not True"),
        ("number = 1", "number = 0", "episodes/un/episode.toml: number: cannot be 0; give a number from 1 to 100000"),
        ('title = "Un"', 'titel = "Un"', "episodes/un/episode.toml: titel: is not a key Causerie knows; did you mean “title”?"),
        (
            "+01:00",
            "",
            "episodes/un/episode.toml: published: 2026-01-15T19:00:00 has no time zone; write it like 2026-01-15T19:00:00+01:00",
        ),
        ("2026-01-15T19:00:00+01:00", "2026-01-15", "episodes/un/episode.toml: published: 2026-01-15 has no time"),
        (
            '["nora"]',
            '["nroa"]',
            "episodes/un/episode.toml: credits.audio engineer: “nroa” is not in [people] of show.toml; did you mean “nora”?",
        ),
        (
            '"audio engineer"',
            '"audio enginer"',
            "credits.audio enginer: is not a role of the Podcasting 2.0 taxonomy; did you mean “Audio Engineer”?",
        ),
        ('"0:00"', '"bientôt"', "chapters[1].start: “bientôt” is not a time; write it like “0:31” or “1:02:03”"),
        (
            '"raw.wav"',
            '"un.mp3"',
            "file: episodes/un/un.mp3 is a path that Causerie writes to; rename your file, or give the path of a recording",
        ),
        ('"raw.wav"', '"../../.causerie/un/master.flac"', "file: .causerie/un/master.flac is a path that Causerie writes to"),
        ('"Un"', '"U\\u001bn"', "title: holds a character that cannot be printed, U+001B; remove it"),
        ("2026-01", "9999-01", "published: 9999-01-15T19:00:00+01:00 is not a plausible date"),
        ('"0:00"', '"0:99"', "“0:99” is not a time"),
        ('"raw.wav"', '"./un.opus"', "file: episodes/un/un.opus is a path that Causerie writes to"),
        ("[[recordings]]", "[[records]]", "recordings: is missing; add [[recordings]] with a file for each raw recording"),
        ('"Le premier."', '""', "summary: is empty; write something between the quotes"),
        ('summary = "', "summary = ", "is not valid TOML"),
    ],
)
def test_a_mistake_is_one_sentence_with_file_and_key(root, before, after, sentence):
    add(root, "un", EPISODE.replace(before, after, 1))
    assert sentence in "\n".join(mistakes(root))


def test_a_start_that_is_not_a_time_is_one_mistake(root):
    second = '\n[[chapters]]\nstart = "0h30"\ntitle = "Suite"\n'
    add(root, "un", EPISODE + second)
    assert mistakes(root) == ["episodes/un/episode.toml: chapters[2].start: “0h30” is not a time; write it like “0:31” or “1:02:03”"]


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            "Society & Culture >",
            "Society and Culture >",
            "“Society and Culture” is not an Apple Podcasts category; did you mean “Society & Culture”?",
        ),
        ("https://podcast", "ftp://podcast", "show.toml: website: cannot be “ftp://podcast.example.org/essai”"),
        ("org/essai", "org/essai?a=b", "website: cannot be “https://podcast.example.org/essai?a=b”"),
        ('["Society & Culture > Documentary"]', "[]", "show.toml: categories: is empty"),
        ("[people.nora]", "[publish]\nfolder='public/../site'\n[people.nora]", "publish.folder: cannot be public/../site"),
        ("[people.nora]", "[publish]\nfolder='~/pub'\n[people.nora]", "publish.folder: cannot be ~/pub; write a shorter path"),
        ('"cover.png"', '"cove.png"', "show.toml: cover: there is no file cove.png"),
        ("[people.nora]", "[audio]\nloudness_lufs = nan\n[people.nora]", "show.toml: audio.loudness_lufs: cannot be nan"),
        (
            "[people.nora]",
            "[publish.s3]\nbucket='b-c'\nsecret_key='x'\n[people.nora]",
            "publish.s3.secret_key: is a secret and must not be in this file",
        ),
        ("[people.nora]", "[publish]\nfolder='..'\n[people.nora]", "publish.folder: cannot be .."),
        ("[people.nora]", "[speech]\ndevice='gpu'\n[people.nora]", "speech.device: cannot be gpu; use one of auto, cpu, cuda"),
        (
            "[people.nora]",
            "[speech]\ntranslate=['de']\n[people.nora]",
            "speech.translate: cannot be de; Whisper translates into English only",
        ),
        ("[people.nora]", "[speech]\nlanguage='en'\ntranslate='en'\n[people.nora]", "speech.translate: asks for English"),
    ],
)
def test_a_mistake_in_the_show_is_one_sentence(root, before, after, sentence):
    (root / "show.toml").write_text(SHOW.replace(before, after, 1))
    assert sentence in "\n".join(mistakes(root))


def test_a_mistake_in_another_episode_is_ignored_when_episodes_are_named(root):
    add(root, "deux", EPISODE.replace("number = 1", "numbre = 2"))
    assert [episode.slug for episode in load_config(root, ["un"]).episodes] == ["un"]
    for slugs in ((), ["deux"], ["un", "deux"]):
        with pytest.raises(Problems):
            load_config(root, slugs)
    (root / "show.toml").write_text(SHOW.replace("title", "titel", 1))
    with pytest.raises(Problems, match="show.toml"):
        load_config(root, ["un"])


def test_every_mistake_of_a_show_is_reported_at_once(root):
    (root / "show.toml").write_text(SHOW.replace('title = "Essai"', "titel = 3"))
    add(root, "un", EPISODE.replace("+01:00", ""))
    add(root, "Deux !", EPISODE)
    with pytest.raises(Problems) as raised:
        load_config(root)
    text = str(raised.value)
    assert len(raised.value.problems) == 4
    assert all(part in text for part in ("show.toml: title: is missing", "titel", "no time zone", "episodes/Deux !: cannot name"))


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ('endpoint = "http://127.0.0.1:11434/v1"\nmodel = "x"', ""),
        ('endpoint = "https://api.example.org/v1"\nmodel = "x"\nremote = true', ""),
        ('endpoint = "https://api.example.org/v1"\nmodel = "x"', "transcripts would leave it"),
        ('endpoint = "http://api.example.org/v1"\nmodel = "x"\nremote = true', "https and remote = true"),
        ('endpoint = "http://localhost.example.org/v1"\nmodel = "x"', "transcripts would leave it"),
        ('endpoint = "file:///etc/passwd"\nmodel = "x"', "is not the address of an API"),
        ('endpoint = "http://127.0.0.1:11434/v1"', "goes with endpoint"),
    ],
)
def test_a_language_model_is_on_this_machine_unless_the_show_says_otherwise(root, keys, sentence):
    (root / "show.toml").write_text(f"{SHOW}[guide]\n{keys}\n")
    found = [problem for problem in mistakes(root) if "[guide]" in problem or "guide" in problem]
    assert (len(found) == 1 and sentence in found[0]) if sentence else (not found and load_config(root).guide_model.endpoint)


@pytest.mark.parametrize("slug", ["show", "series", "guides", "work", "é", "A"])
def test_a_slug_that_is_reserved_or_unsafe_is_refused(root, slug):
    add(root, slug, EPISODE)
    assert any("cannot name an episode's page and files" in mistake for mistake in mistakes(root))


def test_a_slug_key_that_is_another_episodes_is_refused(root):
    add(root, "deux", 'slug = "un"\n' + EPISODE.replace("number = 1", "number = 2"))
    assert "episodes/deux/episode.toml: slug: is not the folder's name, deux" in mistakes(root)[0]


def test_two_episodes_of_one_number_are_refused(root):
    add(root, "deux", EPISODE.replace("01-15", "01-16"))
    assert mistakes(root) == ["episodes/deux/episode.toml: number: 1 is already the number of un; give each episode its own number"]


def test_a_bonus_and_a_teaser_have_the_number_of_the_episode_they_go_with(root):
    add(root, "bonus", EPISODE.replace("number = 1", 'number = 1\nkind = "bonus"'))
    add(root, "annonce", EPISODE.replace("number = 1", 'number = 1\nkind = "trailer"'))
    assert mistakes(root) == []


def test_a_serial_show_needs_numbers(root):
    (root / "show.toml").write_text('type = "serial"\n' + SHOW)
    add(root, "un", EPISODE.replace("number = 1\n", ""))
    assert "number: is missing" in mistakes(root)[0]


def test_a_secret_is_never_printed(root):
    (root / "show.toml").write_text(SHOW.replace("[people", "[publish.s3]\nbucket='b-c'\nsecret_key='hunter2'\n[people", 1))
    assert "hunter2" not in "\n".join(mistakes(root))


def test_text_that_would_move_the_cursor_is_not_printed(root):
    (root / "show.toml").write_text('"\\u001b[2J" = 1\n' + SHOW)
    assert "\x1b" not in "\n".join(mistakes(root))


def test_toml_saved_with_a_byte_order_mark_is_read(root):
    (root / "show.toml").write_text("\ufeff" + SHOW)
    assert mistakes(root) == []


def test_a_folder_without_show_says_so(tmp_path):
    assert mistakes(tmp_path) == ["show.toml: is missing; create one with causerie init, or give the right folder with --show"]


@pytest.mark.parametrize(
    ("text", "value"), [("0:31", 31), ("1:02:03", 3723), ("31.5", 31.5), (12, 12), ("0:07.25", 7.25), ("demain", None)]
)
def test_seconds(text, value):
    assert parse_time(text) == value


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("small", "small"),
        ("Systran/faster-whisper-small", "Systran/faster-whisper-small"),
        ("gone.pt", "gone.pt"),
        ("models/fr", "models/fr/model.bin"),  # the folder models is there: fr is looked for in it
        ("here", "here/model.bin"),
        ("./small/", "./small/model.bin"),
        ("~/m", "~/m/model.bin"),
        ("/m/model.bin", "/m/model.bin"),
        ("base", "base"),  # a folder that is called like a model
        ("é" * 900, "é" * 900),  # longer than a file system takes
    ],
)
def test_a_model_in_a_folder_is_named_by_its_file(given, read, root):
    for folder in ("models", "here", "base"):
        (root / folder).mkdir()
    (root / "show.toml").write_text(SHOW.replace("[people.nora]", f"[speech]\nmodel = '{given}'\n[people.nora]", 1))
    show, problems = read_config(root)
    assert show and (show.speech.model, problems) == (read, [])
    assert show.speech.checkpoint == (os.path.expanduser(read) if read.endswith((".pt", ".bin")) else "")


@pytest.mark.parametrize(("on_disk", "written"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_an_accent_is_the_same_letter_however_the_disk_spells_it(root, on_disk, written):
    name = "entrevue d’été.wav"
    disk_name, written_name = (unicodedata.normalize(form, name) for form in (on_disk, written))
    (root / "episodes/un" / disk_name).write_bytes(b"x")
    add(root, "un", EPISODE.replace("raw.wav", written_name).replace("number = 1", f'number = 1\ncover = "{written_name}"'))
    (episode,) = load_config(root).episodes
    assert episode.mix.recordings[0].file == episode.cover == f"episodes/un/{disk_name}" and (root / episode.cover).is_file()


def test_a_folder_without_episode_toml_stops_only_itself(root):
    (root / "episodes/brouillon").mkdir()
    (root / "episodes/Été \udce9").mkdir()  # no slug either, in bytes that are not UTF-8
    show = load_config(root)
    assert [episode.slug for episode in show.episodes] == ["un"] and show.is_complete and not mistakes(root)
    assert episode_folders_without_toml(root) == ("episodes/brouillon", "episodes/Été \udce9")


def test_an_episode_toml_that_is_a_broken_link_is_a_mistake(root):
    (root / "episodes/deux").mkdir()
    (root / "episodes/deux/episode.toml").symlink_to("absent")
    assert any("episodes/deux/episode.toml: is missing" in each for each in mistakes(root))
