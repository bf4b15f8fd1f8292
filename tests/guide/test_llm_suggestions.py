"""A language model beside the program: one that answers well, badly, late, and never, on a real socket."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.guide.document import QUOTE, clip_quotes, family_questions, format_guide, parse_guide
from pipeline.guide.draft import draft_guide, propose_guide
from pipeline.guide.labels import FAMILIES
from pipeline.guide.llm_client import request_completion
from pipeline.guide.llm_suggestions import RESPONSE_SCHEMA, build_messages, merge_answer, restore_quotes
from pipeline.guide.questions import QUESTIONS_PER_FAMILY
from pipeline.guide.quotes import locate, split_sentences, spoken_words
from pipeline.model.show import GuideModel
from pipeline.transcript.timed_json import write_timed
from tests.support.guide_sample import EPISODE, SHOW, written

pytestmark = pytest.mark.slow

TIMED = written("01-le-premier-rendez-vous")
SPOKEN = spoken_words(TIMED)
EVERY = split_sentences(SPOKEN)
OURS = propose_guide(TIMED, SHOW, EPISODE)[0]
RADIATOR = next(i for i, one in enumerate(EVERY) if "radiateur. " in f"{one.text} ")
GOOD = {
    "goal": "Regarder ce que nos vingt premières minutes demandent aux gens.",
    "clips": [{"sentence_ids": [RADIATOR, RADIATOR + 1], "intro": "Sur le parvis, une habituée."}],
    "questions": [
        {
            "family": "relate",
            "text": "Quelle « chaise près du radiateur » avons-nous ici ?",
            "about_sentence_id": RADIATOR,
            "follow_up": "Qui l’a posée là ?",
        }
    ],
}


@contextmanager
def serving(reply: Callable[[BaseHTTPRequestHandler, dict], None]) -> Iterator[tuple[GuideModel, list[dict]]]:
    """An API on this machine that keeps what it was asked."""
    asked: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(
                {
                    "path": self.path,
                    "key": self.headers["Authorization"],
                    **json.loads(self.rfile.read(int(self.headers["Content-Length"]))),
                }
            )
            try:
                reply(self, asked[-1])
            except OSError:
                pass  # the one who asked has gone

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield GuideModel(f"http://127.0.0.1:{server.server_port}/v1", "petit-modèle", timeout_s=0.6), asked
    finally:
        server.shutdown()
        server.server_close()


def says(value: Any) -> Callable[[BaseHTTPRequestHandler, dict], None]:
    """A server that answers that."""

    def reply(handler: BaseHTTPRequestHandler, _: dict) -> None:
        content = value if isinstance(value, str) else json.dumps(value)
        body = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def fails(handler: BaseHTTPRequestHandler, _: dict) -> None:
    handler.send_error(500)


def elsewhere(handler: BaseHTTPRequestHandler, _: dict) -> None:
    handler.send_response(307)
    handler.send_header("Location", "http://127.0.0.1:9/v1")
    handler.end_headers()


def never(handler: BaseHTTPRequestHandler, _: dict) -> None:
    time.sleep(1.5)


def drips(handler: BaseHTTPRequestHandler, _: dict) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(15):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


def test_a_good_answer_is_used_item_by_item_and_says_so(tmp_path: Path) -> None:
    write_timed(tmp_path / "timed.json", TIMED)
    with serving(says(GOOD)) as (model, asked):
        for _ in range(2):  # the second draft asks nobody
            draft_guide(tmp_path / "timed.json", text=tmp_path / "x.md", show=SHOW, episode=EPISODE, model=model, asked="asked")
    text = (tmp_path / "x.md").read_text(encoding="utf-8")
    guide = parse_guide(text, "x")
    assert len(asked) == 1 and asked[0]["path"] == "/v1/chat/completions" and asked[0]["response_format"]["json_schema"]["strict"]
    assert "la dette" in guide.texts("clips", QUOTE)[0] and len(clip_quotes(guide)) == 4
    assert guide.texts("goal")[0] == GOOD["goal"] and family_questions(guide, "relate")[0].text.startswith("Quelle «\u202fchaise")
    assert text.count("%% Proposé par un modèle de langue") == 3 and "%% Choisi par le programme" in text
    assert [len(family_questions(guide, family)) for family in FAMILIES] == [QUESTIONS_PER_FAMILY[family] for family in FAMILIES]
    for quote in guide.texts("clips", QUOTE):
        locate(quote, SPOKEN, "x")


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (says("pas du JSON"), "does not have the requested form"),
        (says([1, 2]), "not a JSON object"),
        (says({"goal": float("nan")}), "does not have the requested form"),
        (says({"goal": "\ud83d"}), "does not have the requested form"),
        (says({"clips": "non", "questions": [1, {"family": "x"}], "goal": 7}), ""),
        (fails, "answered 500"),
        (elsewhere, "answered 307"),
        (never, "more than 0.6 s"),
        (drips, "more than 0.6 s"),
    ],
    ids=["not json", "a list", "no number", "half a character", "nonsense", "error", "redirected", "never", "too slowly"],
)
def test_a_bad_late_or_missing_answer_leaves_the_programs_draft(tmp_path: Path, reply: Callable, why: str) -> None:
    write_timed(tmp_path / "timed.json", TIMED)
    with serving(reply) as (model, _):
        draft_guide(tmp_path / "timed.json", text=tmp_path / "x.md", show=SHOW, episode=EPISODE, model=model, asked="asked")
    text = (tmp_path / "x.md").read_text(encoding="utf-8")
    assert parse_guide(text, "x") == OURS and why in text
    assert bool(list(tmp_path.glob("asked/*"))) == (why == "")  # what went wrong is asked again another time


def test_nobody_listening_is_a_sentence() -> None:
    assert request_completion(GuideModel("http://127.0.0.1:9/v1", "x"), [], {}) == (None, "it cannot be reached")


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAUSERIE_GUIDE_KEY", "s3cr3t")
    with serving(says(GOOD)) as (model, asked):
        request_completion(model, build_messages(EVERY, "fr"), RESPONSE_SCHEMA)
    assert asked[0]["key"] == "Bearer s3cr3t" and "s3cr3t" not in json.dumps(asked[0]["messages"])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Que dire de « le carnet fait peur aux gens » ?", "Que dire de « le carnet fait peur aux gens » ?"),
        ("Que dire de « le carnet faisait peur aux gens » ?", "Que dire de « le carnet fait peur aux gens » ?"),  # a slip is mended
        ("Que dire de « le public redoute la prise de notes » ?", ""),  # a paraphrase is refused
        ("Lisez https://evil.example ?", ""),
        ("x\x1b[2J ?", "x?[2J ?"),
        ("…", ""),
        (None, ""),
    ],
)
def test_a_model_never_writes_a_quote(text: Any, wanted: str) -> None:
    assert restore_quotes(text, SPOKEN, 25) == wanted


@pytest.mark.parametrize("ids", [[3, 5], [99_999], [-1], ["1"], [True], [], list(range(9)), None])
def test_sentences_that_do_not_exist_or_follow_make_no_clip(ids: Any) -> None:
    answer = {"clips": [{"sentence_ids": ids, "intro": "Une voix."}]}
    assert merge_answer(OURS, answer, EVERY, "fr") == OURS


def test_questions_that_break_the_rules_are_replaced() -> None:
    asked = [
        {"family": "relate", "text": text, "about_sentence_id": 1, "follow_up": "Qui ?"}
        for text in ("Est-ce que ça va ?", "mot " * 40 + "?")
    ]
    assert merge_answer(OURS, {"questions": asked}, EVERY, "fr") == OURS


def test_the_transcript_is_data_that_nothing_said_can_close() -> None:
    sent = json.loads(build_messages(EVERY, "fr")[1]["content"])
    assert [one["text"] for one in sent["sentences"]] == [one.text for one in EVERY]


def test_origins_are_comments_that_change_nothing() -> None:
    guide = merge_answer(OURS, GOOD, EVERY, "fr")
    assert parse_guide(format_guide(guide, "fr"), "x") == guide


def test_only_what_stands_between_quotation_marks_is_put_in_the_episodes_words() -> None:
    source = next(word.word.text for word in SPOKEN if "’" in word.word.text)  # one that is said with its article
    part = source.partition("’")[2].rstrip(".,")
    line = restore_quotes(f"Que veut dire {part} quand on dit « {part} » ici ?", SPOKEN, 25)
    assert line.startswith(f"Que veut dire {part} quand") and source.rstrip(".,") in line
