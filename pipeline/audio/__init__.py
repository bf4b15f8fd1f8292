"""Recordings to published audio: FFmpeg, probing, levels, mixing, encoding, tags.

A lazy face (`__init__.pyi` lists it): most modules compute with numpy, which commands that touch no audio must not load.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
