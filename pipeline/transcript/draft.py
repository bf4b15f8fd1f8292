"""The step `draft_transcript`: Whisper's words as an editable transcript to correct, with doubtful passages marked in notes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path
from statistics import median

from pipeline.engine import add_stamp, read_json, read_text, write_atomic
from pipeline.model import (
    NO_TERMS,
    SENTENCE_END,
    DiarisationSource,
    Doubts,
    Glossary,
    Recognition,
    Word,
    apply_glossary,
    format_clock,
    join_heard,
)
from pipeline.transcript.completeness import voice_spans
from pipeline.transcript.diarisation import ActivityTrack, TrackActivity, parse_rttm, with_speaker_tracks
from pipeline.transcript.document import Block, Note, Paragraph, Transcript, VoiceDeclaration, format_transcript
from pipeline.transcript.draft_notes import correction_notes, doubt_notes, escape_markup, fixed_texts, gap_note, make_note, voice_notes

_PAUSE_S = 0.8  # begins a new paragraph
_LONG_PAUSE_S = 2.0  # the same, when tracks identify the speakers
_CLEAR_MARGIN_DB = 4.0  # between two microphones: a smaller difference may be room acoustics
_MIN_TURN_S = 0.4  # the precision of word times
_SPEECH_THRESHOLD_DB = -15.0  # relative to the track's level while its speaker speaks
_OVER_BLEED_DB = 10.0
_MIN_OVERLAP_S = 0.8
_MAX_BREATH_S = 0.3  # a shorter gap does not end an overlap
_PARAGRAPH_CHARS = 400  # after it, a paragraph ends with the sentence
_QUIET_DB = -100.0
_INACTIVE_DB = -80.0  # below the noise floor of any microphone


@dataclass(frozen=True)
class _Track:
    """A speaker's own track: levels in dB every `hop_s`, relative to its level while its speaker speaks."""

    label: str
    hop_s: float
    levels_db: tuple[float, ...]

    def level_db(self, start_s: float, end_s: float) -> float:
        """The mean level between two times, in dB."""
        first = max(0, int(start_s / self.hop_s))
        part = self.levels_db[first : max(first + 1, int(end_s / self.hop_s))]
        return sum(part) / len(part) if part else _QUIET_DB


def draft_transcript(
    words: Path,
    activity: Path,
    doubts: Path,
    turns: Sequence[Path] = (),
    *,
    text: Path,
    names: Mapping[str, str],
    language: str,
    glossary: Glossary = NO_TERMS,
    diarised: Sequence[DiarisationSource] = (),
) -> None:
    """Write to `text` a stamped draft of the transcript. `names` maps the keys of the show's people to their names.

    `turns` are the RTTM files of `diarised`, in that order.
    """
    diarisations = [
        (each, parse_rttm(read_text(path, each.file), each.file, each.name)) for each, path in zip(diarised, turns, strict=True)
    ]
    tracks = with_speaker_tracks(read_json(activity), diarisations)
    transcript = build_draft(read_json(words), tracks, read_json(doubts), names, language, glossary)
    write_atomic(text, add_stamp(format_transcript(transcript), fixed_texts(language)["stamp"]))


def build_draft(
    recognition: Recognition,
    activity: TrackActivity,
    doubts: Doubts,
    names: Mapping[str, str],
    language: str,
    glossary: Glossary = NO_TERMS,
) -> Transcript:
    """The draft as a transcript, from the contents of `words.json`, `activity.json` and `doubts.json`.

    With one track per speaker the speakers are known; with a single recording everything is attributed to the narrator. The glossary's
    corrections are applied, and noted.
    """
    voices = _voices(activity["tracks"], names, language) if len(activity["tracks"]) > 1 else ()
    tracks = _merge_by_voice(
        _relative_track(voice, each, activity["hop_s"]) for voice, each in zip(voices, activity["tracks"], strict=False)
    )
    fixed, corrections = apply_glossary(recognition, glossary)
    words = [
        Word(each["text"], each["start_s"], each["end_s"], each["probability"]) for part in fixed["segments"] for each in part["words"]
    ]
    paragraphs = _group_paragraphs(_split_sentences(words), tracks)
    edges = [
        (0.0, 0.0),
        *((spoken[0].start_s or 0.0, spoken[-1].end_s or 0.0) for _, spoken in paragraphs),
        (recognition["duration_s"],) * 2,
    ]
    voices_heard = voice_spans(recognition)
    inside = [span for span in voices_heard if any(first < sum(span) / 2 < last for first, last in edges)]
    notes = sorted(
        [
            *_overlap_notes(tracks, language),
            *voice_notes(inside, language),
            *doubt_notes(doubts["passages"], language),
            *correction_notes(corrections, language),
        ],
        key=lambda each: each[0],
    )
    blocks: list[Block] = []
    for index, (voice, said) in enumerate(paragraphs):
        blocks.extend(gap_note(edges[index][1], edges[index + 1][0], language, voices_heard))
        if text := escape_markup(join_heard((word.text for word in said), recognition["language"]), language):
            blocks.append(Paragraph(text, voice))
        until_s = edges[index + 2][0] if index + 1 < len(paragraphs) else float("inf")
        while notes and notes[0][0] < until_s:  # a note that begins in the pause after a paragraph follows it
            blocks.append(notes.pop(0)[1])
    blocks.extend(gap_note(edges[-2][1], edges[-1][0], language, voices_heard))
    return Transcript(tuple(blocks), tuple(dict.fromkeys(voices)), fixed_texts(language)["help"])


def _voices(tracks: Sequence[ActivityTrack], names: Mapping[str, str], language: str) -> tuple[VoiceDeclaration, ...]:
    """A declared voice for each track, called by the person's first name when it is unique."""
    full = [names.get(track["voice"], "") for track in tracks]
    firsts = [name.split(" ")[0] for name in dict.fromkeys(full)]
    found = []
    for index, (track, name) in enumerate(zip(tracks, full, strict=True), 1):
        first = name.split(" ")[0]
        key = re.sub(r"[:«»\[\]\\]", " ", first if firsts.count(first) == 1 else name)[:40].strip()
        key = key or f"{fixed_texts(language)['voice']} {index}"
        found.append(VoiceDeclaration(key, person=track["voice"] if name else ""))  # show.toml has the full name
    return tuple(found)


def _relative_track(voice: VoiceDeclaration, track: ActivityTrack, hop_s: float) -> _Track:
    """A track with levels relative to its own reference: a quiet voice must not lose to the crosstalk of a loud one."""
    return _Track(voice.key, hop_s, tuple(level - track["reference_db"] for level in track["levels_db"]))


def _merge_by_voice(tracks: Iterable[_Track]) -> tuple[_Track, ...]:
    """One track per voice: the maximum, when one person has two microphones."""
    found: dict[str, _Track] = {}
    for track in tracks:
        known = found.get(track.label)
        levels = track.levels_db if known is None else tuple(map(max, known.levels_db, track.levels_db))
        found[track.label] = replace(track, levels_db=levels)
    return tuple(found.values())


def _split_sentences(words: Sequence[Word]) -> list[list[Word]]:
    """The words split at full stops and pauses."""
    sentences: list[list[Word]] = [[word] for word in words[:1]]
    for before, word in pairwise(words):
        if SENTENCE_END.search(before.text) or _pause_s(before, word) > _PAUSE_S:
            sentences.append([])
        sentences[-1].append(word)
    return sentences


def _group_paragraphs(sentences: list[list[Word]], tracks: tuple[_Track, ...]) -> list[tuple[str, list[Word]]]:
    """Sentences grouped into paragraphs: the voice's name (empty for the narrator) and the words."""
    pause_s = _LONG_PAUSE_S if tracks else _PAUSE_S
    paragraphs: list[tuple[str, list[Word]]] = []
    for voice, sentence in (part for uncut in sentences for part in _split_by_voice(uncut, tracks)):
        last = paragraphs[-1] if paragraphs else None
        if (
            last is None
            or last[0] != voice
            or _pause_s(last[1][-1], sentence[0]) > pause_s
            or sum(len(word.text) + 1 for word in last[1]) > _PARAGRAPH_CHARS
        ):
            paragraphs.append((voice, list(sentence)))
        else:
            last[1].extend(sentence)
    return paragraphs


def _split_by_voice(sentence: list[Word], tracks: tuple[_Track, ...]) -> list[tuple[str, list[Word]]]:
    """The sentence split where the voice changes: the recogniser puts full stops without knowing who speaks.

    A word belongs to the track that is clearly the loudest, relative to its reference; an unclear word, or a run too short to be a
    turn, goes with the words around it.
    """
    if not tracks:
        return [("", sentence)]
    default_owner = _loudest_track(sentence, tracks)[0]
    owners = [
        owner if margin_db >= _CLEAR_MARGIN_DB else default_owner
        for owner, margin_db in (_loudest_track([word], tracks) for word in sentence)
    ]
    runs = [[word for _, word in run] for _, run in groupby(zip(owners, sentence, strict=True), key=lambda pair: pair[0])]
    parts: list[tuple[str, list[Word]]] = []
    for run in runs:
        owner = _loudest_track(run, tracks)[0] or default_owner
        length_s = (run[-1].end_s or 0.0) - (run[0].start_s or 0.0)
        if parts and (length_s < _MIN_TURN_S or parts[-1][0] == owner):
            parts[-1][1].extend(run)
        else:
            parts.append((owner if length_s >= _MIN_TURN_S else default_owner, list(run)))
    return parts


def _loudest_track(words: Sequence[Word], tracks: tuple[_Track, ...]) -> tuple[str, float]:
    """The label of the loudest track during the words, relative to its reference, and its mean margin over the next one in dB.

    The label is empty (the narrator, in a draft) when all tracks are inactive: a part of the programme that is not in the recordings.
    """
    spans = [(word.start_s or 0.0, word.end_s or 0.0) for word in words]
    length_s = sum(end_s - start_s + 0.01 for start_s, end_s in spans)
    means = [sum(track.level_db(*span) * (span[1] - span[0] + 0.01) for span in spans) / length_s for track in tracks]
    best = max(range(len(tracks)), key=lambda index: means[index])
    if means[best] < _INACTIVE_DB:
        return "", 0.0
    return tracks[best].label, means[best] - max(mean for index, mean in enumerate(means) if index != best)


def _find_overlaps(tracks: tuple[_Track, ...]) -> list[tuple[float, float]]:
    """The times (s) when two people speak at once, each on their own track, for longer than a « oui ».

    A microphone also picks up the others: the median level in it while another speaks is its bleed, and does not count as speech.
    """
    if len(tracks) < 2:
        return []
    hops = list(zip(*(track.levels_db for track in tracks), strict=False))
    leaders = [max(range(len(tracks)), key=lambda index: hop[index]) for hop in hops]
    gates = []
    for index in range(len(tracks)):
        bleed = [hop[index] for hop, leader in zip(hops, leaders, strict=True) if leader != index and hop[leader] > _SPEECH_THRESHOLD_DB]
        gates.append(max(_SPEECH_THRESHOLD_DB, median(bleed) + _OVER_BLEED_DB if bleed else _SPEECH_THRESHOLD_DB))
    hop_s = tracks[0].hop_s
    spans: list[tuple[float, float]] = []
    for place, hop in enumerate(hops):
        if sum(level > gate for level, gate in zip(hop, gates, strict=True)) > 1:
            start_s, end_s = place * hop_s, (place + 1) * hop_s
            if spans and start_s - spans[-1][1] <= _MAX_BREATH_S:
                spans[-1] = (spans[-1][0], end_s)
            else:
                spans.append((start_s, end_s))
    return [span for span in spans if span[1] - span[0] >= _MIN_OVERLAP_S]


def _pause_s(before: Word, after: Word) -> float:
    return (after.start_s or 0.0) - (before.end_s or 0.0)


def _overlap_notes(tracks: tuple[_Track, ...], language: str) -> list[tuple[float, Note]]:
    """The start (s) and note of each overlap of two voices: one of them was probably not recognised."""
    together = fixed_texts(language)["together"]
    return [
        (start_s, make_note(f"{together} ({format_clock(start_s)}–{format_clock(end_s)})", language))
        for start_s, end_s in _find_overlaps(tracks)
    ]
