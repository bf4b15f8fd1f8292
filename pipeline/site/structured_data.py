"""Structured data: schema.org's JSON-LD, and the hash that lets a page's Content-Security-Policy allow an inline element."""

from __future__ import annotations

import base64
import hashlib
import json

from pipeline.model import EpisodeInfo, ShowInfo, iso_duration, public_url
from pipeline.publish import ReleaseFile


def podcast_series(show: ShowInfo, image: str) -> dict[str, object]:
    """The show as a schema.org `PodcastSeries`; `image` is the URL of its cover."""
    feed = {"webFeed": public_url(show, show.feed_key)} if show.feed_key else {}
    about = {"description": show.description, "inLanguage": show.language, "author": {"@type": "Organization", "name": show.author}}
    return {"@type": "PodcastSeries", "name": show.title, "url": public_url(show, ""), "image": image, **feed, **about}


def podcast_episode(
    show: ShowInfo,
    episode: EpisodeInfo,
    duration_s: float,
    audio: ReleaseFile,
    image: str,
    tags: tuple[str, ...],
    series_data: dict[str, object],
) -> dict[str, object]:
    """The episode as a schema.org `PodcastEpisode`; `image` is the URL of its card, `series_data` the value of `podcast_series`."""
    media = {
        "@type": "AudioObject",
        "contentUrl": public_url(show, audio.key),
        "encodingFormat": audio.type,
        "contentSize": str(audio.bytes),
    }
    return {
        "@context": "https://schema.org",
        "@type": "PodcastEpisode",
        "name": episode.title,
        "description": episode.summary,
        "url": public_url(show, f"{episode.slug}/"),
        "image": image,
        "datePublished": episode.published.isoformat(),
        "duration": iso_duration(duration_s),
        **({"episodeNumber": episode.number} if episode.number is not None else {}),
        **({"keywords": list(tags)} if tags else {}),
        "inLanguage": show.language,
        "associatedMedia": {**media, "duration": iso_duration(duration_s)},
        "partOfSeries": series_data,
    }


def inline_json_ld(value: dict[str, object]) -> dict[str, str]:
    """Template variables for a `<script>` element: `json_ld`, the JSON-LD text, and `linked_digest`, its hash.

    Escapes every character that could close the element or open a comment (HTML, 4.12.1.3).
    """
    escapes = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})
    json_ld = json.dumps({"@context": "https://schema.org", **value}, ensure_ascii=False, indent=1).translate(escapes)
    return {"linked": json_ld, "linked_digest": csp_hash(json_ld)}


def csp_hash(text: str) -> str:
    """The SHA-256 of an inline element, in base64 as a Content-Security-Policy writes it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
