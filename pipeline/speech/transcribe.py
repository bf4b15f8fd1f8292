"""The step `transcribe`: recognises every word of a master with Whisper, with its times."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from pipeline import progress
from pipeline.audio.probe import probe
from pipeline.errors import CauserieError
from pipeline.files import write_json
from pipeline.glossary import Recognition
from pipeline.speech.activity import Activity, any_voice
from pipeline.speech.chunks import Chunks, fingerprint
from pipeline.speech.engines import Engine, load
from pipeline.speech.hear import Ears, hear_all, spoken_language
from pipeline.speech.languages import LANGUAGES
from pipeline.speech.recording import RATE_HZ, blocks
from pipeline.speech.sift import Segment, believable, whole_words
from pipeline.speech.windows import windows
from pipeline.text import nearest

AUTO = "auto"
_PROMPT_CHARACTERS = 500  # Whisper reads only the last 223 tokens of a prompt: the first names, the most needed, would be cut


def transcribe(
    master: Path,
    *,
    words: Path,
    model: str,
    language: str,
    names: tuple[str, ...] = (),
    checkpoint: Path | None = None,
    engine: str = AUTO,
    chunks: str | None = None,
) -> None:
    """Write to `words` the words the Whisper model recognises in `master`: see docs/formats.md.

    `model` is a name the engine knows, or the label of `checkpoint`: a .pt file, or the model.bin of a folder. `language` may be
    `auto`. `names` prompt the model with the spelling of names and terms, the most needed first. `chunks` is the folder of the window
    cache, relative to the folder of `master`.
    """
    code = language_code(language)
    network = load(engine, model, str(checkpoint or ""))
    found, sure = detected(master, network) if code == AUTO else (code, None)
    ears = Ears(network, found, prompt(names))
    kept = kept_for(master, ears, model, checkpoint, chunks)
    segments, length_s = listen(master, ears, kept, found if language == AUTO else language)
    value = words_value(segments, engine=network.name, model=model, language=found if language == AUTO else language, duration_s=length_s)
    if sure is not None:
        value["language_probability"] = round(sure, 4)
    write_json(words, value)
    kept.sweep()


def listen(master: Path, ears: Ears, kept: Chunks, language: str) -> tuple[tuple[Segment, ...], float]:
    """The filtered segments of a recording, with the typography of `language`; and its duration in seconds."""
    activity, total_s, done_s = Activity(RATE_HZ), probe(master).duration_s or 0.0, 0.0
    heard: list[Segment] = []
    for window, segments in hear_all(windows(activity.watch(blocks(master)), RATE_HZ), ears, kept):
        heard += (Segment(whole_words(part.words, language), *_doubt(part)) for part in segments)
        done_s = window.end_s
        progress.report(done_s, max(done_s, total_s))
    progress.report(round(done_s, 3), round(done_s, 3))
    frames = activity.frames()
    return believable(heard, lambda start_s, end_s: any_voice(frames, start_s, end_s)), done_s


def words_value(segments: tuple[Segment, ...], *, engine: str, model: str, language: str, duration_s: float) -> Recognition:
    """The content of `words.json`: times to the millisecond, probabilities to four decimals."""
    return {
        "version": 1,
        "engine": engine,
        "model": model,
        "language": language,
        "duration_s": round(duration_s, 3),
        "segments": [
            {
                "start_s": _ms(segment.words[0].start_s),
                "end_s": _ms(segment.words[-1].end_s),
                "text": segment.text,
                "no_speech_probability": round(segment.no_speech_probability, 4),
                "average_log_probability": round(segment.average_log_probability, 4),
                "words": [
                    {"text": word.text, "start_s": _ms(word.start_s), "end_s": _ms(word.end_s), "probability": round(word.probability, 4)}
                    for word in segment.words
                ],
            }
            for segment in segments
        ],
    }


def prompt(names: tuple[str, ...]) -> str:
    """A Whisper prompt that lists the names, as many of the first ones as it can read."""
    text = ""
    for name in names:
        longer = f"{text}, {name}" if text else name
        if len(longer) > _PROMPT_CHARACTERS:
            break
        text = longer
    return f"{text}." if text else ""


def detected(master: Path, network: Engine) -> tuple[str, float]:
    """The language of a recording and its probability, from its first windows; FFmpeg is stopped after those."""
    with closing(blocks(master)) as stream:
        return spoken_language(windows(stream, RATE_HZ), network)


def language_code(language: str) -> str:
    """Whisper's code of a language such as `fr` or `fr-CA`; `auto` unchanged. `CauserieError` when Whisper does not support it."""
    code = language.lower().split("-")[0]
    if code != AUTO and code not in LANGUAGES:
        hint = nearest(code, {*LANGUAGES, AUTO})
        where = "show.toml: speech.language, or episode.toml: language"
        raise CauserieError(f"Whisper does not know the language “{language}”", where, hint)
    return code


def kept_for(master: Path, ears: Ears, model: str, checkpoint: Path | None, chunks: str | None) -> Chunks:
    """The window cache of a recording: its key holds every setting that changes the result, except the samples."""
    model_file = ("" if checkpoint else model, fingerprint(checkpoint))
    made_with = (ears.engine.name, ears.engine.kind, *model_file, ears.language, ears.prompt, ears.task)
    return Chunks(master.parent / chunks if chunks else None, made_with)


def _doubt(segment: Segment) -> tuple[float, float]:
    return segment.no_speech_probability, segment.average_log_probability


def _ms(seconds: float | None) -> float:
    """Seconds, rounded to the millisecond; 0 for None."""
    return round(seconds or 0.0, 3)
