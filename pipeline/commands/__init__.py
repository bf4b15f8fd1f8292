"""What each command of `causerie` does; `cli.py` parses, calls and prints.

A lazy face (`__init__.pyi` lists it): a command loads what it needs.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
