"""What was asked and what came out: measures of a finished film, as JSON, as a few lines for people, and as a picture.

`check` measures any finished film or sound file, whoever made it.
"""

from reelscore.report.measures import HIT_TOLERANCE, Curves, Measures, check
from reelscore.report.timeline import draw_timeline
from reelscore.report.writing import measures_json, summary, take_json, take_summary, write_report

__all__ = [
    "HIT_TOLERANCE",
    "Curves",
    "Measures",
    "check",
    "draw_timeline",
    "measures_json",
    "summary",
    "take_json",
    "take_summary",
    "write_report",
]
