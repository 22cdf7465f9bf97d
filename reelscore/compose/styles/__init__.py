"""The styles of the composer, one file each, named after the genre: `styles/lo_fi.py` ends in `STYLE = Style("lo-fi", …)`."""

from functools import cache
from importlib import import_module

from reelscore.compose.style import Style


@cache
def find(genre: str) -> Style:
    """The style of a genre of the vocabulary."""
    style = import_module(f"{__name__}.{genre.replace(' ', '_').replace('-', '_')}").STYLE
    assert isinstance(style, Style)
    return style
