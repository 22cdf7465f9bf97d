"""Briefs to compose from: one with everything in it, and any that may be."""

from itertools import pairwise

from hypothesis import strategies as st

from reelscore.brief import MODES, TONICS, Brief, Cue, Section, Span, Tags
from reelscore.tempo import TempoMap
from reelscore.vocabulary import FAMILIES, GENRES, INSTRUMENTS

FORM = (
    ("intro", "A", 0.3, 0.0), ("theme", "A", 0.55, 0.2), ("build", "B", 0.7, 0.4),
    ("breakdown", "C", 0.35, 0.6), ("climax", "A", 0.95, 0.75), ("outro", "A", 0.4, 0.92),
)  # fmt: skip


def full_brief(
    genre: str = "cinematic",
    *,
    duration: float = 48.0,
    key: str = "A minor",
    tempo_bpm: float = 100.0,
    instruments: tuple[str, ...] = (),
    avoid: tuple[str, ...] = (),
    speech: tuple[Span, ...] = (),
    second: tuple[str, ...] = (),
) -> Brief:
    """A film of six sections with cues of all strengths, on and off the grid, and an ending on a downbeat."""
    tempo_map = TempoMap.steady(tempo_bpm, duration + 4)
    edges = [duration * at for *_, at in FORM] + [duration]
    sections = tuple(
        Section(start=edges[n], end=edges[n + 1], letter=letter, role=role, energy=energy, arousal=energy * 2 - 1)
        for n, (role, letter, energy, _) in enumerate(FORM)
    )
    ending = max(time for time in tempo_map.downbeats if time <= duration - 2.5)
    beats = [time for time in tempo_map.beats if time < ending - 1.0]
    on_beat = [(beats[place * len(beats) // 9], 0.3 + 0.1 * (place % 7)) for place in range(1, 9)]
    free = [(duration * 0.33 + 0.111, 0.2), (duration * 0.52 + 0.077, 0.9), (duration * 0.81 + 0.05, 0.5)]
    cues = [Cue(time=time, strength=strength, kind="cut", grid="beat") for time, strength in on_beat]
    cues += [Cue(time=time, strength=strength, kind="motion") for time, strength in free]
    cues.append(Cue(time=ending, strength=0.8, kind="ending", grid="downbeat"))
    return Brief(
        duration=duration,
        tags=Tags(genres=(genre, *second), instruments=instruments, avoid=avoid),
        key=key,
        tempo_bpm=tempo_bpm,
        tempo_map=tempo_map,
        sections=sections,
        cues=tuple(sorted(cues, key=lambda cue: cue.time)),
        speech=speech,
    )


@st.composite
def any_brief(draw: st.DrawFn) -> Brief:
    """Any brief that the composer may meet: odd bars, bending tempi, tiny and huge sections, cues anywhere."""
    bars = draw(st.lists(st.integers(1, 12), min_size=1, max_size=24))
    beat = draw(st.floats(0.25, 1.2))
    bends = draw(st.lists(st.floats(0.85, 1.15), min_size=1, max_size=12))
    times = [0.0]
    for number in range(sum(bars)):
        times.append(times[-1] + beat * bends[number % len(bends)])
    tempo_map = TempoMap(beats=tuple(times), bars=tuple(bars))
    duration = draw(st.floats(min(0.3, times[-1]), times[-1]))
    shares = draw(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=7))
    edges = [0.0]
    for share in shares:
        edges.append(edges[-1] + duration * share / sum(shares))
    edges[-1] = duration
    unit, signed = st.floats(0, 1), st.floats(-1, 1)
    sections = tuple(
        Section(
            start=start, end=end, letter=draw(st.sampled_from("ABC")), energy=draw(unit), valence=draw(signed),
            arousal=draw(signed), tension=draw(unit),
            role=draw(st.sampled_from(["intro", "theme", "build", "climax", "breakdown", "outro"])),
        )
        for start, end in pairwise(edges)
        if end > start
    )  # fmt: skip
    cue_times = sorted(draw(st.lists(st.floats(0, duration), max_size=10)))
    cues = [
        Cue(time=time, strength=draw(unit), kind=draw(st.sampled_from(["scene", "cut", "motion", "person"])))
        for time in cue_times
    ]
    if draw(st.booleans()):
        cues.append(Cue(time=draw(st.floats(cue_times[-1] if cue_times else 0.0, duration)), kind="ending"))
    speech = []
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.floats(0, duration * 0.9))
        speech.append(Span(start=start, end=min(start + draw(st.floats(0.05, 5.0)), duration)))
    return Brief(
        duration=duration,
        tags=Tags(
            genres=tuple(draw(st.lists(st.sampled_from(sorted(GENRES)), max_size=2, unique=True))),
            instruments=tuple(draw(st.lists(st.sampled_from(sorted(INSTRUMENTS)), max_size=3, unique=True))),
            avoid=tuple(draw(st.lists(st.sampled_from(sorted([*FAMILIES, *INSTRUMENTS])), max_size=4, unique=True))),
        ),
        key=f"{draw(st.sampled_from(TONICS))} {draw(st.sampled_from(MODES))}",
        tempo_bpm=min(max(tempo_map.tempo_bpm, 30.0), 240.0),
        tempo_map=tempo_map,
        sections=sections,
        cues=tuple(cues),
        speech=tuple(span for span in speech if span.end > span.start),
    )
