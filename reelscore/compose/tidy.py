"""The last hand on a score: the voice is given room, notes are made playable, parts get levels and places, markers are set."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

from reelscore.brief import Brief, Span
from reelscore.compose.accents import Hit
from reelscore.compose.arrange import Draft, Plan
from reelscore.compose.dynamics import breath_curve, last_breath, levels_for, pump_curve, section_curve, written_curve
from reelscore.compose.rhythm import KEYS
from reelscore.compose.score import Marker, Note, Part, Score
from reelscore.compose.style import Style
from reelscore.vocabulary import INSTRUMENTS

SPEECH_MARGIN = 0.3
SHORTEST = 0.03
MOST_PER_SECOND = 58
_SINGING = ("lead", "double", "counter")
# Whom the ear misses least goes first where there are too many notes.
_PRIORITY = {"lead": 0, "bass": 1, "kit": 2, "pad": 3, "double": 4, "counter": 5, "figure": 6, "pulse": 7, "colour": 8}


def finish(brief: Brief, plan: Plan, drafts: Sequence[Draft], hits: Sequence[Hit], style: Style) -> Score:
    """The score of the finished drafts."""
    for draft in drafts:
        _leave_room_for_speech(draft, brief.speech)
        draft.notes = _playable(draft, brief.duration)
    _thin_out(drafts)
    kicks = sorted(
        note.start for d in drafts if d.chair.role == "kit" for note in d.notes if note.pitch == KEYS["kick"]
    )
    sections = section_curve(plan.form, drafts, style.span_lu)
    gentle = written_curve(plan.form, 0.5 * style.span_lu)
    breaths = breath_curve(hits)
    pump = pump_curve(plan.form, style.pumping_db, kicks) if style.pumping_db else []
    parts: list[Part] = []
    for draft in drafts:
        if not draft.notes:
            continue
        chair, layer = draft.chair, draft.chair.layer
        is_accent = chair.name in ("Accents", "Impacts", "Risers")
        last = last_breath(plan.form, INSTRUMENTS[chair.instrument].sustained)
        curves = [gentle if is_accent else sections, last]
        if chair.name not in ("Risers",):
            curves.append(breaths)
        if chair.role in ("pad", "figure", "pulse") and not is_accent:
            curves.append(pump)
        parts.append(
            Part(
                name=chair.name,
                role="accent" if is_accent else chair.role,
                instrument=chair.instrument,
                notes=tuple(draft.notes),
                gain_db=layer.gain_db,
                pan=0.0 if chair.role == "bass" else layer.pan,
                reverb_db=layer.reverb_db,
                levels=levels_for(curves, brief.duration),
            )
        )
    assert brief.tempo_map is not None
    return Score(brief.duration, plan.key, brief.tempo_map, tuple(parts), _markers(brief, plan))


def _leave_room_for_speech(draft: Draft, speech: Iterable[Span]) -> None:
    """Tunes rest while somebody speaks; what is bright draws back."""
    spans = [(span.start - SPEECH_MARGIN, span.end + SPEECH_MARGIN) for span in speech]
    if not spans:
        return
    role, layer = draft.chair.role, draft.chair.layer
    kept: list[Note] = []
    spans.sort()
    for note in draft.notes:
        inside = [(a, b) for a, b in spans if note.start < b and note.start + note.duration > a]
        if not inside:
            kept.append(note)
        elif role in _SINGING:
            room = inside[0][0] - note.start
            if room >= 0.15:
                kept.append(replace(note, duration=room))
        elif layer.bright and not note.cue:
            kept.append(replace(note, velocity=note.velocity * 0.65))
        else:
            kept.append(note if note.cue else replace(note, velocity=note.velocity * 0.9))
    draft.notes = kept


def _playable(draft: Draft, duration: float) -> list[Note]:
    """Notes in order, in range, inside the film, and never two of one pitch at once."""
    chair = draft.chair
    facts = INSTRUMENTS[chair.instrument]
    by_pitch: dict[int, Note] = {}
    finished: list[Note] = []
    for written in sorted(draft.notes, key=lambda note: (note.start, note.pitch, not note.cue)):
        length = min(written.duration, duration - written.start)
        if length <= 0 or not facts.low <= written.pitch <= facts.high:
            continue
        note = replace(written, duration=length)
        before = by_pitch.get(note.pitch)
        if before is not None and before.start + before.duration > note.start - 1e-9:
            apart = note.start - before.start
            if apart < (1e-3 if note.cue and before.cue else SHORTEST):
                louder = max(note.velocity, before.velocity)
                keep = before if before.cue or not note.cue else note
                by_pitch[note.pitch] = replace(
                    keep, velocity=louder, duration=min(max(note.duration, before.duration), duration - keep.start)
                )
                continue
            before = replace(before, duration=max(apart - 1e-4, 0.5 * apart))
        if before is not None:
            finished.append(before)
        by_pitch[note.pitch] = note
    finished += by_pitch.values()
    return sorted(finished, key=lambda note: (note.start, note.pitch))


def _thin_out(drafts: Sequence[Draft]) -> None:
    """Drops the least needed notes wherever more than a listener can take would sound within a second."""
    everything = [
        (note.start, 0 if note.cue else 1, _PRIORITY[draft.chair.role], index, place)
        for index, draft in enumerate(drafts)
        for place, note in enumerate(draft.notes)
    ]
    everything.sort()
    recent: deque[float] = deque()
    dropped: dict[int, set[int]] = {}
    for start, plain, _, index, place in everything:
        while recent and recent[0] <= start - 1.0:
            recent.popleft()
        if plain and len(recent) >= MOST_PER_SECOND:
            dropped.setdefault(index, set()).add(place)
        else:
            recent.append(start)
    for index, places in dropped.items():
        drafts[index].notes = [note for place, note in enumerate(drafts[index].notes) if place not in places]


def _markers(brief: Brief, plan: Plan) -> tuple[Marker, ...]:
    sections = [Marker(section.start, f"{section.letter} {section.role}") for section in brief.sections]
    cues = [Marker(cue.time, f"cue: {cue.kind}") for cue in brief.cues]
    ending = [] if any(cue.kind == "ending" for cue in brief.cues) else [Marker(plan.form.ending, "ending")]
    return tuple(sorted([*sections, *cues, *ending], key=lambda marker: marker.time))
