"""Sampled instruments, on FluidSynth and a soundfont really installed; left out, with the reason, where they are not."""

import numpy as np
import pytest

from reelscore.brief import Key
from reelscore.compose.score import Note, Part, Score
from reelscore.errors import InputError, MissingError
from reelscore.sound import render, soundfont
from reelscore.sound.patches import PATCHES
from reelscore.sound.soundfont import find_soundfont, loudness_db, missing, sampled_patches
from reelscore.tempo import TempoMap

RATE = 48000
SAMPLED = ("grand piano", "strings", "flute", "electric bass", "glockenspiel", "drum kit", "brushes", "electronic kit")


@pytest.fixture(scope="module")
def font():
    problems = missing()
    if problems:
        pytest.skip("sampled instruments left out: " + " ".join(problems))
    return find_soundfont()


@pytest.fixture(scope="module")
def patches(font):
    return sampled_patches(font, (*SAMPLED, "riser", "impact", "cinematic percussion"), RATE)


def test_what_is_missing_is_said_with_its_command(monkeypatch, tmp_path):
    monkeypatch.setattr(soundfont, "FOLDERS", (str(tmp_path),))
    assert any("musescore-general-soundfont-small" in sentence for sentence in missing())
    with pytest.raises(MissingError, match="apt install"):
        find_soundfont()
    monkeypatch.setattr(soundfont, "find_spec", lambda name: name)
    monkeypatch.setattr(soundfont, "_library", lambda: None)
    assert any("libfluidsynth3" in sentence for sentence in missing())
    monkeypatch.setattr(soundfont, "find_spec", lambda name: None if name == "fluidsynth" else name)
    assert any('pip install "reelscore[fluidsynth]"' in sentence for sentence in missing())
    with pytest.raises(MissingError, match="pip install"):
        sampled_patches(tmp_path / "any.sf2", ("flute",), RATE)


def test_the_system_is_searched_and_better_known_fonts_come_first(monkeypatch, tmp_path):
    for name, size in (
        ("huge.sf2", 500),
        ("FluidR3_GM.sf2", 20),
        ("MuseScore_General_Lite.sf3", 10),
        ("notes.txt", 900),
    ):
        (tmp_path / name).write_bytes(b"x" * size)
    monkeypatch.setattr(soundfont, "FOLDERS", (str(tmp_path / "none"), str(tmp_path)))
    assert find_soundfont().name == "MuseScore_General_Lite.sf3"
    (tmp_path / "MuseScore_General_Lite.sf3").unlink()
    assert find_soundfont().name == "FluidR3_GM.sf2"
    assert find_soundfont(str(tmp_path / "huge.sf2")).name == "huge.sf2"
    with pytest.raises(InputError, match=r"gone\.sf2"):
        find_soundfont(str(tmp_path / "gone.sf2"))


@pytest.mark.usefixtures("font")
def test_what_is_no_soundfont_is_one_sentence(tmp_path, capfd):
    bad = tmp_path / "bad.sf2"
    bad.write_bytes(b"RIFF but not really")
    with pytest.raises(InputError, match=r"bad\.sf2 cannot be read as a soundfont"):
        sampled_patches(bad, ("flute",), RATE)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", SAMPLED)
def test_instruments_are_at_the_level_of_the_built_in_ones(patches, name):
    if name in ("drum kit", "brushes", "electronic kit"):
        kick, snare = (20 * np.log10(np.abs(patches[name].play(key, 0.8, 0.3, RATE, 0)).max()) for key in (36, 38))
        assert (kick + snare) / 2 == pytest.approx(-9.0, abs=1.0)
        return
    pitches = {"electric bass": (34, 40, 46), "glockenspiel": (76, 84, 92)}.get(name, (60, 67, 74))
    levels_db = [loudness_db(patches[name].play(pitch, 0.8, 1.0, RATE, 0), RATE) for pitch in pitches]
    assert np.median(levels_db) == pytest.approx(-20.0, abs=3.0)


@pytest.mark.parametrize(("name", "pitch"), [("flute", 72), ("strings", 60), ("grand piano", 57)])
def test_notes_have_their_pitch_start_at_once_and_end(patches, name, pitch):
    note = patches[name].play(pitch, 0.8, 1.0, RATE, 0)
    assert note.dtype == np.float32 and note.shape[0] == 2
    middle = note[:, RATE // 4 : RATE // 4 + (1 << 15)].sum(axis=0) * np.hanning(1 << 15)
    spectrum = np.abs(np.fft.rfft(middle, 1 << 18))
    near = 440 * 2 ** ((pitch - 69) / 12)
    bins = np.arange(int(near * 0.97 * (1 << 18) / RATE), int(near * 1.03 * (1 << 18) / RATE))
    heard = bins[np.argmax(spectrum[bins])] * RATE / (1 << 18)
    assert abs(1200 * np.log2(heard / near)) < 12
    assert np.flatnonzero(np.abs(note).max(axis=0) > 0.02 * np.abs(note).max())[0] < 0.03 * RATE
    assert np.abs(note[:, -1]).max() < 1e-4 and note.shape[1] < 6 * RATE


def test_a_note_is_the_same_whatever_was_played_before(patches):
    first = patches["grand piano"].play(60, 0.7, 0.5, RATE, 0)
    patches["electric bass"].play(40, 0.9, 0.2, RATE, 0)
    patches["drum kit"].play(49, 1.0, 0.2, RATE, 0)
    assert np.array_equal(patches["grand piano"].play(60, 0.7, 0.5, RATE, 0), first)


def test_effects_and_big_drums_stay_built_in(patches):
    for name in ("riser", "impact", "cinematic percussion"):
        assert patches[name] is PATCHES[name]


def test_a_soundfont_is_opened_for_one_rate(patches):
    with pytest.raises(ValueError, match="48000"):
        patches["flute"].play(72, 0.8, 1.0, 44100, 0)


def test_a_score_of_many_parts_plays_with_stems_and_without_hanging_notes(font):
    parts = tuple(
        Part(
            f"part {i}",
            "harmony",
            SAMPLED[i % len(SAMPLED)],
            (Note(0.5 + 0.02 * i, 0.4, 60 + i % 5, 0.6),),
            reverb_db=-200,
        )
        for i in range(18)
    )
    score = Score(8.0, Key(0, "major"), TempoMap.steady(120, 8.0), parts)
    stems: dict[str, list[np.ndarray]] = {}
    music = render(
        score, rate=RATE, seed=1, soundfont=font, stems=lambda stem, block, _: stems.setdefault(stem, []).append(block)
    )
    assert music.samples.shape == (2, 8 * RATE) and len(stems) == 18
    total = sum(np.concatenate(blocks, axis=1) for blocks in stems.values())
    assert np.abs(total - music.samples).max() < 1e-4
    assert np.abs(music.samples[:, : RATE // 2]).max() < 1e-7
    assert np.abs(music.samples[:, RATE // 2 : RATE]).max() > 0.01
    assert np.abs(music.samples[:, 7 * RATE :]).max() < 1e-3
