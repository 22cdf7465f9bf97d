"""The MIDI file out, read back by mido; melodies in."""

from pathlib import Path

import mido
import numpy as np
import pytest
from briefs_to_compose import full_brief

from reelscore.brief import Key
from reelscore.compose import compose, read_melody, write_midi
from reelscore.compose.midi import key_signature
from reelscore.compose.score import Note, Part, Score
from reelscore.errors import InputError, OutputError
from reelscore.tempo import TempoMap
from reelscore.vocabulary import INSTRUMENTS

BENDING = TempoMap(
    beats=tuple(np.cumsum([0.0, *(0.5 + 0.013 * np.sin(np.arange(66)))]).tolist()), bars=(4,) * 8 + (3, 5, 2) + (4,) * 6
)


def seconds_of(file: mido.MidiFile) -> dict[str, list[tuple[float, int]]]:
    """Note starts in seconds by track name, through the file's own tempo map."""
    tempi: list[tuple[int, int]] = []
    tick = 0
    for message in file.tracks[0]:
        tick += message.time
        if message.type == "set_tempo":
            tempi.append((tick, message.tempo))

    def seconds(at: int) -> float:
        total = 0.0
        for (start, tempo), (end, _) in zip(tempi, [*tempi[1:], (10**12, 0)], strict=True):
            total += max(min(at, end) - start, 0) * tempo / file.ticks_per_beat / 1e6
        return total

    notes: dict[str, list[tuple[float, int]]] = {}
    for track in file.tracks[1:]:
        tick, sounding = 0, set()
        for message in track:
            tick += message.time
            if message.type == "note_on":
                assert message.note not in sounding
                sounding.add(message.note)
                notes.setdefault(track.name, []).append((seconds(tick), message.note))
            elif message.type == "note_off":
                sounding.remove(message.note)
        assert not sounding
    return notes


@pytest.mark.parametrize("tempo_map", [BENDING, TempoMap.steady(132, 40), TempoMap.steady(31, 60)])
def test_what_is_written_is_what_was_composed(tmp_path: Path, tempo_map: TempoMap) -> None:
    brief = full_brief("orchestral", duration=30.0).model_copy(update={"tempo_map": tempo_map, "tempo_bpm": 60.0})
    score = compose(brief, 1)
    write_midi(score, tmp_path / "score.mid")
    file = mido.MidiFile(tmp_path / "score.mid")
    assert file.type == 1 and file.ticks_per_beat % 960 == 0
    read = seconds_of(file)
    assert set(read) == {part.name for part in score.parts}
    for part in score.parts:
        written = sorted((note.pitch, note.start) for note in part.notes)
        found = sorted((pitch, start) for start, pitch in read[part.name])
        assert [pitch for pitch, _ in written] == [pitch for pitch, _ in found]
        assert max(abs(a[1] - b[1]) for a, b in zip(written, found, strict=True)) < 1e-3


def test_the_conductor_track_holds_metre_key_and_markers(tmp_path: Path) -> None:
    brief = full_brief("folk", duration=30.0).model_copy(update={"tempo_map": BENDING})
    score = compose(brief, 1)
    write_midi(score, tmp_path / "score.mid")
    file = mido.MidiFile(tmp_path / "score.mid")
    messages = list(file.tracks[0])
    assert [m.numerator for m in messages if m.type == "time_signature"] == [4, 3, 5, 2, 4]
    assert [m.key for m in messages if m.type == "key_signature"] == ["Am"]
    texts = [m.text for m in messages if m.type == "marker"]
    assert len(texts) == len(brief.sections) + len(brief.cues)
    assert "A climax" in texts and "cue: ending" in texts
    for track, part in zip(file.tracks[1:], score.parts, strict=True):
        program = next(m for m in track if m.type == "program_change")
        assert program.program == INSTRUMENTS[part.instrument].program
        assert (program.channel == 9) == INSTRUMENTS[part.instrument].drums


def test_more_parts_than_channels(tmp_path: Path) -> None:
    parts = tuple(Part(f"P{n}", "pad", "flute", (Note(0.1 * n, 0.5, 70, 0.5),)) for n in range(34))
    score = Score(8.0, Key(0, "major"), TempoMap.steady(120, 8), parts)
    write_midi(score, tmp_path / "many.mid")
    seats = set()
    for track in mido.MidiFile(tmp_path / "many.mid").tracks[1:]:
        port = next((m.port for m in track if m.type == "midi_port"), 0)
        channel = next(m.channel for m in track if m.type == "note_on")
        assert channel != 9
        seats.add((port, channel))
    assert len(seats) == 34


@pytest.mark.parametrize(
    ("key", "signature"),
    [("A minor", "Am"), ("D dorian", "C"), ("G mixolydian", "C"), ("F lydian", "C"), ("E phrygian", "C"), ("Ab minor", "G#m"), ("F# major", "F#"), ("Db minor", "C#m")],
)  # fmt: skip
def test_key_signatures(key: str, signature: str) -> None:
    assert key_signature(Key.parse(key)) == signature


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize("mode", ["major", "minor", "dorian", "lydian", "mixolydian", "phrygian"])
def test_every_key_can_be_written(tonic: int, mode: str) -> None:
    mido.MetaMessage("key_signature", key=key_signature(Key(tonic, mode))).bytes()


def test_an_unwritable_place_is_said(tmp_path: Path) -> None:
    score = compose(full_brief(duration=10.0), 1)
    with pytest.raises(OutputError):
        write_midi(score, tmp_path / "nowhere" / "score.mid")


def tracks_with(path: Path, *tracks: list[mido.Message]) -> Path:
    file = mido.MidiFile(ticks_per_beat=480)
    for messages in tracks:
        file.tracks.append(mido.MidiTrack(messages))
    file.save(path)
    return path


def line(pitches: list[int], channel: int = 0, ticks: int = 480) -> list[mido.Message]:
    messages = []
    for pitch in pitches:
        messages.append(mido.Message("note_on", note=pitch, velocity=80, channel=channel))
        messages.append(mido.Message("note_on", note=pitch, velocity=0, time=ticks, channel=channel))
    return messages


def test_the_tune_is_found_among_bass_chords_and_drums(tmp_path: Path) -> None:
    tune = [67, 69, 71, 72, 74, 72, 71, 69]
    chords = [
        mido.Message(kind, note=note, velocity=70, channel=2, time=960 if kind == "note_off" and note == 60 else 0)
        for _ in range(4)
        for kind in ("note_on", "note_off")
        for note in (60, 64, 67)
    ]
    path = tracks_with(tmp_path / "t.mid", line([36, 43] * 4, 1), chords, line(tune), line([38] * 16, 9, 240))
    melody = read_melody(path)
    assert [note.pitch for note in melody.notes] == tune
    assert [note.beat for note in melody.notes] == list(map(float, range(8)))


def test_the_top_voice_of_chords(tmp_path: Path) -> None:
    messages = []
    for low, high in ((60, 72), (62, 74), (64, 76)):
        messages += [mido.Message("note_on", note=low, velocity=80), mido.Message("note_on", note=high, velocity=80)]
        messages += [mido.Message("note_off", note=low, time=480), mido.Message("note_off", note=high)]
    assert [note.pitch for note in read_melody(tracks_with(tmp_path / "c.mid", messages)).notes] == [72, 74, 76]


def test_a_melody_makes_the_round_trip(tmp_path: Path) -> None:
    notes = tuple(Note(0.5 * n, 0.45, 60 + n, 0.8) for n in range(6))
    score = Score(4.0, Key(0, "major"), TempoMap.steady(120, 4), (Part("Tune", "lead", "flute", notes),))
    write_midi(score, tmp_path / "tune.mid")
    melody = read_melody(tmp_path / "tune.mid")
    assert [note.pitch for note in melody.notes] == [60, 61, 62, 63, 64, 65]
    assert melody.notes[1].beat == pytest.approx(1.0, abs=0.01)


def test_what_is_no_melody_is_said(tmp_path: Path) -> None:
    junk = tmp_path / "junk.mid"
    for data in (b"", b"no midi at all", b"MThd\x00\x00\x00\x06\x00\x01\x00\x05\x01\xe0MTrk\x00\x00"):
        junk.write_bytes(data)
        with pytest.raises(InputError, match=r"junk\.mid"):
            read_melody(junk)
    for path in (tmp_path / "none.mid", tmp_path):
        with pytest.raises(InputError):
            read_melody(path)
    with pytest.raises(InputError, match="no notes"):
        read_melody(tracks_with(tmp_path / "drums.mid", line([36, 38], 9)))
