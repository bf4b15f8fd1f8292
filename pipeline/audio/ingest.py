"""Turn raw recordings into one master: cleaned, levelled, arranged and resampled once.

Every file is streamed twice: once to analyse it, once to mix it. All decisions are made in between, on profiles. Positions are counted
in samples at the published rate, so that tracks stay in sync and every later time is exact. The master is lossless and carries no name:
the same samples in another file, or under another name, give the same bytes.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.audio import container, ffmpeg
from pipeline.audio.channels import ChannelFindings, channels_after, describe_choice, select_filters
from pipeline.audio.mix_validation import validate_mix
from pipeline.audio.probe import decode, reject_damage, select_stream
from pipeline.audio.stream_info import AudioStream
from pipeline.engine import available_cores, report, write_json
from pipeline.model import AS_IT_IS, CauserieError, CleanupOptions, Mix, Part, Problems, Recording

if TYPE_CHECKING:
    from pipeline.audio.arrangement import AnalysedFile
    from pipeline.audio.level_profile import Float32Array, LevelProfile

HEADROOM_LU = 10.0  # peaks less than this above programme loudness stay under any ceiling, so their true peak is not needed
INSPECTION_RATE_HZ = 16_000  # enough to tell speech from noise, and one channel from another
SOXR_RESAMPLER = "resampler=soxr:precision=20"  # images and aliases at −140 dB, flat to 20 kHz


@dataclass(frozen=True)
class InputFile:
    """A file to analyse: the selected stream, the range to keep, the cleanup to apply."""

    name: str
    path: Path
    stream_info: AudioStream
    start_s: float = 0.0
    end_s: float | None = None
    clean: CleanupOptions = CleanupOptions(highpass=False)
    needs_sound: bool = True  # whether silence is an error
    channel: str = ""  # as in `Recording.channel`
    as_it_is: bool = False  # whether a torn file is accepted
    doubts: tuple[str, ...] = ()  # about the file, for the report
    faded_from: Path | None = None  # the user's file, when `path` is a temporary copy of it with faded edges

    @property
    def original_path(self) -> Path:
        """The user's file."""
        return self.faded_from or self.path

    @property
    def stream_index(self) -> int:
        """The index of the audio stream, from 0; a jingle with faded edges has only one."""
        return self.stream_info.index

    @property
    def expected_s(self) -> float:
        """The expected duration of the kept range, seconds; 0 when the duration of the file is unknown."""
        end_s = min(self.stream_info.duration_s or 0.0, self.end_s or float("inf"))
        return max(0.0, end_s - self.start_s)


def ingest_recordings(
    files: tuple[Path, ...],
    *,
    master: Path,
    activity: Path,
    levels: Path,
    sound: Path,
    mix: Mix,
    sample_rate_hz: int,
    channels: int,
) -> None:
    """Write the master (FLAC, 24 bits), the activity of each track, the profiles before and after mixing, and the sound report.

    `files` are those of `mix.files`, in that order. Raises `CauserieError` when one is missing, damaged, silent, or shorter than the
    range to keep.
    """
    from pipeline.audio import arrangement, ingest_report, level_profile, mixer, timeline

    with tempfile.TemporaryDirectory(dir=master.parent, prefix=".jingles.") as temporary_dir:
        inputs = input_files(mix, dict(zip(mix.files, files, strict=True)), Path(temporary_dir))
        reject_invalid_mix(mix, inputs)
        analysed = analyse_files(inputs, sample_rate_hz, channels)
        count, file_parts = len(mix.recordings), [part for part in mix.parts if part.file]
        tracks = arrangement.level_tracks(analysed[:count], mix.level)
        body_lufs = arrangement.mean_loudness_lufs(tracks)
        parts = {
            part: arrangement.level_against(file, part, body_lufs, mix.level)
            for part, file in zip(file_parts, analysed[count:], strict=False)
        }
        beds = analysed[count + len(file_parts) :]
        arranged = arrangement.arrange(mix, tracks, parts, beds, sample_rate_hz)
        duration_s = arranged.samples / sample_rate_hz
        dimensions = (arranged.all_clips, arranged.samples, sample_rate_hz, channels)
        floor = 10 ** ((body_lufs + arranged.gain_db + HEADROOM_LU) / 20)

        def on_progress(done_s: float) -> None:
            report(duration_s + done_s, 2 * duration_s)

        master_profile = mixer.mix_master(*dimensions, master=master, gain_db=arranged.gain_db, peak_floor=floor, on_progress=on_progress)
    unprocessed_profile = timeline.unprocessed_profile(arranged.all_clips, arranged.samples, sample_rate_hz)
    level_profile.save_profiles(levels, master=master_profile, before=unprocessed_profile)
    write_json(activity, ingest_report.activity_report(mix, arranged, tracks, sample_rate_hz))
    write_json(sound, ingest_report.sound_report(mix, arranged, tracks, parts, beds, sample_rate_hz))


def input_files(mix: Mix, paths: Mapping[str, Path], temporary_dir: Path) -> list[InputFile]:
    """List every file to analyse: recordings, then parts, then beds. Short music is copied to `temporary_dir` with faded edges."""
    recordings = [_recording_input(each, paths[each.file], mix) for each in mix.recordings]
    file_parts = [(i, part) for i, part in enumerate(mix.parts) if part.file]
    parts = [_part_input(part, paths[part.file], temporary_dir / f"{i}.wav") for i, part in file_parts]
    beds = [InputFile(each.file, paths[each.file], select_stream(paths[each.file], each.stream)) for each in mix.beds]
    return recordings + parts + beds


def _recording_input(recording: Recording, path: Path, mix: Mix) -> InputFile:
    """Return the input for a recording."""
    is_accepted = recording.accept == AS_IT_IS
    stream_info = select_stream(path, recording.stream, as_it_is=is_accepted)
    doubts = (*container.doubts(path), *(["accepted as it is"] if is_accepted else ()))
    return InputFile(
        recording.file,
        path,
        stream_info,
        mix.start_s,
        mix.end_s,
        recording.clean,
        channel=recording.channel,
        as_it_is=is_accepted,
        doubts=doubts,
    )


def _part_input(part: Part, path: Path, faded_path: Path) -> InputFile:
    """Return the input for a part; short music that is played whole is copied to `faded_path` with faded edges."""
    from pipeline.audio.jingle import fade_edges

    stream_info = select_stream(path, part.stream)
    is_whole_music = part.kind == "music" and not stream_info.index and part.start_s is None and part.end_s is None
    decoded_path = fade_edges(path, faded_path) if is_whole_music else path
    return InputFile(
        part.file, decoded_path, stream_info, part.start_s or 0.0, part.end_s, needs_sound=part.kind == "speech", faded_from=path
    )


def reject_invalid_mix(mix: Mix, inputs: list[InputFile]) -> None:
    """Raise `CauserieError`, or `Problems` for several, when the mix uses what its files do not contain, as far as durations are known."""
    sources = zip(mix.sources, inputs, strict=True)
    lengths_s = {(each.file, each.stream): take.stream_info.duration_s for each, take in sources if take.stream_info.duration_s is not None}
    if problems := validate_mix(mix, lengths_s):
        raise problems[0] if len(problems) == 1 else Problems(tuple(problems))


def analyse_files(inputs: list[InputFile], rate_hz: int, channels: int) -> list[AnalysedFile]:
    """Analyse every file, in as many threads as there are processors. The first failure cancels the others."""
    total_s, done_s, stop = sum(take.expected_s for take in inputs), [0.0] * len(inputs), threading.Event()

    def progress_callback(index: int) -> Callable[[float], None]:
        def on_progress(seconds: float) -> None:
            if stop.is_set():
                raise CauserieError("was cancelled because another file failed", inputs[index].name)
            done_s[index] = seconds
            report(sum(done_s), 2 * total_s)

        return on_progress

    with ThreadPoolExecutor(available_cores()) as pool:
        futures = [pool.submit(analyse_file, take, rate_hz, channels, progress_callback(i)) for i, take in enumerate(inputs)]
        try:
            for each in as_completed(futures):
                each.result()
            return [each.result() for each in futures]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def analyse_file(input_file: InputFile, rate_hz: int, channels: int, on_progress: Callable[[float], None]) -> AnalysedFile:
    """Analyse one file; raises `CauserieError` when it is damaged or silent."""
    from pipeline.audio.arrangement import AnalysedFile
    from pipeline.audio.channel_meter import ChannelMeter
    from pipeline.audio.timeline import ClipSource

    cleanup_filters, cleanup_steps = plan_cleanup(input_file)
    found, meter = ChannelFindings(input_file.stream_info.channels), ChannelMeter(rate_hz, channels)
    listens_first = input_file.channel in ("", "mono") and input_file.stream_info.channels > 1
    if listens_first and (input_file.channel or input_file.stream_info.channels != channels):  # they are mixed before they are analysed
        found = inspect_channels(input_file.path, input_file.stream_info)
        listens_first = False
    filters = _all_filters(input_file, found, cleanup_filters, rate_hz, channels)
    profile, log = _analyse(input_file, filters, rate_hz, channels, on_progress, meter.feed if listens_first else None)
    if listens_first:
        found = meter.findings()
        if (changed := _all_filters(input_file, found, cleanup_filters, rate_hz, channels)) != filters:
            filters = changed
            profile, log = _analyse(input_file, filters, rate_hz, channels, on_progress, None)
    reject_unusable(input_file, profile, log)
    return AnalysedFile(
        input_file.name,
        ClipSource(input_file.path, input_file.stream_index, filters, profile),
        input_file.stream_info,
        input_file.start_s,
        (*input_file.doubts, *describe_choice(found, input_file.channel), *cleanup_steps),
    )


def _analyse(
    input_file: InputFile,
    filters: tuple[str, ...],
    rate_hz: int,
    channels: int,
    on_progress: Callable[[float], None],
    on_frames: Callable[[Float32Array], None] | None,
) -> tuple[LevelProfile, str]:
    from pipeline.audio.analysis import analyse

    listener = on_frames or (lambda frames: None)
    stream = input_file.stream_index
    analysis = analyse(input_file.path, filters, rate_hz, channels, stream=stream, on_progress=on_progress, on_frames=listener)
    return analysis.profile, analysis.log


def _all_filters(
    input_file: InputFile, found: ChannelFindings, cleanup_filters: tuple[str, ...], rate_hz: int, channels: int
) -> tuple[str, ...]:
    """Return every filter of a file, the choice of its channels first. Raises `CauserieError` when it has no such channel."""
    try:
        chosen = select_filters(found, input_file.stream_info, input_file.channel)
    except CauserieError as error:
        raise CauserieError(error.message, str(input_file.original_path), error.hint) from error
    return (
        *chosen,
        *cleanup_filters,
        *channel_filters(channels_after(chosen, input_file.stream_info.channels), channels),
        resample_filter(rate_hz),
        trim_filter(input_file.start_s, input_file.end_s, rate_hz),
    )


def inspect_channels(path: Path, stream_info: AudioStream, *, max_s: float | None = None) -> ChannelFindings:
    """Decode a stream, or its first `max_s` seconds, and return what its channels hold. Raises `CauserieError` as `decode`."""
    import numpy as np

    from pipeline.audio.channel_meter import ChannelMeter

    if stream_info.channels < 2:
        return ChannelFindings(stream_info.channels)
    meter, rest, frame_bytes = ChannelMeter(INSPECTION_RATE_HZ, stream_info.channels), bytearray(), 4 * stream_info.channels

    def add(block: bytes) -> None:
        rest.extend(block)
        usable = len(rest) // frame_bytes * frame_bytes
        meter.feed(np.nan_to_num(np.frombuffer(bytes(rest[:usable]), np.float32).reshape(-1, stream_info.channels)))
        del rest[:usable]

    limit = ["-t", str(max_s)] if max_s is not None else []
    output = ["-map", f"0:a:{stream_info.index}", *limit, "-ar", str(INSPECTION_RATE_HZ), "-f", "f32le", "pipe:1"]
    decode(path, [*ffmpeg.input_arguments(path), *output], add)
    return meter.findings()


def plan_cleanup(input_file: InputFile) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the filters that clean a file and a description of each; the file is inspected only if the filters depend on findings."""
    from pipeline.audio import cleanup

    findings = (
        cleanup.inspect(input_file.path, input_file.stream_index, input_file.stream_info.sample_rate_hz)
        if cleanup.needs_inspection(input_file.clean)
        else cleanup.NoiseFindings()
    )
    return tuple(cleanup.cleanup_filters(input_file.clean, findings)), tuple(cleanup.describe_cleanup(input_file.clean, findings))


def reject_unusable(input_file: InputFile, profile: LevelProfile, log: str) -> None:
    """Raise `CauserieError` when a file is damaged, shorter than the range to keep, or silent."""
    from pipeline.audio.level_profile import ABSOLUTE_GATE_LUFS, MIN_DURATION_S

    length_s = input_file.stream_info.duration_s
    if not profile.samples and input_file.start_s and (length_s is None or input_file.start_s >= length_s):
        raise CauserieError(
            f"has no sound after {input_file.start_s:.0f} s", str(input_file.original_path), "correct start and end in episode.toml"
        )
    expected_s = None if length_s is None or input_file.as_it_is else input_file.expected_s
    log = "" if input_file.as_it_is else log
    reject_damage(input_file.original_path, input_file.stream_info.codec, expected_s=expected_s, decoded_s=profile.duration_s, log=log)
    if profile.duration_s < MIN_DURATION_S:
        raise CauserieError(
            f"lasts {profile.duration_s:.2f} s, too short to measure its loudness", str(input_file.original_path), "use 0.4 s or more"
        )
    if input_file.needs_sound and not profile.integrated_lufs > ABSOLUTE_GATE_LUFS:
        raise CauserieError("holds only silence", str(input_file.original_path), "check the microphone, or leave the recording out")


def resample_filter(rate_hz: int) -> str:
    """Return the filter that resamples; it does nothing when the rate is already right."""
    return f"aresample={rate_hz}:{SOXR_RESAMPLER}"


def trim_filter(start_s: float, end_s: float | None, rate_hz: int) -> str:
    """Return the filter that keeps a range; it counts samples and renumbers them, so that container timestamps cannot shift a track."""
    end = f":end_sample={round(end_s * rate_hz)}" if end_s is not None else ""
    return f"atrim=start_sample={round(start_s * rate_hz)}{end},asetpts=N/SR/TB"


def channel_filters(source_channels: int, target_channels: int) -> tuple[str, ...]:
    """Return the filter for a channel count: mono is duplicated, stereo averaged; FFmpeg downmixes other layouts."""
    if source_channels == target_channels:
        return ()
    known = {(1, 2): "pan=stereo|c0=c0|c1=c0", (2, 1): "pan=mono|c0=0.5*c0+0.5*c1"}
    return (known.get((source_channels, target_channels), f"aformat=channel_layouts={'mono' if target_channels == 1 else 'stereo'}"),)
