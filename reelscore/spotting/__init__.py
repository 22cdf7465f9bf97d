"""Spotting: what is seen and what is asked for becomes the brief. Everything before it looks at pictures, everything after makes music.

A language model may advise, between the person's wishes and the rules; without one nothing of it is loaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from reelscore.analysis.facts import Analysis, Curves, Shot, Speech
from reelscore.brief import Brief, Cue, Film, Section, Span, Wishes
from reelscore.errors import InputError
from reelscore.spotting.asking import Asked, asked_for, asked_in
from reelscore.spotting.cues import STRONG, cues_for, refuse_cues, with_ending
from reelscore.spotting.emotion import Emotion, emotion, look_between, look_emotion
from reelscore.spotting.form import dynamics_of, sections_of, stretches
from reelscore.spotting.instructions import Detail, instructed
from reelscore.spotting.language import LanguageModel
from reelscore.spotting.language.advice import Advice, advice_on
from reelscore.spotting.language.question import MOST_SCENES, question_about
from reelscore.spotting.merging import merged, wanted_of_sections
from reelscore.spotting.pulse import lay_pulse, same_tempo
from reelscore.spotting.sections import Turn, divide, on_downbeats, turns
from reelscore.spotting.tagging import Scene, choose_key, choose_tempo, tags_for, wanted_emotion
from reelscore.spotting.telling import coloured, told_of
from reelscore.tempo import TempoMap

__all__ = ["Detail", "complete", "write_brief"]

_LONGEST_FILM = 6 * 3600.0
_FRAME_WITHOUT_FILM = 1 / 25
_BAR_BEFORE_TEMPO = 2.5  # seconds: a bar at 96 BPM, for dividing a film before its tempo is known


def write_brief(
    analysis: Analysis, wishes: Wishes = Wishes(), writer: LanguageModel | None = None, detail: Detail | None = None
) -> Brief:
    """The whole brief for a film: what the person asks for, what `writer` advises, and rules for the rest.

    With a `detail` every section gets an instruction of that kind as well. A writer that gives no answer, or none that can be
    used, leaves all to the rules; the source "language_model" says so.
    Raises InputError for a wish that cannot be (an unknown name, a tempo or key that does not exist, a cue outside the film)
    and for a film of more than six hours.
    """
    if analysis.duration > _LONGEST_FILM:
        raise InputError(
            f"{analysis.film} lasts {analysis.duration / 3600:.1f} hours; the longest film that can be scored has six."
        )
    refuse_cues(wishes.cues, analysis.duration)
    seen = look_emotion(look_between(analysis, 0.0, analysis.duration))
    asked, told = asked_for(wishes), told_of(analysis)
    counsel = _counsel(analysis, asked, writer) if writer else None
    brief = _spotted(analysis, coloured(seen, told), asked, counsel)
    sources = dict(brief.sources)
    if told:
        sources["captions"] = f"rule: {told} colour the emotion a little"
    if counsel:
        sources["language_model"] = counsel.advice.source
    brief = brief.model_copy(update={"sources": sources})
    if not detail:
        return brief
    return instructed(brief, analysis, asked, detail, None if counsel and counsel.advice.reply.silent else writer)


@dataclass(frozen=True)
class _Counsel:
    """What a language model advised, and where the scenes begin that it was asked about."""

    advice: Advice
    edges: tuple[float, ...]


def _counsel(analysis: Analysis, asked: Asked, writer: LanguageModel) -> _Counsel:
    edges = _scenes_to_ask_about(analysis, asked)
    return _Counsel(advice_on(question_about(analysis, edges, asked), writer), edges)


def _scenes_to_ask_about(analysis: Analysis, asked: Asked) -> tuple[float, ...]:
    """Where the film's own turns divide it, before any tempo is known; of very many the strongest."""
    division = divide(analysis.duration, turns(analysis, _BAR_BEFORE_TEMPO, asked.cues))
    of_film = [turn for turn in division[1:] if not turn.free]
    strongest = sorted(of_film, key=lambda turn: -turn.strength)[: MOST_SCENES - 1]
    return (0.0, *sorted(turn.time for turn in strongest))


def complete(brief: Brief) -> Brief:
    """The same brief with whatever it lacks: tags, sections, an ending and a tempo map; what is there stays as it is.

    A brief of nothing but a duration becomes a whole one. Raises InputError as `write_brief` does.
    """
    if brief.tags.genres and brief.sections and brief.tempo_map and _has_ending(brief):
        return brief
    draft = _spotted(_imagined(brief), _felt_in(brief), asked_in(brief))
    given = brief.model_fields_set
    tags = draft.tags.model_copy(update={name: names for name, names in brief.tags if names})
    filled = brief.model_copy(
        update={
            "tags": tags,
            "key": brief.key if "key" in given else draft.key,
            "tempo_bpm": brief.tempo_bpm if "tempo_bpm" in given or brief.tempo_map else draft.tempo_bpm,
            "beats_per_bar": brief.beats_per_bar if "beats_per_bar" in given else draft.beats_per_bar,
            "sections": brief.sections or draft.sections,
            "not_understood": brief.not_understood or draft.not_understood,
        }
    )
    filled = _with_tempo_map(filled, tempo_is_given="tempo_bpm" in given)
    return Brief.model_validate(
        filled.model_copy(update={"sources": _sources_of(brief, draft), "speech": brief.speech}).model_dump()
    )


def _spotted(analysis: Analysis, seen: Emotion, asked: Asked, counsel: _Counsel | None = None) -> Brief:
    """The brief for a film that is felt as `seen`."""
    if counsel:
        asked = merged(asked, counsel.advice)
    wanted = wanted_emotion(seen, asked)
    speech = _speech_of(analysis)
    spoken = sum(span.end - span.start for span in speech) / analysis.duration
    scene = Scene(spoken, analysis.picture_sha256)
    tags, sources = tags_for(wanted, asked, scene)
    key = choose_key(wanted, tags, asked, scene)
    tempo = choose_tempo(wanted, tags, asked)
    beats_per_bar = asked.beats_per_bar or 4
    division = divide(analysis.duration, turns(analysis, 60.0 / tempo.value * beats_per_bar, asked.cues))
    film = stretches(analysis, division)
    each = wanted_of_sections(film, counsel.edges, counsel.advice, asked) if counsel else ()
    sections = sections_of(film, wanted, dynamics_of(wanted, asked.energy), each)
    cues = cues_for(analysis, division, asked.cues)
    plan = lay_pulse(
        cues,
        analysis.duration,
        tempo.value,
        tags.genres,
        beats_per_bar=beats_per_bar,
        frame=1 / analysis.frame_rate,
        tempo_is_asked_for=asked.tempo is not None and asked.tempo.low_bpm == asked.tempo.high_bpm,
    )
    tempo_map, cues = plan.tempo_map, plan.cues
    sections = on_downbeats(sections, division, tempo_map)
    sources |= {"key": key.source, "tempo_bpm": tempo.source + _settled(tempo.value, tempo_map)}
    by_scene = f"; model {counsel.advice.model}: mood and energy of the scenes" if counsel and each else ""
    sources |= {"sections": _division_source(division) + by_scene, "cues": _cues_source(cues)}
    if asked.beats_per_bar:
        sources["beats_per_bar"] = f"person: {asked.said.get('beats_per_bar', 'asked for')}"
    if "prompt" in asked.said:
        sources["prompt"] = f"rule: {asked.said['prompt']}"
    return Brief(
        duration=analysis.duration,
        film=Film(path=str(analysis.film), frame_rate=analysis.frame_rate, picture_sha256=analysis.picture_sha256),
        prompt=asked.prompt,
        tags=tags,
        key=key.value,
        tempo_bpm=_agreed_tempo(tempo.value, tempo_map),
        beats_per_bar=beats_per_bar,  # type: ignore[arg-type]
        tempo_map=tempo_map,
        sections=sections,
        cues=cues,
        speech=speech,
        not_understood=asked.not_understood,
        sources=sources,
    )


def _agreed_tempo(wanted_bpm: float, tempo_map: TempoMap) -> float:
    """The tempo that was wanted while the map keeps to it within 3 %, else the map's own."""
    return wanted_bpm if same_tempo(tempo_map, wanted_bpm) else round(min(max(tempo_map.tempo_bpm, 30.0), 240.0), 2)


def _settled(wanted_bpm: float, tempo_map: TempoMap) -> str:
    own = tempo_map.tempo_bpm
    return f"; rule: {own:.1f} BPM lets the beats meet the cues" if abs(own / wanted_bpm - 1) > 0.005 else ""


def _speech_of(analysis: Analysis) -> tuple[Span, ...]:
    """The spans in which somebody speaks, in order, inside the film, joined where they touch."""
    joined: list[Span] = []
    for spoken in sorted(analysis.speech, key=lambda spoken: spoken.start):
        start, end = max(0.0, spoken.start), min(spoken.end, analysis.duration)
        if joined and start <= joined[-1].end:
            joined[-1] = Span(start=joined[-1].start, end=max(end, joined[-1].end))
        elif start < end:
            joined.append(Span(start=start, end=end))
    return tuple(joined)


def _division_source(division: Sequence[Turn]) -> str:
    free = sum(turn.free for turn in division)
    scenes = len(division) - 1 - free
    parts = [f"{scenes} where the film turns"] * bool(scenes) + [f"{free} at whole phrases of long shots"] * bool(free)
    return f"rule: {len(division)} sections, divided {' and '.join(parts)}" if parts else "rule: one section"


def _cues_source(cues: Sequence[Cue]) -> str:
    count = {kind: sum(cue.kind == kind for cue in cues) for kind in ("person", "scene", "cut", "motion")}
    found = ", ".join(f"{number} {kind}" for kind, number in count.items() if number)
    strong = sum(cue.strength >= STRONG for cue in cues if cue.kind != "ending")
    by = "person and rule" if count["person"] else "rule"
    return (
        f"{by}: {found or 'none in the picture'}; {strong} strong enough for an accent; the final chord is the ending"
    )


# ── A brief without a film ────────────────────────────────────────────────────────────────────────────────────────────


def _imagined(brief: Brief) -> Analysis:
    """What can be told of the film from a brief alone: its scenes from its cues, and its speech."""
    scenes = [cue for cue in brief.cues if cue.kind in ("scene", "person") and cue.strength >= STRONG]
    edges = sorted({0.0, *(cue.time for cue in scenes), brief.duration})
    shots = [
        Shot(
            start=start,
            end=end,
            opens_with="cut" if start else "start",
            change=0.6 if start else 0.0,
            motion=0.2,
            brightness=0.42,
            saturation=0.32,
            contrast=0.4,
            warmth=0.0,
        )
        for start, end in pairwise(edges)
    ]
    return Analysis(
        film=Path(brief.film.path if brief.film else "without a film"),
        duration=brief.duration,
        frame_rate=brief.film.frame_rate if brief.film else 1 / _FRAME_WITHOUT_FILM,
        frames=0,
        width=0,
        height=0,
        has_sound=False,
        picture_sha256=brief.film.picture_sha256 if brief.film else "",
        shots=tuple(shots),
        curves=Curves(step=0.0, motion=(), brightness=(), saturation=(), contrast=(), warmth=()),
        speech=tuple(Speech(start=span.start, end=span.end) for span in brief.speech),
    )


def _felt_in(brief: Brief) -> Emotion:
    """The emotion that the sections of a brief ask for on the whole; without sections, an even temper."""
    if not brief.sections:
        return emotion(0.2, 0.0, 0.2)
    length = sum(section.end - section.start for section in brief.sections)

    def mean_of(scale: str) -> float:
        sections: Sequence[Section] = brief.sections
        return sum(float(getattr(each, scale)) * (each.end - each.start) for each in sections) / length

    return emotion(mean_of("valence"), mean_of("arousal"), mean_of("tension"))


def _with_tempo_map(brief: Brief, *, tempo_is_given: bool) -> Brief:
    """The brief with a tempo map and an ending, if it lacks them."""
    if brief.tempo_map is None:
        frame = 1 / brief.film.frame_rate if brief.film else _FRAME_WITHOUT_FILM
        plan = lay_pulse(
            brief.cues,
            brief.duration,
            brief.tempo_bpm,
            brief.tags.genres,
            beats_per_bar=brief.beats_per_bar,
            frame=frame,
            tempo_is_asked_for=tempo_is_given,
        )
        tempo_bpm = _agreed_tempo(brief.tempo_bpm, plan.tempo_map)
        return brief.model_copy(update={"tempo_map": plan.tempo_map, "cues": plan.cues, "tempo_bpm": tempo_bpm})
    if _has_ending(brief):
        return brief
    return brief.model_copy(update={"cues": with_ending(brief.cues, brief.duration, brief.tempo_map)})


def _has_ending(brief: Brief) -> bool:
    return any(cue.kind == "ending" for cue in brief.cues)


def _sources_of(brief: Brief, draft: Brief) -> dict[str, str]:
    """Where each value came from: what the brief says of itself, then that it was written in it, then the rules."""
    written: set[str] = {name for name in ("key", "tempo_bpm", "beats_per_bar") if name in brief.model_fields_set}
    written |= {name for name in ("sections", "cues") if getattr(brief, name)}
    written |= {f"tags.{name}" for name, names in brief.tags if names}
    sources = {**draft.sources, **dict.fromkeys(sorted(written), "person: written in the brief")}
    return {**sources, **brief.sources}
