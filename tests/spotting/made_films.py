"""Analyses made by hand, so that the truth about the film is known."""

from itertools import pairwise
from pathlib import Path

from hypothesis import strategies as st

from reelscore.analysis.facts import Analysis, Curves, Peak, Shot, Speech

MEASURES = ("motion", "brightness", "saturation", "contrast", "warmth")


def shot(
    start: float,
    end: float,
    change: float = 0.5,
    motion: float = 0.2,
    brightness: float = 0.42,
    saturation: float = 0.32,
    contrast: float = 0.45,
    warmth: float = 0.0,
    opens_with: str = "cut",
) -> Shot:
    return Shot(
        start=start,
        end=end,
        opens_with="start" if start == 0 else opens_with,
        change=0.0 if start == 0 else change,
        motion=motion,
        brightness=brightness,
        saturation=saturation,
        contrast=contrast,
        warmth=warmth,
    )


def film(shots: list[Shot], duration: float, frame_rate: float = 25.0, **facts) -> Analysis:
    """The analysis of a film of these shots; its curves follow the shots in steps of half a second."""
    times = [0.5 * n for n in range(int(2 * duration) + 1)] if shots else []
    under = [next((s for s in shots if s.start <= time < s.end), shots[-1]) for time in times]
    curves = {name: tuple(getattr(s, name) for s in under) for name in MEASURES}
    return Analysis(
        film=Path("made.mp4"),
        duration=duration,
        frame_rate=frame_rate,
        frames=max(1, int(duration * frame_rate)),
        width=640,
        height=360,
        has_sound=True,
        picture_sha256=facts.pop("picture_sha256", "5e1f"),
        shots=tuple(shots),
        curves=Curves(step=0.5, **curves),
        **facts,
    )


def cut_at(cuts: list[float], duration: float, **measures) -> Analysis:
    """A film of like shots with cuts at the given times."""
    edges = [0.0, *cuts, duration]
    return film([shot(a, b, **measures) for a, b in pairwise(edges)], duration)


FIVE_SCENES = film(
    [
        shot(0, 6, motion=0.1),
        shot(6, 9, 0.8, motion=0.5),
        shot(9, 10, 0.2, motion=0.5),
        shot(10, 13, 0.3, motion=0.6),
        shot(13, 20, 0.9, motion=0.2, brightness=0.15),
        shot(20, 30, 0.7, motion=0.1, brightness=0.6, warmth=0.5, opens_with="dissolve"),
    ],
    30.0,
)

_unit = st.floats(0, 1, allow_nan=False)


@st.composite
def analyses(draw: st.DrawFn) -> Analysis:
    """Any analysis that keeps its promises: shots in order, without gaps, inside the film; peaks and speech inside too."""
    duration = draw(st.one_of(st.floats(0.3, 8), st.floats(8, 90), st.sampled_from([139.4, 400.0])))
    cuts = sorted(set(draw(st.lists(st.floats(0.1, max(0.2, duration - 0.1)), max_size=25))))
    edges = [0.0, *(cut for cut in cuts if 0.04 < cut < duration - 0.04), duration]
    shots = [
        Shot(
            start=a,
            end=b,
            opens_with="start" if a == 0 else draw(st.sampled_from(["cut", "cut", "dissolve", "fade"])),
            change=draw(_unit),
            returns_to=draw(st.sampled_from([None, None, 0])) if a else None,
            warmth=draw(st.floats(-1, 1)),
            **{name: draw(_unit) for name in MEASURES[:4]},
        )
        for a, b in pairwise(edges)
    ]
    facts = film(shots if draw(st.booleans()) else [], duration, draw(st.sampled_from([10.0, 23.976, 25.0, 60.0])))
    inside = st.floats(0, duration)
    peaks = [Peak(time=draw(inside), strength=draw(_unit)) for _ in range(draw(st.integers(0, 6)))]
    speech = []
    for _ in range(draw(st.integers(0, 4))):
        start, length = draw(inside), draw(st.floats(0.1, 9))
        # A detector may run a little over the end of the picture.
        speech.append(Speech(start=start, end=start + length))
    return facts.model_copy(update={"peaks": tuple(sorted(peaks, key=lambda peak: peak.time)), "speech": tuple(speech)})
