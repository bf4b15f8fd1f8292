"""Structured data: schema.org's JSON-LD, and the hash that lets a page's Content-Security-Policy allow an inline element."""

from __future__ import annotations

import base64
import hashlib
import json

from pipeline.model import EpisodeInfo, ShowInfo
from pipeline.release import PublishedFile
from pipeline.site.places import address
from pipeline.site.wording import iso_duration


def series(show: ShowInfo, image: str) -> dict[str, object]:
    """The show as a schema.org `PodcastSeries`; `image` is the URL of its cover."""
    feed = {"webFeed": address(show, show.feed_key)} if show.feed_key else {}
    about = {"description": show.description, "inLanguage": show.language, "author": {"@type": "Organization", "name": show.author}}
    return {"@type": "PodcastSeries", "name": show.title, "url": address(show, ""), "image": image, **feed, **about}


def episode_value(
    show: ShowInfo,
    episode: EpisodeInfo,
    duration_s: float,
    audio: PublishedFile,
    image: str,
    tags: tuple[str, ...],
    whole: dict[str, object],
) -> dict[str, object]:
    """The episode as a schema.org `PodcastEpisode`; `image` is the URL of its card, `whole` the value of `podcast_series`."""
    media = {"@type": "AudioObject", "contentUrl": address(show, audio.key), "encodingFormat": audio.type, "contentSize": str(audio.bytes)}
    return {
        "@context": "https://schema.org",
        "@type": "PodcastEpisode",
        "name": episode.title,
        "description": episode.summary,
        "url": address(show, f"{episode.slug}/"),
        "image": image,
        "datePublished": episode.published.isoformat(),
        "duration": iso_duration(duration_s),
        **({"episodeNumber": episode.number} if episode.number is not None else {}),
        **({"keywords": list(tags)} if tags else {}),
        "inLanguage": show.language,
        "associatedMedia": {**media, "duration": iso_duration(duration_s)},
        "partOfSeries": whole,
    }


def inlined(value: dict[str, object]) -> dict[str, str]:
    """Template variables for a `<script>` element: `linked`, the JSON-LD text, and `linked_digest`, its hash.

    Escapes every character that could close the element or open a comment (HTML, 4.12.1.3).
    """
    escapes = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})
    linked = json.dumps({"@context": "https://schema.org", **value}, ensure_ascii=False, indent=1).translate(escapes)
    return {"linked": linked, "linked_digest": digest(linked)}


def digest(text: str) -> str:
    """The SHA-256 of an inline element, in base64 as a Content-Security-Policy writes it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
