"""TOML to the model: every key of `show.toml`, `episode.toml` and `glossary.toml`, and every mistake in them at once."""

from pipeline.config.feed import MEDIUMS, TAG_KEYS, TagKeys
from pipeline.config.fields import LICENSE_ID, URL, WEBSITE, is_loopback, parse_time
from pipeline.config.loader import (
    DESCRIPTION_CHARS,
    RESERVED_SLUGS,
    episode_folders_without_toml,
    episode_of,
    load_config,
    read_config,
)

__all__ = [
    "DESCRIPTION_CHARS",
    "LICENSE_ID",
    "MEDIUMS",
    "RESERVED_SLUGS",
    "TAG_KEYS",
    "TagKeys",
    "URL",
    "WEBSITE",
    "episode_folders_without_toml",
    "episode_of",
    "is_loopback",
    "load_config",
    "parse_time",
    "read_config",
]
