"""Speech is found where it is, and noise, tones, music, clicks and silence are not speech."""

from collections.abc import Callable

import numpy as np
import pytest

from reelscore.analysis import Analysis
from reelscore.analysis.silero import CHUNK_SAMPLES, RATE, SileroNetwork, read_weights, weights_file
from reelscore.analysis.speech import SpeechFinder, _PackagedNetwork, stretches

CHUNK = CHUNK_SAMPLES / RATE


def heard(samples: np.ndarray, block: int = RATE) -> tuple[tuple[float, float], ...]:
    finder = SpeechFinder()
    for first in range(0, len(samples), block):
        finder.hear(first / RATE, samples[None, first : first + block].astype(np.float32))
    return tuple((found.start, found.end) for found in finder.result(len(samples) / RATE))


def spoken(seconds: float, seed: int = 0) -> np.ndarray:
    """Something like speech: a buzzing voice through formants that move from vowel to vowel, five syllables a second."""
    from scipy.signal import lfilter

    draw = np.random.default_rng(seed)
    vowels = [(730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410)]
    syllables = []
    for _ in range(round(seconds * 5)):
        count = RATE // 5
        pitch_hz = np.linspace(*draw.uniform(95, 160, 2), count)
        sound = (np.diff(np.floor(np.cumsum(pitch_hz) / RATE), prepend=0.0) > 0).astype(float)
        sound += 0.003 * draw.standard_normal(count)
        for formant_hz, width_hz in zip(vowels[draw.integers(5)], (80, 100, 140), strict=True):
            pole = np.exp(-np.pi * width_hz / RATE + 2j * np.pi * formant_hz / RATE)
            sound = lfilter([1.0], np.poly([pole, pole.conjugate()]).real, sound)
        sound = lfilter([1.0, -0.7], [1.0], sound)
        hiss = lfilter([1.0, -0.95], [1.0], draw.standard_normal(count)) * np.exp(-np.arange(count) / 500.0)
        voice = sound / np.abs(sound).max() * np.sin(np.linspace(0.0, np.pi, count)) ** 0.5
        syllables.append(0.3 * voice + 0.05 * hiss)
    return np.concatenate(syllables)


def noise(seconds: float, level: float = 0.1) -> np.ndarray:
    return level * np.random.default_rng(5).standard_normal(round(seconds * RATE))


def chords(seconds: float) -> np.ndarray:
    """Plucked chords with harmonics, two a second."""
    time = np.arange(RATE // 2) / RATE
    bars = []
    for root_hz in np.resize([130.8, 110.0, 87.3, 98.0], round(2 * seconds)):
        notes = [root_hz * 2 ** (semitones / 12) * n for semitones in (0, 4, 7, 12) for n in (1, 2, 3)]
        bars.append(sum(np.sin(2 * np.pi * hz * time) * np.exp(-4 * time) for hz in notes) / 24.0)
    return np.concatenate(bars)


def test_speech_is_found_where_it_is() -> None:
    quiet = noise(2.0, 1e-4)
    found = heard(np.concatenate([quiet, spoken(3.0), quiet, spoken(2.0, seed=1), quiet]))
    assert len(found) == 2
    assert found[0] == pytest.approx((2.0, 5.0), abs=0.35)
    assert found[1] == pytest.approx((7.0, 9.0), abs=0.35)


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(4 * RATE),
        noise(4.0),
        noise(4.0, 0.001),
        0.5 * np.sin(2 * np.pi * 220 * np.arange(4 * RATE) / RATE),
        chords(4.0),
        np.where(np.arange(4 * RATE) % (RATE // 2) < 8, 0.9, 0.0),
    ],
    ids=["silence", "noise", "faint noise", "tone", "chords", "clicks"],
)
def test_other_sound_is_no_speech(sound: np.ndarray) -> None:
    assert heard(sound) == ()


def test_the_blocks_that_sound_comes_in_do_not_matter() -> None:
    sound = np.concatenate([noise(1.0, 1e-4), spoken(2.0), noise(1.0, 1e-4)])
    assert np.array(heard(sound, 700)) == pytest.approx(np.array(heard(sound, 5 * RATE)))


def test_damaged_samples_are_silence() -> None:
    broken = noise(2.0)
    broken[::7] = np.nan
    broken[3::11] = np.inf
    assert heard(broken) == ()


def test_the_network_is_the_one_of_the_package() -> None:
    sound = np.concatenate([spoken(2.0), noise(1.0)]).astype(np.float32)
    sound = sound[: len(sound) // CHUNK_SAMPLES * CHUNK_SAMPLES]
    ours = SileroNetwork.installed()
    assert ours is not None
    mine, theirs = ours.probabilities(sound), _PackagedNetwork().probabilities(sound)
    # The package leaves out the 64 samples of context that the network was trained with, hence not the very same.
    assert np.corrcoef(mine, theirs)[0, 1] > 0.9
    assert np.mean((mine > 0.5) == (theirs > 0.5)) > 0.9


def test_another_model_is_refused() -> None:
    file = weights_file()
    assert file is not None
    data = file.read_bytes()
    with pytest.raises(ValueError, match="not a Silero model"):
        read_weights(data.replace(b"silero-16k", b"silero-08k", 1))


def test_stretches_follow_two_thresholds() -> None:
    def found(*parts: tuple[float, int]) -> list[tuple[float, float]]:
        levels = np.concatenate([np.full(chunks, level) for level, chunks in parts])
        return [(part.start, part.end) for part in stretches(levels, 0.0, len(levels) * CHUNK)]

    assert found((0.0, 50), (0.9, 50), (0.0, 50)) == [pytest.approx((50 * CHUNK - 0.1, 100 * CHUNK + 0.1))]
    assert found((0.45, 100)) == []  # never sure
    assert len(found((0.0, 9), (0.9, 30), (0.4, 30), (0.9, 30), (0.0, 9))) == 1  # unsure, but going on
    assert len(found((0.0, 9), (0.9, 30), (0.0, 8), (0.9, 30), (0.0, 9))) == 1  # a breath
    assert len(found((0.0, 9), (0.9, 30), (0.0, 12), (0.9, 30), (0.0, 9))) == 2  # a pause
    assert found((0.0, 50), (0.9, 6), (0.0, 50)) == []  # a cough
    assert found((0.9, 40)) == [pytest.approx((0.0, 40 * CHUNK))]  # stays inside the film


def test_films_with_speech_and_without(analysed: Callable[[str], Analysis]) -> None:
    dialogue = analysed("friday_cc0.mp4")
    assert sum(part.end - part.start for part in dialogue.speech) > 0.7 * dialogue.duration
    narrated = analysed("nasa_13013.mp4")
    assert sum(part.end - part.start for part in narrated.speech) > 0.7 * narrated.duration
    for name in ("ocean_vide.mp4", "squirrel_pexels.mp4", "sam2_dog.mp4", "gradio_av1.mp4", "bbb_480p_30s.mp4"):
        assert analysed(name).speech == ()


def test_a_film_without_sound_has_no_speech(analysed: Callable[[str], Analysis]) -> None:
    found = analysed("skateboard_pexels.mkv")
    assert not found.has_sound
    assert found.speech == ()
