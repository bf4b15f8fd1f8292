"""A strict WebVTT parser: it accepts only what the W3C's syntax for authors allows, while players tolerate more."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

_STAMP = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMES = re.compile(rf"{_STAMP}[ \t]+-->[ \t]+{_STAMP}((?:[ \t]+[^ \t]+)*)")
_SETTING = re.compile(
    r"vertical:(?:rl|lr)|line:(?:-?\d+|\d+(?:\.\d+)?%)(?:,(?:start|center|end))?|position:\d+(?:\.\d+)?%(?:,(?:line-left|center|line-right))?|"
    r"size:\d+(?:\.\d+)?%|align:(?:start|center|end|left|right)|region:[^\s]+"
)
_TAG = re.compile(r"<(?P<end>/)?(?P<name>c|i|b|u|ruby|rt|v|lang)?(?P<classes>(?:\.[^\t\n\r &<>.]+)*)(?:[ \t](?P<annotation>[^\n\r<>]*))?>")
_INNER_TIME = re.compile(rf"<{_STAMP}>")
_REFERENCE = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")


class WebVTTSyntaxError(AssertionError):
    """A violation of the syntax, and where it is."""


@dataclass(frozen=True)
class Cue:
    """A cue: its times, speaker, the speaker's role, and its lines without markup; `classes` are those of its spans."""

    start_s: float
    end_s: float
    voice: str
    role: str
    lines: tuple[str, ...]
    classes: tuple[str, ...]


def read(content: bytes) -> tuple[Cue, ...]:
    """The cues of a file; `WebVTTSyntaxError` at the first violation of the syntax."""
    text = content.decode("utf-8").removeprefix("\ufeff")
    _require("\0" not in text, "U+0000", text)
    lines = re.split(r"\r\n|\n|\r", text)
    _require(re.fullmatch(r"WEBVTT(?:[ \t][^\n]*)?", lines[0]) is not None, "the first line", lines[0])
    _require(lines[-1] == "", "no line end at the end", lines[-1])
    _require(len(lines) > 1 and lines[1] == "", "no empty line after the first", lines[0])
    found: list[Cue] = []
    for block in _blocks(lines[1:]):
        if re.match(r"(?:NOTE|STYLE|REGION)(?:[ \t]|$)", block[0]):
            _require(not any("-->" in line for line in block), "an arrow in a comment", block[0])
            _require(block[0].startswith("NOTE") or not found, "a style or region after a cue", block[0])
            continue
        found.append(_cue(block, found[-1].start_s if found else 0.0))
    return tuple(found)


def _require(holds: bool, what: str, where: str) -> None:
    if not holds:
        raise WebVTTSyntaxError(f"{what}: {where!r}")


def _blocks(lines: list[str]) -> list[list[str]]:
    """The blocks of non-empty lines."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line:
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _cue(block: list[str], after_s: float) -> Cue:
    if "-->" not in block[0]:  # an identifier
        block = block[1:]
    times = _TIMES.fullmatch(block[0] if block else "")
    _require(times is not None, "times", block[0] if block else "")
    start_s, end_s = _seconds(times.groups()[:4]), _seconds(times.groups()[4:8])
    names = [setting.split(":")[0] for setting in times[9].split()]
    _require(all(_SETTING.fullmatch(setting) for setting in times[9].split()) and len(set(names)) == len(names), "a setting", block[0])
    _require(start_s < end_s, "it ends before it starts", block[0])
    _require(start_s >= after_s, "it starts before the one before", block[0])
    _require(len(block) > 1, "no text", block[0])
    text = "\n".join(block[1:])
    _require("-->" not in text, "an arrow in the text", text)
    return _payload(text, start_s, end_s)


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in parts)
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def _payload(text: str, start_s: float, end_s: float) -> Cue:
    """Text, character references and spans, properly nested."""
    stack: list[str] = []
    shown, voices, classes = "", [], []
    place, reached_s = 0, start_s
    while place < len(text):
        if text[place] == "<":
            if inner := _INNER_TIME.match(text, place):
                moment_s = _seconds(inner.groups())
                _require(reached_s < moment_s < end_s, "a time inside out of order", inner[0])
                reached_s, place = moment_s, inner.end()
                continue
            tag = _TAG.match(text, place)
            _require(tag is not None and tag["name"] is not None, "a tag", text[place : place + 30])
            place = tag.end()
            if tag["end"]:
                _require(
                    bool(stack) and stack.pop() == tag["name"] and not tag["classes"] and tag["annotation"] is None, "an end tag", tag[0]
                )
                continue
            _check_start_tag(tag, stack)
            if tag["name"] == "v":
                voices.append((_plain(tag["annotation"]), tag["classes"][1:], shown.strip()))
            elif tag["classes"]:
                classes.extend(tag["classes"][1:].split("."))
            stack.append(tag["name"])
        elif text[place] == "&":
            reference = _REFERENCE.match(text, place)
            _require(reference is not None, "an ampersand that is not escaped", text[place : place + 30])
            shown += _plain(reference[0])
            place = reference.end()
        else:
            _require(text[place] != ">", "a > that is not escaped", text)
            shown += text[place]
            place += 1
    _require(stack in ([], ["v"]) and not (stack and (len(voices) > 1 or voices[0][2])), "a span that is not closed", text)
    who = voices[0] if voices else ("", "", "")
    return Cue(start_s, end_s, who[0], who[1], tuple(shown.split("\n")), tuple(classes))


def _check_start_tag(tag: re.Match[str], stack: list[str]) -> None:
    """Check a start tag: only `v` and `lang` have an annotation, and need one; `rt` is inside `ruby`."""
    name, annotation = tag["name"], tag["annotation"]
    _require((annotation is not None) == (name in ("v", "lang")), "an annotation", tag[0])
    _require(annotation is None or bool(_plain(annotation).strip()), "an empty annotation", tag[0])
    _require(name != "rt" or (bool(stack) and stack[-1] == "ruby"), "rt outside ruby", tag[0])


def _plain(text: str) -> str:
    """Text with its character references replaced; each must be a known one."""
    _require("&" not in _REFERENCE.sub("", text), "an ampersand that is not escaped", text)
    for reference in _REFERENCE.findall(text):
        _require(html.unescape(reference) != reference, "an unknown reference", reference)
    return html.unescape(text)
