"""What of the film is compared with words: three pictures of every section, as a CLIP sees them, by how long the section lasts."""

from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np

from reelscore.brief import Brief
from reelscore.checkpoints.towers import Pixels, Vectors
from reelscore.errors import MediaError
from reelscore.progress import Progress

_SHOWN_AT = (1 / 6, 1 / 2, 5 / 6)  # of a section
_MOST_SECTIONS = 40  # of which three pictures are looked at; of the sections of longer films one
_LONGER_SIDE = 448  # pixels
_AT_ONCE = 24  # pictures in memory


class Seer(Protocol):
    """As much of a CLIP as is needed here."""

    def pictures(self, pictures: list[Pixels], /) -> Vectors: ...


def seen(film: Path, brief: Brief, clip: Seer, progress: Progress) -> Vectors:
    """What is seen in the film on the whole, (d,): the mean of its pictures. Raises MediaError where none can be decoded."""
    from reelscore.media.probe import probe
    from reelscore.media.stills import stills_at

    shown_at = _SHOWN_AT if len(brief.sections) <= _MOST_SECTIONS else _SHOWN_AT[1:2]
    times, weights = [], []
    for section in brief.sections:
        length = section.end - section.start
        times += [section.start + share * length for share in shown_at]
        weights += [length / len(shown_at)] * len(shown_at)
    pictures = (np.ascontiguousarray(still.bgr[:, :, ::-1]) for still in stills_at(probe(film), times, _LONGER_SIDE))
    vectors: list[Vectors] = []
    progress("looking", 0.0)
    while some := list(islice(pictures, _AT_ONCE)):
        vectors.extend(clip.pictures(some))
        progress("looking", len(vectors) / len(times))
    if not vectors:
        raise MediaError(f"No picture of {film} can be decoded; choose by the brief, with --by brief.")
    return np.asarray(np.average(np.stack(vectors), axis=0, weights=weights[: len(vectors)]), np.float32)
