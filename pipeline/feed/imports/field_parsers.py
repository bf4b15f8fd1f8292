"""Parsers of a feed's small fields, as hosts write them: dates, numbers, URLs, categories, people, chapters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from urllib.parse import quote, urljoin, urlsplit

from pipeline.config import parse_time
from pipeline.feed.imports.html_text import clean_title, remove_controls, single_line, truncate
from pipeline.feed.imports.xml_reader import Element
from pipeline.model import CATEGORIES, Chapter, Credit, Person, find_role, slugify

# Time zones that RFC 2822 does not define and hosts use, in hours
_ZONE_HOURS: dict[str, float] = {"CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "BST": 1, "WEST": 1, "WET": 0, "EET": 2, "EEST": 3, "MSK": 3}
_ZONE_HOURS |= {"JST": 9, "IST": 5.5, "AEST": 10, "AEDT": 11, "ACST": 9.5, "ACDT": 10.5, "AWST": 8, "NZST": 12, "NZDT": 13, "SAST": 2}
_ZONE_HOURS |= {"HKT": 8, "SGT": 8, "KST": 9, "PKT": 5, "BRT": -3, "ART": -3, "AKST": -9, "AKDT": -8, "HST": -10, "NST": -3.5, "NDT": -2.5}
# A time and its distance from UTC: “+01:00”, “GMT+0100”, “UTC-5”, “−0500 (EST)”
_OFFSET = re.compile(
    r"(.*\d:\d\d(?::\d\d(?:[.,]\d+)?)?)\s*(?:GMT|UTC|UT|Z)?\s*([+\-\u2212\u2013])\s?(\d{1,2}):?(\d\d)?\s*(?:\(.*\))?", re.I
)
_PLACE = re.compile(r"(.*\d:\d\d(?::\d\d)?)\s+\[?([A-Z][A-Za-z]+/[A-Za-z_+/-]+)\]?")
_HALF_DAY = re.compile(r"\b(\d{1,2}):(\d\d)(:\d\d)?\s*([AP])\.?M\b\.?", re.I)
_UTC_NAMES = ("UTC", "GMT", "UT", "Z", "+0000", "-0000", "+00:00", "-00:00")
_FRENCH_MONTHS = {"janv": "Jan", "févr": "Feb", "fevr": "Feb", "mars": "Mar", "avr": "Apr", "mai": "May", "juin": "Jun", "juil": "Jul"}
_FRENCH_MONTHS |= {"août": "Aug", "aout": "Aug", "sept": "Sep", "déc": "Dec"}

# An absolute URL that needs no repair, as nearly all
_NORMAL_URL = re.compile(r"https?://[a-z0-9.-]+/[A-Za-z0-9!$%&'()*+,/:;=@~._-]*(\?[A-Za-z0-9!$%&'()*+,/:;=@~._-]+)?")

# Apple's list before 2019, and the present categories
_LEGACY_CATEGORIES = {
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


def parse_date(text: str) -> tuple[datetime | None, str]:
    """A date with its zone (RFC 2822, else ISO 8601), and a note on what is wrong or assumed; None when it is invalid."""
    text = single_line(text[:200])
    if not text:
        return None, "has no date"
    text = _normalise_zone(text)
    date, zone_known = _parse_rfc2822(text)
    if date is None:
        date, zone_known = _parse_iso8601(text)
    if date is None:
        return None, f"has an invalid date, “{text[:60]}”"
    if not 1990 <= date.year <= 2200:
        return None, f"has a date outside 1990 to 2200, “{text[:60]}”"
    return date, "" if zone_known else f"has a date without a known time zone, “{text[:60]}”: read as UTC"


def parse_bool(text: str) -> bool | None:
    """The value of `itunes:explicit` or `itunes:block`; None when it is unknown."""
    word = text.strip().lower()
    return True if word in ("yes", "true", "explicit", "1") else False if word in ("no", "false", "clean", "0") else None


def parse_int(text: str, maximum: int) -> int | None:
    """A whole number from 1 to `maximum`; None for anything else."""
    found = re.fullmatch(r"0*(\d{1,9})(?:\.0+)?", text.strip())
    return int(found[1]) if found and 1 <= int(found[1]) <= maximum else None


def normalise_url(text: str, base: str = "") -> str:
    """An http or https URL in ASCII, resolved against `base` when it is relative; empty when it is invalid."""
    return text if _NORMAL_URL.fullmatch(text) else _repair_url(text, base)


def _repair_url(text: str, base: str) -> str:
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


def https_url(text: str, base: str = "") -> str:
    """An https URL, as `show.toml` requires; empty for anything else."""
    url = normalise_url(text, base)
    return url if url.startswith("https://") else ""


def parse_categories(elements: Iterable[Element]) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Every `itunes:category` as in Apple's present list, and notes on those that changed or are unknown."""
    known: dict[tuple[str, ...], None] = {}
    notes: list[str] = []
    for each in elements:
        name = clean_title(each.attributes.get("text", "") or each.text)
        subs = [clean_title(sub.attributes.get("text", "")) for sub in each.find_all("itunes:category")] or [""]
        for sub in subs:
            full_name = f"{name} > {sub}" if sub else name
            pair = match_category(name, sub)
            if pair:
                known[pair] = None
            if pair is None or " > ".join(pair) != full_name:
                outcome = f"now “{' > '.join(pair)}”" if pair else "is not in Apple's present list: left out"
                notes.append(f"category “{full_name[:80]}”: {outcome}")
    return tuple(known), tuple(dict.fromkeys(notes))


def match_category(name: str, sub: str) -> tuple[str, ...] | None:
    """The present category for a name, in any case, or from the list before 2019; None when there is none."""
    old = _LEGACY_CATEGORIES.get(f"{name} > {sub}".lower() if sub else name.lower()) or (
        "" if not sub else _LEGACY_CATEGORIES.get(name.lower(), "")
    )
    wanted, _, wanted_sub = (old or f"{name} > {sub}").partition(" > ")
    main = next((known for known in CATEGORIES if _category_key(known) == _category_key(wanted)), None)
    if main is None:
        return None
    subcategory = next((known for known in CATEGORIES[main] if wanted_sub and _category_key(known) == _category_key(wanted_sub)), None)
    return (main, subcategory) if subcategory else (main,)


def parse_people(elements: Iterable[tuple[Element, str]]) -> tuple[dict[str, Person], tuple[str, ...]]:
    """The people of a feed, by name in lower case, with the first URL and image given, and notes. Takes elements with their base URL."""
    by_name: dict[str, Person] = {}
    notes: dict[str, None] = {}
    keys: dict[str, int] = {}
    for each, base in elements:
        name = person_name(each)
        if not name:
            continue
        texts = {"url": each.attributes.get("href", ""), "image": each.attributes.get("img", "")}
        links = {key: https_url(text, base) for key, text in texts.items()}
        for key, text in texts.items():
            if text.strip() and not links[key]:
                notes[f"{name}: {key} “{single_line(text)[:200]}” is not an https URL: left out"] = None
        existing = by_name.get(name.casefold())
        if existing is None:
            by_name[name.casefold()] = Person(
                unique_name(slugify(name)[:60].strip("-") or "somebody", keys), name, links["url"], links["image"]
            )
        elif (not existing.url and links["url"]) or (not existing.image and links["image"]):
            by_name[name.casefold()] = Person(existing.key, existing.name, existing.url or links["url"], existing.image or links["image"])
    return by_name, tuple(notes)


def person_name(found: Element) -> str:
    """The name in a `podcast:person`, at most 128 characters."""
    return truncate(clean_title(found.text), 128)


def unique_name(base: str, taken: dict[str, int]) -> str:
    """`base`, or `base-2`, `base-3`… when it is taken, at most 80 characters; the result is added to `taken`."""
    name, number = base, taken.get(base, 0)
    while name in taken:
        number += 1
        name = f"{base[: 78 - len(str(number))].strip('-')}-{number + 1}"
    taken[base] = number
    taken[name] = taken.get(name, 0)
    return name


def parse_credits(elements: Iterable[Element], people: Mapping[str, Person]) -> tuple[tuple[Credit, ...], tuple[str, ...]]:
    """`podcast:person` elements as credits, without duplicates; a role outside the taxonomy gives a note instead."""
    kept: dict[Credit, None] = {}
    notes = []
    for each in elements:
        name = person_name(each)
        role, group = (single_line(each.attributes.get(key, "")) or default for key, default in (("role", "host"), ("group", "")))
        try:
            role_and_group = find_role(f"{role} ({group})" if group else role)
        except ValueError:
            try:
                role_and_group = find_role(role)
            except ValueError:
                notes.append(f"{name}: “{role[:60]}” is not a role of the Podcasting 2.0 taxonomy: no credit")
                continue
        if name:
            kept[Credit(people[name.casefold()], *role_and_group)] = None
    return tuple(kept), tuple(notes)


def parse_chapters(rows: Iterable[tuple[object, str, str]], base: str) -> tuple[tuple[Chapter, ...], tuple[str, ...]]:
    """Chapters in order of time from starts (text or seconds), titles and URLs, at most one a second; and notes on what is left out."""
    kept: dict[int, Chapter] = {}
    notes = []
    for start, text, link in rows:
        is_number = isinstance(start, (int, float)) and not isinstance(start, bool)
        start_s = parse_time(str(start)) if (is_number or isinstance(start, str)) and len(str(start)) <= 20 else None
        name, url = truncate(clean_title(text), 128), https_url(link, base)
        if start_s is None or not start_s < 1e6:
            notes.append(f"chapter “{name[:60]}” starts at “{single_line(str(start))[:20]}”, which is not a time: left out")
        elif not name:
            notes.append(f"a chapter at {start_s:g} s has no title: left out")
        elif int(start_s) in kept:
            notes.append(f"chapter “{name[:60]}” starts in the same second as another: left out")
        else:
            kept[int(start_s)] = Chapter(round(start_s, 3), name, url)
            if link.strip() and not url:
                notes.append(f"chapter “{name[:60]}”: “{single_line(link)[:200]}” is not an https URL: left out")
    return tuple(kept[start] for start in sorted(kept)), tuple(notes)


def parse_json_chapters(value: object, base: str) -> tuple[tuple[Chapter, ...], tuple[str, ...]]:
    """The chapters of a JSON file (podcast-namespace, `jsonChapters.md` 1.2), and notes on what is invalid and left out."""
    listed = value.get("chapters") if isinstance(value, dict) else None
    if not isinstance(listed, list):
        return (), ("the JSON chapters file has no list of chapters",)
    visible = [each for each in listed if isinstance(each, dict) and each.get("toc") is not False]
    rows = ((each.get("startTime"), remove_controls(str(each.get("title") or "")), str(each.get("url") or "")) for each in visible)
    kept, notes = parse_chapters(rows, base)
    hidden, pictures = len(listed) - len(visible), sum(bool(each.get("img")) for each in visible)
    losses = ((hidden, "chapters with toc = false"), (pictures, "chapter images"))
    loss_notes = (f"{label} ({number}) are left out" for number, label in losses if number)
    return kept, (*notes, *loss_notes)


def _normalise_zone(text: str) -> str:
    """The date with its time in 24 hours and its zone as `+0100`, however it is written; a zone's name stays."""
    text = _HALF_DAY.sub(lambda found: f"{int(found[1]) % 12 + 12 * (found[4] in 'pP'):02}:{found[2]}{found[3] or ''}", text)
    if found := _PLACE.fullmatch(text):
        return _with_place(found[1], found[2]) or text
    if not (found := _OFFSET.fullmatch(text)):
        return text
    space = "" if re.match(r"\d{4}-", text) else " "  # ISO 8601 has none
    return f"{found[1]}{space}{'+' if found[2] == '+' else '-'}{int(found[3]):02}{found[4] or '00'}"


def _with_place(text: str, place: str) -> str:
    """A date with the distance from UTC that a place (`Europe/Paris`) has then; empty when the place or the date is unknown."""
    from zoneinfo import ZoneInfo

    try:
        date = _parse_rfc2822(text)[0] or _parse_iso8601(text)[0]
        return f"{text} {date.replace(tzinfo=ZoneInfo(place)):%z}" if date else ""
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return ""


def _parse_rfc2822(text: str) -> tuple[datetime | None, bool]:
    english = re.sub(r"[^\W\d_]+\.?", lambda word: _english_month(word[0]), text)
    try:
        parts = parsedate_tz(english)
        if parts is None or ":" not in text:
            return None, False
        last = text.split()[-1].strip("()")
        offset_s: float | None = parts[9]
        if last.upper() in _ZONE_HOURS:
            offset_s = _ZONE_HOURS[last.upper()] * 3600
        is_zone_known = offset_s is not None and (offset_s != 0 or last.upper() in _UTC_NAMES)
        zone = timezone(timedelta(seconds=offset_s)) if offset_s else UTC
        return datetime(*parts[:6], tzinfo=zone), is_zone_known
    except (ValueError, TypeError, IndexError, OverflowError):
        return None, False


def _english_month(word: str) -> str:
    """The English abbreviation of a French month; any other word unchanged."""
    start = word.lower()[:4].rstrip(".")
    return _FRENCH_MONTHS.get(start) or _FRENCH_MONTHS.get(start[:3]) or word


def _parse_iso8601(text: str) -> tuple[datetime | None, bool]:
    try:
        date = datetime.fromisoformat(text).replace(microsecond=0)
    except ValueError:
        return None, False
    return (date, True) if date.tzinfo else (date.replace(tzinfo=UTC), False)


def _category_key(text: str) -> str:
    return re.sub(r"[^a-z]+", "", text.lower().replace("&amp;", "&").replace(" and ", " & "))
