"""A finished film as a listener meets it: the whole of its sound."""

from pathlib import Path

import numpy as np
import pytest
from filming import film

from reelscore.errors import MediaError
from reelscore.media.encode import encode_sound
from reelscore.media.finished import holds_picture, whole_sound

RATE = 48_000


@pytest.mark.parametrize("suffix", ["wav", "m4a", "opus"])
def test_what_fills_the_last_packet_is_no_sound(tmp_path: Path, suffix: str) -> None:
    tone = (0.3 * np.sin(np.arange(RATE + 517) / 20)).astype(np.float32)
    path = tmp_path / f"sound.{suffix}"
    encode_sound([np.stack([tone, tone])], RATE, path)
    heard = np.concatenate(list(whole_sound(path)), axis=1)
    assert not holds_picture(path)
    assert heard.shape[1] == pytest.approx(RATE + 517, abs=48)
    assert np.corrcoef(heard[0, 4_000:40_000], tone[4_000:40_000])[0, 1] > 0.99


def test_sound_is_cut_at_the_start_that_is_asked_for(tmp_path: Path) -> None:
    rising = np.linspace(0, 0.5, RATE, dtype=np.float32)
    path = tmp_path / "sound.wav"
    encode_sound([np.stack([rising, rising])], RATE, path)
    later = np.concatenate(list(whole_sound(path, start=0.25)), axis=1)
    assert np.allclose(later[0], rising[RATE // 4 :], atol=1e-4)
    earlier = np.concatenate(list(whole_sound(path, start=-0.25)), axis=1)
    assert earlier.shape[1] == RATE * 5 // 4 and not earlier[:, : RATE // 4].any()


def test_a_film_without_sound_has_none(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4")
    assert holds_picture(path) and list(whole_sound(path)) == []


def test_neither_picture_nor_sound(tmp_path: Path) -> None:
    path = tmp_path / "words.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n\n")
    with pytest.raises(MediaError):
        holds_picture(path)
