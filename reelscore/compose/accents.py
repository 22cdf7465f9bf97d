"""Cues: what is struck at each, what makes room before it, what rises into it; and the ending."""

from bisect import bisect_left
from dataclasses import dataclass, replace

from reelscore.brief import Brief, Cue
from reelscore.compose.arrange import Draft, Plan, plays
from reelscore.compose.casting import Cast, Chair
from reelscore.compose.harmony import Chord, into_range, near, spell, voicing
from reelscore.compose.rhythm import KEYS
from reelscore.compose.score import Note
from reelscore.compose.style import Layer, Style
from reelscore.vocabulary import INSTRUMENTS

STRONG, MIDDLING = 0.7, 0.4
# A beat is planned up to one frame away from its cue and played some milliseconds to either side: all that belongs to the
# cue's beat starts with it, for a flam sounds like a mistake.
SNAP = 0.06
# A beat that follows a strong hit by less than this is drawn onto it.
DRAWN = 0.12
# The longest silence before a hit, and before a gentler one the stretch in which the rest draws back.
BREATH, LULL = 0.12, 0.15


@dataclass(frozen=True)
class Hit:
    """A cue with its music: the chord it lands on, the energy around it, and how far before it room can be made."""

    time: float
    strength: float
    chord: Chord
    energy: float
    breath: float
    is_ending: bool = False


def hits_of(brief: Brief, plan: Plan, style: Style) -> list[Hit]:
    """Every cue inside the film, and the ending, in order of time."""
    form = plan.form
    hits: list[Hit] = []
    last_time = 0.0
    home = _home_chord(plan, style)
    cues = [cue for cue in brief.cues if not _is_ending(cue, form.ending)]
    cues.append(Cue(time=min(form.ending, brief.duration), strength=form.ending_strength, kind="ending"))
    for cue in sorted(cues, key=lambda cue: cue.time):
        if brief.duration - cue.time < 0.005:
            continue
        beat = form.tempo_map.beat_at(cue.time)
        ended = cue.time >= form.ending - 1e-6
        chord = home if ended else (plan.chord_at(beat) or home)
        sheet = plan.sheet_at(beat)
        energy = sheet.phrase.energy if sheet else brief.sections[-1].energy
        room = cue.time - last_time if hits else cue.time
        breath = _breath(cue.strength, room, style)
        hits.append(Hit(cue.time, cue.strength, chord, energy, breath, _is_ending(cue, form.ending)))
        last_time = cue.time
    return hits


def _breath(strength: float, room: float, style: Style) -> float:
    """How long before a hit the music makes room: a gap before strong ones, a lull before middling ones, else nothing."""
    if strength < MIDDLING:
        return 0.0
    longest = min(0.6 * style.accents.breath, BREATH) if strength >= STRONG else LULL
    return min(longest, max(room * 0.3, 0.0))


def _is_ending(cue: Cue, ending: float) -> bool:
    return cue.kind == "ending" and abs(cue.time - ending) < 1e-6


def _home_chord(plan: Plan, style: Style) -> Chord:
    """The tonic chord of the last key, in the style's colour but never with a seventh that wants to go on."""
    key = plan.sheets[-1].key if plan.sheets else plan.key
    bright = key.mode in ("major", "mixolydian", "lydian")
    colour = "add9" if style.colour in ("add9", "ninth", "seventh", "sus") else "triad"
    return spell("I" if bright else "i", key, colour)


def make_room(drafts: list[Draft], hits: list[Hit], ending: float) -> None:
    """Thins what comes just before each hit, lands on it what nearly does, and stops what would cover it."""
    times = [hit.time for hit in hits]
    for draft in drafts:
        kept: list[Note] = []
        role = draft.chair.role
        for note in draft.notes:
            if note.start >= ending - SNAP:
                continue
            kept += _around_hits(note, times, hits, role)
        draft.notes = kept


def _around_hits(note: Note, times: list[float], hits: list[Hit], role: str) -> list[Note]:
    """What becomes of a note near a hit: it lands on it, makes way for it, or is struck anew with it."""
    met = _met(note.start, times, hits)
    if met is not None:
        hit = hits[met]
        louder = min(note.velocity * (1.0 + 0.15 * hit.strength), 1.0)
        end = max(note.start + note.duration, hit.time + min(note.duration, 0.1))
        note = replace(note, start=hit.time, duration=end - hit.time, velocity=louder)
        following = met + 1
    else:
        following = bisect_left(times, note.start)
        hit = hits[min(following, len(hits) - 1)]
        # Onsets in the breath before a strong hit would mask it.
        if hit.strength >= STRONG and hit.time - hit.breath < note.start < hit.time:
            return []
    if following >= len(hits) or note.start + note.duration <= hits[following].time - 0.02:
        return [note]
    return _before_hit(note, hits[following], role)


def _met(start: float, times: list[float], hits: list[Hit]) -> int | None:
    """The number of the hit that a note starting at `start` belongs to, None where it stands for itself."""
    after = bisect_left(times, start)
    if after < len(hits) and times[after] - start <= SNAP:
        return after
    if after and start - times[after - 1] <= (DRAWN if hits[after - 1].strength >= STRONG else SNAP):
        return after - 1
    return None


def _before_hit(note: Note, hit: Hit, role: str) -> list[Note]:
    """A note that would sound into a hit: plucked ones stop short of strong hits, chords are struck anew with them."""
    rest = note.start + note.duration - hit.time
    if hit.is_ending:
        return [replace(note, duration=max(hit.time - 0.03 - note.start, 0.04))]
    if role == "bass" and hit.strength >= MIDDLING:
        return [replace(note, duration=max(hit.time - 0.02 - note.start, 0.04))]
    if hit.strength < STRONG or role in ("lead", "double", "kit"):
        return [note]
    gap = 0.5 * hit.breath if role in ("figure", "pulse", "colour") else 0.03
    short = replace(note, duration=max(hit.time - gap - note.start, 0.04))
    if role in ("pad", "counter") and rest > 0.3:
        again = replace(note, start=hit.time, duration=rest, velocity=min(note.velocity * 1.1, 1.0))
        return [short, again]
    return [short]


def strike(drafts: list[Draft], hits: list[Hit], cast: Cast, plan: Plan, style: Style) -> list[Draft]:
    """The accents: every hit's notes, on the players that are on stage and on a part that does nothing else."""
    extra = {
        name: Draft(_accent_chair(name, instrument, style))
        for name, instrument in (("Accents", cast.struck), ("Impacts", cast.boom), ("Risers", cast.riser))
        if instrument
    }
    last_riser = -10.0
    for hit in hits:
        if hit.is_ending:
            _end(drafts, extra, hit, plan)
            continue
        length = _ring(hit, plan)
        if "Accents" in extra:
            extra["Accents"].notes += _struck_chord(hit, extra["Accents"].chair, length, "Impacts" not in extra)
        _join_in(drafts, hit, plan, length)
        if hit.strength >= STRONG and "Impacts" in extra:
            low = into_range(near(hit.chord.root, 31), 26, 40)
            extra["Impacts"].notes.append(_cue_note(hit, low, 0.55 + 0.4 * hit.strength, min(2.5, length * 2)))
        if hit.strength >= 0.75 and "Risers" in extra and hit.time - last_riser > 6.0 and hit.time > 1.6:
            rise = min(2.4, hit.time - 0.2)
            pitch = into_range(near(hit.chord.root, 60), 48, 72)
            loud = 0.35 + 0.4 * hit.strength * (0.5 + 0.5 * hit.energy)
            # A held breath between the rise and the hit lets both be heard.
            gap = min(max(0.05, 0.5 * hit.breath), 0.12)
            extra["Risers"].notes.append(Note(hit.time - rise, rise - gap, pitch, loud))
            last_riser = hit.time
    return [*drafts, *extra.values()]


def _accent_chair(name: str, instrument: str, style: Style) -> Chair:
    facts = INSTRUMENTS[instrument]
    gains = {"Accents": style.accents.struck_gain_db, "Impacts": -6.0, "Risers": -9.0}
    layer = Layer(name, "colour", (instrument,), lambda *_: [], gain_db=gains[name], reverb_db=-12.0)
    return Chair(layer, name, instrument, facts.low, facts.high, 0.0, 1.01)


def _ring(hit: Hit, plan: Plan) -> float:
    """How long an accent sounds: about a bar's half, shorter where the music is fast."""
    beat = 60.0 / plan.form.tempo_map.tempo_bpm
    return float(min(max(1.5 * beat, 0.5), 1.6)) * (0.6 + 0.6 * hit.strength)


def _cue_note(hit: Hit, pitch: int, velocity: float, length: float) -> Note:
    return Note(hit.time, length, pitch, min(max(velocity, 0.05), 1.0), cue=True)


def _loudness(hit: Hit) -> float:
    return min((0.68 + 0.32 * hit.strength) * (0.82 + 0.18 * hit.energy), 1.0)


def _struck_chord(hit: Hit, chair: Chair, length: float, grounded: bool) -> list[Note]:
    """The chord that a hit is made of: four notes when strong, three when gentle; `grounded` puts a bass note below.

    Where an impact or a bass has the low octaves they are left to it: three low strokes at once only take room from each other.
    """
    loud = _loudness(hit)
    low, high = max(chair.low, 55), min(chair.high, 84)
    if high - low < 12:
        low, high = max(chair.high - 20, chair.low), chair.high
    voices = 4 if hit.strength >= STRONG else 3
    pitches = list(voicing(hit.chord.tones, voices, low, high, (), hit.strength >= STRONG))
    if grounded and hit.strength >= MIDDLING and chair.low <= 48:
        pitches.append(into_range(near(hit.chord.bass, 42), max(chair.low, 31), 52))
    if hit.strength >= STRONG and chair.high >= 86:
        pitches.append(into_range(near(hit.chord.root, 86), 79, min(chair.high, 95)))
    return [_cue_note(hit, pitch, loud, length) for pitch in sorted(set(pitches))]


def _join_in(drafts: list[Draft], hit: Hit, plan: Plan, length: float) -> None:
    """Players on stage strengthen a hit: bass, then figures, then drums, by its strength."""
    sheet = plan.sheet_at(plan.form.tempo_map.beat_at(hit.time))
    for draft in drafts:
        chair = draft.chair
        if not chair.layer.accents or (sheet is not None and not plays(chair, sheet.phrase)):
            continue
        loud = _loudness(hit)
        if chair.role == "bass" and hit.strength >= MIDDLING:
            earlier = [note for note in draft.notes if note.start < hit.time - SNAP]
            around = max(earlier, key=lambda note: note.start).pitch if earlier else chair.low + 8
            pitch = into_range(near(hit.chord.bass, min(around, chair.low + 12)), chair.low, chair.high)
            following = min((note.start for note in draft.notes if note.start > hit.time + SNAP), default=hit.time)
            ring = following - hit.time if 0.0 < following - hit.time < 4.0 else length
            draft.notes = [note for note in draft.notes if note.cue or note.start != hit.time]
            draft.notes.append(_cue_note(hit, pitch, loud, ring))
        elif chair.role == "figure" and hit.strength >= STRONG:
            draft.notes += [_cue_note(hit, pitch, loud * 0.95, length) for pitch in _full_voicing(chair, hit.chord)]
        elif chair.role == "kit":
            draft.notes += _drum_hit(hit, loud, chair.instrument)


def _drum_hit(hit: Hit, loud: float, instrument: str) -> list[Note]:
    if instrument == "shaker":
        return [_cue_note(hit, KEYS["tambourine"], loud, 0.3)]
    names: tuple[str, ...]
    if hit.strength >= STRONG:
        names = ("kick", "crash", "low drum") if instrument == "cinematic percussion" else ("kick", "crash", "snare")
    elif hit.strength >= MIDDLING:
        names = ("kick", "low drum") if instrument == "cinematic percussion" else ("kick", "snare")
        names = (*names, "crash") if hit.strength >= 0.5 and hit.energy >= 0.5 else names
    else:
        names = ("drum",) if instrument == "cinematic percussion" else ("kick", "open")
    return [
        _cue_note(hit, KEYS[name], loud * (0.85 if name == "crash" else 1.0), 1.5 if name == "crash" else 0.3)
        for name in names
    ]


def _end(drafts: list[Draft], extra: dict[str, Draft], hit: Hit, plan: Plan) -> None:
    """The whole ensemble on the home chord, held as long as each can and still be silent at the last frame."""
    duration = plan.form.duration
    last = plan.sheets[-1].phrase if plan.sheets else None
    energy = max(hit.energy, 0.3)
    for draft in drafts:
        chair = draft.chair
        if last is not None and not plays(chair, last):
            continue
        if last is None and not chair.enters <= energy < chair.leaves:
            continue
        length = _last_length(chair, hit.time, duration)
        loud = min(0.55 + 0.4 * energy, 0.95)
        if chair.role == "kit":
            if chair.layer.accents and energy >= 0.5:
                draft.notes += [
                    replace(note, duration=min(note.duration, duration - hit.time))
                    for note in _drum_hit(hit, loud, chair.instrument)
                ]
            continue
        draft.notes += [_cue_note(hit, pitch, loud, length) for pitch in _last_pitches(chair, hit.chord, draft)]
    if "Accents" in extra:
        chair = extra["Accents"].chair
        length = _last_length(chair, hit.time, duration)
        gentle = replace(hit, strength=max(0.45, min(hit.strength, 0.35 + 0.6 * energy)))
        extra["Accents"].notes += _struck_chord(gentle, chair, length, True)
    if "Impacts" in extra and energy >= 0.55:
        low = into_range(near(hit.chord.root, 31), 26, 40)
        ring = min(2.0, 0.6 * (duration - hit.time))
        extra["Impacts"].notes.append(_cue_note(hit, low, 0.5 + 0.4 * energy, ring))


def _last_pitches(chair: Chair, chord: Chord, draft: Draft) -> tuple[int, ...]:
    """What a chair plays last: the root below, the tonic or third in the tune, a voicing in between."""
    around = next((note.pitch for note in reversed(draft.notes)), (chair.low + chair.high) // 2)
    if chair.role == "bass":
        return (into_range(near(chord.root, chair.low + 7), chair.low, chair.high),)
    if chair.role in ("lead", "double"):
        return (into_range(near(chord.root, around), chair.low, chair.high),)
    if chair.role in ("counter", "colour"):
        return (into_range(near(chord.triad[min(1, len(chord.triad) - 1)], around), chair.low, chair.high),)
    return _full_voicing(chair, chord)


def _full_voicing(chair: Chair, chord: Chord) -> tuple[int, ...]:
    """A chord where this chair may play one without mud: three voices from E3 up, below that the root and its fifth."""
    if chair.high >= 66:
        return voicing(chord.tones[:4], 3, max(chair.low, 52), chair.high, ())
    root = into_range(near(chord.root, chair.low + 6), chair.low, chair.high)
    fifth = root + (chord.triad[-1] - chord.root) % 12
    return (root, fifth) if fifth <= chair.high else (root,)


def _last_length(chair: Chair, start: float, duration: float) -> float:
    """A final note's length: held to within a breath of the last frame; the diminuendo lets it die before that."""
    ring = duration - start
    tail = 0.35 if INSTRUMENTS[chair.instrument].sustained else 0.3
    return max(ring - min(tail, 0.4 * ring), min(0.02, ring))
