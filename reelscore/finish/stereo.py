"""Two channels out of one: the middle stays what it was, and a decorrelated side gives it width.

Left is middle + side, right is middle − side, so that a mono loudspeaker, which adds the two, plays exactly the middle. The
side is the middle through a short burst of noise that is flat in its spectrum and falls off within `TAIL` (decorrelation as in
Kendall 1995, Computer Music Journal 19(4)); the bass keeps out of it.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from reelscore.audio import Samples

WIDTH = 0.35  # of the side against the middle: the two channels then correlate by about 0.8
TAIL = 0.030
_BLOCK_SAMPLES = 1 << 20  # worked on at a time, so that memory holds little beside the result
BASS_HZ, CLEAR_HZ = 120.0, 300.0  # no side below the one, the whole of it from the other on


def widened(mono: Samples, rate: int) -> Samples:
    """(2, n) out of (n,): the middle untouched, about 0.5 dB louder in all."""
    from scipy.signal import oaconvolve

    response = _decorrelator(rate)
    behind = len(response) - 1  # what of the past still sounds in the side
    wide = np.empty((2, len(mono)), np.float32)
    for start in range(0, len(mono), _BLOCK_SAMPLES):
        stop = min(start + _BLOCK_SAMPLES, len(mono))
        early = max(0, start - behind)
        side = oaconvolve(mono[early:stop], response)[start - early : stop - early].astype(np.float32)
        wide[0, start:stop] = mono[start:stop] + side
        wide[1, start:stop] = mono[start:stop] - side
    return wide


@cache
def _decorrelator(rate: int) -> npt.NDArray[np.float32]:
    """The impulse response from middle to side at this rate. Its noise is drawn once and for all: it is part of the sound."""
    length = round(TAIL * rate)
    falling = np.exp(-4.0 * np.arange(length) / length)
    response = np.random.default_rng(1995).standard_normal(length) * falling
    size = 1 << (4 * length - 1).bit_length()
    spectrum = np.fft.rfft(response, size)
    pitch_hz = np.fft.rfftfreq(size, 1 / rate)
    clear = 0.5 - 0.5 * np.cos(np.pi * np.clip((pitch_hz - BASS_HZ) / (CLEAR_HZ - BASS_HZ), 0.0, 1.0))
    flat = np.fft.irfft(spectrum / np.abs(spectrum), size)[:length] * np.minimum(1.0, 2.0 * falling)
    shaped = np.fft.irfft(np.fft.rfft(flat, size) * clear, size)
    # The filter against the bass rings on past the tail and, having no phase, before it; a short fade ends it on both sides.
    response = np.concatenate([shaped[-length // 2 :], shaped[: 2 * length]])
    edge = length // 4
    fade = 0.5 - 0.5 * np.cos(np.pi * np.arange(edge) / edge)
    response[:edge] *= fade
    response[-edge:] *= fade[::-1]
    audible = np.abs(np.fft.rfft(response, 1 << (8 * length).bit_length())) ** 2
    loud = audible[round(len(audible) * 0.1) : round(len(audible) * 0.5)].mean()
    return np.asarray(WIDTH * response / np.sqrt(loud), np.float32)
