"""The review page: an episode's transcript beside its sound, its doubts, and saving without losing an edit."""

from pipeline.web.review.server import ReviewSession, open_session, serve_review

__all__ = [
    "ReviewSession",
    "open_session",
    "serve_review",
]
