"""Raw recordings become one master: kept, trimmed, balanced, mixed, between its intro and its outro, resampled once.

Each recording is decoded twice and never held in memory: once to measure it, once to mix it. Everything is counted in samples at the
published rate, so that tracks stay in sync and every later time is exact. The master is lossless and carries no name: the same
samples in another file, or under another name, give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.audio import ffmpeg
from pipeline.audio.jingle import smoothed
from pipeline.audio.levels import FLOOR_DB, HOP_S, SILENT_LUFS, LevelMeter, balance_db, headroom_db, heard, hop_sample, threshold_db
from pipeline.audio.measure import METER
from pipeline.audio.measure import parse as parse_loudness
from pipeline.audio.probe import Probe, decoding, probe, refuse_damage
from pipeline.errors import CauserieError
from pipeline.files import write_json
from pipeline.model import Mix
from pipeline.progress import report

JINGLE_LU = -3.0  # intro and outro against the programme: music at the same loudness seems louder than speech
GAP_S = 0.3  # of silence, at least, between the programme and its intro or outro


@dataclass(frozen=True)
class Track:
    """A decoded file: what of it is kept, and what that measures at the published rate and number of channels."""

    path: Path
    filters: str  # from the file's first audio stream to the samples measured
    levels_db: tuple[float, ...]  # one a hop
    samples: int
    peak: float
    loudness_lufs: float


@dataclass(frozen=True)
class Cut:
    """Where the programme lies: in the kept recordings, and in the master. Samples."""

    start: int
    end: int
    lead: int  # intro and gap before it


def ingest(
    recordings: tuple[Path, ...],
    *,
    master: Path,
    activity: Path,
    mix: Mix,
    sample_rate_hz: int,
    channels: int,
    intro: Path | None = None,
    outro: Path | None = None,
) -> None:
    """Write the master (FLAC, 24 bits) of an episode, and who is active on which track of it.

    `CauserieError` when a recording is missing, damaged, silent, or ends before `mix.start_s`.
    """
    kept = (mix.start_s, mix.end_s)
    intro, outro = (jingle and smoothed(jingle, master.with_name(f"{name}.wav")) for name, jingle in (("intro", intro), ("outro", outro)))
    files = [(path, kept) for path in recordings] + [(path, (0.0, None)) for path in (intro, outro) if path]
    probes = [probe(path) for path, _ in files]
    seconds = [found.duration_s or 0.0 for found in probes]
    total_s = 2 * sum(seconds)  # each second is decoded twice
    measured = [
        _measured(path, found, part, (sample_rate_hz, channels), (sum(seconds[:i]), total_s))
        for i, ((path, part), found) in enumerate(zip(files, probes, strict=True))
    ]
    tracks = [_audible(track) for track in measured[: len(recordings)]]
    before, after = measured[len(recordings)] if intro else None, measured[-1] if outro else None
    cut = cut_of(tracks, before, trim=mix.trim_silence, rate_hz=sample_rate_hz)
    gains_db = gains_of(tracks, measured[len(recordings) :])
    graph = graph_of(tracks, before, after, cut, gains_db, sample_rate_hz)
    inputs = [argument for track in measured for argument in ffmpeg.source(track.path)]
    flac = ["-map", "[out]", *ffmpeg.EXACT, "-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24", "-f", "flac"]
    ffmpeg.run([*inputs, "-filter_complex", graph, *flac, ffmpeg.address(master)], total_s=total_s, before_s=total_s / 2)
    duration_s = length_of(cut, after, sample_rate_hz) / sample_rate_hz
    write_json(activity, activity_of(mix, tracks, cut, duration_s, sample_rate_hz))


def keep_filters(found: Probe, start_s: float, end_s: float | None, rate_hz: int, channels: int) -> str:
    """The filters from a file's audio to its kept part, at the published rate and channels, as float samples."""
    start = round(start_s * rate_hz)
    end = f":end_sample={round(end_s * rate_hz)}" if end_s is not None else ""
    # atrim counts samples and asetpts numbers them again: no time stamp of a container can move a track against another.
    return (
        f"aformat=sample_fmts=fltp,{channel_filter(found.channels, channels)},aresample={rate_hz}:resampler=soxr:precision=28,"
        f"atrim=start_sample={start}{end},asetpts=N/SR/TB"
    )


def channel_filter(has: int, wants: int) -> str:
    """Mono to stereo is twice the same, stereo to mono the half of both; other layouts are mixed down the way FFmpeg does."""
    if has == wants:
        return "anull"
    known = {(1, 2): "pan=stereo|c0=c0|c1=c0", (2, 1): "pan=mono|c0=0.5*c0+0.5*c1"}
    return known.get((has, wants), f"aformat=channel_layouts={'mono' if wants == 1 else 'stereo'}")


def cut_of(tracks: list[Track], intro: Track | None, *, trim: bool, rate_hz: int) -> Cut:
    """Where the programme starts and ends; its start and its lead fall on hops, so that levels need no resampling."""
    longest, start = max(track.samples for track in tracks), 0
    end = longest
    if trim:
        first, last = heard([(track.levels_db, threshold_db(track.levels_db, track.loudness_lufs)) for track in tracks])
        start, end = hop_sample(max(0, first), rate_hz), min(longest, hop_sample(last, rate_hz))
    lead_hops = -(-(intro.samples / rate_hz + GAP_S) // HOP_S) if intro else 0  # rounded up
    return Cut(start, end, hop_sample(int(lead_hops), rate_hz))


def gains_of(tracks: list[Track], jingles: list[Track]) -> list[float]:
    """The gain of each track, then of each jingle, dB: tracks even with each other, jingles a little under, nothing clipped."""
    even = balance_db([track.loudness_lufs for track in tracks])
    low = headroom_db([track.peak for track in tracks], even)
    gains = [gain_db + low for gain_db in even]
    programme_lufs = sum(track.loudness_lufs + gain for track, gain in zip(tracks, gains, strict=True)) / len(tracks)
    for jingle in jingles:
        wanted = programme_lufs + JINGLE_LU - jingle.loudness_lufs if jingle.loudness_lufs > SILENT_LUFS else 0.0
        gains.append(wanted + headroom_db([jingle.peak], [wanted]))
    return gains


def graph_of(tracks: list[Track], intro: Track | None, outro: Track | None, cut: Cut, gains_db: list[float], rate_hz: int) -> str:
    """The filter graph of the master; inputs are the tracks in order, then the intro, then the outro."""
    whole = max(track.samples for track in tracks)
    files = [*tracks, *(jingle for jingle in (intro, outro) if jingle)]
    chains = [f"[{i}:a:0]{file.filters},volume={gains_db[i]:.2f}dB:precision=float" for i, file in enumerate(files)]
    count, parts = len(tracks), ["[programme]"]
    padded = [f"{chain},apad=whole_len={whole}[t{i}]" for i, chain in enumerate(chains[:count])]
    labels = "".join(f"[t{i}]" for i in range(count))
    mixed = [f"{labels}amix=inputs={count}:normalize=0,atrim=start_sample={cut.start}:end_sample={cut.end},asetpts=N/SR/TB[programme]"]
    if intro:
        mixed.append(f"{chains[count]},apad=whole_len={cut.lead}[intro]")
        parts.insert(0, "[intro]")
    if outro:
        mixed.append(f"{chains[-1]},adelay={round(GAP_S * rate_hz)}S:all=1[outro]")
        parts.append("[outro]")
    return ";".join([*padded, *mixed, f"{''.join(parts)}concat=n={len(parts)}:v=0:a=1[out]"])


def length_of(cut: Cut, outro: Track | None, rate_hz: int) -> int:
    """Samples of the master."""
    return cut.lead + cut.end - cut.start + (outro.samples + round(GAP_S * rate_hz) if outro else 0)


def activity_of(mix: Mix, tracks: list[Track], cut: Cut, duration_s: float, rate_hz: int) -> dict[str, Any]:
    """`activity.json`: the levels of each speaker's own track along the master, before any gain."""
    hops = -(-round(duration_s * rate_hz) // hop_sample(1, rate_hz))
    lead, start, end = (round(samples / rate_hz / HOP_S) for samples in (cut.lead, cut.start, cut.end))
    silence = [FLOOR_DB] * hops
    voices = [recording.voice for recording in mix.recordings] if len(tracks) > 1 else []
    return {
        "version": 1,
        "duration_s": round(duration_s, 3),
        "hop_s": HOP_S,
        "tracks": [
            {"voice": voice, "levels_db": [round(level, 1) for level in [*silence[:lead], *track.levels_db[start:end], *silence][:hops]]}
            for voice, track in zip(voices, tracks, strict=False)
        ],
    }


def _measured(path: Path, found: Probe, kept: tuple[float, float | None], form: tuple[int, int], progress: tuple[float, float]) -> Track:
    """Decode a file once: its levels, its peak, its loudness, and whether all of it is there."""
    rate_hz, channels = form
    filters, meter = keep_filters(found, *kept, rate_hz, channels), LevelMeter(rate_hz, channels)

    def feed(block: bytes) -> None:
        meter.feed(block)
        report(progress[0] + meter.samples / rate_hz, progress[1])

    samples = ["-filter_complex", f"[0:a:0]{filters},{METER},aformat=sample_fmts=flt[out]", "-map", "[out]", "-f", "f32le", "pipe:1"]
    log = decoding(path, [*ffmpeg.source(path), *samples], feed)
    meter.finish()
    end_s = min(found.duration_s, kept[1] or found.duration_s) if found.duration_s is not None else None
    if not meter.samples:
        raise CauserieError(f"holds nothing after {kept[0]:.0f} s", str(path), "correct start and end in episode.toml")
    refuse_damage(path, found, expected_s=end_s and end_s - kept[0], decoded_s=meter.samples / rate_hz, log=log)
    return Track(path, filters, tuple(meter.levels_db), meter.samples, meter.peak, parse_loudness(log, 0).integrated_lufs)


def _audible(track: Track) -> Track:
    """The same track, unless there is nothing to hear on it."""
    if not track.loudness_lufs > SILENT_LUFS:
        raise CauserieError("holds only silence", str(track.path), "check the microphone, or leave the recording out")
    return track
