"""Ways to make the sample show hard to hear, and its sentences said by others: what `doubts.py` makes its recordings with.

Each takes mono samples, their rate, how hard (1, 2, 3) and a generator of chances, and leaves the length as it is, so that the truth
keeps its times.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from tools.sample_show import music, script
from tools.sample_show.effects import at_level, band, gain
from tools.sample_show.make import Timeline, lay_out, one_mono

Audio = NDArray[np.float32]
RATE_HZ = 16_000
VOICES = {  # other speakers than the show's: espeak-ng's own timbres, of which some are never used to fit
    "own": {},
    "david": {"timbre": "david", "pitch": 4, "rate": -8},
    "belinda": {"timbre": "belinda", "pitch": 2, "rate": 6},
    "iven": {"timbre": "iven", "pitch": -3, "rate": 4},
    "steph": {"timbre": "steph", "pitch": 0, "rate": 10},
    "quick": {"pitch": 6, "rate": 38},
    "slow": {"pitch": -6, "rate": -32},
    "anika": {"timbre": "anika", "pitch": 1, "rate": 2},
    "michel": {"timbre": "michel", "pitch": -2, "rate": 0},
    "grandpa": {"timbre": "grandpa", "pitch": 0, "rate": -12},
}
OTHER_SENTENCES = """
Le train de Limoges part toujours en retard le samedi.
Nous avons acheté trois kilos de pommes et un vieux vélo rouge.
Le directeur a signé la convention avec la caisse primaire de Rouen.
Il faudra repeindre les volets avant le mois de novembre.
Ma cousine travaille dans une boulangerie près du canal.
Les cotisations de retraite sont calculées sur vingt-cinq années.
Personne ne savait que le pont serait fermé pendant les travaux.
Le chat dort sur le radiateur depuis que la neige est tombée.
Cette loi fut votée par l'Assemblée après trois semaines de débats.
On cherche encore un médecin pour le canton de Saint-Aubin.
Le jardin partagé accueille des classes de l'école primaire.
La commission étudie les recours déposés par les assurés.
""".split("\n")[1:-1]
OTHER_WORDS = """
brouillard cotisation tracteur violon escalier fromage préfecture canard bicyclette mutuelle orage cerise trottoir lanterne
""".split()


def revoiced(episode: script.Episode, voices: dict[str, script.Voice], speaker: str) -> Timeline:
    """The episode said by others, at `RATE_HZ`."""
    wanted = VOICES[speaker]
    said = {}
    for key, voice in voices.items():
        manner, accent = voice.manner, voice.manner.espeak.partition("+")[0]
        espeak = f"{accent}+{wanted['timbre']}" if "timbre" in wanted else manner.espeak
        pitch, rate = manner.pitch + wanted.get("pitch", 0), manner.rate + wanted.get("rate", 0)
        said[key] = replace(voice, manner=replace(manner, espeak=espeak, pitch=pitch, rate=rate))
    return lay_out(episode, said, RATE_HZ)


def rewritten(episode: script.Episode, how: str, hard: int, chance: np.random.Generator) -> script.Episode:
    """The episode with sentences the model has never met, or words in them that it does not expect."""
    lines = list(episode.lines)
    picked = chance.choice(len(lines), size=round(len(lines) * (0.0, 0.1, 0.18, 0.28)[hard]), replace=False)
    others = chance.permutation(len(OTHER_SENTENCES))
    for place, index in enumerate(picked):
        words = lines[index].text.split()
        if how == "sentences":
            text = OTHER_SENTENCES[others[place % len(others)]]
        else:
            for at in chance.choice(len(words), size=max(1, len(words) // 3), replace=False):
                words[at] = str(chance.choice(OTHER_WORDS))
            text = " ".join(words)
        lines[index] = replace(lines[index], text=text)
    return replace(episode, lines=tuple(lines))


def sound_of(timeline: Timeline, seed: int) -> Audio:
    """The whole of it, mono."""
    return one_mono(timeline, seed)


def hiss(sound: Audio, rate: int, hard: int, chance: np.random.Generator) -> Audio:
    """White noise."""
    return sound + at_level(chance.standard_normal(len(sound)).astype(np.float32), (-36.0, -31.0, -26.0)[hard - 1])


def street(sound: Audio, rate: int, hard: int, chance: np.random.Generator) -> Audio:
    """Traffic that passes: noise of the lows, swelling."""
    noise = sosfilt(butter(1, 900.0, "lowpass", fs=rate, output="sos"), chance.standard_normal(len(sound)))
    marks = np.arange(0, len(sound) / rate + 3, 3)
    swell = np.interp(np.arange(len(sound)) / rate, marks, chance.random(len(marks)) ** 2)
    return sound + at_level((noise * swell).astype(np.float32), (-36.0, -31.0, -26.0)[hard - 1])


def babble(sound: Audio, rate: int, hard: int, chance: np.random.Generator) -> Audio:
    """The same show, elsewhere, by three, behind it."""
    others = sum(np.roll(sound, int(chance.integers(5 * rate, len(sound) - 5 * rate))) for _ in range(3))
    return sound + at_level(others, (-46.0, -42.0, -38.0)[hard - 1])


def telephone(sound: Audio, rate: int, hard: int, chance: np.random.Generator) -> Audio:
    """A narrow band."""
    return band(sound, rate, 400.0, (1900.0, 1400.0, 1000.0)[hard - 1])


def clipped(sound: Audio, rate: int, hard: int, chance: np.random.Generator) -> Audio:
    """Recorded far too loud."""
    top = float(np.percentile(np.abs(sound), (88, 78, 65)[hard - 1]))
    return np.clip(sound, -top, top) * (0.3 / top)


def hall(sound: Audio, rate: int, hard: int, chance: np.random.Generator) -> Audio:
    """A church."""
    seconds = (0.7, 1.2, 2.0)[hard - 1]
    times = np.arange(int(seconds * rate)) / rate
    echo = chance.standard_normal(len(times)) * np.exp(-6.9 * times / seconds)
    echo *= (0.5, 0.8, 1.2)[hard - 1] / np.sqrt(np.sum(echo**2))
    return sound + fftconvolve(sound, echo)[: len(sound)].astype(np.float32)


def gaps(sound: Audio, rate: int, hard: int, chance: np.random.Generator) -> Audio:
    """A connection that drops out."""
    done = sound.copy()
    for _ in range(int(len(sound) / rate * (0.25, 0.4, 0.6)[hard - 1])):
        first = int(chance.integers(0, len(sound)))
        done[first : first + int(rate * chance.uniform(0.1, 0.5))] = 0
    return done


def spliced(sound: Audio, rate: int, hard: int, chance: np.random.Generator) -> Audio:
    """Cut in the middle of words: stretches replaced by what is said elsewhere."""
    done = sound.copy()
    for _ in range(int(len(sound) / rate * (0.08, 0.14, 0.2)[hard - 1])):
        size = int(rate * chance.uniform(0.3, 1.2))
        to, origin = (int(chance.integers(0, len(sound) - size)) for _ in range(2))
        done[to : to + size] = sound[origin : origin + size]
    return done


def loud_music(sound: Audio, rate: int, hard: int, chance: np.random.Generator) -> Audio:
    """Music that nobody lowered, over half of it."""
    half = len(sound) // 2
    first = int(chance.integers(0, half))
    tune = at_level(music.piece(half / rate, rate, int(chance.integers(2000, 3000))), (-30.0, -26.0, -22.0)[hard - 1])
    done = sound.copy()
    done[first : first + len(tune)] += tune[: len(done) - first].astype(np.float32)
    return done


def far(sound: Audio, rate: int, hard: int, chance: np.random.Generator) -> Audio:
    """Some sentences said away from the microphone: weak, dull, in the hall."""
    weak = hall(band(sound, rate, None, 2500.0), rate, 2, chance) * gain(-14.0)
    weak = hiss(weak, rate, 1, chance)
    marks = np.arange(0, len(sound) / rate + 6, 6)
    away = np.repeat(chance.random(len(marks)) < (0.25, 0.4, 0.6)[hard - 1], 6 * rate)[: len(sound)]
    return np.where(away, weak, sound).astype(np.float32)


def wind(sound: Audio, rate: int, hard: int, chance: np.random.Generator) -> Audio:
    """Gusts on a microphone without its foam: the lowest notes, far too loud, and what they overdrive."""
    blown = sosfilt(butter(2, 180.0, "lowpass", fs=rate, output="sos"), chance.standard_normal(len(sound)))
    marks = np.arange(0, len(sound) / rate + 2, 2)
    gusts = np.interp(np.arange(len(sound)) / rate, marks, chance.random(len(marks)) ** 3)
    mixed = sound + at_level((blown * gusts).astype(np.float32), (-22.0, -16.0, -10.0)[hard - 1])
    return np.tanh(4 * mixed).astype(np.float32) / 4


def codec(sound: Audio, rate: int, hard: int, chance: np.random.Generator) -> Audio:
    """A call over a poor line: Opus with hardly any bits."""
    import imageio_ffmpeg

    form, kbps = ["-f", "f32le", "-ar", str(rate), "-ac", "1"], (5, 3, 2)[hard - 1]
    coder = ["-c:a", "libopus", "-application", "voip", "-b:a", f"{kbps}k", "-f", "ogg"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error"]
    small = subprocess.run([*command, *form, "-i", "-", *coder, "-"], input=sound.tobytes(), capture_output=True, check=True).stdout
    heard = subprocess.run([*command, "-i", "-", *form, "-"], input=small, capture_output=True, check=True).stdout
    return np.resize(np.frombuffer(heard, np.float32), len(sound)).copy()


def hum(sound: Audio, rate: int, hard: int, chance: np.random.Generator) -> Audio:
    """The mains, and its harmonics up to the middle of the voice."""
    times = np.arange(len(sound)) / rate
    tones = sum(np.sin(2 * np.pi * 50 * n * times + chance.uniform(0, 6.28)) / n**0.5 for n in range(1, 30))
    return sound + at_level(tones.astype(np.float32), (-36.0, -30.0, -24.0)[hard - 1])


def crosstalk(sound: Audio, rate: int, hard: int, chance: np.random.Generator) -> Audio:
    """Somebody else speaks over some of it, nearly as loud."""
    marks = np.arange(0, len(sound) / rate + 4, 4)
    over = np.repeat(chance.random(len(marks)) < (0.2, 0.35, 0.5)[hard - 1], 4 * rate)[: len(sound)]
    return sound + np.where(over, np.roll(sound, int(chance.integers(9 * rate, len(sound) - 9 * rate))) * gain(-5.0), 0).astype(np.float32)


def quiet(sound: Audio, rate: int, hard: int, chance: np.random.Generator) -> Audio:
    """Recorded far too low by a cheap converter: what is left are its steps."""
    step = float(np.abs(sound).max()) / (8, 4, 2)[hard - 1]
    return (np.round(sound / step + chance.uniform(-0.5, 0.5, len(sound))) * step).astype(np.float32)


DAMAGES = {
    each.__name__: each
    for each in (hiss, street, babble, telephone, clipped, hall, gaps, spliced, loud_music, far, wind, codec, hum, crosstalk, quiet)
}
