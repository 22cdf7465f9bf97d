"""Measures of finished sound whose truth is known because it was made here, and the report and picture of them."""

import json
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import librosa
import numpy as np
import pytest

from reelscore.audio import Audio, Samples, fit, gain_from_db, write_audio
from reelscore.brief import Brief, Cue, Film, Section, Span
from reelscore.errors import MediaError
from reelscore.loudness import Loudness, Meter, blocks_of
from reelscore.media import picture_sha256
from reelscore.mix import MixSettings, mix
from reelscore.report import check, draw_timeline, measures_json, summary, take_json, take_summary, write_report
from reelscore.report.measures import (
    cue_errors,
    estimated_speech_to_music_db,
    hit_rate,
    hit_rate_by_chance,
    longest_silence,
    strength_at_cues,
)
from reelscore.report.onsets import Listener, onsets
from reelscore.tempo import TempoMap

RATE = 48_000
CUES = (0.5, 1.23, 2.0, 2.9, 3.6)


def clicks(times: tuple[float, ...], duration: float, level: float = 0.5) -> Samples:
    """Short bursts of noise at `times` over a soft tone."""
    random = np.random.default_rng(1)
    sound = 0.02 * np.sin(2 * np.pi * 220 * np.arange(round(duration * RATE)) / RATE)
    for time in times:
        first = round(time * RATE)
        sound[first : first + 900] += level * random.standard_normal(900) * np.exp(-np.arange(900) / 200)
    return np.stack([sound, sound]).astype(np.float32)


def notes(times: np.ndarray, duration: float, attack: float = 0.005) -> Samples:
    """Plucked tones that begin at `times` and ring over each other."""
    random = np.random.default_rng(2)
    sound = np.zeros(round(duration * RATE))
    for start in times:
        first = round(start * RATE)
        time = np.arange(min(2 * RATE, len(sound) - first)) / RATE
        pitch_hz = 220.0 * 2 ** (random.integers(0, 25) / 12)
        tone = sum(np.sin(2 * np.pi * pitch_hz * partial * time) / partial for partial in range(1, 7))
        sound[first : first + len(time)] += 0.1 * tone * np.minimum(time / attack, 1) * np.exp(-3 * time)
    return np.stack([sound, sound]).astype(np.float32)


def film(path: Path, samples: Samples | None, duration: float = 4.0) -> Path:
    """A film of grey steps at 25 pictures a second with PCM sound."""
    with av.open(path, "w") as container:
        picture = container.add_stream("mpeg4", rate=25)
        picture.width, picture.height, picture.pix_fmt = 96, 64, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=RATE, layout="stereo") if samples is not None else None
        for number in range(round(duration * 25)):
            grey = np.full((64, 96, 3), 40 + number % 160, np.uint8)
            container.mux(picture.encode(av.VideoFrame.from_ndarray(grey, "rgb24")))
        container.mux(picture.encode())
        if sound is not None and samples is not None:
            whole = np.ascontiguousarray((samples.T * 32767).astype(np.int16).reshape(1, -1))
            for first in range(0, samples.shape[1], 4_800):
                frame = av.AudioFrame.from_ndarray(whole[:, 2 * first : 2 * (first + 4_800)], "s16", "stereo")
                frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
                container.mux(sound.encode(frame))
            container.mux(sound.encode())
    return path


def brief_for(path: Path | None, duration: float = 4.0) -> Brief:
    return Brief(
        duration=duration,
        film=Film(path=str(path), frame_rate=25, picture_sha256=picture_sha256(path)) if path else None,
        tempo_map=TempoMap.steady(96.0, duration),
        sections=(
            Section(start=0, end=2, letter="A", energy=0.2),
            Section(start=2, end=duration, letter="B", energy=0.9),
        ),
        cues=tuple(Cue(time=time, strength=0.8) for time in CUES),
    )


def heard(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    listener = Listener()
    for block in blocks_of(samples):
        listener.add(block)
    strength = listener.finish().strength
    return strength, onsets(strength)


def matched(found: np.ndarray, true: np.ndarray, tolerance: float) -> float:
    return float(np.mean([len(found) and np.abs(found - time).min() <= tolerance for time in true]))


def test_a_film_with_clicks_at_its_cues(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", clicks(CUES, 4.0))
    measures = check(path, brief_for(path))
    assert measures.picture_identical is True
    assert measures.length_error == pytest.approx(0.0, abs=1e-3)
    assert measures.cue_hit_rate == 1.0
    # The tone under the clicks begins at 0, which is an onset too, with half its reach.
    assert measures.cue_hit_rate_by_chance == pytest.approx((len(CUES) + 0.5) * 0.1 / 4.0, abs=0.005)
    assert all(error is not None and abs(error) < 0.012 for error in measures.cue_errors)
    assert measures.onset_strength_at_cues is not None and measures.onset_strength_at_cues > 4.0
    assert measures.longest_silence == 0.0 and measures.speech_to_music_db is None


def test_clicks_beside_the_cues_are_misses_with_their_errors(tmp_path: Path) -> None:
    late = tuple(time + 0.12 for time in CUES)
    path = film(tmp_path / "film.mkv", clicks(late, 4.0))
    measures = check(path, brief_for(path))
    assert measures.cue_hit_rate == 0.0
    assert list(measures.cue_errors) == pytest.approx([0.12] * len(CUES), abs=0.012)
    assert measures.onset_strength_at_cues is not None and measures.onset_strength_at_cues < 1.0


@pytest.mark.parametrize("error", [-0.35, 0.0, 0.8])
def test_sound_shorter_or_longer_than_the_picture(tmp_path: Path, error: float) -> None:
    path = film(tmp_path / "film.mkv", clicks(CUES[:2], 4.0 + error))
    assert check(path, brief_for(path)).length_error == pytest.approx(error, abs=2e-3)


def test_another_films_picture_is_told_apart(tmp_path: Path) -> None:
    path, other = film(tmp_path / "one.mkv", None), film(tmp_path / "other.mkv", None, duration=3.0)
    assert check(path, brief_for(other)).picture_identical is False
    assert check(path, brief_for(None)).picture_identical is None


def test_a_film_without_sound(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", None)
    measures = check(path, brief_for(path))
    assert measures.loudness_lufs == -np.inf and measures.length_error == pytest.approx(-4.0)
    assert measures.cue_hit_rate == 0.0 and measures.cue_errors == (None,) * len(CUES)
    assert measures.longest_silence == pytest.approx(4.0)
    assert json.loads(measures_json(measures))["loudness_lufs"] is None
    draw_timeline(tmp_path / "picture.png", path, brief_for(path), measures)


def test_a_sound_file_without_any_film(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    write_audio(Audio(clicks(CUES, 4.0), RATE), path)
    measures = check(path, brief_for(None))
    assert measures.picture_identical is None and measures.length_error == pytest.approx(0.0, abs=1e-3)
    assert measures.cue_hit_rate == 1.0


def test_what_is_no_film_is_one_sentence(tmp_path: Path) -> None:
    text = tmp_path / "film.mp4"
    text.write_text("no film")
    for path in (text, tmp_path / "missing.mp4", tmp_path):
        with pytest.raises(MediaError):
            check(path, brief_for(None))


def test_loudness_and_peak_are_those_of_the_mix(tmp_path: Path) -> None:
    mixed = mix(Audio(clicks(CUES, 4.0), RATE), None, (), 4.0, MixSettings())
    path = film(tmp_path / "film.mkv", np.concatenate(list(mixed.blocks()), axis=1))
    measures = check(path, brief_for(path))
    assert measures.loudness_lufs == pytest.approx(mixed.loudness.integrated_lufs, abs=0.05)
    assert measures.true_peak_dbtp == pytest.approx(mixed.loudness.true_peak_dbtp, abs=0.1)


@pytest.mark.parametrize("attack", [0.002, 0.02])
def test_onsets_are_where_notes_begin_and_agree_with_librosa(attack: float) -> None:
    times = np.sort(np.random.default_rng(3).uniform(0.3, 19.0, 50))
    times = times[np.insert(np.diff(times) > 0.12, 0, True)]
    samples = notes(times, 20.0, attack)
    _, found = heard(samples)
    by_librosa = librosa.onset.onset_detect(y=samples[0], sr=RATE, hop_length=480, units="time")
    assert matched(found, times, 0.03) > 0.95 and matched(times, found, 0.03) > 0.95
    assert matched(found, by_librosa, 0.05) > 0.9
    nearest = np.array([found[np.argmin(np.abs(found - time))] - time for time in times])
    assert abs(np.median(nearest)) < 0.01


def test_onsets_do_not_depend_on_the_level_of_the_mastering() -> None:
    samples = notes(np.arange(0.5, 9.0, 0.4), 10.0)
    _, loud = heard(samples)
    _, soft = heard(samples * np.float32(gain_from_db(-20.0)))
    assert matched(soft, loud, 0.02) > 0.95 and abs(len(loud) - len(soft)) <= 1


def test_nothing_begins_in_a_held_tone_or_in_silence() -> None:
    tone = 0.3 * np.sin(2 * np.pi * 330 * np.arange(6 * RATE) / RATE)
    vibrato = 0.3 * np.sin(2 * np.pi * 330 * np.arange(6 * RATE) / RATE + 3 * np.sin(np.arange(6 * RATE) / RATE * 35))
    for sound in (tone, vibrato):
        _, found = heard(np.stack([sound, sound]).astype(np.float32))
        assert len(found[(found > 0.1) & (found < 5.9)]) == 0
    assert len(heard(np.zeros((2, RATE), np.float32))[1]) == 0


def test_blocks_do_not_change_what_is_heard() -> None:
    samples = clicks(CUES, 4.0)
    listener = Listener()
    for block in blocks_of(samples, 777):
        listener.add(block)
    assert np.allclose(listener.finish().strength, heard(samples)[0], atol=1e-3)


def test_rates_and_errors_by_hand() -> None:
    cues, found = np.array([1.0, 2.0, 3.0]), np.array([1.03, 1.9, 7.0])
    assert hit_rate(cues, found) == pytest.approx(1 / 3)
    assert cue_errors(cues, found) == (pytest.approx(0.03), pytest.approx(-0.1), None)
    assert hit_rate(np.array([]), found) is None
    assert hit_rate_by_chance(np.array([1.0, 1.05, 9.99]), 10.0) == pytest.approx((0.15 + 0.06) / 10)
    assert hit_rate_by_chance(np.arange(0, 10, 0.05), 10.0) == pytest.approx(1.0)


def test_chance_is_what_random_cues_reach() -> None:
    random = np.random.default_rng(4)
    found = np.sort(random.uniform(0, 60, 120))
    drawn = hit_rate(random.uniform(0, 60, 20_000), found)
    assert hit_rate_by_chance(found, 60.0) == pytest.approx(drawn, abs=0.01)


def test_strength_at_cues_is_one_where_all_is_alike() -> None:
    assert strength_at_cues(np.ones(400), np.array([1.0, 2.0])) == pytest.approx(1.0)
    assert strength_at_cues(np.zeros(400), np.array([1.0])) is None


def test_longest_silence() -> None:
    powers = np.full(1_000, 0.01)
    powers[100:130] = 0.0
    powers[500:700] = 1e-7
    assert longest_silence(powers, 0.01) == pytest.approx(2.0, abs=0.02)
    assert longest_silence(np.full(100, 0.01), 0.01) == 0.0
    assert longest_silence(np.zeros(100), 0.01) == pytest.approx(1.0)
    assert longest_silence(np.zeros(0), 0.01) == 0.0


@pytest.mark.parametrize("under_db", [10.0, 17.0])
def test_speech_over_music_is_estimated_from_the_finished_sound(under_db: float) -> None:
    random = np.random.default_rng(5)
    talk = (Span(start=1.0, end=2.5), Span(start=3.0, end=4.5), Span(start=7.1, end=9.0))
    voice = np.zeros((2, 10 * RATE))
    for span in talk:
        inside = slice(round(span.start * RATE), round(span.end * RATE))
        voice[:, inside] = 0.1 * random.standard_normal(voice[:, inside].shape[1])
    bed = 0.1 * gain_from_db(-under_db) * random.standard_normal((2, 10 * RATE))
    meter = Meter(RATE, 0.01)
    meter.add((voice + bed).astype(np.float32))
    assert estimated_speech_to_music_db(meter.energies(), talk) == pytest.approx(under_db, abs=1.0)
    assert estimated_speech_to_music_db(meter.energies(), ()) is None


@dataclass(frozen=True)
class Outputs:
    film: Path
    stems: Path | None = None
    midi: Path | None = None


@dataclass(frozen=True)
class Take:
    outputs: Outputs
    brief: Brief
    loudness: Loudness
    engine: str = "compose"
    seed: int = 7
    score: None = None
    speech_to_music_db: float | None = 17.0
    remarks: tuple[str, ...] = ("Something to know.",)
    licence: str = "cc-by"
    attribution: str = "“Waves” by A. Player (CC BY 4.0)"


def test_a_report_is_json_with_a_picture_beside_it(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", clicks(CUES, 4.0))
    take = Take(Outputs(path), brief_for(path), Loudness(-14.0, 5.0, -1.1, -10.0, -12.0))
    measures = write_report(tmp_path / "report.json", take)
    told = json.loads((tmp_path / "report.json").read_text())
    assert told["measured"]["cue_hit_rate"] == 1.0 and told["measured"]["speech_to_music_db"] == 17.0
    assert told["asked"]["seed"] == 7 and told["remarks"] == ["Something to know."]
    with av.open(tmp_path / "report.png") as picture:
        shown = next(picture.decode(video=0))
    assert (shown.width, shown.height) == (1600, 900)
    assert np.unique(shown.to_ndarray(format="gray")).size > 50
    assert "100% hit" in take_summary(take, measures) and "Note: Something" in take_summary(take)
    assert json.loads(take_json(take))["mixed"]["integrated_lufs"] == -14.0
    assert told["rights"] == {"licence": "cc-by", "attribution": take.attribution}
    assert "“Waves” by A. Player" in take_summary(take)
    unbound = replace(take, licence="", attribution="")
    assert "rights" not in json.loads(take_json(unbound)) and "credit" not in take_summary(unbound)


def test_the_json_of_measures_holds_what_scripts_ask_for(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", clicks(CUES, 4.0))
    measures = check(path, brief_for(path))
    told = json.loads(measures_json(measures))
    assert {
        "length_error", "picture_identical", "loudness_lufs", "true_peak_dbtp", "longest_silence", "cue_hit_rate",
        "cue_hit_rate_by_chance", "cue_errors", "speech_to_music_db",
    } <= told.keys()  # fmt: skip
    assert "identical" in summary(measures)


@pytest.mark.parametrize("duration", [0.5, 5.0, 1_800.0])
def test_a_timeline_of_any_length_and_of_a_bare_brief_can_be_drawn(tmp_path: Path, duration: float) -> None:
    path = tmp_path / "sound.wav"
    write_audio(fit(Audio(clicks((0.2,), 0.5), RATE), round(min(duration, 20.0) * RATE)), path)
    brief = Brief(duration=duration)
    measures = check(path, brief)
    assert measures.cue_hit_rate is None and measures.cue_hit_rate_by_chance is None
    draw_timeline(tmp_path / "picture.png", path, brief, measures)
    assert (tmp_path / "picture.png").stat().st_size > 5_000
