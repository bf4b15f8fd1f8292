"""An existing show from its feed: its GUIDs, texts, people, media and chapters become a workspace."""

from pipeline.feed.imports.importer import import_show
from pipeline.feed.imports.session import ImportSession

__all__ = [
    "ImportSession",
    "import_show",
]
