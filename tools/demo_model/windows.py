"""Training windows: sentences laid on music, tape and street noise, and the tokens the decoder should write.

Everything is mixed as mel power (see ``features``), which costs milliseconds where mixing samples would cost seconds.
A window lasts 30 s, or less: a short one is given a place inside the 30 s, so that the model learns all positions and
timestamps at a tenth of the price.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tools.demo_model import augment
from tools.demo_model.answers import TIMED_SHARE, Page, Sentence, Steps, answers
from tools.demo_model.augment import Dice, decibels
from tools.demo_model.bank import Entry, labels
from tools.demo_model.features import FLOOR, FRAMES_PER_S, N_MELS, STATES_PER_S, Spectrum
from tools.demo_model.studio import Studio, power_of

FULL_STATES = 1500  # 30 s
SCENES = {"studio": 0.5, "archive": 0.25, "street": 0.25}
NOBODY_SHARE = 0.08  # of full windows
IN_ORDER_SHARE = 0.55  # of windows that follow the script
PROMPT_SHARE = 0.06


@dataclass(frozen=True)
class Window:
    """One example: normalised log mel (frames, 80), phoneme and word class of each state, offset in states, tokens."""

    mel: Spectrum
    phonemes: NDArray[np.int64]
    words: NDArray[np.int64]
    offset: int
    steps: Steps


@dataclass
class Take:
    """A window being made: power (frames, 80), classes, first frame past the content, sentences, start of a cut one."""

    power: Spectrum
    phonemes: NDArray[np.int64]
    words: NDArray[np.int64]
    end: int
    lead: int = 0
    sentences: list[Sentence] = field(default_factory=list)
    cut_s: float | None = None

    @property
    def frames(self) -> int:
        """The window's length, 100 frames a second."""
        return len(self.power)


@dataclass
class Scene:
    """A stretch of lines recorded alike (a key of ``SCENES``), how many of them are left, its first frame."""

    kind: str
    lines_left: int
    start: int


def make_window(studio: Studio, states: int, seed: int) -> Window:
    """The window number ``seed``, ``states`` encoder states long (50 a second)."""
    return _Session(studio, states, seed).window()


class _Session:
    """The making of one window."""

    def __init__(self, studio: Studio, states: int, seed: int) -> None:
        self.studio = studio
        self.dice = Dice(seed)
        self.rng = self.dice.rng
        self.states = states
        self.full = states == FULL_STATES
        self.offset = 0 if self.full else self.rng.randint(0, (FULL_STATES - states) // 5) * 5

    def window(self) -> Window:
        """Make it: sentences, what surrounds them, spectrogram, tokens."""
        take = self._empty_take()
        if not (self.full and self.dice.chance(NOBODY_SHARE)):
            self._fill(take)
        if take.sentences:
            self._music_around(take)
        else:
            self._nobody(take)
        mel = self._log_mel(take)
        timed = self.dice.chance(TIMED_SHARE)
        page = Page(take.sentences, take.cut_s, self._prompt(), self.offset / STATES_PER_S, self.full)
        steps = answers(page, timed, self.studio.vocabulary, self.dice)
        return Window(mel, take.phonemes, take.words, self.offset, steps)

    def _empty_take(self) -> Take:
        frames = 2 * self.states
        whole = self.dice.chance(0.72 if self.full else 0.9)
        end = frames if whole else self.rng.randint(int(0.12 * frames), frames)
        classes = np.zeros((2, self.states), np.int64)
        return Take(np.zeros((frames, N_MELS), np.float32), classes[0], classes[1], end)

    # ---- sentences

    def _lead(self) -> int:
        """Frames before the first sentence: few, or a long introduction."""
        kind = self.rng.random()
        if kind < 0.5:
            return int(self.dice.uniform(0, 0.6) * FRAMES_PER_S)
        longest = 1.2 if kind < 0.72 else 9.0 if self.full else 4.0
        return int(self.dice.uniform(0 if kind < 0.72 else 1, longest) * FRAMES_PER_S)

    def _gap(self) -> int:
        """Frames between two sentences."""
        seconds = self.dice.uniform(0.02, 1.0) if self.dice.chance(0.85) else self.dice.uniform(1, 3)
        return int(seconds * FRAMES_PER_S)

    def _scene(self, start: int) -> Scene:
        kind = self.rng.choices(list(SCENES), list(SCENES.values()))[0]
        return Scene(kind, self.rng.randint(2, 7), start)

    def _fill(self, take: Take) -> None:
        """Lay sentences one after the other until the window is full; the last may be cut."""
        line = self.rng.randrange(len(self.studio.sentences)) if self.dice.chance(IN_ORDER_SHARE) else None
        position = take.lead = self._lead()
        from_middle = self.dice.chance(0.08)
        scene = self._scene(0)
        while position < take.end - 30 and take.cut_s is None:
            entry = self.studio.utterance(self.rng, line)
            skipped = 0
            if from_middle:
                word = self.rng.choice(entry.words)
                skipped, from_middle = int(word.start_s * STATES_PER_S) * 2, False
                position = take.lead = 0
            length = len(entry.log_mel) - skipped
            if position + length > take.end and (take.end < take.frames or not take.sentences):
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
        power = self._voice(power_of(entry)[skipped:], scene)
        take.power[position : position + len(power)] += power[: take.frames - position]
        self._label(take, entry, position, skipped)
        origin = (position - skipped) / FRAMES_PER_S
        words = [word for word in entry.words if word.start_s >= skipped / FRAMES_PER_S - 0.01]
        start, end = origin + words[0].start_s, origin + words[-1].end_s
        if end > take.frames / FRAMES_PER_S - 0.02:
            take.cut_s = start
            return
        kept = [i for i, at in enumerate(entry.token_start_s) if at >= skipped / FRAMES_PER_S - 0.011]
        spans = [(origin + float(entry.token_start_s[i]), origin + float(entry.token_end_s[i])) for i in kept]
        tokens = [self.studio.vocabulary.number(entry.tokens[i]) for i in kept]
        take.sentences.append(Sentence(start, end, tokens, spans))

    def _label(self, take: Take, entry: Entry, position: int, skipped: int) -> None:
        state = (position + 1) // 2
        for into, timings, classes in (
            (take.phonemes, entry.phonemes, self.studio.phoneme_classes),
            (take.words, entry.words, self.studio.word_classes),
        ):
            heard = labels(timings, classes, len(entry.log_mel) // 2)[skipped // 2 :]
            into[state : state + len(heard)] = heard[: self.states - state]

    # ---- sound

    def _voice(self, power: Spectrum, scene: Scene) -> Spectrum:
        """The utterance by a slightly different mouth, at another level, through the scene's microphone."""
        if self.dice.chance(0.5):
            power = augment.warped(power, self.dice)
        quiet = scene.kind == "street" or self.dice.chance(0.2)
        level = self.dice.uniform(-16, 2) if quiet else self.dice.uniform(-5, 4)
        power = power * decibels(level) * augment.tilt(1.5, self.dice)
        return power * augment.telephone_band(self.dice) if scene.kind == "archive" else power

    def _atmosphere(self, take: Take, scene: Scene, end: int) -> None:
        """Add the scene's own noise from its start to ``end``."""
        frames = min(end, take.frames) - scene.start
        if scene.kind == "studio" or frames < 1:
            return
        noise = augment.tape(frames, self.dice) if scene.kind == "archive" else augment.street(frames, self.dice)
        if scene.kind == "street" and self.dice.chance(0.25):
            noise += self._babble(frames)
        take.power[scene.start : scene.start + frames] += noise * self.studio.speech_power

    def _babble(self, frames: int) -> Spectrum:
        """Four people talking at once, too far to be understood, relative to speech."""
        out = np.zeros((frames, N_MELS), np.float32)
        for _ in range(4):
            entry = self.rng.choice(self.studio.entries)
            count = min(frames, len(entry.log_mel))
            at = self.rng.randint(0, frames - count)
            out[at : at + count] += power_of(entry)[:count]
        return out / self.studio.speech_power * decibels(self.dice.uniform(-38, -24))

    def _add_music(self, take: Take, start: int, end: int, level_db: float) -> None:
        if end - start >= 20:
            take.power[start:end] += self.studio.music(self.rng, end - start) * decibels(level_db)

    def _music_around(self, take: Take) -> None:
        """Music before the first sentence, after the last, and sometimes under them all."""
        if take.lead > 60 and self.dice.chance(0.8):
            under = self.rng.randint(0, 150)
            self._add_music(take, 0, min(take.frames, take.lead), self.dice.uniform(-22, 3))
            begin, end = max(0, take.lead - 50), min(take.frames, take.lead + under)
            self._add_music(take, begin, end, self.dice.uniform(-25, -8))
        last = int(take.sentences[-1].end_s * FRAMES_PER_S)
        if take.end - last > 80 and take.cut_s is None and self.dice.chance(0.8):
            self._add_music(take, max(0, last - self.rng.randint(0, 250)), last + 30, self.dice.uniform(-25, -8))
            self._add_music(take, last, take.end, self.dice.uniform(-20, 3))
        if self.dice.chance(0.15):
            self._add_music(take, 0, take.end, self.dice.uniform(-38, -20))

    def _nobody(self, take: Take) -> None:
        """A window without speech: music, tape or street noise, or next to nothing."""
        kind = self.rng.random()
        if kind < 0.65:
            self._add_music(take, 0, take.end, self.dice.uniform(-28, 3))
            if self.dice.chance(0.3):
                take.power[: self.rng.randint(0, take.end)] *= 1e-6
        elif kind < 0.8:
            self._atmosphere(take, Scene(self.rng.choice(("archive", "street")), 1, 0), take.end)

    def _log_mel(self, take: Take) -> Spectrum:
        """Whisper's normalised log mel, with a noise floor, a level, and sometimes lost highs or masked patches."""
        power = take.power * augment.tilt(4, self.dice)
        if self.dice.chance(0.15):
            augment.lost_highs(power, self.dice)
        floor = self.dice.static(take.frames).astype(np.float32) * augment.tilt(8, self.dice)
        power += floor * decibels(self.dice.uniform(-70, -14)) * self.studio.speech_power
        log = np.log10(np.maximum(power * 10 ** self.dice.uniform(-2.5, 0.6), FLOOR))
        mel = (np.maximum(log, self._loudest(log, take) - 8) + 4) / 4
        if self.dice.chance(0.3):
            augment.mask(mel, self.dice)
        mel[take.end :] = 0  # Whisper pads the spectrogram with zeros, not with silence
        return mel.astype(np.float32)

    def _loudest(self, log: Spectrum, take: Take) -> float:
        """The loudest log power of the file, which may lie outside this window: Whisper clips 80 dB below it."""
        loudest = float(log[: take.end].max()) + (self.dice.uniform(0, 0.5) if self.dice.chance(0.5) else 0)
        if not take.sentences and self.dice.chance(0.6):
            loudest += self.dice.uniform(0, 3)
        return loudest

    def _prompt(self) -> list[int]:
        """Once in a while the words of another passage, part of them unknown, as ``initial_prompt`` would give."""
        words = self.studio.vocabulary
        if not self.dice.chance(PROMPT_SHARE):
            return []
        passage: list[int] = []
        for _ in range(self.rng.randint(1, 5)):
            passage += [words.number(token) for token in self.studio.utterance(self.rng, None).tokens]
        hidden = 0.3 if self.dice.chance(0.4) else 0.0
        return [words.previous, *(words.unknown if self.dice.chance(hidden) else token for token in passage[-100:])]
