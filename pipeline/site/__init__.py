"""The listening pages: one for the show, one an episode, readable without a script, an account or another server."""

from pipeline.site.pages import Neighbours, episode_page, index_page

__all__ = ["Neighbours", "episode_page", "index_page"]
