"""Whether scenes are joined on beats, without a jump in level and without a click: `python -m benchmark.joins [--seed N]`.

Films are put together of scenes that begin anywhere. Each scene's music is a stretch of another piece whose beats are known: the
composer's in all styles at two tempi, and patterns of drums; each at a level of its own, up to 12 dB softer. It is joined as the
engine musicgen does it: the pulse is heard in what sounds near the turn, on both sides, the join moved to the nearest beat, the
pieces laid one after another. At every join three things are measured:

    beat    how far the join lies from a true beat, in the worse of the two pieces, in ms
    jump    momentary loudness (BS.1770, 0.4 s) behind against before, in LU
    click   the greatest bend from one sample to the next within the fade, against the greatest in the two pieces there

Where no beat is heard (music without a pulse) the join stays where the film turns; these are counted, and left out of the first.
For contrast the same pieces are laid end to end where the film turns, which must miss the aims.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from benchmark.briefs import brief_of
from reelscore.brief import Brief
from reelscore.compose import compose
from reelscore.engines.musicgen.joins import beat_near
from reelscore.finish.joining import CROSSFADE, Laid, joined
from reelscore.loudness import Meter, blocks_of, lufs
from reelscore.sound import render
from reelscore.spotting import complete
from reelscore.vocabulary import GENRES

RATE = 32_000
_GRAIN = 0.001  # seconds
FILMS, SCENES = 24, 5
SHORTEST, LONGEST = 8.0, 14.0  # seconds of a scene
LEAD, BEYOND = 3.0, 3.0  # seconds that a piece has before and after its scene
SOFTEST_DB = -12.0
MOST_OFF, MOST_JUMP, MOST_CLICK = 0.030, 3.0, 1.5
STEPS = ("k...s...k.k.s...", "k..ks.....k.s.k.", "k...k...k...k...")


@dataclass(frozen=True, eq=False)
class Piece:
    """Music (2, n) and its true beats in seconds."""

    name: str
    sound: npt.NDArray[np.float32]
    beats: npt.NDArray[np.float64]
    tempo_bpm: float


@dataclass(frozen=True)
class Join:
    """What was measured at one join: seconds off a true beat, None where no beat was heard."""

    off: float | None
    jump: float
    click: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    chance = np.random.default_rng(parser.parse_args().seed)
    pieces = [*composed(), *drummed(chance)]
    print(f"{len(pieces)} pieces, {FILMS} films of {SCENES} scenes")
    ours, naive = [], []
    for _ in range(FILMS):
        scenes = [pieces[each] for each in chance.choice(len(pieces), SCENES, replace=False)]
        film = film_of(scenes, chance)
        ours += joins_of(*film.joined_on_beats())
        naive += joins_of(*film.end_to_end())
    missed = report("joined on beats", ours)
    seen = report("for contrast, end to end", naive)
    return 1 if missed or not seen else 0


def composed() -> list[Piece]:
    """The composer's minute in every style, slow and fast."""
    made = []
    for genre in GENRES:
        low, high = GENRES[genre].tempo_bpm
        for part in (0.2, 0.8):
            tempo_bpm = round(low + part * (high - low), 1)
            brief = brief_of(genre)
            brief = complete(Brief(duration=40.0, tags=brief.tags, key=brief.key, tempo_bpm=tempo_bpm))
            assert brief.tempo_map is not None
            sound = render(compose(brief, 1), rate=RATE, seed=1).samples
            made.append(Piece(genre, sound, np.array(brief.tempo_map.beats), brief.tempo_map.tempo_bpm))
    return made


def drummed(chance: np.random.Generator) -> list[Piece]:
    """Patterns of bass drum, snare and hi-hat, sixteen steps a bar."""
    made = []
    time = np.arange(round(0.2 * RATE)) / RATE
    noise = chance.standard_normal(len(time))
    strokes = {
        "k": np.sin(2 * np.pi * 55 * time) * np.exp(-18 * time) * 0.6,
        "s": noise * np.exp(-25 * time) * 0.3,
        "h": np.diff(noise, prepend=0.0) * np.exp(-60 * time) * 0.1,
    }
    for steps in STEPS:
        for tempo_bpm in chance.uniform(75, 150, 2):
            beat = 60 / tempo_bpm
            sound = np.zeros(40 * RATE)
            for number in range(int(40 / beat * 4) - 4):
                first = round(number * beat / 4 * RATE)
                for stroke in steps[number % 16].strip(".") + ("h" if number % 2 == 0 else ""):
                    sound[first : first + len(time)] += strokes[stroke]
            made.append(Piece("drums", np.stack([sound, sound]).astype(np.float32), np.arange(0, 40, beat), tempo_bpm))
    return made


@dataclass(frozen=True, eq=False)
class Film:
    """Scenes: where each turns to the next, and the stretch of a piece, from its first second on, that it has."""

    turns: npt.NDArray[np.float64]
    pieces: Sequence[Piece]
    firsts: Sequence[float]
    sounds: Sequence[npt.NDArray[np.float32]]

    def joined_on_beats(self) -> tuple[npt.NDArray[np.float32], "list[Place]"]:
        """The film's music, and its joins."""
        laid, at, places = [Laid(self.sounds[0], round(LEAD * RATE), 0)], 0, []
        for number in range(1, len(self.pieces)):
            old, new = self.pieces[number - 1], self.pieces[number]
            begins = laid[-1].begins / RATE
            leaves = beat_near(self.sounds[number - 1], RATE, self.turns[number] - begins, old.tempo_bpm)
            comes = beat_near(self.sounds[number], RATE, LEAD, new.tempo_bpm)
            at = round((leaves.time + begins) * RATE)
            laid.append(Laid(self.sounds[number], round(comes.time * RATE), at))
            off = [
                _off(piece, self.firsts[each] + meeting.time)
                for piece, each, meeting in ((old, number - 1, leaves), (new, number, comes))
                if meeting.on_beat
            ]
            places.append(Place(at, laid[-2], laid[-1], max(off) if len(off) == 2 else None))
        return joined(laid, round(self.turns[-1] * RATE), RATE), places

    def end_to_end(self) -> tuple[npt.NDArray[np.float32], "list[Place]"]:
        """The same stretches cut where the film turns."""
        turns = np.round(self.turns * RATE).astype(int)
        lead = round(LEAD * RATE)
        laid = [Laid(sound, lead, int(turn)) for sound, turn in zip(self.sounds, turns[:-1], strict=True)]
        cut = [sound[:, lead : lead + length] for sound, length in zip(self.sounds, np.diff(turns), strict=True)]
        places = []
        for number, (before, after) in enumerate(pairwise(laid)):
            leaves = self.firsts[number] + (after.at - before.begins) / RATE
            comes = self.firsts[number + 1] + LEAD
            off = max(_off(self.pieces[number], leaves), _off(self.pieces[number + 1], comes))
            places.append(Place(after.at, before, after, off))
        return np.concatenate(cut, axis=1), places


@dataclass(frozen=True, eq=False)
class Place:
    """A join at a sample of the result, between two pieces, and how far off a true beat it lies (see `Join`)."""

    at: int
    old: Laid
    new: Laid
    off: float | None


def film_of(pieces: Sequence[Piece], chance: np.random.Generator) -> Film:
    """Scenes of random lengths, each with a random stretch of its piece at a random level."""
    lengths = chance.uniform(SHORTEST, LONGEST, len(pieces))
    firsts, sounds = [], []
    for piece, length in zip(pieces, lengths, strict=True):
        whole = LEAD + length + BEYOND
        first = chance.uniform(0, 40 - whole)
        sound = piece.sound[:, round(first * RATE) : round((first + whole) * RATE)]
        firsts.append(round(first * RATE) / RATE)
        sounds.append(sound * np.float32(10 ** (chance.uniform(SOFTEST_DB, 0) / 20)))
    return Film(np.concatenate([[0.0], np.cumsum(lengths)]), pieces, firsts, sounds)


def _off(piece: Piece, time: float) -> float:
    """Seconds from a time to the nearest true beat."""
    return float(np.abs(piece.beats - time).min())


def joins_of(sound: npt.NDArray[np.float32], places: Sequence[Place]) -> list[Join]:
    """Every join measured."""
    meter = Meter(RATE, step=_GRAIN)
    for block in blocks_of(sound):
        meter.add(block)
    powers = meter.energies()
    return [Join(place.off, _jump(powers, place.at), _click(sound, place)) for place in places]


def _jump(powers: npt.NDArray[np.float64], at: int) -> float:
    middle, window = round(at / RATE / _GRAIN), round(0.4 / _GRAIN)
    return float(lufs(powers[middle : middle + window].mean()) - lufs(powers[middle - window : middle].mean()))


def _click(sound: npt.NDArray[np.float32], place: Place) -> float:
    reach = round(CROSSFADE * RATE / 2)

    def sharpest(samples: npt.NDArray[np.float32], begins: int) -> float:
        around = samples[:, place.at - reach - begins : place.at + reach - begins]
        return float(np.abs(np.diff(around, 2, axis=1)).max(initial=0.0))

    parts = (sharpest(piece.sound, piece.begins) for piece in (place.old, place.new))
    return sharpest(sound, 0) / (max(parts) + 1e-4)


def report(name: str, joins: Sequence[Join]) -> list[str]:
    """Prints the figures of the joins; returns the names of the aims that they miss."""
    beat = np.array([join.off for join in joins if join.off is not None])
    jumps, clicks = np.abs([join.jump for join in joins]), np.array([join.click for join in joins])
    on_beat = int((beat <= MOST_OFF).sum())
    print(f"{name}: {len(joins)} joins, beats were heard at {len(beat)} of them")
    print(
        f"  beat   median {np.median(beat) * 1000:5.1f} ms, worst {beat.max() * 1000:5.1f} ms (at most {MOST_OFF * 1000:.0f});"
        f" {on_beat} of {len(beat)} within that"
    )
    print(f"  jump   median {np.median(jumps):5.1f} LU, worst {jumps.max():5.1f} LU (at most {MOST_JUMP:.0f})")
    print(
        f"  click  median {np.median(clicks):5.2f},    worst {clicks.max():5.2f}    (at most {MOST_CLICK:.1f})",
        flush=True,
    )
    aims = {
        "beat": beat.max() <= MOST_OFF,
        "jump": jumps.max() <= MOST_JUMP,
        "click": clicks.max() <= MOST_CLICK,
    }
    return [aim for aim, met in aims.items() if not met]


if __name__ == "__main__":
    raise SystemExit(main())
