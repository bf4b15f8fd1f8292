"""Pages, documents, labels and new shows as data, in a folder for each area: `site`, `guide`, `report`, `review`, `publication`, `init`."""

from pipeline.templates.loader import environment, folder, labels

__all__ = [
    "environment",
    "folder",
    "labels",
]
