"""The brief that the figures of this folder share: a minute, six sections whose energy rises and falls, cues off any grid."""

from reelscore.brief import Brief, Cue, Section, Tags
from reelscore.spotting import complete
from reelscore.vocabulary import GENRES

ENERGIES = (("intro", 0.3), ("theme", 0.5), ("build", 0.7), ("breakdown", 0.3), ("climax", 0.95), ("outro", 0.35))
STARTS = (0.0, 9.7, 21.3, 32.9, 40.2, 52.4, 60.0)
CUTS = (4.13, 12.6, 15.47, 24.9, 28.31, 36.2, 43.84, 46.07, 49.55, 55.2)


def brief_of(genre: str) -> Brief:
    """The brief in one genre, at the middle of its tempi and in its first mode."""
    low, high = GENRES[genre].tempo_bpm
    sections = tuple(
        Section(start=start, end=end, letter="ABCBCA"[number], role=role, energy=energy, arousal=2 * energy - 1)
        for number, (start, end, (role, energy)) in enumerate(zip(STARTS, STARTS[1:], ENERGIES, strict=False))
    )
    cues = [Cue(time=time, strength=0.9, kind="scene") for time in STARTS[1:-1]]
    cues += [Cue(time=time, strength=0.5, kind="cut") for time in CUTS]
    return complete(
        Brief(
            duration=60.0,
            tags=Tags(genres=(genre,)),
            key=f"A {GENRES[genre].modes[0]}",
            tempo_bpm=round((low + high) / 2),
            sections=sections,
            cues=tuple(sorted(cues, key=lambda cue: cue.time)),
        )
    )
