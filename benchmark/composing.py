"""Composing and rendering against real time, in every style: `python -m benchmark.composing`.

A minute of music from one brief with five sections, rendered whole. The rate is seconds of music for each second of work
on all cores; the least over all styles with eight parts or more must be 20.
"""

import time

from benchmark.briefs import brief_of
from reelscore.compose import compose
from reelscore.sound import render
from reelscore.vocabulary import GENRES

LIMIT = 20.0


def main() -> int:
    slowest = float("inf")
    for genre in GENRES:
        brief = brief_of(genre)
        start = time.perf_counter()
        score = compose(brief, 1)
        composed = time.perf_counter()
        render(score, seed=1)
        rendered = time.perf_counter()
        rate = brief.duration / (rendered - start)
        notes = sum(len(part.notes) for part in score.parts)
        print(
            f"{genre:12s} {len(score.parts):2d} parts {notes:5d} notes   compose {composed - start:5.2f} s   "
            f"render {rendered - composed:5.2f} s   {rate:5.1f} × real time"
        )
        slowest = min(slowest, rate)
    print(f"slowest style: {slowest:.1f} × real time (at least {LIMIT:.0f})")
    return 0 if slowest >= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())
