"""The listening pages, readable without a script, an account or another server."""

from pipeline.site.around import index_page, people_page, theme_pages, transcripts_page
from pipeline.site.card import card
from pipeline.site.pages import episode_page
from pipeline.site.places import Frame, Neighbours, Theme
from pipeline.site.shared import found_pages, style_files

__all__ = [
    "Frame",
    "Neighbours",
    "Theme",
    "card",
    "episode_page",
    "found_pages",
    "index_page",
    "people_page",
    "style_files",
    "theme_pages",
    "transcripts_page",
]
