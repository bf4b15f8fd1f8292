"""Read an episode's audio settings from its TOML: recordings, parts, beds, cleanup, levelling, soundbites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath

from pipeline.config.fields import person_hint, read_file, read_time, relative_to_show
from pipeline.config.table import Table
from pipeline.model import AS_IT_IS, Bed, CleanupOptions, DiarisationSource, Mix, Part, Person, Recording, Soundbite, suggest, terminal_safe

LEVELS = ("gentle", "strong", "off")
CHANNELS = ("left", "right", "mono")
MIN_JINGLE_GAP_S = 0.3  # silence between the programme and its intro or outro, unless a gap or crossfade is set
MAX_FADE_S = 60.0
EPISODE_KEYS = ("level", "trim_silence", "intro", "outro", "title", "summary", "published", "number", "season", "cover", "explicit", "cuts")


@dataclass(frozen=True)
class AudioDefaults:
    """The audio settings of a show that its episodes can override."""

    intro: str = ""
    outro: str = ""
    level: str = LEVELS[0]
    clean: CleanupOptions = CleanupOptions()


def parse_audio_defaults(table: Table, root: Path) -> AudioDefaults:
    """Read the defaults for episodes from `[audio]` of `show.toml`."""
    intro, outro = (read_file(table, key, root, root) for key in ("intro", "outro"))
    return AudioDefaults(intro, outro, table.choice("level", AudioDefaults.level, LEVELS), parse_cleanup(table, AudioDefaults.clean))


def parse_mix(table: Table, folder: Path, root: Path, people: Mapping[str, Person], defaults: AudioDefaults) -> Mix:
    """Read the mix from an `episode.toml`; `defaults` holds the defaults of the show."""
    start_s, end_s = _parse_span(table)
    recordings = tuple(
        _parse_recording(each, folder, root, people, parse_cleanup(table, defaults.clean)) for each in table.tables("recordings")
    )
    if not recordings and not table.values.get("recordings"):
        table.add_problem("recordings", "is missing", "add [[recordings]] with a file for each raw recording")
    parts = tuple(_parse_part(each, folder, root, number) for number, each in enumerate(table.tables("parts"), 1)) or (Part(),)
    if all(part.file for part in parts):
        table.add_problem("parts", "do not include the recordings", "give one of the parts body = true instead of a file")
    beds = tuple(_parse_bed(each, folder, root, [part.name for part in parts if part.name]) for each in table.tables("beds"))
    intro, outro = (
        read_file(table, key, folder, root) if key in table.values else _keep_inherited(table, key, show_value)
        for key, show_value in (("intro", defaults.intro), ("outro", defaults.outro))
    )
    level = table.choice("level", defaults.level, LEVELS)
    return Mix(recordings, _with_jingles(intro, parts, outro), beds, level, table.boolean("trim_silence", True), start_s or 0.0, end_s)


def parse_diarisation(table: Table, folder: Path, root: Path, people: Mapping[str, Person]) -> tuple[DiarisationSource, ...]:
    """Read the `diarisation` of each recording that has one: who speaks when, as another program found it."""
    sources = []
    recordings = table.values.get("recordings")
    if not isinstance(recordings, list) or not all(isinstance(each, dict) for each in recordings):
        return ()  # reported by `parse_mix`
    for number, each in enumerate(table.tables("recordings")):
        file = read_file(each, "diarisation", folder, root)
        names = each.table("speakers")
        speakers = tuple((name, names.string(name)) for name in names.values)
        for name, key in speakers:
            if key and key not in people:
                names.add_problem(name, f"“{terminal_safe(key)}” is not a person in show.toml", person_hint(key, people))
        if file and each.values.get("voice"):
            each.add_problem("voice", "and diarisation both name the speakers", "remove one of them")
        elif names.values and not file:
            each.add_problem("speakers", "needs a diarisation file", 'add diarisation = "….rttm"')
        elif file:
            recording = PurePosixPath(str(each.values.get("file", "")))
            sources.append(DiarisationSource(file, number, recording.stem, speakers))
    return tuple(sources)


def parse_cleanup(table: Table, default: CleanupOptions) -> CleanupOptions:
    """Read `clean = { hum = true }`; steps it does not name are taken from `default`."""
    cleanup_table = table.table("clean")
    cleanup = CleanupOptions(
        **{field.name: cleanup_table.boolean(field.name, getattr(default, field.name)) for field in fields(CleanupOptions)}
    )
    cleanup_table.reject_unknown()
    return cleanup


def parse_soundbites(table: Table) -> tuple[Soundbite, ...]:
    """Read `[[soundbites]]`, in published time: a start, and a duration or an end."""
    return tuple(_parse_soundbite(each) for each in table.tables("soundbites"))


def _parse_soundbite(table: Table) -> Soundbite:
    start_s, duration_s = read_time(table, "start"), read_time(table, "duration")
    end_s = read_time(table, "end")
    if start_s is None:
        table.add_problem("start", "is missing", "write it like “0:31”")
    if duration_s is None and end_s is not None and start_s is not None:
        if end_s <= start_s:
            table.add_problem("end", "is not after start", "give a later time, or a duration")
        duration_s = end_s - start_s if end_s > start_s else 1.0
    if duration_s is None or not 1 <= duration_s <= 600:
        table.add_problem("duration", "is missing or not between 1 and 600 s", "give duration or end; players like 15 to 120 s")
        duration_s = 1.0
    bite = Soundbite(start_s or 0.0, duration_s, table.string("title", "", 128))
    table.reject_unknown()
    return bite


def _parse_recording(table: Table, folder: Path, root: Path, people: Mapping[str, Person], default: CleanupOptions) -> Recording:
    """Read one `[[recordings]]`. Its file is checked when the episode is built, so that a bad recording stops only that episode."""
    file, voice = table.string("file", ...), table.string("voice")
    if voice and voice not in people:
        table.add_problem("voice", f"“{terminal_safe(voice)}” is not a person in show.toml", person_hint(voice, people))
    recording = Recording(relative_to_show(folder / file, root), voice, _parse_stream(table), parse_cleanup(table, default))
    recording = replace(recording, channel=_parse_channel(table))
    if "accept" in table.values:
        recording = replace(recording, accept=table.choice("accept", AS_IT_IS, (AS_IT_IS,)))
    for key in ("diarisation", "speakers"):  # read by `parse_diarisation`: assigning a name must not cause a new mix
        table.mark_known(key)
    table.reject_unknown(EPISODE_KEYS)
    return recording


def _parse_part(table: Table, folder: Path, root: Path, number: int) -> Part:
    """Read one `[[parts]]`: a file, or the recordings."""
    file, is_body = read_file(table, "file", folder, root), table.boolean("body", False)
    if is_body == bool(file):
        table.add_problem("file", "or body = true is required, but not both", "name a file, or write body = true for the recordings")
    start_s, end_s = _parse_span(table)
    part = Part(
        name=table.string("name", "", 64),
        file=file,
        stream=_parse_stream(table),
        kind=table.choice("kind", "speech", ("speech", "music")),
        start_s=start_s,
        end_s=end_s,
        gap_s=_parse_seconds(table, "gap"),
        crossfade_s=_parse_seconds(table, "crossfade"),
        fade_in_s=_parse_seconds(table, "fade_in"),
        fade_out_s=_parse_seconds(table, "fade_out"),
        gain_db=table.number("gain_db", 0.0, -60, 20),
        number=number,
    )
    table.reject_unknown(EPISODE_KEYS)
    return part


def _parse_bed(table: Table, folder: Path, root: Path, names: list[str]) -> Bed:
    """Read one `[[beds]]`: music under a part."""
    bed = Bed(read_file(table, "file", folder, root, required=True), _parse_stream(table), table.string("under", "", 64))
    if bed.under and bed.under not in names:
        hint = suggest(bed.under, names) if names else "name that part"
        table.add_problem("under", f"“{terminal_safe(bed.under)}” is not the name of a part", hint)
    start_s, end_s = _parse_span(table)
    complete = replace(
        bed,
        start_s=start_s or 0.0,
        end_s=end_s,
        fade_in_s=_parse_seconds(table, "fade_in", bed.fade_in_s),
        fade_out_s=_parse_seconds(table, "fade_out", bed.fade_out_s),
        below_lu=table.number("below_lu", bed.below_lu, 0, 40),
        duck_db=table.number("duck_db", bed.duck_db, 0, 40),
    )
    table.reject_unknown(EPISODE_KEYS)
    return complete


def _with_jingles(intro: str, parts: tuple[Part, ...], outro: str) -> tuple[Part, ...]:
    """Add intro and outro to the parts, with a short silence between them and the programme."""
    if intro:
        first = parts[0] if parts[0].gap_s or parts[0].crossfade_s else replace(parts[0], gap_s=MIN_JINGLE_GAP_S)
        parts = (Part("intro", intro, kind="music"), first, *parts[1:])
    return (*parts, Part("outro", outro, kind="music", gap_s=MIN_JINGLE_GAP_S)) if outro else parts


def _parse_span(table: Table) -> tuple[float | None, float | None]:
    """Read `start` and `end`, seconds; None where absent."""
    start_s, end_s = read_time(table, "start"), read_time(table, "end")
    if end_s is not None and end_s <= (start_s or 0.0):
        table.add_problem("end", "is not after start", "give a later time, or remove the key")
    return start_s, end_s


def _parse_seconds(table: Table, key: str, default: float = 0.0) -> float:
    """Read a duration of silence or a fade, seconds."""
    return table.number(key, default, 0, MAX_FADE_S)


def _parse_stream(table: Table) -> str:
    """Read the audio stream of a file: `2`, or `"Micro"`."""
    value = table.values.get("stream")
    return str(table.integer("stream", 1, 1, 99)) if type(value) is int else table.string("stream", "", 128)


def _parse_channel(table: Table) -> str:
    """Read the channel of a recording: `"left"`, `"right"`, `"mono"`, or its number."""
    if type(table.values.get("channel")) is int:
        return str(table.integer("channel", 1, 1, 64))
    return table.choice("channel", CHANNELS[0], CHANNELS) if "channel" in table.values else ""


def _keep_inherited(table: Table, key: str, value: str) -> str:
    """Return the show's jingle, and mark the key as known to the episode."""
    table.string(key)
    return value
