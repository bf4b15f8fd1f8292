"""Tags that feedgen lacks are held to their rows."""

from __future__ import annotations

import pytest

from pipeline.feed.namespaces import TAG_SPECS, ChannelExtension, ItemExtension, node, xml_safe
from pipeline.model.show import Chapter, EpisodeInfo


def test_an_empty_attribute_is_left_out_and_an_underscore_is_a_hyphen() -> None:
    assert node("podcast:image", href="a.jpg", alt="", aspect_ratio="1/1") == '<podcast:image href="a.jpg" aspect-ratio="1/1"/>'


def test_text_stops_where_the_namespace_says() -> None:
    assert node("podcast:person", "é" * 200).count("é") == TAG_SPECS["podcast:person"].max_chars == 128


@pytest.mark.parametrize(
    ("tag", "text", "attributes"),
    [
        ("podcast:chapters", "", {"url": "x"}),
        ("podcast:chapters", "text", {"url": "x", "type": "y"}),
        ("podcast:guid", "x", {"colour": "red"}),
    ],
)
def test_what_a_row_does_not_allow_is_refused(tag: str, text: str, attributes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=tag):
        node(tag, text, **attributes)


def test_a_tag_stands_only_where_it_belongs() -> None:
    with pytest.raises(ValueError, match="is not allowed in item"):
        ItemExtension().add(node("podcast:locked", "yes"))
    with pytest.raises(ValueError, match="is not allowed in channel"):
        ChannelExtension().add(node("podcast:episode", "1"))
    with pytest.raises(ValueError, match="psc:chapters cannot contain"):
        node("psc:chapters", "", node("podcast:source", uri="x"), version="1.2")


def test_characters_that_xml_forbids_go_however_deep_they_are() -> None:
    assert xml_safe((Chapter(1.0, "a\x00b\ufffe"), "\ud800👩‍🚒\u202e")) == (Chapter(1.0, "ab"), "👩‍🚒\u202e")
    assert xml_safe(None) is None and xml_safe(EpisodeInfo) is EpisodeInfo
