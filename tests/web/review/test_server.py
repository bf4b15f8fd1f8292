"""The review server: which requests it accepts, and what it writes."""

from __future__ import annotations

import http.client
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.errors import CauserieError
from pipeline.web.review.server import annotate, decode_text, digest, encode_text, make_review_server, open_session, save_text, split_head
from tests.support.review_sample import SLUG, TEXT, make_session

Answer = tuple[int, http.client.HTTPMessage, bytes]


class Served:
    """A running server, with the host and secret that a browser gets."""

    def __init__(self, root: Path, address: str) -> None:
        self.file = root / f"transcripts/{SLUG}.md"
        self.host, _, secret = address.removeprefix("http://").partition("/")
        self.base = f"/{secret}"

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request on its own connection."""
        connection = http.client.HTTPConnection(self.host, timeout=10)
        data = json.dumps(body).encode() if body is not None else None
        connection.request(method, path, data, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def save(self, text: str, known: str, **headers: str) -> Answer:
        """Save as the page does."""
        return self.ask("PUT", f"{self.base}text", {"text": text, "digest": known}, **headers)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server, address = make_review_server(make_session(tmp_path))
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield Served(tmp_path, address)
        server.shutdown()
        thread.join()


def test_what_is_saved_is_in_the_file_and_can_be_saved_again(served: Served) -> None:
    known = json.loads(served.ask("GET", f"{served.base}text")[2])["digest"]
    status, _, body = served.save(TEXT.replace("atente", "attente"), known)
    assert (status, served.file.read_text(encoding="utf-8")) == (200, TEXT.replace("atente", "attente"))
    assert served.save("Fin.\n", json.loads(body)["digest"])[0] == 200


def test_a_file_that_changed_meanwhile_is_left_as_it_is(served: Served) -> None:
    known = digest(served.file.read_bytes())
    served.file.write_text("Une autre main.\n", encoding="utf-8")
    status, _, body = served.save("La mienne.\n", known)
    assert (status, served.file.read_text(encoding="utf-8")) == (409, "Une autre main.\n")
    assert json.loads(body)["problem"].startswith(f"transcripts/{SLUG}.md a été changé")


def test_a_file_that_was_removed_meanwhile_is_not_made_again(served: Served) -> None:
    known = digest(served.file.read_bytes())
    served.file.unlink()
    assert served.save("La mienne.\n", known)[0] == 409
    assert not served.file.exists()


def test_a_text_that_cannot_be_written_is_a_sentence_and_changes_nothing(served: Served) -> None:
    status, _, body = served.save("\ud800", digest(TEXT.encode()))
    assert (status, served.file.read_text(encoding="utf-8"), "n’a pas pu" in json.loads(body)["problem"]) == (500, TEXT, True)


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Host": "localhost:1"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_another_host_or_origin_is_refused_even_with_the_secret(served: Served, method: str, headers: dict[str, str]) -> None:
    body = {"text": "Perdu.", "digest": digest(TEXT.encode())}
    assert served.ask(method, f"{served.base}text", body, **headers)[0] == 403
    assert served.file.read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize("path", ["/", "/text", "/x/text", "/%2e%2e/text", "//text"])
def test_without_the_secret_there_is_nothing(served: Served, path: str) -> None:
    assert served.ask("GET", path)[0] == 404
    assert served.ask("PUT", path, {"text": "Perdu.", "digest": digest(TEXT.encode())})[0] == 404


def test_nothing_but_the_page_and_its_own_is_there(served: Served) -> None:
    assert [served.ask("GET", served.base + name)[0] for name in ("", "review.js", "review.css", "audio", "text")] == [200] * 5
    for name in ("../text", "labels.fr.toml", "show.toml", "text/", "audio/.."):
        assert served.ask("GET", served.base + name)[0] == 404
    assert served.ask("DELETE", f"{served.base}text")[0] == 501


def test_no_answer_may_be_read_or_framed_elsewhere(served: Served) -> None:
    for name in ("", "text", "audio"):
        headers = served.ask("GET", served.base + name)[1]
        assert "Access-Control-Allow-Origin" not in headers
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("body", ["", "{", "[]", '{"text": 1, "digest": ""}', '{"text": "seul"}'])
def test_what_is_no_text_is_refused(served: Served, body: str) -> None:
    connection = http.client.HTTPConnection(served.host, timeout=10)
    connection.request("PUT", f"{served.base}text", body.encode())
    assert connection.getresponse().status == 400


def test_too_much_is_refused_unread(served: Served) -> None:
    assert served.ask("PUT", f"{served.base}text", None, Content_Length=str(1 << 40))[0] == 413


def test_a_title_cannot_end_the_page_s_script(served: Served) -> None:
    assert served.ask("GET", served.base)[2].count(b"</script>") == 2


def test_the_sound_comes_in_parts(served: Served) -> None:
    status, headers, body = served.ask("GET", f"{served.base}audio", Range="bytes=1-")
    assert (status, headers["Content-Range"], body) == (206, "bytes 1-2/3", b"on")


def test_a_file_stays_as_closed_as_it_was(tmp_path: Path) -> None:
    found = make_session(tmp_path)
    found.text.chmod(0o640)
    save_text(found, "Fin.\n", digest(TEXT.encode()))
    assert (found.text.read_text(), found.text.stat().st_mode & 0o777) == ("Fin.\n", 0o640)


def test_a_link_is_followed_and_stays_one(tmp_path: Path) -> None:
    found = make_session(tmp_path)
    path, elsewhere = tmp_path / f"transcripts/{SLUG}.md", tmp_path / "elsewhere.md"
    os.replace(path, elsewhere)
    path.symlink_to(elsewhere)
    assert found.text == elsewhere


def test_a_desk_says_what_is_missing_and_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(CauserieError, match="causerie draft un first"):
        open_session(tmp_path, "un", "Un", "fr", ())
    make_session(tmp_path)
    (tmp_path / f"episodes/{SLUG}/{SLUG}.mp3").unlink()
    with pytest.raises(CauserieError, match=f"causerie normalise {SLUG} first"):
        open_session(tmp_path, SLUG, "Un", "fr", ())


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))), st.sampled_from(["\n", "\r\n"]), st.booleans()
)
def test_a_file_that_is_opened_and_saved_is_the_same_bytes(lines: list[str], end: str, has_mark: bool) -> None:
    content = (b"\xef\xbb\xbf" if has_mark else b"") + end.join(lines).encode()
    if has_mark or not content.startswith(b"\xef\xbb\xbf"):
        assert encode_text(decode_text(content), content) == content


def test_the_check_off_is_offered_when_no_doubt_and_no_mistake_is_left(served: Served) -> None:
    def check(text: str) -> dict:
        return json.loads(served.ask("POST", f"{served.base}beside", {"text": text, "digest": ""})[2])["check"]

    heard = TEXT.replace("%% ? 0:02–0:04 « la file d’atente » (mots peu sûrs)\n\n", "")
    assert [check(text)["offered"] for text in (TEXT, heard, heard + "\n« non fermé")] == [False, True, False]
    status, _, body = served.ask("POST", f"{served.base}reviewed", {"text": heard, "day": "2026-10-05", "by": 'H. "Marchand"'})
    answer = json.loads(body)
    text = answer["head"] + answer["text"]
    assert (status, text) == (200, heard.replace("+++\n", '+++\nreviewed = "2026-10-05, H. Marchand"\n', 1))
    assert check(text) == {"notice": "Transcription relue le 5\u00a0octobre 2026 par H. Marchand", "offered": False, "done": True}
    assert served.file.read_text(encoding="utf-8") == TEXT  # it is saved as any other change


def test_a_check_off_without_a_day_is_refused_in_a_sentence(served: Served) -> None:
    status, _, body = served.ask("POST", f"{served.base}reviewed", {"text": TEXT, "day": "hier", "by": ""})
    assert status == 500
    assert "does not begin with a date" in json.loads(body)["problem"]
    assert served.ask("POST", f"{served.base}reviewed", {"text": TEXT})[0] == 400


def test_the_lines_of_other_texts_are_read_again_when_they_change(tmp_path: Path) -> None:
    session = make_session(tmp_path)
    other = tmp_path / "transcripts/02-autre.md"
    line = "Une émission préparée par toute l’équipe de la mairie."

    def remarks() -> list[str]:
        return [each["said"] for each in annotate(session, line)["remarks"] if "one word" in each["said"]]

    assert remarks() == []
    other.write_text(line.replace("toute", "notre"), encoding="utf-8")
    assert "“toute” here, “notre” there" in remarks()[0]
    other.unlink()
    assert remarks() == []


@pytest.mark.parametrize(
    ("text", "head"),
    [
        (TEXT, TEXT[: TEXT.index("Bonjour")]),
        ("Bonjour.\n", ""),
        ("\n+++\n[voices.maud]\n+++\nBonjour.\n", ""),
        ("++\n[voices.maud]\n++\nBonjour.\n", ""),
        ("+++\n[voices.maud]\nBonjour.\n", ""),
        ("+++\n+++", "+++\n+++\n"),
        ("+++\n+++\n", "+++\n+++\n"),
    ],
)
def test_the_front_matter_is_kept_out_of_the_text(text: str, head: str) -> None:
    assert split_head(text)[0] == head


@given(st.text(alphabet='+\n a[="', max_size=30).map("+++\n{}".format))
def test_front_matter_and_text_are_together_what_they_were(text: str) -> None:
    head, body = split_head(text)
    assert (head + body).removesuffix("\n") == text.removesuffix("\n")
