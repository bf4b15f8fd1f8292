"""Training windows: sentences laid on music, tape and street noise, and the tokens the decoder should write.

Everything is mixed as mel power (see ``features``), which costs milliseconds where mixing samples would cost seconds.
A window lasts 30 s, or less: a short one is given a place inside the 30 s, so that the model learns all positions and
timestamps at a tenth of the price. One ``random.Random`` and one numpy generator a window make it repeatable.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tools.demo_model.bank import Entry, labels
from tools.demo_model.features import FLOOR, FRAMES_PER_S, N_MELS, STATES_PER_S, Spectrum, mel_centres_hz, mel_power
from tools.demo_model.vocabulary import TIME_COUNT, Vocabulary
from tools.sample_show import music

FULL_STATES = 1500  # 30 s
MUSIC_PIECES = 48
MUSIC_PIECE_S = 16.0
TELEPHONE_HZ = (300.0, 3400.0)
IGNORED, ANY_FIRST_TIME, ANY_TEXT_OR_END = -1, -3, -4  # targets that are not one token
NOWHERE = (-1.0, -1.0)

Span = tuple[float, float]


@dataclass
class Steps:
    """What the decoder reads and should answer: token, where in the sound (s from the window's start), and time (s)."""

    inputs: list[int]
    targets: list[int] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)

    def expect(self, target: int, span: Span = NOWHERE, time_s: float = -1.0, feed: int | None = None) -> None:
        """Ask for ``target``, then let the decoder read it (or ``feed`` in its place)."""
        self.targets.append(target)
        self.spans.append(span)
        self.times_s.append(time_s)
        self.inputs.append(target if feed is None else feed)


@dataclass(frozen=True)
class Window:
    """One example: normalised log mel (frames, 80), a phoneme and a word class a state, offset in states, steps."""

    mel: Spectrum
    phonemes: NDArray[np.int64]
    words: NDArray[np.int64]
    offset: int
    steps: Steps


@dataclass(frozen=True)
class Sentence:
    """A sentence put in a window; times in seconds from the window's start."""

    start_s: float
    end_s: float
    tokens: list[int]
    spans: list[Span]


@dataclass
class Take:
    """A window being made: power (frames, 80), classes, sentences so far, first content-free frame, cut sentence."""

    power: Spectrum
    phonemes: NDArray[np.int64]
    words: NDArray[np.int64]
    end: int
    lead: int = 0
    sentences: list[Sentence] = field(default_factory=list)
    cut_s: float | None = None


class Studio:
    """Makes windows out of a bank of utterances."""

    def __init__(self, entries: list[Entry], sentences: list[str]) -> None:
        self.entries = entries
        self.sentences = sentences
        self.vocabulary = Vocabulary.of(entry.tokens for entry in entries)
        self.phoneme_classes = _classes(sound.label for entry in entries for sound in entry.phonemes)
        self.word_classes = _classes(word.label for entry in entries for word in entry.words)
        self._by_text: dict[str, dict[str, list[Entry]]] = {}
        for entry in entries:
            self._by_text.setdefault(entry.text, {}).setdefault(entry.kind, []).append(entry)
        self._recombined = [text for text, kinds in self._by_text.items() if "recombined" in kinds]
        self._music = [_music_power(seed) for seed in range(MUSIC_PIECES)]
        self.speech_power = float(np.mean([np.mean(10.0 ** entry.log_mel.astype(np.float32)) for entry in entries[::40]]))

    def window(self, states: int, seed: int) -> Window:
        """The window number ``seed``, ``states`` encoder states long (50 a second)."""
        return _Session(self, states, seed).window()

    def utterance(self, rng: random.Random, line: int | None) -> Entry:
        """An utterance: of that line of the script, or of any sentence or mixture of two."""
        if line is None and rng.random() < 0.4:
            return rng.choice(self._by_text[rng.choice(self._recombined)]["recombined"])
        text = rng.choice(self.sentences) if line is None else self.sentences[line % len(self.sentences)]
        own_voice = rng.random() < (0.4 if line is None else 0.65)
        return rng.choice(self._by_text[text]["cast" if own_voice else "varied"])

    def music(self, rng: random.Random, frames: int) -> Spectrum:
        """That many frames of some music at the mean power of speech, faded at both ends."""
        piece = rng.choice(self._music)[rng.randint(0, 200) :]
        out = np.tile(piece, (frames // len(piece) + 1, 1))[:frames].copy()
        count = min(40, frames // 3)
        ramp = np.linspace(0.03, 1, count, dtype=np.float32)[:, None] ** 2
        out[:count] *= ramp
        out[frames - count :] *= ramp[::-1]
        return out * self.speech_power


def _classes(names: object) -> dict[str, int]:
    return {name: number for number, name in enumerate(sorted(set(names)), start=1)}  # type: ignore[call-overload]


def _music_power(seed: int) -> Spectrum:
    power = mel_power(music.piece(MUSIC_PIECE_S, 16_000, seed))
    return power / power.mean()


def decibels(value: float) -> float:
    """The power factor of ``value`` dB."""
    return 10 ** (value / 10)


@dataclass
class Scene:
    """A stretch of lines recorded alike: "studio", "archive" or "street"; how many lines are left, and its start."""

    kind: str
    lines_left: int
    start: int


class _Session:
    """One window's worth of chance."""

    def __init__(self, studio: Studio, states: int, seed: int) -> None:
        self.studio = studio
        self.rng = random.Random(seed)
        self.noise = np.random.default_rng(seed)
        self.states, self.frames = states, 2 * states
        self.full = states == FULL_STATES
        self.offset = 0 if self.full else self.rng.randint(0, (FULL_STATES - states) // 5) * 5
        self.offset_s = self.offset / STATES_PER_S

    def uniform(self, low: float, high: float) -> float:
        return self.rng.uniform(low, high)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    # ---- sound

    def window(self) -> Window:
        """Make the window."""
        take = self._empty_take()
        if not (self.full and self.chance(0.08)):
            self._fill(take)
        if take.sentences:
            self._music_around(take)
        else:
            self._nobody(take)
        mel = self._log_mel(take)
        return Window(mel, take.phonemes, take.words, self.offset, self._steps(take))

    def _empty_take(self) -> Take:
        whole = self.chance(0.72 if self.full else 0.9)
        end = self.frames if whole else self.rng.randint(int(0.12 * self.frames), self.frames)
        classes = np.zeros((2, self.states), np.int64)
        return Take(np.zeros((self.frames, N_MELS), np.float32), classes[0], classes[1], end)

    def _lead(self) -> int:
        """Frames before the first sentence: few, or a long introduction."""
        kind = self.rng.random()
        longest = 9.0 if self.full else 4.0
        seconds = self.uniform(0, 0.6) if kind < 0.5 else self.uniform(0, 1.2) if kind < 0.72 else self.uniform(1, longest)
        return int(seconds * FRAMES_PER_S)

    def _gap(self) -> int:
        seconds = self.uniform(0.02, 1.0) if self.chance(0.85) else self.uniform(1, 3)
        return int(seconds * FRAMES_PER_S)

    def _scene(self, start: int) -> Scene:
        kind = self.rng.choices(("studio", "archive", "street"), (0.5, 0.25, 0.25))[0]
        return Scene(kind, self.rng.randint(2, 7), start)

    def _fill(self, take: Take) -> None:
        """Lay sentences one after the other until the window is full."""
        line = self.rng.randrange(len(self.studio.sentences)) if self.chance(0.55) else None
        position = take.lead = self._lead()
        from_middle = self.chance(0.08)
        scene = self._scene(0)
        while position < take.end - 30 and take.cut_s is None:
            entry = self.studio.utterance(self.rng, line)
            skipped = 0
            if from_middle:
                word = self.rng.choice(entry.words)
                skipped, position, from_middle = int(word.start_s * STATES_PER_S) * 2, 0, False
                take.lead = 0
            length = len(entry.log_mel) - skipped
            if position + length > take.end and (take.end < self.frames or not take.sentences):
                break
            self._place(take, entry, position, skipped, scene)
            position += length + self._gap()
            line = None if line is None else line + 1
            scene = self._next_scene(take, scene, position)
        self._atmosphere(take, scene, take.end)
        if not take.sentences:
            take.power[:], take.phonemes[:], take.words[:], take.cut_s = 0, 0, 0, None

    def _next_scene(self, take: Take, scene: Scene, position: int) -> Scene:
        scene.lines_left -= 1
        if scene.lines_left:
            return scene
        self._atmosphere(take, scene, position)
        return self._scene(position)

    def _place(self, take: Take, entry: Entry, position: int, skipped: int, scene: Scene) -> None:
        """Add one utterance from its frame ``skipped`` on, and write down what it says unless the window cuts it."""
        power = self._voice(10.0 ** entry.log_mel[skipped:].astype(np.float32), scene)
        take.power[position : position + len(power)] += power[: self.frames - position]
        state = (position + 1) // 2
        for into, timings, classes in (
            (take.phonemes, entry.phonemes, self.studio.phoneme_classes),
            (take.words, entry.words, self.studio.word_classes),
        ):
            heard = labels(timings, classes, len(entry.log_mel) // 2)[skipped // 2 :]
            into[state : state + len(heard)] = heard[: self.states - state]
        origin = (position - skipped) / FRAMES_PER_S
        words = [word for word in entry.words if word.start_s >= skipped / FRAMES_PER_S - 0.01]
        start, end = origin + words[0].start_s, origin + words[-1].end_s
        if end > self.frames / FRAMES_PER_S - 0.02:
            take.cut_s = start
            return
        kept = [i for i, at in enumerate(entry.token_start_s) if at >= skipped / FRAMES_PER_S - 0.011]
        spans = [(origin + float(entry.token_start_s[i]), origin + float(entry.token_end_s[i])) for i in kept]
        tokens = [self.studio.vocabulary.number(entry.tokens[i]) for i in kept]
        take.sentences.append(Sentence(start, end, tokens, spans))

    def _voice(self, power: Spectrum, scene: Scene) -> Spectrum:
        """The utterance by a slightly different mouth, at another level, through the scene's microphone."""
        if self.chance(0.5):
            power = self._warped(power)
        quiet = scene.kind == "street" or self.chance(0.2)
        level = self.uniform(-16, 2) if quiet else self.uniform(-5, 4)
        power = power * decibels(level) * self._tilt(1.5)
        return power * self._telephone_band() if scene.kind == "archive" else power

    def _warped(self, power: Spectrum) -> Spectrum:
        """The mel axis stretched or shrunk by up to 7 %: longer or shorter vocal tracts."""
        where = np.clip(np.arange(N_MELS) * self.uniform(0.93, 1.07), 0, N_MELS - 1.01)
        below = where.astype(int)
        share = (where - below).astype(np.float32)
        return power[:, below] * (1 - share) + power[:, below + 1] * share

    def _tilt(self, depth_db: float) -> Spectrum:
        """A smooth random equaliser over the 80 bands, as power factors."""
        axis = np.arange(N_MELS) / N_MELS
        curve = sum(self.uniform(-depth_db, depth_db) * np.cos(np.pi * k * axis + self.uniform(0, 6.3)) for k in (1, 2, 3))
        return (10 ** (curve / 20)).astype(np.float32)

    def _telephone_band(self) -> Spectrum:
        """300 to 3400 Hz, give or take, falling by 24 to 48 dB an octave outside."""
        low = TELEPHONE_HZ[0] * self.uniform(0.75, 1.3)
        high = TELEPHONE_HZ[1] * self.uniform(0.8, 1.2)
        centres = mel_centres_hz()
        octaves = np.maximum(np.log2(low / centres), np.log2(centres / high))
        return (10 ** (-np.maximum(0, octaves) * self.uniform(2.4, 4.8))).astype(np.float32)

    def _atmosphere(self, take: Take, scene: Scene, end: int) -> None:
        """Add the scene's own noise from its start to ``end``."""
        frames = min(end, self.frames) - scene.start
        if scene.kind == "studio" or frames < 1:
            return
        noise = self._hiss(frames) if scene.kind == "archive" else self._street(frames)
        take.power[scene.start : scene.start + frames] += noise * self.studio.speech_power

    def _hiss(self, frames: int) -> Spectrum:
        """Tape: even noise in a band, and crackles that last a frame or two. Power relative to speech."""
        noise = self.noise.standard_exponential((frames, N_MELS)).astype(np.float32)
        noise *= decibels(self.uniform(-42, -17))
        crackles = self.noise.random(frames) < self.uniform(0, 0.12)
        noise[crackles] *= decibels(self.uniform(3, 15))
        return noise * self._tilt(4) * (self._telephone_band() if self.chance(0.7) else 1)

    def _street(self, frames: int) -> Spectrum:
        """Traffic and far-off voices: low noise that swells and fades, sometimes babble. Power relative to speech."""
        fall = (1 + mel_centres_hz() / 500) ** -self.uniform(0.5, 2.5)
        knots = np.arange(0, frames + FRAMES_PER_S, FRAMES_PER_S)
        swell = np.interp(np.arange(frames), knots, self.noise.uniform(0.2, 1.5, len(knots))) ** 2
        noise = self.noise.standard_exponential((frames, N_MELS)) * fall / fall.mean() * swell[:, None]
        noise *= decibels(self.uniform(-42, -17))
        out = noise.astype(np.float32)
        return out + self._babble(frames) if self.chance(0.25) else out

    def _babble(self, frames: int) -> Spectrum:
        """Four people talking at once, too far to be understood."""
        out = np.zeros((frames, N_MELS), np.float32)
        for _ in range(4):
            entry = self.rng.choice(self.studio.entries)
            count = min(frames, len(entry.log_mel))
            at = self.rng.randint(0, frames - count)
            out[at : at + count] += 10.0 ** entry.log_mel[:count].astype(np.float32)
        return out / self.studio.speech_power * decibels(self.uniform(-38, -24))

    def _add_music(self, take: Take, start: int, end: int, level_db: float) -> None:
        if end - start >= 20:
            take.power[start:end] += self.studio.music(self.rng, end - start) * decibels(level_db)

    def _music_around(self, take: Take) -> None:
        """Music before the first sentence, after the last, and sometimes under them all."""
        if take.lead > 60 and self.chance(0.8):
            under = self.rng.randint(0, 150)
            self._add_music(take, 0, min(self.frames, take.lead), self.uniform(-22, 3))
            self._add_music(take, max(0, take.lead - 50), min(self.frames, take.lead + under), self.uniform(-25, -8))
        last = int(take.sentences[-1].end_s * FRAMES_PER_S)
        if take.end - last > 80 and take.cut_s is None and self.chance(0.8):
            self._add_music(take, max(0, last - self.rng.randint(0, 250)), last + 30, self.uniform(-25, -8))
            self._add_music(take, last, take.end, self.uniform(-20, 3))
        if self.chance(0.15):
            self._add_music(take, 0, take.end, self.uniform(-38, -20))

    def _nobody(self, take: Take) -> None:
        """A window without speech: music, tape or street noise, or next to nothing."""
        kind = self.rng.random()
        if kind < 0.65:
            self._add_music(take, 0, take.end, self.uniform(-28, 3))
            if self.chance(0.3):
                take.power[: self.rng.randint(0, take.end)] *= 1e-6
        elif kind < 0.8:
            self._atmosphere(take, Scene(self.rng.choice(("archive", "street")), 1, 0), take.end)

    def _log_mel(self, take: Take) -> Spectrum:
        """Whisper's normalised log mel, with a noise floor, a level, and sometimes lost highs or masked patches."""
        power = take.power * self._tilt(4)
        if self.chance(0.15):
            power[:, self.rng.randint(58, N_MELS) :] *= decibels(self.uniform(-50, -15))
        floor = self.noise.standard_exponential(power.shape).astype(np.float32) * self._tilt(8)
        power += floor * decibels(self.uniform(-70, -14)) * self.studio.speech_power
        log = np.log10(np.maximum(power * 10 ** self.uniform(-2.5, 0.6), FLOOR))
        # The loudest moment of the file may lie outside this window: Whisper clips 80 dB below it.
        loudest = log[: take.end].max() + (self.uniform(0, 0.5) if self.chance(0.5) else 0)
        if not take.sentences and self.chance(0.6):
            loudest += self.uniform(0, 3)
        mel = (np.maximum(log, loudest - 8) + 4) / 4
        if self.chance(0.3):
            self._mask(mel)
        mel[take.end :] = 0  # Whisper pads the spectrogram with zeros, not with silence
        return mel.astype(np.float32)

    def _mask(self, mel: Spectrum) -> None:
        """Hide two bands and a few moments (SpecAugment, Park et al. 2019)."""
        mean = mel.mean()
        for _ in range(2):
            band = self.rng.randint(0, N_MELS - 8)
            mel[:, band : band + self.rng.randint(1, 8)] = mean
        for _ in range(self.frames // 600 + 1):
            moment = self.rng.randint(0, self.frames - 12)
            mel[moment : moment + self.rng.randint(1, 10)] = mean

    # ---- tokens

    def _steps(self, take: Take) -> Steps:
        """The decoder's part: an occasional prompt, the task, then sentences with or without timestamps."""
        words = self.studio.vocabulary
        timed = self.chance(0.65)
        steps = Steps(self._prompt())
        steps.targets, steps.spans = [IGNORED] * len(steps.inputs), [NOWHERE] * len(steps.inputs)
        steps.times_s = [-1.0] * len(steps.inputs)
        steps.inputs.append(words.sot)
        steps.expect(words.french if take.sentences else words.no_speech, feed=words.french)
        steps.expect(words.transcribe)
        if not timed:
            steps.expect(words.no_timestamps)
        if take.sentences:
            self._expect_sentences(steps, take, timed)
        else:
            self._expect_nothing(steps, timed)
        steps.inputs.pop()
        return steps

    def _prompt(self) -> list[int]:
        """Once in a while the words of another passage, part of them unknown, as ``initial_prompt`` would give."""
        words = self.studio.vocabulary
        if not self.chance(0.06):
            return []
        passage: list[int] = []
        for _ in range(self.rng.randint(1, 5)):
            passage += [words.number(token) for token in self.studio.utterance(self.rng, None).tokens]
        hidden = 0.3 if self.chance(0.4) else 0.0
        return [words.previous, *(words.unknown if self.chance(hidden) else token for token in passage[-100:])]

    def _expect_sentences(self, steps: Steps, take: Take, timed: bool) -> None:
        for index, sentence in enumerate(take.sentences):
            if timed:
                self._expect_start(steps, sentence.start_s, first=index == 0)
            for token, (start, end) in zip(sentence.tokens, sentence.spans, strict=True):
                steps.expect(token, (start - 0.05, end + 0.05))
            if timed:
                self._expect_time(steps, sentence.end_s, (-0.25, 0.15))
        if timed and take.cut_s is not None:
            self._expect_time(steps, take.cut_s, (-0.15, 0.25))
        steps.expect(self.studio.vocabulary.eot)

    def _expect_time(self, steps: Steps, at_s: float, around: Span) -> None:
        token = self.studio.vocabulary.time(at_s + self.offset_s)
        steps.expect(token, (at_s + around[0], at_s + around[1]), at_s + self.offset_s)

    def _expect_start(self, steps: Steps, at_s: float, first: bool) -> None:
        """A start time. Whisper forces a window's first one to be at most 1 s: the model must survive reading that."""
        self._expect_time(steps, at_s, (-0.15, 0.25))
        begin = self.studio.vocabulary.first_time
        if first and self.full and at_s > 1.0:
            if self.chance(0.75):
                steps.inputs[-1] = begin + self.rng.randint(0, 10)
        elif self.chance(0.1):
            nudged = steps.inputs[-1] + self.rng.randint(-2, 2)
            steps.inputs[-1] = min(begin + TIME_COUNT - 1, max(begin, nudged))

    def _expect_nothing(self, steps: Steps, timed: bool) -> None:
        """No token is right: a spread answer has a low mean log probability, which makes Whisper drop the window."""
        words = self.studio.vocabulary
        if timed:
            steps.expect(ANY_FIRST_TIME, feed=words.first_time + self.rng.randint(0, 10))
        steps.expect(ANY_TEXT_OR_END, feed=words.eot)
