"""MIDI: a score as a file with its tempo map, markers and named tracks; a melody from somebody else's file."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from reelscore.brief import Key
from reelscore.compose.given import Melody, MelodyNote
from reelscore.compose.score import Part, Score
from reelscore.errors import InputError
from reelscore.outputs import written_whole
from reelscore.tempo import TempoMap
from reelscore.vocabulary import INSTRUMENTS

TICKS_PER_BEAT = 960
_KEY_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
# A mode is written with the signature of the major key whose notes it has.
_RELATIVE_MAJOR = {"major": 0, "mixolydian": 5, "lydian": 7, "dorian": 10, "minor": 3, "phrygian": 8}
_DRUM_CHANNEL = 9


def read_melody(path: Path) -> Melody:
    """The top voice of the most melodic track of a MIDI file. Raises InputError."""
    import mido

    try:
        file = mido.MidiFile(path)
    except FileNotFoundError as problem:
        raise InputError(f"There is no file {path}; give a MIDI file (.mid) with a melody.") from problem
    except (OSError, ValueError, EOFError, IndexError, KeyError) as problem:
        raise InputError(
            f"{path} cannot be read as MIDI ({str(problem) or 'damaged'}); give a standard MIDI file (.mid)."
        ) from problem
    if file.ticks_per_beat <= 0:
        raise InputError(f"{path} does not say how long a beat is; give a standard MIDI file (.mid).")
    candidates = [notes for notes in _voices(file).values() if notes]
    if not candidates:
        raise InputError(f"{path} holds no notes outside the drum channel; give a MIDI file with a melody.")
    best = max(candidates, key=_melodiousness)
    beats_per_bar = _beats_per_bar(file)
    notes = _skyline(best)
    start = notes[0].beat // beats_per_bar * beats_per_bar
    moved = tuple(MelodyNote(note.beat - start, note.length, note.pitch) for note in notes)
    return Melody(moved, beats_per_bar)


def _voices(file: Any) -> dict[tuple[int, int], list[MelodyNote]]:
    """Notes by track and channel, drums left out."""
    voices: dict[tuple[int, int], list[MelodyNote]] = {}
    for number, track in enumerate(file.tracks):
        tick = 0
        open_notes: dict[tuple[int, int], int] = {}
        for message in track:
            tick += message.time
            if message.type not in ("note_on", "note_off") or message.channel == _DRUM_CHANNEL:
                continue
            key = (message.channel, message.note)
            if key in open_notes:
                start = open_notes.pop(key)
                if tick > start:
                    beat, length = start / file.ticks_per_beat, (tick - start) / file.ticks_per_beat
                    voices.setdefault((number, message.channel), []).append(MelodyNote(beat, length, message.note))
            if message.type == "note_on" and message.velocity > 0:
                open_notes[key] = tick
    return voices


def _melodiousness(notes: list[MelodyNote]) -> float:
    """High for a single line of some length in a singing register, low for chords, basses and single notes."""
    ordered = sorted(notes, key=lambda note: (note.beat, -note.pitch))
    alone = sum(1 for a, b in pairwise(ordered) if a.beat + a.length <= b.beat + 0.05)
    share_alone = alone / max(len(ordered) - 1, 1)
    mean_pitch = sum(note.pitch for note in notes) / len(notes)
    variety = len({note.pitch for note in notes})
    return share_alone * 2 + min(len(notes), 24) / 24 + min(variety, 7) / 7 - abs(mean_pitch - 72) / 24


def _skyline(notes: list[MelodyNote]) -> list[MelodyNote]:
    """The highest note at any onset, each cut where the next begins."""
    top: list[MelodyNote] = []
    for note in sorted(notes, key=lambda note: (note.beat, -note.pitch)):
        if top and note.beat - top[-1].beat < 0.03:
            continue
        if top and note.pitch < top[-1].pitch - 4 and note.beat < top[-1].beat + top[-1].length - 0.05:
            continue
        if top and top[-1].beat + top[-1].length > note.beat:
            top[-1] = MelodyNote(top[-1].beat, note.beat - top[-1].beat, top[-1].pitch)
        top.append(note)
    return top


def _beats_per_bar(file: Any) -> int:
    for track in file.tracks:
        for message in track:
            if message.type == "time_signature":
                beats = message.numerator * 4 / message.denominator
                return max(int(beats + 0.5), 1)
    return 4


def write_midi(score: Score, path: Path) -> None:
    """Writes a type 1 MIDI file: a conductor track (tempo, metre, key, markers), then one named track a part. Raises OutputError."""
    import mido

    clock = _Clock(score.tempo_map)
    file = mido.MidiFile(type=1, ticks_per_beat=clock.ticks_per_beat, charset="utf-8")
    file.tracks.append(_conductor(score, clock))
    melodic = kits = 0
    kit_ports: dict[int, int] = {}
    for part in score.parts:
        facts = INSTRUMENTS[part.instrument]
        if facts.drums:
            # Kits of one program share channel 10; another program needs channel 10 of the next port.
            if facts.program not in kit_ports:
                kit_ports[facts.program] = kits
                kits += 1
            port, channel = kit_ports[facts.program], _DRUM_CHANNEL
        else:
            port, place = divmod(melodic, 15)
            channel = place + (place >= _DRUM_CHANNEL)
            melodic += 1
        file.tracks.append(_track(part, clock, port, channel))
    with written_whole(path) as temporary:
        file.save(temporary)


class _Clock:
    """Seconds to ticks, and the tempi to write, so that rounding never adds up over a long piece."""

    def __init__(self, tempo_map: TempoMap) -> None:
        beats = tempo_map.beats
        longest = max(after - before for before, after in pairwise(beats))
        self.ticks_per_beat = TICKS_PER_BEAT if longest < 1.9 else 4 * TICKS_PER_BEAT
        self.tempo_map = tempo_map
        self.tempi: list[tuple[int, int]] = []
        written = 0
        for beat, end in enumerate(beats[1:]):
            tempo = round(end * 1e6) - written
            written += tempo
            if not self.tempi or self.tempi[-1][1] != tempo:
                self.tempi.append((beat, tempo))

    def tick(self, time: float) -> int:
        return max(round(self.tempo_map.beat_at(time) * self.ticks_per_beat), 0)


def _conductor(score: Score, clock: _Clock) -> Any:
    from mido import MetaMessage

    tempo_map, unit = score.tempo_map, clock.ticks_per_beat
    events: list[tuple[int, Any]] = [(0, MetaMessage("track_name", name="Reelscore"))]
    events.append((0, MetaMessage("key_signature", key=key_signature(score.key))))
    last = 0
    for first, metre in zip(tempo_map.bar_starts, tempo_map.bars, strict=True):
        if metre != last:
            events.append((first * unit, MetaMessage("time_signature", numerator=metre, denominator=4)))
            last = metre
    events += [(beat * unit, MetaMessage("set_tempo", tempo=tempo)) for beat, tempo in clock.tempi]
    events += [(clock.tick(marker.time), MetaMessage("marker", text=marker.text)) for marker in score.markers]
    return _delta_track(events, clock.tick(score.duration))


def key_signature(key: Key) -> str:
    """The signature to write: minor keys as such, other modes as the major key with the same notes."""
    if key.mode == "minor":
        return {"Db": "C#", "Gb": "F#", "Ab": "G#"}.get(_KEY_NAMES[key.tonic], _KEY_NAMES[key.tonic]) + "m"
    return _KEY_NAMES[(key.tonic + _RELATIVE_MAJOR[key.mode]) % 12]


def _track(part: Part, clock: _Clock, port: int, channel: int) -> Any:
    from mido import Message, MetaMessage

    facts = INSTRUMENTS[part.instrument]
    start: list[tuple[int, Any]] = [(0, MetaMessage("track_name", name=part.name))]
    if port:
        start.append((0, MetaMessage("midi_port", port=port)))
    volume = min(max(round(100 * 10 ** (part.gain_db / 40)), 1), 127)
    controls = ((7, volume), (10, min(max(round(64 + 63 * part.pan), 0), 127)), (91, _send(part.reverb_db)))
    start.append((0, Message("program_change", channel=channel, program=facts.program)))
    start += [
        (0, Message("control_change", channel=channel, control=number, value=value)) for number, value in controls
    ]
    events: list[tuple[int, int, Any]] = []
    for note in part.notes:
        on = clock.tick(note.start)
        off = max(clock.tick(note.start + note.duration), on + 1)
        velocity = min(max(round(note.velocity * 127), 1), 127)
        events.append((on, 1, Message("note_on", channel=channel, note=note.pitch, velocity=velocity)))
        events.append((off, 0, Message("note_off", channel=channel, note=note.pitch)))
    events.sort(key=lambda event: event[:2])
    return _delta_track(start + [(tick, message) for tick, _, message in events], 0)


def _send(reverb_db: float) -> int:
    return min(max(round(127 * 10 ** (reverb_db / 20)), 0), 127)


def _delta_track(events: list[tuple[int, Any]], end: int) -> Any:
    """A track of messages at absolute ticks."""
    from mido import MetaMessage, MidiTrack

    track = MidiTrack()
    now = 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(MetaMessage("end_of_track", time=max(end - now, 0)))
    return track
