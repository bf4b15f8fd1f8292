"""The show of an imported feed: the fields of its `<channel>` as the values of `show.toml`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pipeline.feed import podcast_guid
from pipeline.feed.imports import field_parsers
from pipeline.feed.imports.html_text import clean_title, single_line, truncate
from pipeline.feed.imports.item import summary_and_description
from pipeline.feed.imports.namespace_tags import read_license
from pipeline.feed.imports.xml_reader import Element
from pipeline.model import ShowInfo, slugify

# Domains of podcast hosts: a page there is not the show's own site
_HOSTING_DOMAINS = frozenset(
    """
    acast.com anchor.fm apple.com art19.com audioboom.com audiomeans.fr ausha.co blubrry.com buzzsprout.com captivate.fm castos.com
    deezer.com fireside.fm hearthis.at ivoox.com libsyn.com megaphone.fm omny.fm podbean.com podcastics.com podigee.io podomatic.com
    redcircle.com rss.com simplecast.com soundcloud.com spotify.com spreaker.com transistor.fm vodio.fr youtube.com zencastr.com
    """.split()
)


def parse_show_info(root: Element, base: str, feed_url: str, website: str = "") -> tuple[ShowInfo, list[str]]:
    """The show without its credits, and notes on what was lost or guessed; without `website`, the site is guessed from the feed."""
    notes: list[str] = []
    name = clean_title(root.find_text("title", "itunes:title"))
    if not name:
        notes.append("the feed has no title: set title in show.toml")
        name = "Titre à écrire"
    summary, description, text_notes = summary_and_description(root, max_chars=4000)
    author = clean_title(root.find_text("itunes:author", "dc:creator", "managingEditor"))
    if not author:
        notes.append("the feed has no author: the show's title is used, see author in show.toml")
    categories, category_notes = field_parsers.parse_categories(root.find_all("itunes:category"))
    if not categories:
        notes.append("categories: none is in Apple's list: set at least one in show.toml before you build")
    info = ShowInfo(
        title=truncate(name, 255),
        description=description or summary or name,
        author=truncate(author or name, 255),
        website=website or _website(root, base, notes),
        language=_language(root, notes),
        email=_email(root),
        copyright=_copyright(root, notes),
        license=read_license(root, base, notes)[0],
        categories=categories,
        kind=_kind(root, notes),
        explicit=_explicit(root, notes),
        cover_alt=_cover_alt(root),
        guid=_guid(root, feed_url, notes),
    )
    return info, [*notes, *text_notes, *category_notes, *_warnings(root, feed_url, info)]


def _warnings(root: Element, feed_url: str, info: ShowInfo) -> list[str]:
    """Warnings about the feed itself."""
    new_feed_url = field_parsers.normalise_url(root.find_text("itunes:new-feed-url"))
    warnings = []
    if new_feed_url and new_feed_url != feed_url:
        warnings.append(f"the feed has moved to {new_feed_url} (itunes:new-feed-url): import that one unless it is the same")
    if info.email:
        warnings.append(f"email: {info.email} will be public in the feed (podcast:locked)")
    return warnings


def self_link_url(root: Element) -> str:
    """The URL in the feed's `atom:link rel="self"`; empty when there is none."""
    links = (each for each in root.find_all("atom:link") if each.attributes.get("rel") == "self")
    return next(filter(None, (field_parsers.normalise_url(each.attributes.get("href", "")) for each in links)), "")


def _guid(root: Element, feed_url: str, notes: list[str]) -> str:
    declared = single_line(root.find_text("podcast:guid"))
    if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", declared):
        return declared
    if declared:
        notes.append(f"podcast:guid “{declared[:60]}” is not a UUID: left out")
    if not feed_url:
        notes.append("the feed has no podcast:guid and no self link: a GUID is made from the new address at the first build")
        return ""
    notes.append(f"the feed has no podcast:guid: made from its address, {feed_url}")
    return podcast_guid(feed_url)


def _website(root: Element, base: str, notes: list[str]) -> str:
    """The show's own site, unless it is a page at its podcast host, where only the host can publish."""
    declared = field_parsers.normalise_url(root.find_text("link"), base)
    website = re.sub(r"^http:", "https:", re.sub(r"[?#\"].*", "", declared))
    advice = "set website in show.toml to where you will publish, and have the old feed redirect to its feed.xml"
    if not website or _is_hosted(website):
        website = f"https://podcast.example.org/{slugify(clean_title(root.find_text('title')))[:60].strip('-') or 'show'}/"
        notes.append(
            f"website: {website} is a placeholder{f', because {declared} belongs to the podcast host' if declared else ''}: {advice}"
        )
    else:
        website = website if website.endswith("/") else f"{website}/"
        notes.append(f"website: {website} is a guess: {advice}")
    return website


def _is_hosted(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return any(f".{host}".endswith(f".{each}") for each in _HOSTING_DOMAINS)


def _language(root: Element, notes: list[str]) -> str:
    text = single_line(root.find_text("language")).replace("_", "-")
    found = re.match(r"([a-z]{2})(?:-([a-z]{2})\b)?(?![a-z])", text, re.I)
    if not found:
        notes.append(f"language: {f'“{text[:40]}” is unknown' if text else 'the feed declares none'}: fr is assumed, see show.toml")
        return "fr"
    return found[1].lower() + (f"-{found[2]}" if found[2] else "")


def _email(root: Element) -> str:
    owners = [each.find_text("itunes:email") for each in root.find_all("itunes:owner")]
    locked_owners = (each.attributes.get("owner", "") for each in root.find_all("podcast:locked"))
    found = (single_line(text) for text in (*locked_owners, *owners))
    return next((text for text in found if re.fullmatch(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", text)), "")


def _copyright(root: Element, notes: list[str]) -> str:
    text = clean_title(root.find_text("copyright"))
    text_of_one = re.sub(r"(?i)(©|℗|\([cp]\))\s*(?:&|/|\+|and|et)\s*(?=©|℗|\([cp]\))", r"\1 ", text)  # “℗ & © 2014 X”
    holder = re.sub(r"(?i)\bcopyright\b|©|℗|\([cp]\)|&copy;|\b(?:19|20)\d\d(?:\s*[-–]\s*(?:(?:19|20)\d\d|present))?", "", text_of_one)
    holder = single_line(holder)
    if holder != text:
        holder = re.sub(r"^(?:[\s,;:/.–—-]|\b(?:by|par|all rights reserved)\b)+", "", holder, flags=re.I)
        holder = re.sub(r"[\s,;:/–—-]+$|[\s,;:.–—-]*\b(?:all rights reserved|tous droits réservés)\b.*$", "", holder, flags=re.I)
        notes.append(f"copyright: “{text[:80]}” is shortened to the holder, “{holder[:80]}”, as directories require")
    return truncate(holder, 255)


def _kind(root: Element, notes: list[str]) -> str:
    kind = single_line(root.find_text("itunes:type")).lower() or "episodic"
    if kind not in ("episodic", "serial"):
        notes.append(f"type: “{kind[:40]}” is unknown: episodic is used")
        return "episodic"
    return kind


def _explicit(root: Element, notes: list[str]) -> bool:
    text = root.find_text("itunes:explicit")
    if text and field_parsers.parse_bool(text) is None:
        notes.append(f"explicit: “{single_line(text)[:40]}” is neither true nor false: false is used")
    return bool(field_parsers.parse_bool(text))


def _cover_alt(root: Element) -> str:
    return truncate(
        next((single_line(each.attributes["alt"]) for each in root.find_all("podcast:image") if each.attributes.get("alt")), ""), 255
    )


def cover_url(root: Element, base: str) -> str:
    """The URL of the cover; empty when there is none."""
    links = [each.attributes.get("href", "") for each in root.find_all("itunes:image")]
    links += [each.find_text("url") for each in root.find_all("image")]
    return next(filter(None, (field_parsers.normalise_url(link, base) for link in links)), "")
