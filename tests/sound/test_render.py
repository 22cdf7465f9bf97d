"""From a score to sound: length, places in time and space, levels, stems, blocks, the cache of notes."""

from dataclasses import replace

import numpy as np
import pytest

from reelscore.brief import Key
from reelscore.compose.score import Note, Part, Score
from reelscore.sound import perform
from reelscore.sound.desk import MASTER_DB, level_curve
from reelscore.sound.patches.patch import Patch
from reelscore.sound.playing import NoteCache, Player, Stroke
from reelscore.tempo import TempoMap

RATE = 48000


def struck(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> np.ndarray:  # noqa: ARG001
    """A sine that dies away, starting at its top so that its first sample shows where it begins."""
    time = np.arange(round((duration + 0.2) * rate)) / rate
    wave = 0.3 * velocity * np.cos(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time) * np.exp(-6 * time)
    return np.stack([wave, wave]).astype(np.float32) * np.linspace(1, 0, len(time), dtype=np.float32)


PATCHES = dict.fromkeys(
    ("grand piano", "strings", "drum kit", "electric bass", "flute", "riser"), Patch(struck, tail=0.2)
)


def score(*parts: Part, duration: float = 4.0) -> Score:
    return Score(duration, Key(0, "major"), TempoMap.steady(120, duration), parts)


def part(*notes: Note, instrument: str = "grand piano", name: str = "", **place) -> Part:
    return Part(name or instrument, "melody", instrument, notes, **place)


def busy_score(duration: float = 5.3) -> Score:
    generator = np.random.default_rng(7)

    def notes(count: int, low: int, high: int) -> tuple[Note, ...]:
        return tuple(
            Note(float(start), float(length), int(pitch), float(velocity))
            for start, length, pitch, velocity in zip(
                np.sort(generator.uniform(0, duration - 1.5, count)),
                generator.uniform(0.05, 1.4, count),
                generator.integers(low, high, count),
                generator.uniform(0.2, 1.0, count),
                strict=True,
            )
        )

    return score(
        part(*notes(60, 50, 80), levels=((0.0, -12.0), (3.0, 0.0)), pan=-0.4),
        part(*notes(30, 50, 80), instrument="strings", pan=0.5, reverb_db=-6.0),
        part(*notes(40, 36, 50), instrument="drum kit", gain_db=5.0),
        part(*notes(20, 30, 45), instrument="electric bass", gain_db=3.0),
        duration=duration,
    )


def rendered(written: Score, **options) -> np.ndarray:
    return perform(written, PATCHES, rate=RATE, seed=1, **options).samples


@pytest.mark.parametrize("duration", [0.5, 1.0000104, 7.777])
def test_the_sound_has_the_scores_length_to_the_sample(duration):
    sound = perform(score(part(Note(0.1, 0.2, 60, 0.8)), duration=duration), PATCHES, rate=44100, seed=1)
    assert sound.samples.shape == (2, round(duration * 44100))
    assert sound.samples.dtype == np.float32 and sound.rate == 44100


@pytest.mark.parametrize("start", [0.0, 0.7001, 1.33337, 2.0])
@pytest.mark.parametrize("cue", [False, True])
@pytest.mark.parametrize("instrument", ["drum kit", "flute"])
def test_a_note_sounds_from_its_sample_on(start, cue, instrument):
    sound = rendered(score(part(Note(start, 0.3, 69, 0.9, cue), instrument=instrument)), block=0.5)
    heard = np.flatnonzero(np.abs(sound[0]) > 1e-7)
    assert heard[0] == round(start * RATE)


def test_where_nothing_is_played_nothing_sounds():
    sound = rendered(score(part(Note(0.0, 0.2, 69, 0.8), reverb_db=-200.0), part(instrument="flute"), duration=6.0))
    assert np.abs(sound[:, RATE:]).max() < 1e-7
    assert np.all(rendered(score(duration=1.0)) == 0)


@pytest.mark.parametrize("block", [0.3, 2.0, 5.0])
def test_the_size_of_the_blocks_changes_nothing(block):
    assert np.abs(rendered(busy_score(), block=block) - rendered(busy_score(), block=60.0)).max() < 1e-5


def test_stems_add_up_to_the_music():
    stems: dict[str, list[np.ndarray]] = {}

    def write(stem: str, block: np.ndarray, rate: int) -> None:
        assert rate == RATE and block.dtype == np.float32
        stems.setdefault(stem, []).append(block.copy())

    music = rendered(busy_score(), stems=write, block=1.0)
    parts = [np.concatenate(blocks, axis=1) for blocks in stems.values()]
    assert list(stems) == ["grand piano", "strings", "drum kit", "electric bass"]
    assert {stem.shape for stem in parts} == {music.shape}
    residue = np.sqrt(np.mean((sum(parts) - music) ** 2) / np.mean(music**2))
    assert 20 * np.log10(residue) < -60
    assert np.abs(music - rendered(busy_score())).max() < 1e-5


def test_parts_of_one_name_share_a_stem():
    names = []
    twice = score(part(Note(0, 1, 60, 0.5), name="a"), part(Note(1, 1, 65, 0.5), name="a", instrument="flute"))
    rendered(twice, stems=lambda *written: names.append(written[0]))
    assert set(names) == {"a"} and len(names) == 1


def test_the_same_seed_gives_the_same_samples_and_the_order_of_notes_is_free():
    assert np.array_equal(rendered(busy_score()), rendered(busy_score()))
    written = busy_score()
    turned = replace(written, parts=tuple(replace(p, notes=p.notes[::-1]) for p in written.parts))
    assert np.array_equal(rendered(written), rendered(turned))


def test_nothing_passes_full_scale_and_the_end_does_not_click():
    loud = score(*(part(*(Note(0.02 * i, 3.5, 40 + i, 1.0) for i in range(30)), gain_db=12.0) for _ in range(3)))
    sound = rendered(loud)
    assert 0.6 < np.abs(sound).max() <= 0.71
    assert np.abs(sound[:, -1]).max() < 1e-4
    assert np.abs(np.diff(sound[:, -500:], axis=1)).max() < 0.05


def energy(sound: np.ndarray, begin: float, end: float) -> float:
    return float(10 * np.log10(np.mean(sound[:, round(begin * RATE) : round(end * RATE)] ** 2) + 1e-20))


def test_the_gain_table_holds():
    def level(gain_db: float, **place) -> float:
        quiet = part(Note(0, 1, 69, 0.5), gain_db=gain_db - 20, reverb_db=-200, instrument="flute", **place)
        return energy(rendered(score(quiet)), 0, 1)

    assert level(0) - level(-6) == pytest.approx(6.0, abs=0.05)
    assert level(0) - level(0, levels=((0.0, -9.0),)) == pytest.approx(9.0, abs=0.05)
    assert level(0) == pytest.approx(level(0, pan=0.6), abs=0.05)


def test_pan_goes_to_its_side_at_equal_power():
    right = rendered(score(part(Note(0, 1, 96, 0.5), pan=1.0, reverb_db=-200.0)))
    assert np.mean(right[1] ** 2) > 300 * np.mean(right[0] ** 2)


def test_the_send_is_the_rooms_level():
    notes = [Note(0.05 * i, 0.5, 60 + 7 * i % 30, 0.2) for i in range(30)]
    dry = rendered(score(part(*notes, reverb_db=-200.0, gain_db=-20)))
    wet = rendered(score(part(*notes, reverb_db=-6.0, gain_db=-20))) - dry
    assert energy(wet, 0, 4) - energy(dry, 0, 4) == pytest.approx(-6.0, abs=1.5)


def test_levels_are_straight_in_db_and_smooth():
    curve = 20 * np.log10(level_curve(((1.0, -12.0), (3.0, 0.0)), 0, 4 * RATE, RATE))
    assert curve[[0, 2 * RATE, -1]] == pytest.approx([-12.0, -6.0, 0.0], abs=0.01)
    shifted = level_curve(((1.0, -12.0), (3.0, 0.0)), 12345, 5000, RATE)
    assert np.allclose(shifted, level_curve(((1.0, -12.0), (3.0, 0.0)), 0, 4 * RATE, RATE)[12345:17345])
    step = level_curve(((1.0, -60.0), (1.0001, 0.0)), 0, 2 * RATE, RATE)
    assert np.abs(np.diff(step)).max() < 0.01


def test_a_closed_hat_ends_an_open_one():
    open_alone = score(part(Note(0.5, 1.5, 46, 0.8), instrument="drum kit", reverb_db=-200))
    cut = score(part(Note(0.5, 1.5, 46, 0.8), Note(0.8, 0.1, 42, 0.01), instrument="drum kit", reverb_db=-200))
    assert energy(rendered(open_alone), 0.85, 1.2) - energy(rendered(cut), 0.85, 1.2) > 20
    assert energy(rendered(open_alone), 0.5, 0.79) == pytest.approx(energy(rendered(cut), 0.5, 0.79), abs=0.1)


def test_the_build_of_an_arrangement_survives():
    build = [
        part(*(Note(t, 0.45, 48 + 7 * i, 0.3) for t in np.arange(4.09 * i, 19.5, 0.5)), name=str(i)) for i in range(5)
    ]
    sound = rendered(score(*build, duration=20.0))
    alone = energy(sound, 1, 4)
    heights = [energy(sound, 4 * i + 1, 4 * i + 4) for i in range(5)]
    assert heights == sorted(heights) and heights[-1] - alone > 6.0
    assert MASTER_DB < 0


def test_a_riser_is_played_for_its_written_length_to_the_sample():
    asked = []

    def listening(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> np.ndarray:
        asked.append(duration)
        return struck(pitch, velocity, duration, rate, variation)

    riser = score(part(Note(0.0, 2.3456, 60, 0.8), instrument="riser"))
    perform(riser, {"riser": Patch(listening, 0.0)}, rate=RATE, seed=1)
    assert asked == [2.3456]


def test_notes_are_played_once_and_takes_go_round():
    asked = []

    def listening(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> np.ndarray:
        asked.append(variation)
        return struck(pitch, velocity, duration, rate, variation)

    hits = part(*(Note(0.1 * i, 0.1, 38, 0.5) for i in range(30)), instrument="drum kit")
    perform(score(hits), {"drum kit": Patch(listening, 0.2)}, rate=RATE, seed=5)
    assert sorted(asked) == [0, 1, 2, 3]


def test_neither_threads_nor_what_is_kept_changes_what_is_heard(monkeypatch):
    usual = rendered(busy_score(), block=1.0)
    for cores in (1, 3):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        assert np.array_equal(rendered(busy_score(), block=1.0), usual)
    monkeypatch.setattr("reelscore.sound.KEPT_NOTES_BYTES", 100_000)
    assert np.array_equal(rendered(busy_score(), block=1.0), usual)


def test_a_player_says_which_notes_it_has_yet_to_learn():
    player = Player(
        part(Note(0.0, 0.5, 69, 0.8), Note(1.5, 0.5, 72, 0.8)), PATCHES["flute"], RATE, NoteCache(1 << 24), 0
    )
    first = player.missing(RATE)
    assert [stroke.pitch for stroke in first] == [69]
    player.learn(first.pop())
    assert not player.missing(RATE)
    player.play(RATE)
    assert [stroke.pitch for stroke in player.missing(RATE)] == [72]


def test_velocity_is_exact_though_notes_are_kept_by_steps():
    def level(velocity: float) -> float:
        return energy(rendered(score(part(Note(0, 1, 69, velocity), reverb_db=-200))), 0, 1)

    heights = [level(velocity) for velocity in np.linspace(0.3, 0.6, 9)]
    assert np.all(np.diff(heights) > 0.1)


def test_the_cache_never_holds_more_than_its_limit_and_forgets_the_longest_unused():
    cache = NoteCache(limit_bytes=10_000)
    strokes = [Stroke("flute", pitch, 0.5, 1.0, 0) for pitch in range(20)]
    for stroke in strokes:
        cache.keep(stroke, np.zeros((2, 250), np.float32))
        assert cache.held_bytes <= 10_000
        assert cache.find(strokes[0]) is not None
    assert cache.find(strokes[1]) is None and cache.find(strokes[-1]) is not None
    cache.keep(Stroke("flute", 99, 0.5, 1.0, 0), np.zeros((2, 5000), np.float32))
    assert cache.find(Stroke("flute", 99, 0.5, 1.0, 0)) is None


def test_a_player_carries_tails_over_the_blocks():
    notes = part(Note(0.01, 0.5, 69, 0.8), Note(0.3, 0.2, 72, 0.8))
    whole = Player(notes, PATCHES["grand piano"], RATE, NoteCache(1 << 24), 0).play(2 * RATE)
    player = Player(notes, PATCHES["grand piano"], RATE, NoteCache(1 << 24), 0)
    blocks = [player.play(1000) for _ in range(96)]
    assert blocks[-1] is None
    assert np.array_equal(
        np.concatenate([b if b is not None else np.zeros((2, 1000), np.float32) for b in blocks], 1), whole
    )
