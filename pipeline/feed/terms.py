"""Parsers of a feed's small fields, as hosts write them: dates, numbers, URLs, categories, people, chapters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from urllib.parse import quote, urljoin, urlsplit

from pipeline.directories import CATEGORIES
from pipeline.feed.reading import Element
from pipeline.feed.wording import clean, line, shortened, title
from pipeline.fields import seconds
from pipeline.model import Chapter, Credit, Person
from pipeline.roles import find_role
from pipeline.text import slugify

# Time zones that RFC 2822 does not define and hosts use, in hours
_ZONES: dict[str, float] = {"CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "BST": 1, "WEST": 1, "WET": 0, "EET": 2, "EEST": 3, "MSK": 3}
_ZONES |= {"JST": 9, "IST": 5.5, "AEST": 10, "AEDT": 11}
_UTC = ("UTC", "GMT", "UT", "Z", "+0000", "-0000", "+00:00", "-00:00")
_FRENCH = {"janv": "Jan", "févr": "Feb", "fevr": "Feb", "mars": "Mar", "avr": "Apr", "mai": "May", "juin": "Jun", "juil": "Jul"}
_FRENCH |= {"août": "Aug", "aout": "Aug", "sept": "Sep", "déc": "Dec"}

# An absolute URL that needs no repair, as nearly all
_PLAIN_ADDRESS = re.compile(r"https?://[a-z0-9.-]+/[A-Za-z0-9!$%&'()*+,/:;=@~._-]*(\?[A-Za-z0-9!$%&'()*+,/:;=@~._-]+)?")

# Apple's list before 2019, and the present categories
_OLD = {
    "society & culture > history": "History",
    "society & culture > personal journals": "Society & Culture > Personal Journals",
    "games & hobbies": "Leisure",
    "games & hobbies > video games": "Leisure > Video Games",
    "games & hobbies > automotive": "Leisure > Automotive",
    "games & hobbies > aviation": "Leisure > Aviation",
    "games & hobbies > hobbies": "Leisure > Hobbies",
    "games & hobbies > other games": "Leisure > Games",
    "sports & recreation": "Sports",
    "sports & recreation > outdoor": "Sports > Wilderness",
    "government & organizations": "Government",
    "government & organizations > non-profit": "Business > Non-Profit",
    "science & medicine": "Science",
    "science & medicine > medicine": "Health & Fitness > Medicine",
    "science & medicine > natural sciences": "Science > Natural Sciences",
    "science & medicine > social sciences": "Science > Social Sciences",
    "news & politics": "News",
    "business > business news": "News > Business News",
    "business > management & marketing": "Business > Management",
    "business > shopping": "Business",
    "technology > tech news": "News > Tech News",
    "technology > gadgets": "Technology",
    "technology > podcasting": "Technology",
    "technology > software how-to": "Technology",
    "education > training": "Education > Courses",
    "education > language courses": "Education > Language Learning",
    "education > educational technology": "Education",
    "education > higher education": "Education",
    "education > k-12": "Education",
    "arts > literature": "Arts > Books",
    "health": "Health & Fitness",
    "health > self-help": "Education > Self-Improvement",
    "health > alternative health": "Health & Fitness > Alternative Health",
    "health > fitness & nutrition": "Health & Fitness > Fitness",
    "health > sexuality": "Health & Fitness > Sexuality",
    "religion & spirituality > other": "Religion & Spirituality",
}


def moment(text: str) -> tuple[datetime | None, str]:
    """A date with its zone (RFC 2822, else ISO 8601), and a note on what is wrong or assumed; None when it is invalid."""
    text = line(text[:200])
    if not text:
        return None, "has no date"
    found, zone_known = _rfc_2822(text)
    if found is None:
        found, zone_known = _iso_8601(text)
    if found is None:
        return None, f"has an invalid date, “{text[:60]}”"
    if not 1990 <= found.year <= 2200:
        return None, f"has a date outside 1990 to 2200, “{text[:60]}”"
    return found, "" if zone_known else f"has a date without a known time zone, “{text[:60]}”: read as UTC"


def yes(text: str) -> bool | None:
    """The value of `itunes:explicit` or `itunes:block`; None when it is unknown."""
    word = text.strip().lower()
    return True if word in ("yes", "true", "explicit", "1") else False if word in ("no", "false", "clean", "0") else None


def whole(text: str, most: int) -> int | None:
    """A whole number from 1 to `maximum`; None for anything else."""
    found = re.fullmatch(r"0*(\d{1,9})(?:\.0+)?", text.strip())
    return int(found[1]) if found and 1 <= int(found[1]) <= most else None


def address(text: str, base: str = "") -> str:
    """An http or https URL in ASCII, resolved against `base` when it is relative; empty when it is invalid."""
    return text if _PLAIN_ADDRESS.fullmatch(text) else _mended_address(text, base)


def _mended_address(text: str, base: str) -> str:
    text = re.sub(r"[\x00-\x20\x7f]+", lambda found: "%20" if " " in found[0] else "", text.strip())
    if not text:
        return ""
    try:
        parts = urlsplit(text if not base or re.match("[a-z]+://", text, re.I) else urljoin(base, text))  # joining drops a final “;”
        host = parts.hostname or ""
        if parts.scheme.lower() not in ("http", "https") or not host:
            return ""
        host = host if host.isascii() else host.encode("idna").decode()
        if not re.fullmatch(r"[a-z0-9._~%!$&*+,;=:-]+", host):
            return ""
        port = f":{parts.port}" if parts.port else ""
        user = quote(parts.netloc.rpartition("@")[0] + "@", safe="%:@!$&*+,;=~-._") if "@" in parts.netloc else ""
        path, query, fragment = (quote(part, safe="!#$%&'()*+,/:;=?@[]~-._") for part in (parts.path, parts.query, parts.fragment))
    except ValueError:  # UnicodeError is one
        return ""
    host = f"[{host}]" if ":" in host else host
    tail = (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")
    return f"{parts.scheme.lower()}://{user}{host}{port}{path}{tail}"


def secure(text: str, base: str = "") -> str:
    """An https URL, as `show.toml` requires; empty for anything else."""
    found = address(text, base)
    return found if found.startswith("https://") else ""


def categories(found: Iterable[Element]) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Every `itunes:category` as in Apple's present list, and notes on those that changed or are unknown."""
    kept: dict[tuple[str, ...], None] = {}
    notes: list[str] = []
    for each in found:
        name = title(each.attributes.get("text", "") or each.text)
        subs = [title(sub.attributes.get("text", "")) for sub in each.all("itunes:category")] or [""]
        for sub in subs:
            asked = f"{name} > {sub}" if sub else name
            pair = category(name, sub)
            if pair:
                kept[pair] = None
            if pair is None or " > ".join(pair) != asked:
                told = f"now “{' > '.join(pair)}”" if pair else "is not in Apple's present list: left out"
                notes.append(f"category “{asked[:80]}”: {told}")
    return tuple(kept), tuple(dict.fromkeys(notes))


def category(name: str, sub: str) -> tuple[str, ...] | None:
    """The present category for a name, in any case, or from the list before 2019; None when there is none."""
    old = _OLD.get(f"{name} > {sub}".lower() if sub else name.lower()) or ("" if not sub else _OLD.get(name.lower(), ""))
    wanted, _, wanted_sub = (old or f"{name} > {sub}").partition(" > ")
    main = next((known for known in CATEGORIES if _alike(known) == _alike(wanted)), None)
    if main is None:
        return None
    below = next((known for known in CATEGORIES[main] if wanted_sub and _alike(known) == _alike(wanted_sub)), None)
    return (main, below) if below else (main,)


def people(found: Iterable[tuple[Element, str]]) -> tuple[dict[str, Person], tuple[str, ...]]:
    """The people of a feed, by name in lower case, with the first URL and image given, and notes. Takes elements with their base URL."""
    known: dict[str, Person] = {}
    notes: dict[str, None] = {}
    keys: dict[str, int] = {}
    for each, base in found:
        name = person_name(each)
        if not name:
            continue
        texts = {"url": each.attributes.get("href", ""), "image": each.attributes.get("img", "")}
        links = {key: secure(text, base) for key, text in texts.items()}
        for key, text in texts.items():
            if text.strip() and not links[key]:
                notes[f"{name}: {key} “{line(text)[:200]}” is not an https URL: left out"] = None
        before = known.get(name.casefold())
        if before is None:
            known[name.casefold()] = Person(alone(slugify(name)[:60].strip("-") or "somebody", keys), name, links["url"], links["image"])
        elif (not before.url and links["url"]) or (not before.image and links["image"]):
            known[name.casefold()] = Person(before.key, before.name, before.url or links["url"], before.image or links["image"])
    return known, tuple(notes)


def person_name(found: Element) -> str:
    """The name in a `podcast:person`, at most 128 characters."""
    return shortened(title(found.text), 128)


def alone(base: str, taken: dict[str, int]) -> str:
    """`base`, or `base-2`, `base-3`… when it is taken, at most 80 characters; the result is added to `taken`."""
    name, number = base, taken.get(base, 0)
    while name in taken:
        number += 1
        name = f"{base[: 78 - len(str(number))].strip('-')}-{number + 1}"
    taken[base] = number
    taken[name] = taken.get(name, 0)
    return name


def credits(found: Iterable[Element], known: Mapping[str, Person]) -> tuple[tuple[Credit, ...], tuple[str, ...]]:
    """`podcast:person` elements as credits, without duplicates; a role outside the taxonomy gives a note instead."""
    kept: dict[Credit, None] = {}
    notes = []
    for each in found:
        name = person_name(each)
        role, group = (line(each.attributes.get(key, "")) or default for key, default in (("role", "host"), ("group", "")))
        try:
            place = find_role(f"{role} ({group})" if group else role)
        except ValueError:
            try:
                place = find_role(role)
            except ValueError:
                notes.append(f"{name}: “{role[:60]}” is not a role of the Podcasting 2.0 taxonomy: no credit")
                continue
        if name:
            kept[Credit(known[name.casefold()], *place)] = None
    return tuple(kept), tuple(notes)


def chapters(found: Iterable[tuple[object, str, str]], base: str) -> tuple[tuple[Chapter, ...], tuple[str, ...]]:
    """Chapters in order of time from starts (text or seconds), titles and URLs, at most one a second; and notes on what is left out."""
    kept: dict[int, Chapter] = {}
    notes = []
    for start, text, link in found:
        is_number = isinstance(start, (int, float)) and not isinstance(start, bool)
        start_s = seconds(str(start)) if (is_number or isinstance(start, str)) and len(str(start)) <= 20 else None
        name, url = shortened(title(text), 128), secure(link, base)
        if start_s is None or not start_s < 1e6:
            notes.append(f"chapter “{name[:60]}” starts at “{line(str(start))[:20]}”, which is not a time: left out")
        elif not name:
            notes.append(f"a chapter at {start_s:g} s has no title: left out")
        elif int(start_s) in kept:
            notes.append(f"chapter “{name[:60]}” starts in the same second as another: left out")
        else:
            kept[int(start_s)] = Chapter(round(start_s, 3), name, url)
            if link.strip() and not url:
                notes.append(f"chapter “{name[:60]}”: “{line(link)[:200]}” is not an https URL: left out")
    return tuple(kept[start] for start in sorted(kept)), tuple(notes)


def json_chapters(value: object, base: str) -> tuple[tuple[Chapter, ...], tuple[str, ...]]:
    """The chapters of a JSON file (podcast-namespace, `jsonChapters.md` 1.2), and notes on what is invalid and left out."""
    listed = value.get("chapters") if isinstance(value, dict) else None
    if not isinstance(listed, list):
        return (), ("the JSON chapters file has no list of chapters",)
    shown = [each for each in listed if isinstance(each, dict) and each.get("toc") is not False]
    rows = ((each.get("startTime"), clean(str(each.get("title") or "")), str(each.get("url") or "")) for each in shown)
    kept, notes = chapters(rows, base)
    hidden, pictures = len(listed) - len(shown), sum(bool(each.get("img")) for each in shown)
    told = ((hidden, "chapters with toc = false"), (pictures, "chapter images"))
    more = (f"{what} ({number}) are left out" for number, what in told if number)
    return kept, (*notes, *more)


def _rfc_2822(text: str) -> tuple[datetime | None, bool]:
    english = re.sub(r"[^\W\d_]+\.?", lambda word: _french(word[0]), text)
    try:
        parts = parsedate_tz(english)
        if parts is None or ":" not in text:
            return None, False
        last = text.split()[-1].strip("()")
        offset_s: float | None = parts[9]
        if last.upper() in _ZONES:
            offset_s = _ZONES[last.upper()] * 3600
        known = offset_s is not None and (offset_s != 0 or last.upper() in _UTC)
        zone = timezone(timedelta(seconds=offset_s)) if offset_s else UTC
        return datetime(*parts[:6], tzinfo=zone), known
    except (ValueError, TypeError, IndexError, OverflowError):
        return None, False


def _french(word: str) -> str:
    """The English abbreviation of a French month; any other word unchanged."""
    start = word.lower()[:4].rstrip(".")
    return _FRENCH.get(start) or _FRENCH.get(start[:3]) or word


def _iso_8601(text: str) -> tuple[datetime | None, bool]:
    try:
        found = datetime.fromisoformat(text).replace(microsecond=0)
    except ValueError:
        return None, False
    return (found, True) if found.tzinfo else (found.replace(tzinfo=UTC), False)


def _alike(text: str) -> str:
    return re.sub(r"[^a-z]+", "", text.lower().replace("&amp;", "&").replace(" and ", " & "))
