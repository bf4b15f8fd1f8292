"""The listening pages: one of each episode, those of the show, and what they share."""

from pipeline.site.assets import write_discovery_files, write_style_files
from pipeline.site.audiogram import SHAPES, AudiogramLook, write_audiogram
from pipeline.site.context import Neighbours, PageContext
from pipeline.site.episode_page import write_episode_page
from pipeline.site.show_pages import write_index_page, write_people_page, write_theme_pages, write_transcripts_page
from pipeline.site.social_card import draw_card

__all__ = [
    "AudiogramLook",
    "Neighbours",
    "PageContext",
    "SHAPES",
    "draw_card",
    "write_audiogram",
    "write_discovery_files",
    "write_episode_page",
    "write_index_page",
    "write_people_page",
    "write_style_files",
    "write_theme_pages",
    "write_transcripts_page",
]
