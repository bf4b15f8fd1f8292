"""Read an episode's audio settings from its TOML: recordings, parts, beds, cleanup, levelling, soundbites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath

from pipeline.fields import file_in, relative, time_in, who
from pipeline.model import Person
from pipeline.sound_model import Bed, Clean, Diarised, Mix, Part, Recording, Soundbite
from pipeline.text import nearest, printable
from pipeline.toml import Table

LEVELS = ("gentle", "strong", "off")
GAP_S = 0.3  # silence between the programme and its intro or outro, unless a gap or crossfade is set
LONGEST_FADE_S = 60.0
EPISODE_KEYS = ("level", "trim_silence", "intro", "outro", "title", "summary", "published", "number", "season", "cover", "explicit")


@dataclass(frozen=True)
class House:
    """The audio settings of a show that its episodes can override."""

    intro: str = ""
    outro: str = ""
    level: str = LEVELS[0]
    clean: Clean = Clean()


def house(table: Table, root: Path) -> House:
    """Read the defaults for episodes from `[audio]` of `show.toml`."""
    intro, outro = (file_in(table, key, root, root) for key in ("intro", "outro"))
    return House(intro, outro, table.choice("level", House.level, LEVELS), clean(table, House.clean))


def mix(table: Table, folder: Path, root: Path, people: Mapping[str, Person], house: House) -> Mix:
    """Read the mix from an `episode.toml`; `house` holds the defaults of the show."""
    start_s, end_s = _span(table)
    recordings = tuple(_recording(each, folder, root, people, clean(table, house.clean)) for each in table.tables("recordings"))
    if not recordings and not table.values.get("recordings"):
        table.problem("recordings", "is missing", "add [[recordings]] with a file for each raw recording")
    body = tuple(_part(each, folder, root, number) for number, each in enumerate(table.tables("parts"), 1)) or (Part(),)
    if all(part.file for part in body):
        table.problem("parts", "do not include the recordings", "give one of the parts body = true instead of a file")
    beds = tuple(_bed(each, folder, root, [part.name for part in body if part.name]) for each in table.tables("beds"))
    intro, outro = (
        file_in(table, key, folder, root) if key in table.values else _unasked(table, key, of_show)
        for key, of_show in (("intro", house.intro), ("outro", house.outro))
    )
    level = table.choice("level", house.level, LEVELS)
    return Mix(recordings, _between(intro, body, outro), beds, level, table.flag("trim_silence", True), start_s or 0.0, end_s)


def diarised(table: Table, folder: Path, root: Path, people: Mapping[str, Person]) -> tuple[Diarised, ...]:
    """Read the `diarisation` of each recording that has one: who speaks when, as another program found it."""
    found = []
    recordings = table.values.get("recordings")
    if not isinstance(recordings, list) or not all(isinstance(each, dict) for each in recordings):
        return ()  # reported by `parse_mix`
    for number, each in enumerate(table.tables("recordings")):
        file = file_in(each, "diarisation", folder, root)
        names = each.table("speakers")
        speakers = tuple((name, names.text(name)) for name in names.values)
        for name, key in speakers:
            if key and key not in people:
                names.problem(name, f"“{printable(key)}” is not a person in show.toml", who(key, people))
        if file and each.values.get("voice"):
            each.problem("voice", "and diarisation both name the speakers", "remove one of them")
        elif names.values and not file:
            each.problem("speakers", "needs a diarisation file", 'add diarisation = "….rttm"')
        elif file:
            recording = PurePosixPath(str(each.values.get("file", "")))
            found.append(Diarised(file, number, recording.stem, speakers))
    return tuple(found)


def clean(table: Table, default: Clean) -> Clean:
    """Read `clean = { hum = true }`; steps it does not name are taken from `default`."""
    wanted = table.table("clean")
    found = Clean(**{field.name: wanted.flag(field.name, getattr(default, field.name)) for field in fields(Clean)})
    wanted.end()
    return found


def soundbites(table: Table) -> tuple[Soundbite, ...]:
    """Read `[[soundbites]]`, in published time: a start, and a duration or an end."""
    return tuple(_soundbite(each) for each in table.tables("soundbites"))


def _soundbite(table: Table) -> Soundbite:
    start_s, duration_s = time_in(table, "start"), time_in(table, "duration")
    end_s = time_in(table, "end")
    if start_s is None:
        table.problem("start", "is missing", "write it like “0:31”")
    if duration_s is None and end_s is not None and start_s is not None:
        if end_s <= start_s:
            table.problem("end", "is not after start", "give a later time, or a duration")
        duration_s = end_s - start_s if end_s > start_s else 1.0
    if duration_s is None or not 1 <= duration_s <= 600:
        table.problem("duration", "is missing or not between 1 and 600 s", "give duration or end; players like 15 to 120 s")
        duration_s = 1.0
    bite = Soundbite(start_s or 0.0, duration_s, table.text("title", "", 128))
    table.end()
    return bite


def _recording(table: Table, folder: Path, root: Path, people: Mapping[str, Person], default: Clean) -> Recording:
    """Read one `[[recordings]]`. Its file is checked when the episode is built, so that a bad recording stops only that episode."""
    file, voice = table.text("file", ...), table.text("voice")
    if voice and voice not in people:
        table.problem("voice", f"“{printable(voice)}” is not a person in show.toml", who(voice, people))
    recording = Recording(relative(folder / file, root), voice, _stream(table), clean(table, default))
    for of_speakers in ("diarisation", "speakers"):  # read by `parse_diarisation`: assigning a name must not cause a new mix
        table.known(of_speakers)
    table.end(EPISODE_KEYS)
    return recording


def _part(table: Table, folder: Path, root: Path, number: int) -> Part:
    """Read one `[[parts]]`: a file, or the recordings."""
    file, is_body = file_in(table, "file", folder, root), table.flag("body", False)
    if is_body == bool(file):
        table.problem("file", "or body = true is required, but not both", "name a file, or write body = true for the recordings")
    start_s, end_s = _span(table)
    part = Part(
        name=table.text("name", "", 64),
        file=file,
        stream=_stream(table),
        kind=table.choice("kind", "speech", ("speech", "music")),
        start_s=start_s,
        end_s=end_s,
        gap_s=_length(table, "gap"),
        crossfade_s=_length(table, "crossfade"),
        fade_in_s=_length(table, "fade_in"),
        fade_out_s=_length(table, "fade_out"),
        gain_db=table.number("gain_db", 0.0, -60, 20),
        number=number,
    )
    table.end(EPISODE_KEYS)
    return part


def _bed(table: Table, folder: Path, root: Path, names: list[str]) -> Bed:
    """Read one `[[beds]]`: music under a part."""
    bed = Bed(file_in(table, "file", folder, root, required=True), _stream(table), table.text("under", "", 64))
    if bed.under and bed.under not in names:
        hint = nearest(bed.under, names) if names else "name that part"
        table.problem("under", f"“{printable(bed.under)}” is not the name of a part", hint)
    start_s, end_s = _span(table)
    complete = replace(
        bed,
        start_s=start_s or 0.0,
        end_s=end_s,
        fade_in_s=_length(table, "fade_in", bed.fade_in_s),
        fade_out_s=_length(table, "fade_out", bed.fade_out_s),
        below_lu=table.number("below_lu", bed.below_lu, 0, 40),
        duck_db=table.number("duck_db", bed.duck_db, 0, 40),
    )
    table.end(EPISODE_KEYS)
    return complete


def _between(intro: str, body: tuple[Part, ...], outro: str) -> tuple[Part, ...]:
    """Add intro and outro to the parts, with a short silence between them and the programme."""
    if intro:
        first = body[0] if body[0].gap_s or body[0].crossfade_s else replace(body[0], gap_s=GAP_S)
        body = (Part("intro", intro, kind="music"), first, *body[1:])
    return (*body, Part("outro", outro, kind="music", gap_s=GAP_S)) if outro else body


def _span(table: Table) -> tuple[float | None, float | None]:
    """Read `start` and `end`, seconds; None where absent."""
    start_s, end_s = time_in(table, "start"), time_in(table, "end")
    if end_s is not None and end_s <= (start_s or 0.0):
        table.problem("end", "is not after start", "give a later time, or remove the key")
    return start_s, end_s


def _length(table: Table, key: str, default: float = 0.0) -> float:
    """Read a duration of silence or a fade, seconds."""
    return table.number(key, default, 0, LONGEST_FADE_S)


def _stream(table: Table) -> str:
    """Read the audio stream of a file: `2`, or `"Micro"`."""
    value = table.values.get("stream")
    return str(table.whole("stream", 1, 1, 99)) if type(value) is int else table.text("stream", "", 128)


def _unasked(table: Table, key: str, value: str) -> str:
    """Return the show's jingle, and mark the key as known to the episode."""
    table.text(key)
    return value
