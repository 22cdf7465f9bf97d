"""The mix: length, loudness and peaks of what really comes out, ducking, limiting, and silence."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from reelscore.audio import Audio, Samples, gain_from_db
from reelscore.brief import Span
from reelscore.errors import InputError
from reelscore.loudness import Meter, blocks_of, lufs, measure
from reelscore.mix import LOUDNESS_PRESETS, Mix, MixSettings, mix, settings_for
from reelscore.mix.desk import STEP
from reelscore.mix.ducking import conversations, lowering
from reelscore.mix.limiter import reductions

RATE = 48_000
TALK = (Span(start=6.0, end=7.5), Span(start=8.4, end=10.0), Span(start=15.0, end=17.0))


def music(duration: float, level: float = 0.1, seed: int = 0) -> Audio:
    """Chords that swell, with a drum on every half second."""
    time = np.arange(round(duration * RATE)) / RATE
    chord = sum(np.sin(2 * np.pi * pitch_hz * time + pitch_hz) for pitch_hz in (110.0, 277.0, 330.0, 1500.0))
    beat = time % 0.5
    drum = 4 * np.exp(-beat * 25) * np.sin(2 * np.pi * 60 * beat)
    hiss = np.random.default_rng(seed).standard_normal((2, len(time))) * 0.05
    return Audio((level * (chord * (0.6 + 0.4 * np.sin(time)) + drum + hiss)).astype(np.float32), RATE)


def film_sound(
    duration: float, talk: tuple[Span, ...] = (), voice: float = 0.1, room: float = 0.001, block: int = 4_001
) -> Callable[[], Iterator[Samples]]:
    """Syllables of noise in the spans of `talk`, and a room around them."""
    random = np.random.default_rng(7)
    samples = room * random.standard_normal((2, round(duration * RATE)))
    for span in talk:
        inside = slice(round(span.start * RATE), round(span.end * RATE))
        count = samples[:, inside].shape[1]
        samples[:, inside] += voice * random.standard_normal(count) * np.abs(np.sin(np.arange(count) / RATE * 12))
    return lambda: blocks_of(samples.astype(np.float32), block)


def sound_of(mixed: Mix) -> Samples:
    return np.concatenate(list(mixed.blocks()), axis=1)


def level_in(samples: Samples, start: float, end: float) -> float:
    meter = Meter(RATE, 0.01)
    meter.add(samples)
    return float(lufs(meter.energies()[round(start * 100) : round(end * 100)].mean()))


@pytest.mark.parametrize("preset", LOUDNESS_PRESETS)
@pytest.mark.parametrize("original", ["duck", "keep", "drop"])
def test_every_preset_is_reached_under_its_ceiling(preset: str, original: str) -> None:
    settings = settings_for(preset, original)  # type: ignore[arg-type]
    mixed = mix(music(20.0), film_sound(20.0, TALK), TALK, 20.0, settings)
    found = measure([sound_of(mixed)], RATE)
    gated = settings.dialogue_gated and original != "drop"
    reached = mixed.dialogue_lufs if gated else found.integrated_lufs
    assert reached == pytest.approx(settings.loudness_lufs, abs=0.2)
    assert found.true_peak_dbtp <= settings.true_peak_dbtp
    assert mixed.loudness.integrated_lufs == pytest.approx(found.integrated_lufs, abs=0.05)
    assert mixed.loudness.true_peak_dbtp == pytest.approx(found.true_peak_dbtp, abs=0.1)
    assert mixed.loudness.range_lu == pytest.approx(found.range_lu, abs=0.2)


def test_dialogue_gating_measures_where_somebody_speaks() -> None:
    mixed = mix(music(20.0), film_sound(20.0, TALK), TALK, 20.0, settings_for("streaming"))
    samples = sound_of(mixed)
    words = np.concatenate([samples[:, round(span.start * RATE) : round(span.end * RATE)] for span in TALK], axis=1)
    assert measure([words], RATE).integrated_lufs == pytest.approx(-27.0, abs=0.5)
    assert mixed.remarks == ()


def test_dialogue_gating_without_dialogue_says_so() -> None:
    mixed = mix(music(8.0), None, (), 8.0, settings_for("streaming"))
    assert measure([sound_of(mixed)], RATE).integrated_lufs == pytest.approx(-27.0, abs=0.1)
    assert "Nobody" in mixed.remarks[0]


@pytest.mark.parametrize("duration", [0.02, 0.5, 1.0, 3.2791, 7.000_01])
@pytest.mark.parametrize("made", [0.01, 7.5])
def test_the_length_is_exact_whatever_is_put_in(duration: float, made: float) -> None:
    mixed = mix(music(made), film_sound(made + 0.3), (), duration, MixSettings())
    samples = sound_of(mixed)
    assert samples.shape == (2, mixed.length_samples) == (2, round(duration * RATE))
    assert samples.dtype == np.float32 and np.isfinite(samples).all()


def test_music_at_another_rate_and_in_mono_is_taken() -> None:
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(44_100 * 3) / 44_100)
    samples = sound_of(mix(Audio(tone.astype(np.float32)[None], 44_100), None, (), 3.0, MixSettings()))
    spectrum = np.abs(np.fft.rfft(samples[0]))
    assert np.argmax(spectrum) / 3.0 == pytest.approx(440.0, abs=0.5)


def test_blocks_can_be_made_again_and_do_not_depend_on_the_originals_blocks() -> None:
    mixes = [
        mix(music(9.0), film_sound(9.0, TALK[:1], block=size), TALK[:1], 9.0, MixSettings()) for size in (999, 50_000)
    ]
    first, second = (sound_of(mixed) for mixed in mixes)
    assert np.array_equal(first, second)
    assert np.array_equal(first, sound_of(mixes[0]))


def test_the_music_lies_15_to_20_db_under_the_words() -> None:
    mixed = mix(music(20.0), film_sound(20.0, TALK), TALK, 20.0, MixSettings())
    silent_film = film_sound(20.0, (), room=0.0)
    assert mixed.speech_to_music_db is not None and 15.0 <= mixed.speech_to_music_db <= 20.0
    # The same faders with a voice that is taken away afterwards: what is left in the words is the music.
    from dataclasses import replace

    from reelscore.mix.desk import Desk
    from reelscore.mix.levels import set_levels

    desk = Desk(music(20.0).samples, film_sound(20.0, TALK), 20 * RATE)
    levels = set_levels(desk, TALK, MixSettings(), lambda _: None)
    alone = np.concatenate(list(replace(desk, original=silent_film).blocks(levels.faders)), axis=1)
    both = np.concatenate(list(desk.blocks(levels.faders)), axis=1)
    for span in TALK:
        distance = level_in(both, span.start, span.end) - level_in(alone, span.start, span.end)
        assert 14.5 <= distance <= 21.0


def test_the_music_goes_down_before_the_word_stays_in_short_pauses_and_comes_back_slowly() -> None:
    knots = np.arange(0.0, 22.0, STEP)
    talks = conversations(TALK)
    assert [(talk.start, talk.end) for talk in talks] == [(6.0, 10.0), (15.0, 17.0)]
    down = np.maximum(*(lowering(talk, knots) for talk in talks))
    at = lambda time: float(down[round(time / STEP)])  # noqa: E731
    assert at(5.7) == 0.0 and 0.3 < at(5.875) < 0.7
    assert down[(knots >= 6.0) & (knots <= 10.2)].min() == pytest.approx(1.0)
    assert 0.4 < at(10.7) < 0.6 and at(11.25) == 0.0 and at(14.0) == 0.0
    assert np.abs(np.diff(down)).max() < 0.007


@pytest.mark.parametrize("pause", [0.3, 1.1, 1.5])
def test_no_pumping_across_a_pause(pause: float) -> None:
    knots = np.arange(0.0, 10.0, STEP)
    (talk,) = conversations([Span(start=2.0, end=4.0), Span(start=4.0 + pause, end=7.0)])
    assert lowering(talk, knots)[(knots >= 2.0) & (knots <= 7.0)].min() == pytest.approx(1.0)


def test_a_whisper_does_not_take_the_music_away() -> None:
    mixed = mix(music(20.0), film_sound(20.0, TALK, voice=1e-3, room=0.0), TALK, 20.0, MixSettings())
    samples = sound_of(mixed)
    assert level_in(samples, 1.0, 5.0) - level_in(samples, 6.5, 7.0) < 40.0
    assert mixed.loudness.integrated_lufs == pytest.approx(-14.0, abs=0.3)


def test_ambience_stays_as_a_bed_and_a_full_soundtrack_goes_further_under() -> None:
    quiet, loud = 3e-3, 0.3
    beds = {}
    for room in (quiet, loud):
        with_film = mix(music(12.0), film_sound(12.0, room=room), (), 12.0, MixSettings())
        gain = gain_from_db(with_film.gain_db)
        beds[room] = level_in(sound_of(with_film) - gain * music(12.0).samples, 1, 11) - level_in(
            gain * music(12.0).samples, 1, 11
        )
    assert -40 < beds[quiet] <= -8.0
    assert beds[loud] == pytest.approx(-18.0, abs=2.0)


def test_keep_leaves_the_original_as_it_is_and_the_music_under_it() -> None:
    original = film_sound(20.0, TALK, room=0.0)
    mixed = mix(music(20.0), original, TALK, 20.0, MixSettings(original="keep", loudness_lufs=-23.0))
    assert mixed.speech_to_music_db == pytest.approx(15.0, abs=3.0)
    samples, voice = sound_of(mixed), np.concatenate(list(original()), axis=1) * gain_from_db(mixed.gain_db)
    assert mixed.limited_db == 0.0
    assert level_in(samples - voice, 6.0, 10.0) == pytest.approx(level_in(samples - voice, 1.0, 5.0), abs=3.0)


def test_drop_leaves_nothing_of_the_original() -> None:
    dropped = mix(music(6.0), film_sound(6.0, TALK[:1]), TALK[:1], 6.0, MixSettings(original="drop"))
    alone = mix(music(6.0), None, (), 6.0, MixSettings())
    assert np.array_equal(sound_of(dropped), sound_of(alone))


@pytest.mark.parametrize("original", ["duck", "keep", "drop"])
def test_silence_stays_silence(original: str) -> None:
    nothing = Audio(np.zeros((2, 4 * RATE), np.float32), RATE)
    mixed = mix(nothing, film_sound(4.0, room=0.0), (), 4.0, MixSettings(original=original))  # type: ignore[arg-type]
    assert not sound_of(mixed).any()
    assert mixed.gain_db == 0.0 and "silent" in mixed.remarks[-1]


def test_nearly_silent_music_is_not_blown_up() -> None:
    mixed = mix(music(6.0, level=2e-5), None, (), 6.0, MixSettings())
    assert mixed.gain_db <= 30.0
    assert np.abs(sound_of(mixed)).max() < 0.05


def peaky(duration: float) -> Audio:
    """Hard drum hits over next to nothing: 25 dB between peak and loudness."""
    random = np.random.default_rng(5)
    samples = 0.01 * random.standard_normal((2, round(duration * RATE)))
    for start in np.arange(0.1, duration - 0.2, 0.4):
        first = round(start * RATE)
        time = np.arange(6_000) / RATE
        samples[:, first : first + 6_000] += 0.9 * np.exp(-time * 60) * random.standard_normal((2, 6_000)) / 3
    return Audio(samples.astype(np.float32), RATE)


def test_the_limiter_under_load_holds_the_ceiling_and_the_loudness() -> None:
    mixed = mix(peaky(12.0), None, (), 12.0, MixSettings())
    found = measure([sound_of(mixed)], RATE)
    assert mixed.limited_db > 6.0
    assert found.true_peak_dbtp <= -1.0
    assert found.integrated_lufs == pytest.approx(-14.0, abs=0.3)


def test_what_would_spoil_the_sound_is_left_quieter_and_said() -> None:
    samples = np.zeros((2, 6 * RATE), np.float32)
    samples[:, :: RATE // 4] = 0.9
    mixed = mix(Audio(samples, RATE), None, (), 6.0, MixSettings())
    found = measure([sound_of(mixed)], RATE)
    assert found.true_peak_dbtp <= -1.0
    assert found.integrated_lufs < -14.5 and "instead of -14" in mixed.remarks[0]


def test_the_limiters_gain_moves_smoothly_and_returns() -> None:
    peaks = np.full(3_000, 0.5, np.float32)
    peaks[1_500] = 4.0
    taken = reductions(peaks, 0.0, -1.0, STEP)
    needed = 20 * np.log10(4.0) + 1.0
    assert needed <= taken[1_500:1_502].min() and taken.max() < needed + 0.2
    assert np.abs(np.diff(taken)).max() < 3.5
    assert taken[:1_450].max() < 1.0 and taken[2_000:].max() < 1.0 and taken[-200:].max() < 0.01


def test_limiting_a_low_tone_leaves_a_tone() -> None:
    time = np.arange(4 * RATE) / RATE
    tone = np.sin(2 * np.pi * 60 * time) * np.where((time > 1) & (time < 3), 1.0, 0.02)
    mixed = mix(Audio(np.stack([tone, tone]).astype(np.float32), RATE), None, (), 4.0, MixSettings("drop", -8.0, -6.0))
    middle = sound_of(mixed)[0, round(1.5 * RATE) : round(2.5 * RATE)] * np.hanning(RATE)
    spectrum = np.abs(np.fft.rfft(middle)) ** 2
    assert mixed.limited_db > 3.0
    assert spectrum[110:].sum() / spectrum.sum() < 1e-5


def test_a_sound_cut_off_by_the_film_ends_without_a_click_and_a_quiet_end_is_left_alone() -> None:
    tone = np.full((2, RATE), 0.3, np.float32) * np.cos(np.arange(RATE) / 20).astype(np.float32)
    ends = sound_of(mix(Audio(tone, RATE), None, (), 0.9, MixSettings()))
    assert np.abs(ends[:, [0, -1]]).max() < 1e-3
    hushed = tone * np.hanning(RATE).astype(np.float32)
    mixed = mix(Audio(hushed, RATE), None, (), 1.0, MixSettings(loudness_lufs=-30.0))
    assert np.allclose(sound_of(mixed), hushed * gain_from_db(mixed.gain_db), atol=1e-6)


@pytest.mark.parametrize(
    ("text", "loudness_lufs"),
    [("-14", -14.0), ("−16.5", -16.5), (" -23 LUFS ", -23.0), ("Podcast", -16.0), ("ebu-r128", -23.0)],
)
def test_loudness_is_a_number_or_a_name(text: str, loudness_lufs: float) -> None:
    assert settings_for(text).loudness_lufs == loudness_lufs


@pytest.mark.parametrize("text", ["+3", "loud", "14", "-100", "", "nan", "-inf", "-14 dB"])
def test_nonsense_for_loudness_names_the_presets_and_the_range(text: str) -> None:
    with pytest.raises(InputError, match=r"-40 to -8.*podcast") as raised:
        settings_for(text)
    assert repr(text) in str(raised.value)


def test_a_near_miss_is_guessed() -> None:
    with pytest.raises(InputError, match="did you mean 'podcast'"):
        settings_for("podcasts")


def test_every_ceiling_leaves_room() -> None:
    assert all(preset.true_peak_dbtp <= -1.0 for preset in LOUDNESS_PRESETS.values())


def test_progress_rises_to_one() -> None:
    told: list[float] = []
    mix(music(3.0), film_sound(3.0), (), 3.0, MixSettings(), lambda _, part: told.append(part))
    assert told == sorted(told) and told[-1] == pytest.approx(1.0)
