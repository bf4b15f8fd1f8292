"""Discussion guides: drafting, quotes found word for word, and the documents a team lead prints."""

from pipeline.guide.clips import find_clips, write_guide_clips
from pipeline.guide.document import clip_quotes, parse_guide
from pipeline.guide.draft import draft_guide
from pipeline.guide.glyphs import missing_glyphs
from pipeline.guide.question_rules import guide_warnings
from pipeline.guide.quotes import are_all_spoken, locate, spoken_words
from pipeline.guide.render import render_guide
from pipeline.guide.screen import write_screen_guide
from pipeline.guide.series import render_series_guide

__all__ = [
    "are_all_spoken",
    "clip_quotes",
    "draft_guide",
    "find_clips",
    "guide_warnings",
    "locate",
    "missing_glyphs",
    "parse_guide",
    "render_guide",
    "render_series_guide",
    "spoken_words",
    "write_guide_clips",
    "write_screen_guide",
]
