"""Wishes and advice as one: the person's words win in every category, a language model fills those that they left open.

What the person asked for is never avoided because a model says so, and nothing that the person avoids is let in again.
"""

from collections.abc import Sequence
from dataclasses import replace

from reelscore.spotting.asking import Asked
from reelscore.spotting.emotion import mood_emotion
from reelscore.spotting.form import Stretch, Wanted
from reelscore.spotting.language.advice import Advice
from reelscore.spotting.language.answers import SceneAdvice, Suggestion
from reelscore.spotting.lexicon import members_of
from reelscore.spotting.wording import Feeling
from reelscore.vocabulary import FAMILIES, GENRES, INSTRUMENTS, MOODS

_ADVISED = "advised from what is seen"


def merged(asked: Asked, advice: Advice) -> Asked:
    """What the person asked for, and where they were silent what the model suggests."""
    found = advice.suggestion
    if found is None:
        return asked
    person = asked
    avoid = tuple(name for name in found.avoid if name not in asked.avoid and not _is_asked_for(name, asked))
    asked = _with_avoided(asked, avoid, advice.model)
    taken: dict[str, object] = {}
    if not asked.genres and (genres := _allowed(found.genres, asked)):
        taken["tags.genres"] = asked = replace(asked, genres=genres)
    if not asked.feelings and (moods := _allowed(found.moods, asked)):
        taken["tags.moods"] = asked = replace(asked, feelings=tuple(Feeling(mood) for mood in moods))
    if not asked.instruments and (instruments := _playable(found.instruments, asked, person.genres)):
        taken["tags.instruments"] = asked = replace(asked, instruments=instruments)
    if not asked.tempo and asked.pace is None and (found.tempo_bpm is not None or found.pace is not None):
        taken["tempo_bpm"] = asked = replace(asked, advised_bpm=found.tempo_bpm, advised_pace=found.pace)
    if not asked.key and not asked.mode and _mode_is_welcome(found, person):
        taken["key"] = asked = replace(asked, key=found.key, mode=None if found.key else found.mode)
    return replace(
        asked,
        said={**asked.said, **dict.fromkeys(taken, _ADVISED)},
        advisers={**asked.advisers, **dict.fromkeys(taken, advice.model)},
    )


def wanted_of_sections(
    film: Sequence[Stretch], edges: Sequence[float], advice: Advice, asked: Asked
) -> tuple[Wanted, ...]:
    """What the model wants of each section, from the scenes (beginning at `edges`) that it was asked about; () if it wants nothing.

    Where the person said how it shall feel, the model's moods only shade that.
    """
    if advice.suggestion is None or not advice.suggestion.tells_scenes:
        return ()
    told = advice.suggestion.scenes
    ends = [*edges[1:], film[-1].end]
    share = 0.25 if asked.felt_by_person else 0.6
    return tuple(_wanted(stretch, edges, ends, told, asked, share) for stretch in film)


def _wanted(
    stretch: Stretch,
    edges: Sequence[float],
    ends: Sequence[float],
    told: Sequence[SceneAdvice],
    asked: Asked,
    share: float,
) -> Wanted:
    shared = [
        max(0.0, min(end, stretch.end) - max(start, stretch.start)) for start, end in zip(edges, ends, strict=True)
    ]
    moods: dict[str, float] = {}
    energy = weight = 0.0
    for length, scene in zip(shared, told, strict=True):
        if length and scene.mood and scene.mood not in asked.avoid:
            moods[scene.mood] = moods.get(scene.mood, 0.0) + length
        if length and scene.energy is not None:
            energy, weight = energy + length * scene.energy, weight + length
    mood = max(moods, key=lambda name: moods[name]) if moods else None
    half = 0.5 * (stretch.end - stretch.start)
    return Wanted(
        mood_emotion(mood) if mood and moods[mood] >= half else None, energy / weight if weight >= half else None, share
    )


def _with_avoided(asked: Asked, avoid: tuple[str, ...], model: str) -> Asked:
    if not avoid:
        return asked
    listed = f"{', '.join(avoid)} {_ADVISED}"
    if asked.avoid:
        said = f"{asked.said.get('tags.avoid', 'to be avoided')}; model {model}: {listed}"
        return replace(asked, avoid=(*asked.avoid, *avoid), said={**asked.said, "tags.avoid": said})
    return replace(
        asked,
        avoid=avoid,
        said={**asked.said, "tags.avoid": listed},
        advisers={**asked.advisers, "tags.avoid": model},
    )


def _is_asked_for(name: str, asked: Asked) -> bool:
    """Whether avoiding this would take away something that the person asked for, or what their genre is played on."""
    if name in asked.genres or name in asked.moods:
        return True
    wanted = {member for wish in asked.instruments for member in members_of(wish)}
    wanted |= {instrument for genre in asked.genres for instrument in GENRES[genre].instruments}
    return name in asked.instruments or bool(wanted.intersection(members_of(name)))


def _allowed(names: tuple[str, ...], asked: Asked) -> tuple[str, ...]:
    return tuple(name for name in names if name not in asked.avoid)


def _playable(names: tuple[str, ...], asked: Asked, persons_genres: tuple[str, ...]) -> tuple[str, ...]:
    """The instruments that contradict nothing: none that is avoided, and none beside the only one of a solo genre asked for."""
    left = [name for name in names if any(not _ruled_out(member, asked) for member in members_of(name))]
    palette = GENRES[persons_genres[0]].instruments if persons_genres else ()
    if len(palette) == 1:
        family = INSTRUMENTS[palette[0]].family
        left = [name for name in left if all(INSTRUMENTS[member].family == family for member in members_of(name))]
    return tuple(left)


def _ruled_out(instrument: str, asked: Asked) -> bool:
    return any(instrument == name or instrument in FAMILIES.get(name, ()) for name in asked.avoid)


def _mode_is_welcome(found: Suggestion, person: Asked) -> bool:
    """Whether a key or mode was suggested that the person's own moods can bear."""
    mode = found.key.rpartition(" ")[2] if found.key else found.mode
    if not mode:
        return False
    return not person.moods or any(mode in MOODS[mood].modes for mood in person.moods)
