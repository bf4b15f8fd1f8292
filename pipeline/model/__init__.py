"""The nouns of a show, frozen: what `show.toml` and `episode.toml` become, text and its typography, languages, roles, images, URLs.

Every other room imports from here; this one imports from none.

A lazy face (`__init__.pyi` lists it): `causerie --help` needs errors and text, and no noun.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
