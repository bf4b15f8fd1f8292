"""The editable transcript: parsing and writing are inverses, and mistakes are reported by line."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.engine.drafts import add_stamp
from pipeline.model.errors import CauserieError, Problems
from pipeline.transcript.document import (
    Insert,
    Note,
    Paragraph,
    Section,
    Transcript,
    VoiceDeclaration,
    format_anchor,
    format_transcript,
    parse_anchor,
)
from pipeline.transcript.parser import parse_transcript

ROOT = Path(__file__).parents[2]
KEYS = ("Nora", "Monsieur Ferrand", "L’appelant", "Théo 2")
WORDS = (
    "la",
    "file",
    "d’attente,",
    "«\u202foui\u202f»",
    "[rires]",
    "[…]",
    "-",
    "##",
    "%%",
    "@3:58",
    "Nora :",
    "Ah :",
    "+++",
    "\\",
    "1978.",
    "œ",
    "<b>",
    "é\u00a0!",
)

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
anchors = st.none() | st.integers(0, 9_000_000).map(lambda milliseconds: milliseconds / 1000)
paragraphs = st.builds(Paragraph, texts, st.sampled_from(("", *KEYS)), st.just(False), anchors)
firsts = st.tuples(paragraphs)
others = st.lists(st.builds(Paragraph, texts, st.sampled_from(("", *KEYS)), st.booleans(), anchors), max_size=3).map(tuple)
inserts = st.builds(lambda first, rest: Insert(first + rest), firsts, others)
sections = st.builds(Section, st.sampled_from(("Archive : 1978", "Récit", "Micro-trottoir")))
blocks = st.one_of(paragraphs, inserts, sections, st.builds(Note, texts))
lines = st.sampled_from(("", "récit", 'dit "le grand"', "a\\b"))
declared = st.tuples(*(st.builds(VoiceDeclaration, st.just(key), lines, lines, lines, lines) for key in KEYS))
transcripts = st.builds(Transcript, st.lists(blocks, max_size=6).map(tuple), declared, st.just(("Corrigez.", "")))


@given(transcripts)
@settings(max_examples=100, deadline=None)
def test_what_is_written_reads_back_the_same_and_is_canonical(transcript):
    text = format_transcript(transcript)
    assert parse_transcript(text) == transcript
    assert format_transcript(parse_transcript(text)) == text


@given(st.text(alphabet="«»-#%+@\\\\[]:\n 0123abAB…\u00a0\u202f\t", max_size=60))
@example("« Nom : »\n\nNom :")
@example("Nom : \\\n\nNom : \\")
@example("\\ # a")
@settings(max_examples=300, deadline=None)
def test_whatever_is_accepted_is_written_once_and_for_all(text):
    try:
        transcript = parse_transcript(text)
    except CauserieError:
        return
    canonical = format_transcript(transcript)
    assert parse_transcript(canonical) == transcript
    assert format_transcript(parse_transcript(canonical)) == canonical


@pytest.mark.parametrize("slug", ["01-la-file-d-attente", "02-une-voix-au-bout-du-fil"])
def test_the_sample_transcripts_are_canonical(slug):
    text = (ROOT / "transcripts" / f"{slug}.md").read_text(encoding="utf-8")
    assert format_transcript(parse_transcript(text, people={"nora"})) == text


@given(st.integers(0, 20_000_000))
def test_a_clock_reads_back_to_the_millisecond(milliseconds):
    assert parse_anchor(format_anchor(milliseconds / 1000)) == milliseconds / 1000


def only(text: str):
    (block,) = parse_transcript(text).blocks
    return block


def test_a_label_seen_once_is_narration_and_twice_a_voice():
    assert only("Alors voilà, notre défi est posé : tenir.") == Paragraph("Alors voilà, notre défi est posé : tenir.")
    twice = parse_transcript("Gilles : Oui.\n\nGilles\u00a0: Non.").blocks
    assert twice == (Paragraph("Oui.", "Gilles"), Paragraph("Non.", "Gilles"))


def test_a_paragraph_that_opens_with_a_quotation_is_still_narration():
    assert only("« Oui », dit-elle.") == Paragraph("« Oui », dit-elle.")
    assert only("« Oui » et « non »") == Paragraph("« Oui » et « non »")


def test_wrapped_lines_windows_line_ends_and_a_byte_order_mark_are_understood():
    assert only("\ufeffUne phrase\r\nqui continue.\r\n") == Paragraph("Une phrase qui continue.")


def test_an_insert_takes_dashes_names_and_anchors():
    insert = only("@1:02:03.5 « Bonjour.\n- Oui ?\n- Gilles : Moi.\n- Gilles : Encore. »")
    assert insert == Insert(
        (
            Paragraph("Bonjour.", anchor_s=3723.5),
            Paragraph("Oui ?", dash=True),
            Paragraph("Moi.", "Gilles", dash=True),
            Paragraph("Encore.", "Gilles", dash=True),
        )
    )


def test_a_draft_s_stamp_is_tolerated_and_forgotten():
    text = format_transcript(Transcript((Paragraph("Bonjour."),), (VoiceDeclaration("Nora"),)))
    assert format_transcript(parse_transcript(add_stamp(text, "remarque"))) == text


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("Un.\n\n« Deux.\n\n## Récit\n\nTrois.", 3, "« is not closed"),
        ("Un « deux.", 1, "unmatched «"),
        ("Un » deux.", 1, "unmatched »"),
        ("« Un.\n- Deux » et trois.", 2, "not at the end of a line"),
        ("Un.\n\n- Deux.", 3, "only inside «"),
        ("Un [musique.", 1, "square bracket"),
        ("# Archive", 1, "begins with ##"),
        ("+++\n[voices.Nora]\nroel = 'x'\n+++\n", 3, "did you mean “role”"),
        ("+++\n[voices.Nora]\nperson = 'nara'\n+++\n", 3, "did you mean “nora”"),
        ("+++\n[voices]\nNora = 'récit'\n+++\n", 3, "not a table of texts"),
        ("+++\ntitle = 'x'\n+++\n", 2, "unknown key “title”"),
        ("+++\n[voices.Nora]\nrole = récit\n+++\n", 3, "not valid TOML"),
        ("+++\n[voices.'a : b']\n+++\n", 2, "cannot be the name"),
        ("+++\n[voices.Nora]\n", 1, "front matter is not closed"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_remedy(text, line, message):
    with pytest.raises(CauserieError, match=message) as caught:
        parse_transcript(text, "transcripts/x.md", {"nora": "Nora Belkacem"})
    assert caught.value.where == f"transcripts/x.md:{line}"
    assert caught.value.hint


def test_every_mistake_is_told_at_once():
    with pytest.raises(Problems) as caught:
        parse_transcript("Un [.\n\n« Deux.\n\n## Récit\n\n- Trois.")
    assert len(caught.value.problems) == 3
