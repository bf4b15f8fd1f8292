"""Draft a guide from the corrected transcript, for the producer to edit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pipeline.engine import add_stamp, is_unedited_draft, read_json, read_text, write_atomic
from pipeline.guide.document import ITEM, QUOTE, TEXT, Guide, GuideLine, GuideSection, format_guide
from pipeline.guide.labels import Labels, fill, load_labels
from pipeline.guide.llm_suggestions import apply_suggestions
from pipeline.guide.questions import draft_questions, episode_questions, question_text, speaker_label
from pipeline.guide.quotes import Excerpt, split_sentences, spoken_words, tokens, without_doubts
from pipeline.guide.ranking import QUOTA_BY_KIND, Background, Candidate, Topic, build_background, choose, is_claim, rank
from pipeline.model import (
    CauserieError,
    Cut,
    EpisodeInfo,
    GuideModel,
    Problems,
    ShowInfo,
    TimedTranscript,
    apply_typography,
    format_clock,
    kept_from_json,
    master_ranges,
)
from pipeline.transcript import (
    NARRATOR_ROLES,
    build_turns,
    characteristic_phrases,
    drop_removed,
    is_placeholder_name,
    parse_transcript,
    read_timed,
)

CANDIDATE_COUNT, CLIP_COUNT = 12, 4
EMPTY_BACKGROUND = Background()


def draft_guide(
    timed: Path,
    *,
    text: Path,
    show: ShowInfo,
    episode: EpisodeInfo,
    others: tuple[str, ...] = (),
    model: GuideModel | None = None,
    asked: str = "",
    cuts: tuple[Cut, ...] = (),
) -> None:
    """Write the draft of `guides/<slug>.md`, stamped as a draft until it is edited.

    `others` are the transcripts of the show's other episodes, relative to its folder; the corrected ones are the background against
    which this episode's topics are found. `model` may suggest other clips and questions; its answers are cached in the folder
    `asked`, beside `timed`. What `cuts` remove is not quoted; a new cut drafts nothing again.
    """
    folder, transcript = timed.parents[2] if others else timed.parent, read_timed(timed)
    if cuts:
        kept = kept_from_json(read_json(timed.with_name("activity.json")))
        transcript = drop_removed(transcript, sorted(each for cut in cuts for each in master_ranges(cut.start_s, cut.end_s, kept)))
    guide, notes = propose_guide(transcript, show, episode, _load_background([folder / each for each in others], show.language))
    if model and model.endpoint:
        guide, status = apply_suggestions(guide, _sure_sentences(transcript), model, show.language, timed.parent / asked if asked else None)
        notes = {**notes, "": (*notes[""], status)}
    write_atomic(text, add_stamp(format_guide(guide, show.language, notes)))


def propose_guide(
    timed: TimedTranscript, show: ShowInfo, episode: EpisodeInfo, background: Background = EMPTY_BACKGROUND
) -> tuple[Guide, dict[str, tuple[str, ...]]]:
    """Return a guide and its `%%` comments for editors; sections without material are left out."""
    words = load_labels(show.language)
    all_sentences = _sure_sentences(timed)
    candidates = _select_candidates(all_sentences, timed, show, episode, background)
    chosen_clips = sorted(_select_clips(candidates, show.language), key=lambda one: one.passage.start_index)
    posed = episode_questions(split_sentences(spoken_words(timed)), show.language)
    from_episode = without_doubts(posed, timed.doubtful)
    found = {
        "status": _status(timed, show),
        "goal": _goal(words, episode),
        "prepare": _lines(ITEM, words["draft"]["prepare"]),
        "before": _listening_brief(from_episode, candidates, words, episode),
        "clips": _clip_lines(chosen_clips, show.language),
        **draft_questions(from_episode, chosen_clips, _topics(timed, show), show.language, episode.number or 0),
        "words": _lines(TEXT, (f"{words['parts'][part]}{words['page']['colon']}{script}" for part, script in words["words"].items())),
        "stance": _lines(ITEM, words["draft"]["stance"]),
        "return": _lines(TEXT, words["draft"]["return"]),
    }
    sections = tuple(GuideSection(key, _typeset(found[key], show.language)) for key in words["sections"] if found[key])
    return Guide(sections), _notes(show.language, candidates, chosen_clips)


def _sure_sentences(timed: TimedTranscript) -> tuple[Excerpt, ...]:
    """Return the sentences that a guide may quote: none of them is still marked as doubtful."""
    return without_doubts(split_sentences(spoken_words(timed)), timed.doubtful)


def _load_background(paths: Iterable[Path], language: str) -> Background:
    """Load the other episodes' sentences: corrected transcripts only, which no build step changes."""
    transcripts = []
    for path in paths:
        try:
            text = read_text(path) if path.is_file() else ""
            if text and not is_unedited_draft(text):
                spoken_turns = build_turns(parse_transcript(text), language)
                transcripts.append(split_sentences(spoken_words(TimedTranscript(0.0, language, tuple(each.turn for each in spoken_turns)))))
        except (CauserieError, Problems):
            continue  # reported when that episode is built
    return build_background(transcripts, language)


def _select_candidates(
    all_sentences: tuple[Excerpt, ...], timed: TimedTranscript, show: ShowInfo, episode: EpisodeInfo, background: Background
) -> tuple[Candidate, ...]:
    names = {turn.voice.name for turn in timed.turns} | {credit.person.name for credit in (*show.credits, *episode.credits)}
    topic_text = f"{episode.title} {episode.spoken_title} {episode.summary}"
    ranked = rank(all_sentences, Topic(show.language, topic_text, show.title, tuple(sorted(names - {""})), background))
    first = choose(ranked, CANDIDATE_COUNT, QUOTA_BY_KIND)
    return (
        *first,
        *choose(ranked, CANDIDATE_COUNT - len(first), {"fiction": QUOTA_BY_KIND["fiction"] - _count_kind(first, "fiction")}, first),
    )


def _count_kind(chosen: Iterable[Candidate], kind: str) -> int:
    return sum(one.kind == kind for one in chosen)


def _select_clips(candidates: tuple[Candidate, ...], language: str) -> tuple[Candidate, ...]:
    """Select the best candidate of each kind of voice, then the best of the rest; add a debatable claim if none is among them."""
    one_per_kind = choose(candidates, CLIP_COUNT, dict.fromkeys(QUOTA_BY_KIND, 1))
    rest = [one for one in candidates if one not in one_per_kind and one.kind != "fiction"]
    chosen = (*one_per_kind, *rest[: CLIP_COUNT - len(one_per_kind)])
    arguable = [one for one in candidates if one.kind != "fiction" and is_claim(one.passage, language)]
    return chosen if not arguable or any(one in arguable for one in chosen) else (*chosen, arguable[0])


def _status(timed: TimedTranscript, show: ShowInfo) -> tuple[GuideLine, ...]:
    words = load_labels(show.language)["draft"]
    kinds = dict.fromkeys(turn.voice.role for turn in timed.turns if turn.voice.role)
    only_narrated = [*kinds] == [NARRATOR_ROLES.get(show.language[:2], "narration")]  # not worth printing
    kinds_text = fill(words["kinds"], kinds=", ".join(kinds)) if kinds and not only_narrated else ""
    return _lines(TEXT, filter(None, (show.status, kinds_text, words["caution"])))


def _goal(words: Labels, episode: EpisodeInfo) -> tuple[GuideLine, ...]:
    return (
        GuideLine(TEXT, fill(words["draft"]["goal"], title=_with_inner_quotes(episode.title))),
        *_lines(ITEM, words["draft"]["outcomes"]),
    )


def _listening_brief(
    from_episode: tuple[Excerpt, ...], candidates: tuple[Candidate, ...], words: Labels, episode: EpisodeInfo
) -> tuple[GuideLine, ...]:
    """Return the framing question, from the episode when it has one, and what each group listens for."""
    framing = question_text(from_episode[0]) if from_episode else fill(words["draft"]["framing"], title=_with_inner_quotes(episode.title))
    briefs = [brief for key, brief in words["draft"]["brief"].items() if any(one.kind == key for one in candidates)]
    return (GuideLine(TEXT, framing), *_lines(ITEM, briefs if len(briefs) > 1 else [words["draft"]["brief_all"]]))


def _clip_lines(chosen_clips: Iterable[Candidate], language: str) -> tuple[GuideLine, ...]:
    """Return each quote under a line that introduces its source; no introduction is used twice."""
    intros, intro_counts = load_labels(language)["draft"]["intro"], Counter[str]()
    lines: list[GuideLine] = []
    for one in chosen_clips:
        intro = intros[one.kind][intro_counts[one.kind] % len(intros[one.kind])]
        intro_counts[one.kind] += 1
        lines += [
            GuideLine(TEXT, _one_line(fill(intro, source=_source(one.passage, language)))),
            GuideLine(QUOTE, _quote_lines(one.passage)),
        ]
    return tuple(lines)


def _source(excerpt: Excerpt, language: str) -> str:
    """Return who says an excerpt and in what kind of passage: « Nadia Oumarou (entretien) », « Archive : 1978 », « L’épisode »."""
    turn = excerpt.turn
    passage = turn.section or turn.voice.role.capitalize()
    name = "" if is_placeholder_name(turn.voice.name) else turn.voice.label or turn.voice.name
    if name and passage:
        return f"{name} ({passage if turn.section else turn.voice.role})"
    return name or passage or speaker_label(excerpt, language)


def _topics(timed: TimedTranscript, show: ShowInfo) -> tuple[str, ...]:
    """Return the things the episode comes back to, without those of the series' own title, and of what the machine doubts."""
    series, sure = set(tokens(show.title)), f" {' '.join(token for one in _sure_sentences(timed) for token in tokens(one.text))} "
    phrases = [each for each in characteristic_phrases(timed) if not set(tokens(each)[1:]) <= series]
    return tuple(each for each in phrases if sure.count(f" {' '.join(tokens(each))} ") > 1 or not timed.doubtful)


def _notes(language: str, candidates: tuple[Candidate, ...], chosen_clips: list[Candidate]) -> dict[str, tuple[str, ...]]:
    """Return comments for editors: help on each section, and the candidates not chosen, by rank, with voice and time."""
    words = load_labels(language)
    notes = {("" if key == "head" else key): tuple(comment) for key, comment in words["notes"].items() if key != "candidates"}
    rows: list[str] = []
    for number, one in enumerate(candidates, 1):
        if one not in chosen_clips:
            rows += [
                "",
                f"{number}. {_attribution(one.passage, language)}",
                *(f"> {line}" for line in _quote_lines(one.passage).split("\n")),
            ]
    return {**notes, "+clips": (*words["notes"]["candidates"], *(row.rstrip() for row in rows))} if rows else notes


def _attribution(excerpt: Excerpt, language: str) -> str:
    """Return name, role and time: « Nadia Oumarou (entretien), 1:05 »."""
    voice = excerpt.turn.voice
    name = voice.label or voice.name or load_labels(language)["page"]["narrator"]
    role = f" ({voice.role})" if voice.role and voice.name else ""
    return _one_line(f"{name}{role}, {format_clock(excerpt.start_s)}" if excerpt.start_s is not None else f"{name}{role}")


def _quote_lines(excerpt: Excerpt) -> str:
    """Return an excerpt as lines, one per voice, for a `>` quote."""
    return "\n".join(_one_line(text) for _, text in excerpt.voice_lines())


def _with_inner_quotes(title: str) -> str:
    """Return a title for use between guillemets: its own guillemets become inner quotation marks."""
    return re.sub(r"«\s*([^«»]*?)\s*»", r"“\1”", _one_line(title))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _lines(kind_: str, texts: Iterable[str]) -> tuple[GuideLine, ...]:
    return tuple(GuideLine(kind_, _one_line(text)) for text in texts)


def _typeset(lines: tuple[GuideLine, ...], language: str) -> tuple[GuideLine, ...]:
    """Apply the language's typographic spaces, quotes line by line."""
    return tuple(
        GuideLine(line.kind, "\n".join(apply_typography(text, language) for text in line.text.split("\n")))
        for line in lines
        if tokens(line.text)
    )
