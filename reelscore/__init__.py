"""Reelscore: give it a video, get the video back with music made for it.

    from reelscore import Outputs, Wishes, score_film
    for take in score_film(Path("film.mp4"), Outputs(Path("scored.mp4")), Wishes(prompt="slow sad piano")):
        print(take.loudness.integrated_lufs)

The public names, nothing else. Each is loaded when it is first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from reelscore.analysis import analyze
    from reelscore.analysis.facts import Analysis
    from reelscore.audio import Audio
    from reelscore.brief import Brief, Wishes, read_brief, write_brief
    from reelscore.errors import ReelscoreError
    from reelscore.hardware import Hardware
    from reelscore.library import Library, open_library
    from reelscore.mix import MixSettings
    from reelscore.pipeline import (
        Outputs,
        Playing,
        Take,
        Understanding,
        make_music,
        score_brief,
        score_film,
        understand,
    )
    from reelscore.report import check
    from reelscore.resident import free_models
    from reelscore.spotting.language import LanguageChoice

_HOMES = {
    "Analysis": "analysis.facts",
    "Audio": "audio",
    "Brief": "brief",
    "Hardware": "hardware",
    "LanguageChoice": "spotting.language",
    "Library": "library",
    "MixSettings": "mix",
    "Outputs": "pipeline",
    "Playing": "pipeline",
    "ReelscoreError": "errors",
    "Take": "pipeline",
    "Understanding": "pipeline",
    "Wishes": "brief",
    "analyze": "analysis",
    "check": "report",
    "free_models": "resident",
    "make_music": "pipeline",
    "open_library": "library",
    "read_brief": "brief",
    "score_brief": "pipeline",
    "score_film": "pipeline",
    "understand": "pipeline",
    "write_brief": "brief",
}

__all__ = [
    "Analysis",
    "Audio",
    "Brief",
    "Hardware",
    "LanguageChoice",
    "Library",
    "MixSettings",
    "Outputs",
    "Playing",
    "ReelscoreError",
    "Take",
    "Understanding",
    "Wishes",
    "analyze",
    "check",
    "free_models",
    "make_music",
    "open_library",
    "read_brief",
    "score_brief",
    "score_film",
    "understand",
    "write_brief",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
