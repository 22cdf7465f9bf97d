"""encode_sound: sound files by suffix, whole and in place."""

from pathlib import Path

import av
import numpy as np
import pytest
from filming import CLICKS, click_times, clicks

from reelscore.errors import InputError
from reelscore.media import encode_sound

RATE = 48_000


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.wav", "pcm_s24le"),
        ("a.flac", "flac"),
        ("a.m4a", "aac"),
        ("a.mp4", "aac"),
        ("a.ogg", "opus"),
        ("a.opus", "opus"),
        ("a.mp3", "mp3"),
        ("A.WAV", "pcm_s24le"),
    ],
)
def test_every_kind_holds_the_sound_where_it_was(tmp_path: Path, name: str, codec: str) -> None:
    sound = clicks()
    encode_sound([sound[:, :30_000], sound[:, 30_000:]], RATE, tmp_path / name)
    with av.open(str(tmp_path / name)) as source:
        assert source.streams.audio[0].codec_context.codec.canonical_name == codec
        parts = [frame for frame in source.decode(audio=0) if frame.pts is None or frame.pts >= 0]
        resampler = av.AudioResampler("fltp", "stereo", RATE)
        heard = np.concatenate([p.to_ndarray() for f in [*parts, None] for p in resampler.resample(f)], axis=1)
    assert click_times(heard, RATE) == pytest.approx(CLICKS, abs=0.001)
    assert 96_000 <= heard.shape[1] <= 96_000 + 1152
    if codec in ("pcm_s24le", "flac"):
        assert heard.shape[1] == 96_000
        assert np.abs(heard - sound).max() < 2**-22


def test_an_unknown_suffix_names_those_that_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.wav, \.flac"):
        encode_sound([clicks()], RATE, tmp_path / "a.xyz")


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def blocks():
        yield clicks()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_sound(blocks(), RATE, tmp_path / "a.flac")
    assert not list(tmp_path.iterdir())
