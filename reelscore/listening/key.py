"""The key of a recording: the profile of a key that its pitch classes fit best, in the modes that a brief knows.

Profiles are Krumhansl and Kessler's (1982) for major and minor; the other modes have them with the degrees exchanged in which they
differ. Overtones of every note sound as its fifth and third, and are taken off first.
"""

from functools import cache

import numpy as np

from reelscore.audio import Samples
from reelscore.brief import MODES, Key
from reelscore.listening.curves import PITCH_CLASSES, THIRDS, Curves, curves_of
from reelscore.tempo import Floats

_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
# Which profile a mode has, the two degrees (semitones above the tonic) that change places in it, and by how much it must fit better.
_PROFILES: dict[str, tuple[tuple[float, ...], tuple[int, int] | None, float]] = {
    "major": (_MAJOR, None, 0.0),
    "mixolydian": (_MAJOR, (10, 11), 0.02),
    "lydian": (_MAJOR, (5, 6), 0.03),
    "minor": (_MINOR, None, 0.0),
    "dorian": (_MINOR, (8, 9), 0.02),
    "phrygian": (_MINOR, (1, 2), 0.05),
}
_FIFTH, _THIRD = 0.3, 0.1  # of a note's strength that sounds in its third and fifth partial
_CLEAR = 0.08  # of a lead in correlation over the next tonic that leaves little doubt
_UNTUNED, _TUNED = 0.35, 0.41  # part of the sound on its semitones, of drums and of music
_QUIET = 1e-3  # of the strongest moment, below which nothing counts


def key_of(samples: Samples, rate: int) -> tuple[Key, float]:
    """The key that a sound (channels, n) is in, and how sure that is (0 to 1); C major and 0 where there are no pitches."""
    return key_in(curves_of(samples, rate))


def key_in(curves: Curves) -> tuple[Key, float]:
    """The key of a sound whose curves are known."""
    classes, tuned = _pitch_classes(curves.chroma)
    if classes.std() < 1e-9:
        return Key(0, "major"), 0.0
    standard = (classes - classes.mean()) / classes.std()
    fits = _profiles() @ standard / PITCH_CLASSES
    fits -= np.array([[_PROFILES[mode][2]] for mode in MODES])
    mode, tonic = (int(each) for each in np.unravel_index(fits.argmax(), fits.shape))
    lead = fits.max() - np.delete(fits, tonic, axis=1).max()
    # Drums fill the cracks between the semitones as well.
    pitched = np.clip((tuned - _UNTUNED) / (_TUNED - _UNTUNED), 0.0, 1.0)
    return Key(tonic, MODES[mode]), float(np.clip(fits.max() * pitched * (1.0 - np.exp(-lead / _CLEAR)), 0.0, 1.0))


def _pitch_classes(chroma: Floats) -> tuple[Floats, float]:
    """How much each of the twelve pitch classes sounds, every moment alike, and the part of all that is in tune with them.

    A recording may be tuned up to a third of a semitone high or low.
    """
    total = chroma.sum(axis=0)
    heard = chroma[:, total > _QUIET * total.max(initial=0.0)]
    if not heard.shape[1]:
        return np.zeros(PITCH_CLASSES), 0.0
    thirds = (heard / heard.sum(axis=0)).mean(axis=1)
    tuned = max((np.roll(thirds, away) for away in (0, 1, -1)), key=lambda each: float(each[::THIRDS].sum()))
    classes = tuned[::THIRDS] + 0.5 * (np.roll(tuned, 1)[::THIRDS] + np.roll(tuned, -1)[::THIRDS])
    return classes - _FIFTH * np.roll(classes, 7) - _THIRD * np.roll(classes, 4), float(tuned[::THIRDS].sum())


@cache
def _profiles() -> Floats:
    """(modes, tonics, pitch classes), each about 0 with a standard deviation of 1."""
    profiles = np.zeros((len(MODES), PITCH_CLASSES, PITCH_CLASSES))
    for mode, name in enumerate(MODES):
        usual, exchanged, _ = _PROFILES[name]
        profile = np.array(usual)
        if exchanged:
            profile[list(exchanged)] = profile[list(exchanged[::-1])]
        standard = (profile - profile.mean()) / profile.std()
        profiles[mode] = [np.roll(standard, tonic) for tonic in range(PITCH_CLASSES)]
    return profiles
