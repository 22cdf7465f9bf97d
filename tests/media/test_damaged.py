"""Films spoilt at random: each one is played and muxed as far as it goes, or refused in a sentence; nothing else."""

from pathlib import Path

import numpy as np
import pytest
from filming import RED, SCENES, clicks, film

from reelscore.errors import ReelscoreError
from reelscore.media import Picture, Sound, mux, play, probe, soundtrack


def _spoilt(data: bytes, chance: np.random.Generator) -> bytes:
    spoilt = bytearray(data)
    at = int(chance.integers(len(spoilt)))
    match int(chance.integers(4)):
        case 0:
            for place in chance.integers(0, len(spoilt), 20):
                spoilt[place] ^= 1 << int(chance.integers(8))
        case 1:
            spoilt[at : at + 800] = chance.bytes(800)
        case 2:
            del spoilt[at:]
        case _:
            spoilt[at:at] = spoilt[at : at + 3000]
    return bytes(spoilt)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
def test_damage_never_ends_in_a_traceback(tmp_path: Path, name: str) -> None:
    codec = "mpeg4" if name == "a.avi" else "libx264"
    whole = film(tmp_path / name, [*SCENES, (RED, 10)], codec=codec, sound=clicks(2.4)).read_bytes()
    chance, finished = np.random.default_rng(7), 0
    for _ in range(12):
        path = tmp_path / f"spoilt{Path(name).suffix}"
        path.write_bytes(_spoilt(whole, chance))
        try:
            clip = probe(path)
            times = [item.time for item in play(clip) if isinstance(item, Picture)]
            heard = sum(item.samples.shape[1] for item in play(clip) if isinstance(item, Sound))
            mux(clip, soundtrack(clip), 48_000, tmp_path / "out.mkv")
        except ReelscoreError:
            continue
        finished += 1
        assert times == sorted(set(times)) and times[-1] < clip.duration
        assert heard == (round(clip.duration * 16_000) if clip.has_sound else 0)
        assert probe(tmp_path / "out.mkv").duration == pytest.approx(clip.duration, abs=0.05)
    assert finished >= 4
