"""How well recordings are heard: `python -m benchmark.listening`.

The composer's music in every style, slow and fast, from some seconds in, so that nothing begins where a bar does; all is known of it.

    tempo   the tempo that was heard, against the true one; up to an octave counts, the share with the octave right is told
    beats   F-measure of the beats (each true one met once) within 70 ms and within 30 ms, and of the first beats of bars
    known   the same where the tempo is known beforehand, as it is to the engines
    key     tonic and kind of third right, of the whole piece
    end     whether the final chord is found within 60 ms of the last note
"""

import time

import numpy as np
import numpy.typing as npt

from benchmark.briefs import brief_of
from reelscore.brief import Brief, Key
from reelscore.compose import compose
from reelscore.listening import ends_of, key_of, pulse_of
from reelscore.sound import render
from reelscore.spotting import complete
from reelscore.vocabulary import GENRES

RATE, SECONDS, SKIPPED = 32_000, 40.0, 3.7
LEAST = {
    "tempo": 0.9,
    "beats 70": 0.9,
    "beats 30": 0.9,
    "bars": 0.85,
    "known 70": 0.9,
    "known 30": 0.9,
    "key": 0.85,
    "end": 0.9,
}
LEAST_RATE = 30.0
_MINOR = ("minor", "dorian", "phrygian")
Floats = npt.NDArray[np.float64]


def main() -> int:
    rows, octaves, took = [], [], 0.0
    for genre in GENRES:
        for part in (0.2, 0.8):
            low, high = GENRES[genre].tempo_bpm
            brief = complete(
                Brief(
                    duration=SECONDS,
                    tags=brief_of(genre).tags,
                    key=f"{'A' if part < 0.5 else 'Eb'} {GENRES[genre].modes[0]}",
                    tempo_bpm=round(low + part * (high - low), 1),
                )
            )
            row, octave, seconds = heard(brief)
            rows.append(row)
            octaves.append(octave)
            took += seconds
            print(f"{genre:12s} {brief.tempo_bpm:6.1f} BPM  " + "  ".join(f"{name} {value:4.2f}" for name, value in row.items()), flush=True)  # fmt: skip
    means = {name: float(np.mean([row[name] for row in rows])) for name in LEAST}
    rate = len(rows) * (3 * SECONDS - 2 * SKIPPED) / took
    print("mean         " + "  ".join(f"{name} {value:.3f} (at least {LEAST[name]})" for name, value in means.items()))
    print(
        f"octave right without a known tempo: {np.mean(octaves):.0%}; {rate:.0f} × real time (at least {LEAST_RATE:.0f})"
    )
    return 0 if rate >= LEAST_RATE and all(means[name] >= LEAST[name] for name in LEAST) else 1


def heard(brief: Brief) -> tuple[dict[str, float], bool, float]:
    """The measures of one piece, whether the octave of the tempo is right, and the seconds of work."""
    assert brief.tempo_map is not None
    score = compose(brief, 1)
    whole = render(score, rate=RATE, seed=1).samples
    sound = whole[:, round(SKIPPED * RATE) :]
    start = time.process_time()
    free, known = pulse_of(sound, RATE), pulse_of(sound, RATE, near_bpm=brief.tempo_bpm)
    key, _ = key_of(whole, RATE)
    took = time.process_time() - start
    ending = ends_of(whole, RATE).ending
    beats, bars = (
        np.array([time - SKIPPED for time in times if SKIPPED < time < SECONDS])
        for times in (brief.tempo_map.beats, brief.tempo_map.downbeats)
    )
    octave = np.log2(max(free.tempo_bpm, 1.0) / brief.tempo_map.tempo_bpm)
    true = Key.parse(brief.key)
    last = max(note.start for part in score.parts for note in part.notes)
    measures = {
        "tempo": float(abs(octave - round(octave)) < 0.04 and abs(octave) < 1.1),
        "beats 70": agreement(free.beats, beats, 0.07),
        "beats 30": agreement(free.beats, beats, 0.03),
        "bars": agreement(free.downbeats, bars, 0.07),
        "known 70": agreement(known.beats, beats, 0.07),
        "known 30": agreement(known.beats, beats, 0.03),
        "key": float(key.tonic == true.tonic and (key.mode in _MINOR) == (true.mode in _MINOR)),
        "end": float(ending is not None and abs(ending - last) < 0.06),
    }
    return measures, bool(abs(octave) < 0.04), took


def agreement(found: Floats, true: Floats, within: float) -> float:
    """The F-measure of times: each true one is met at most once."""
    met, at = 0, 0
    for moment in true:
        while at < len(found) and found[at] < moment - within:
            at += 1
        if at < len(found) and found[at] <= moment + within:
            met, at = met + 1, at + 1
    return 2 * met / max(1, len(found) + len(true))


if __name__ == "__main__":
    raise SystemExit(main())
