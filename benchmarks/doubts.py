"""Do the doubts point at what is wrong? The sample show, said by others and damaged until 10 to 30 % of its words are wrong.

    python benchmarks/doubts.py make FOLDER [PART/PARTS]     hear every case once, or every so many (needs espeak-ng; an hour of one core)
    python benchmarks/doubts.py fit FOLDER                   fit the weights; measure on each kind of damage, and each voice, by the others

A word is wrong when the edit alignment does not find it again: one replaced or missed counts where it was said, one invented where
it was heard. The figure is the share of wrong words that lie within the top fifth of the audio, ranked by passages.
The demonstration model is decoded window by window, once: what Whisper does to a window that went badly, again and again, takes
minutes on sound this bad.
"""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import damage  # noqa: E402

from pipeline.audio.level_profile import LevelMeter, load_profile, save_profiles  # noqa: E402
from pipeline.engine.files import read_json, write_json  # noqa: E402
from pipeline.model.transcript import Word  # noqa: E402
from pipeline.speech import doubts  # noqa: E402
from pipeline.transcript.normalisation import word_tokens  # noqa: E402

CASES = """
own/sentences david/words own/hiss own/street quick/babble own/telephone slow/clipped belinda/hall own/gaps own/spliced own/loud_music
own/far iven/hiss steph/gaps belinda/sentences david/spliced quick/street own/words iven/far steph/loud_music
own/wind own/codec own/hum own/crosstalk own/quiet anika/sentences michel/words grandpa/gaps anika/hiss michel/spliced
grandpa/far michel/street anika/crosstalk david/codec belinda/quiet iven/hum steph/wind
""".split()
WRONG = (0.10, 0.30)  # what is asked
USEFUL = (0.04, 0.50)  # to fit
TOP = 0.2
EDGE_S = 0.2  # heard with a passage, on both sides, and counted as listened to
DRAWN = 0.01


def make(folder: Path, part: int, parts: int) -> None:
    """Hear each episode in each condition, harder or softer until enough of its words are wrong, but not too many."""
    import torch
    import whisper

    from tools.sample_show import script

    torch.set_num_threads(1)
    model, show = whisper.load_model(str(ROOT / "tools/demo_model/demo.pt"), device="cpu"), script.load()
    start_s = time.process_time()
    turns = [(case, (place + turn) % 3) for turn in range(3) for place, case in enumerate(CASES)]
    for case, episode in turns[part::parts]:
        rate, hard = 0.0, 2
        for hard in (2, 0):
            hard = hard or (3 if rate < WRONG[0] else 1)
            rate = heard(folder / f"{case.replace('/', '-')}-{episode + 1}-{hard}", model, show, case, episode, hard)
            if WRONG[0] <= rate <= WRONG[1]:
                break
    done, whole = len(turns[part::parts]), len(turns)
    print(f"{done} of {whole} cases in {(time.process_time() - start_s) / 60:.1f} min of processor")


def heard(folder: Path, model: Any, show: Any, case: str, episode: int, hard: int) -> float:
    """One recording made and heard; its word error rate."""
    if (folder / "case.json").is_file():
        return read_json(folder / "case.json")["rate"]
    folder.mkdir(parents=True, exist_ok=True)
    (speaker, how), chance = case.split("/"), np.random.default_rng(zlib.crc32(folder.name.encode()))
    lines = show.episodes[episode]
    if how not in damage.DAMAGES:
        lines = damage.rewritten(lines, how, hard, chance)
    timeline = damage.revoiced(lines, show.voices, speaker)
    sound = damage.sound_of(timeline, episode)
    if how in damage.DAMAGES:
        sound = damage.DAMAGES[how](sound, damage.RATE_HZ, hard, chance)
    sound = np.clip(sound, -1, 1).astype(np.float32)
    value = listened(model, sound)
    profiler = LevelMeter(damage.RATE_HZ, 1)
    profiler.feed(sound[:, None])
    save_profiles(folder / "levels.npz", master=profiler.profile(np.zeros(0, np.float32)))
    truth = [(word.label, word.start_s, word.end_s) for line in timeline.lines for word in line.words]
    write_json(folder / "words.json", value)
    wrong, total = wrong_s(value, truth)
    write_json(folder / "case.json", {"rate": len(wrong) / total, "truth": truth})
    print(f"{folder.name}: {len(wrong) / total:.0%} of {total} words wrong", flush=True)
    return len(wrong) / total


def listened(model: Any, sound: NDArray[np.float32]) -> dict[str, Any]:
    """`words.json` of a sound, heard with the pipeline's own windows and sieve."""
    from whisper.audio import log_mel_spectrogram, pad_or_trim
    from whisper.decoding import DecodingOptions
    from whisper.timing import add_word_timestamps
    from whisper.tokenizer import get_tokenizer

    from pipeline.speech.hallucinations import Segment, filter_hallucinations, merge_word_pieces
    from pipeline.speech.segmentation import split_windows
    from pipeline.speech.transcribe import recognition_value
    from pipeline.speech.voice_activity import detect_voice_frames, has_voice

    rate = damage.RATE_HZ
    tokenizer, segments = get_tokenizer(model.is_multilingual, language="fr", task="transcribe"), []
    for window in split_windows([sound], rate):
        start_s, end_s = window.start_s, window.start_s + window.length_s
        mel = pad_or_trim(log_mel_spectrogram(window.samples), 3000)
        found = model.decode(mel, DecodingOptions(language="fr", fp16=False))
        if found.compression_ratio > 2.4:
            found = model.decode(mel, DecodingOptions(language="fr", fp16=False, temperature=0.4))
        said = [token for token in found.tokens if token < tokenizer.eot]
        if not said:
            continue
        part = [{"seek": 0, "start": 0.0, "end": end_s - start_s, "tokens": said}]
        frames = round((end_s - start_s) * 100)
        add_word_timestamps(segments=part, model=model, tokenizer=tokenizer, mel=mel, num_frames=frames, last_speech_timestamp=0.0)
        pieces = [Word(each["word"], each["start"] + start_s, each["end"] + start_s, each["probability"]) for each in part[0]["words"]]
        segments.append(Segment(merge_word_pieces(pieces, "fr"), float(found.no_speech_prob), float(found.avg_logprob)))
    voices = detect_voice_frames(sound, rate)
    kept = filter_hallucinations(segments, lambda start_s, end_s: has_voice(voices, start_s, end_s))
    return recognition_value(kept, engine="openai-whisper", model="demo", language="fr", duration_s=len(sound) / rate)


def wrong_s(value: dict[str, Any], truth: list[Any]) -> tuple[list[float], int]:
    """When each wrong word is said or heard, and how many words there are to hear."""
    from rapidfuzz.distance import Levenshtein

    said = [(token, (start + end) / 2) for text, start, end in truth for token in word_tokens(text, "fr")]
    words = [word for segment in value["segments"] for word in segment["words"]]
    got = [(token, (word["start_s"] + word["end_s"]) / 2) for word in words for token in word_tokens(word["text"], "fr")]
    wrong: list[float] = []
    for edit in Levenshtein.editops([token for token, _ in said], [token for token, _ in got]):
        wrong.append(got[edit.dest_pos][1] if edit.tag == "insert" else said[edit.src_pos][1])
    return wrong, len(said)


def cases(folder: Path) -> list[dict[str, Any]]:
    """Every useful case: its passages' signals, how many of their words are wrong, and how long they are."""
    found = []
    for case in sorted(folder.glob("*/case.json")):
        known = read_json(case)
        if not USEFUL[0] <= known["rate"] <= USEFUL[1]:
            continue
        value = read_json(case.with_name("words.json"))
        passages = doubts.split_phrases(value)
        signals = doubts.measure_signals(passages, load_profile(case.with_name("levels.npz"), "master").levels_db)
        spans = np.array([(each.start_s - EDGE_S, each.end_s + EDGE_S) for each in passages])
        wrong, _ = wrong_s(value, known["truth"])
        times = np.array(wrong)
        inside = (times[:, None] >= spans[:, 0]) & (times[:, None] < spans[:, 1])
        nearest = np.abs(times[:, None] - spans.mean(axis=1)).argmin(axis=1)
        owner = np.where(inside.any(axis=1), inside.argmax(axis=1), nearest)
        found.append(
            {
                "name": case.parent.name,
                "signals": np.array([[getattr(each, name) for name in doubts.SIGNALS] for each in signals]),
                "words": np.array([len(each.words) for each in passages]),
                "wrong": np.bincount(owner, minlength=len(passages)),
                "found": np.bincount(owner[inside.any(axis=1)], minlength=len(passages)),
                "length_s": spans[:, 1] - spans[:, 0],
                "duration_s": value["duration_s"],
                "rate": known["rate"],
            }
        )
    return found


def fitted(some: list[dict[str, Any]]) -> tuple[NDArray[np.float64], float]:
    """Weights, none below 0, and bias, by logistic regression on the share of wrong words, a little drawn towards 0."""
    signals, words = np.concatenate([each["signals"] for each in some]), np.concatenate([each["words"] for each in some])
    share = np.minimum(1.0, np.concatenate([each["wrong"] for each in some]) / words)
    scale = np.maximum(signals.std(axis=0), 0.05)  # what hardly ever moves must not weigh a hundred when it does

    def cost(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total = signals / scale @ values[1:] + values[0]
        error = words * (1 / (1 + np.exp(-total)) - share) / words.sum()
        loss = (words * (np.logaddexp(0, total) - share * total)).sum() / words.sum() + DRAWN * (values[1:] ** 2).sum() / 2
        return loss, np.array([error.sum(), *(signals.T @ error / scale + DRAWN * values[1:])])

    bounds = [(None, None), *([(0.0, None)] * signals.shape[1])]
    done = minimize(cost, np.zeros(signals.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    return done[1:] / scale, float(done[0])


def caught(some: list[dict[str, Any]], weights: NDArray[np.float64]) -> float:
    """The share of wrong words in the top fifth of the audio of each case, whole passages only."""
    hit = total = 0
    for each in some:
        order = np.argsort(-(each["signals"] @ weights), kind="stable")
        taken = np.cumsum(each["length_s"][order]) <= TOP * each["duration_s"]
        hit, total = hit + int(each["found"][order][taken].sum()), total + int(each["wrong"].sum())
    return hit / max(1, total)


def best(some: list[dict[str, Any]]) -> float:
    """What no ranking of these passages could beat by much: the densest in wrong words first."""
    hit = total = 0
    for each in some:
        order = np.argsort(-each["found"] / each["length_s"], kind="stable")
        taken = np.cumsum(each["length_s"][order]) <= TOP * each["duration_s"]
        hit, total = hit + int(each["found"][order][taken].sum()), total + int(each["wrong"].sum())
    return hit / max(1, total)


def kind(case: dict[str, Any]) -> str:
    """What was done to it."""
    return case["name"].split("-")[1]


def speaker(case: dict[str, Any]) -> str:
    """Who says it."""
    return case["name"].split("-")[0]


def held_out(
    everything: list[dict[str, Any]], without: int | None = None, alone: int | None = None, by: Callable[[dict[str, Any]], str] = kind
) -> dict[str, float]:
    """The share caught in each case that has as many errors as asked, by weights fitted on all other kinds of damage, or other voices.

    `without` leaves a signal out, `alone` ranks by one signal.
    """
    kept = [index for index in range(len(doubts.SIGNALS)) if index != without and alone in (None, index)]
    fewer = [{**each, "signals": each["signals"][:, kept]} for each in everything]
    weights = {name: np.ones(1) for name in map(by, fewer)}
    if alone is None:
        weights = {name: fitted([each for each in fewer if by(each) != name])[0] for name in weights}
    return {each["name"]: caught([each], weights[by(each)]) for each in fewer if WRONG[0] <= each["rate"] <= WRONG[1]}


def fit(folder: Path) -> None:
    """Fit, measure, print."""
    everything = cases(folder)
    asked = [each for each in everything if WRONG[0] <= each["rate"] <= WRONG[1]]
    many = {each["name"]: each["wrong"].sum() for each in asked}

    def mean(shares: dict[str, float]) -> float:
        return sum(shares[name] * many[name] for name in many) / sum(many.values())

    weights, bias = fitted(everything)
    usual = np.concatenate([each["signals"] for each in everything]).mean(axis=0)
    print(f"{len(everything)} cases, {len(asked)} of them with 10 to 30 % of words wrong; bias {bias:.2f}")
    for index, name in enumerate(doubts.SIGNALS):
        one, others = mean(held_out(everything, alone=index)), mean(held_out(everything, without=index))
        print(f"  {name:12} weight {weights[index]:5.2f}, usual {usual[index]:.2f}; alone {one:.0%}, all the others {others:.0%}")
    shares, shipped = held_out(everything), np.array([doubts.WEIGHTS[name][0] for name in doubts.SIGNALS])
    print(f"wrong words in the top fifth of the audio, each kind of damage held out in turn: {mean(shares):.0%}")
    for what, by in (("kind of damage", kind), ("voice", speaker)):
        alone = held_out(everything, by=by)
        for name in sorted({by(each) for each in asked}):
            mine = [each for each in asked if by(each) == name]
            share = sum(alone[each["name"]] * many[each["name"]] for each in mine) / sum(many[each["name"]] for each in mine)
            print(f"  {what} {name:10} {len(mine)} cases: {share:.0%} caught, held out")
    print(f"each voice held out in turn: {mean(held_out(everything, by=speaker)):.0%}")
    print(f"as shipped {caught(asked, shipped):.0%}, in order of time {caught(asked, 0 * shipped):.0%}, at best {best(asked):.0%}")
    for each in asked:
        print(f"  {each['name']:22} {each['rate']:.0%} wrong: {shares[each['name']]:.0%} caught")


if __name__ == "__main__":
    what, place = sys.argv[1], Path(sys.argv[2])
    if what == "make":
        make(place, *(int(each) for each in (sys.argv[3] if len(sys.argv) > 3 else "0/1").split("/")))
    else:
        fit(place)
