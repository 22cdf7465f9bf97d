"""Real footage: every clip is probed, played to its end and muxed, and its picture stays what it was."""

from pathlib import Path

import numpy as np
import pytest

from reelscore.media import CodedHash, Damage, Picture, Sound, mux, picture_sha256, play, probe, soundtrack

PICTURES = {
    "bbb_480p_30s.mp4": 720,
    "bbb_trailer_0_30.webm": 720,
    "broken_audio.mp4": 280,
    "friday_cc0.mp4": 185,
    "gradio_av1.mp4": 375,
    "nasa_13013.mp4": 390,
    "no_duration.webm": 74,
    "ocean_vide.mp4": 240,
    "people_walk_intel.mp4": 1394,
    "sam2_coffee.mp4": 287,
    "sam2_dog.mp4": 289,
    "screen_sam2_ui.mp4": 1016,
    "skateboard_pexels.mkv": 187,
    "smpte_2997fps.mp4": 251,
    "squirrel_pexels.mp4": 250,
    "visbeat_synth_ball.mp4": 1800,
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_real_clip_goes_all_the_way(clips: Path, tmp_path: Path, name: str) -> None:
    path = clips / name
    clip = probe(path)
    assert clip.frames == PICTURES[name]
    digest, damage = CodedHash(), Damage()
    last, count, heard = -1.0, 0, 0
    for item in play(clip, digest=digest, damage=damage):
        if isinstance(item, Picture):
            assert item.time > last
            last, count = item.time, count + 1
        elif isinstance(item, Sound):
            assert item.time * 16_000 == heard
            heard += item.samples.shape[1]
    assert count == PICTURES[name]
    assert clip.duration - 2.5 / clip.frame_rate < last < clip.duration
    assert heard == (round(clip.duration * 16_000) if clip.has_sound else 0)
    assert damage.remarks == ()
    target = tmp_path / f"out{path.suffix}"
    mux(clip, soundtrack(clip), 48_000, target)
    finished = probe(target)
    assert picture_sha256(target) == digest.hexdigest() == picture_sha256(path)
    assert finished.duration == pytest.approx(clip.duration, abs=0.0011)
    assert finished.frames == clip.frames
    before, after = (np.concatenate(list(soundtrack(film, 8_000, 1)), axis=1) for film in (clip, finished))
    assert _delay(before[0], after[0]) == 0


def _delay(before: np.ndarray, after: np.ndarray) -> int:
    """By how many samples the second sound is late, from the peak of their correlation; 0 for silence."""
    count = min(len(before), len(after))
    if not before[:count].any():
        return 0
    size = 2 * count
    product = np.fft.irfft(np.fft.rfft(after[:count], size) * np.conj(np.fft.rfft(before[:count], size)), size)
    peak = int(np.argmax(product))
    return peak if peak < count else peak - size
