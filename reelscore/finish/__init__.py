"""The last hand on what a network has made: its raw sound becomes music of the brief's exact length, wide, within ±1, and ended."""

import numpy as np

from reelscore.audio import Audio, Samples, fit, to_channels
from reelscore.brief import Brief
from reelscore.finish.ending import ended
from reelscore.finish.stereo import widened


def finished(sound: Samples, rate: int, brief: Brief, *, widen: bool) -> Audio:
    """Two channels of `round(brief.duration * rate)` samples, without a click at either end and with an ending.

    `sound` is (1 or 2, n); what is over is cut, what is missing is silent. One channel is given width where `widen` says so, else
    it is on both sides alike. What goes beyond ±1 is made softer as a whole; nothing is made louder.
    """
    raw = fit(Audio(np.ascontiguousarray(sound, np.float32), rate), round(brief.duration * rate))
    wide = Audio(widened(raw.samples[0], rate), rate) if widen and raw.channels == 1 else to_channels(raw, 2)
    peak = float(max(wide.samples.max(initial=0.0), -wide.samples.min(initial=0.0)))
    return ended(Audio(wide.samples / np.float32(peak), rate) if peak > 1.0 else wide, brief)
