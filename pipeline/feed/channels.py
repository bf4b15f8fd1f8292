"""The show of an imported feed: the fields of its `<channel>` as the values of `show.toml`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pipeline.feed import terms
from pipeline.feed.imported_item import texts
from pipeline.feed.imported_keys import license_of
from pipeline.feed.ledger import podcast_guid
from pipeline.feed.reading import Element
from pipeline.feed.wording import line, shortened, title
from pipeline.model import ShowInfo
from pipeline.text import slugify

# Domains of podcast hosts: a page there is not the show's own site
_HOSTS = frozenset(
    """
    acast.com anchor.fm apple.com art19.com audioboom.com audiomeans.fr ausha.co blubrry.com buzzsprout.com captivate.fm castos.com
    deezer.com fireside.fm hearthis.at ivoox.com libsyn.com megaphone.fm omny.fm podbean.com podcastics.com podigee.io podomatic.com
    redcircle.com rss.com simplecast.com soundcloud.com spotify.com spreaker.com transistor.fm vodio.fr youtube.com zencastr.com
    """.split()
)


def show_info(root: Element, base: str, feed_url: str, website: str = "") -> tuple[ShowInfo, list[str]]:
    """The show without its credits, and notes on what was lost or guessed; without `website`, the site is guessed from the feed."""
    notes: list[str] = []
    name = title(root.words("title", "itunes:title"))
    if not name:
        notes.append("the feed has no title: set title in show.toml")
        name = "Titre à écrire"
    summary, description, text_notes = texts(root)
    author = title(root.words("itunes:author", "dc:creator", "managingEditor"))
    if not author:
        notes.append("the feed has no author: the show's title is used, see author in show.toml")
    categories, category_notes = terms.categories(root.all("itunes:category"))
    if not categories:
        notes.append("categories: none is in Apple's list: set at least one in show.toml before you build")
    info = ShowInfo(
        title=shortened(name, 255),
        description=description or summary or name,
        author=shortened(author or name, 255),
        website=website or _website(root, base, notes),
        language=_language(root, notes),
        email=_email(root),
        copyright=_copyright(root, notes),
        license=license_of(root, base, notes)[0],
        categories=categories,
        kind=_kind(root, notes),
        explicit=_explicit(root, notes),
        cover_alt=_alt(root),
        guid=_guid(root, feed_url, notes),
    )
    return info, [*notes, *text_notes, *category_notes, *_told(root, feed_url, info)]


def _told(root: Element, feed_url: str, info: ShowInfo) -> list[str]:
    """Warnings about the feed itself."""
    moved = terms.address(root.words("itunes:new-feed-url"))
    told = []
    if moved and moved != feed_url:
        told.append(f"the feed has moved to {moved} (itunes:new-feed-url): import that one unless it is the same")
    if info.email:
        told.append(f"email: {info.email} will be public in the feed (podcast:locked)")
    return told


def own_address(root: Element) -> str:
    """The URL in the feed's `atom:link rel="self"`; empty when there is none."""
    links = (each for each in root.all("atom:link") if each.attributes.get("rel") == "self")
    return next(filter(None, (terms.address(each.attributes.get("href", "")) for each in links)), "")


def _guid(root: Element, feed_url: str, notes: list[str]) -> str:
    own = line(root.words("podcast:guid"))
    if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", own):
        return own
    if own:
        notes.append(f"podcast:guid “{own[:60]}” is not a UUID: left out")
    if not feed_url:
        notes.append("the feed has no podcast:guid and no self link: a GUID is made from the new address at the first build")
        return ""
    notes.append(f"the feed has no podcast:guid: made from its address, {feed_url}")
    return podcast_guid(feed_url)


def _website(root: Element, base: str, notes: list[str]) -> str:
    """The show's own site, unless it is a page at its podcast host, where only the host can publish."""
    own = terms.address(root.words("link"), base)
    found = re.sub(r"^http:", "https:", re.sub(r"[?#\"].*", "", own))
    todo = "set website in show.toml to where you will publish, and have the old feed redirect to its feed.xml"
    if not found or _is_hosted(found):
        found = f"https://podcast.example.org/{slugify(title(root.words('title')))[:60].strip('-') or 'show'}/"
        notes.append(f"website: {found} is a placeholder{f', because {own} belongs to the podcast host' if own else ''}: {todo}")
    else:
        found = found if found.endswith("/") else f"{found}/"
        notes.append(f"website: {found} is a guess: {todo}")
    return found


def _is_hosted(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return any(f".{host}".endswith(f".{each}") for each in _HOSTS)


def _language(root: Element, notes: list[str]) -> str:
    text = line(root.words("language")).replace("_", "-")
    found = re.match(r"([a-z]{2})(?:-([a-z]{2})\b)?(?![a-z])", text, re.I)
    if not found:
        notes.append(f"language: {f'“{text[:40]}” is unknown' if text else 'the feed declares none'}: fr is assumed, see show.toml")
        return "fr"
    return found[1].lower() + (f"-{found[2]}" if found[2] else "")


def _email(root: Element) -> str:
    owners = [each.words("itunes:email") for each in root.all("itunes:owner")]
    said = (each.attributes.get("owner", "") for each in root.all("podcast:locked"))
    found = (line(text) for text in (*said, *owners))
    return next((text for text in found if re.fullmatch(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", text)), "")


def _copyright(root: Element, notes: list[str]) -> str:
    text = title(root.words("copyright"))
    holder = re.sub(r"(?i)\bcopyright\b|©|℗|\(c\)|&copy;|\b(?:19|20)\d\d(?:\s*[-–]\s*(?:(?:19|20)\d\d|present))?", "", text)
    holder = line(holder)
    if holder != text:
        holder = holder.strip(" ,;:-–—/")
        notes.append(f"copyright: “{text[:80]}” is shortened to the holder, “{holder[:80]}”, as directories require")
    return shortened(holder, 255)


def _kind(root: Element, notes: list[str]) -> str:
    kind = line(root.words("itunes:type")).lower() or "episodic"
    if kind not in ("episodic", "serial"):
        notes.append(f"type: “{kind[:40]}” is unknown: episodic is used")
        return "episodic"
    return kind


def _explicit(root: Element, notes: list[str]) -> bool:
    text = root.words("itunes:explicit")
    if text and terms.yes(text) is None:
        notes.append(f"explicit: “{line(text)[:40]}” is neither true nor false: false is used")
    return bool(terms.yes(text))


def _alt(root: Element) -> str:
    return shortened(next((line(each.attributes["alt"]) for each in root.all("podcast:image") if each.attributes.get("alt")), ""), 255)


def image(root: Element, base: str) -> str:
    """The URL of the cover; empty when there is none."""
    links = [each.attributes.get("href", "") for each in root.all("itunes:image")]
    links += [each.words("url") for each in root.all("image")]
    return next(filter(None, (terms.address(link, base) for link in links)), "")
