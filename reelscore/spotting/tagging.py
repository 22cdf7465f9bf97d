"""Genre, moods, instruments, key and tempo: what the person asked for, and rules for whatever was left open.

Between the two stands what a language model advised, where one was asked. Every choice comes as a value and a sentence that
says where it came from, "person: …", "model NAME: …" or "rule: …".
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Generic, TypeVar

from reelscore.brief import MODES, Key, Tags
from reelscore.spotting.asking import Asked
from reelscore.spotting.emotion import (
    Emotion,
    between,
    distance,
    emotion,
    manner_for,
    mode_for,
    mood_emotion,
    nearest_moods,
    tempo_for,
)
from reelscore.spotting.lexicon import members_of
from reelscore.vocabulary import FAMILIES, GENRES, INSTRUMENTS, MOODS, Genre

Value = TypeVar("Value")


@dataclass(frozen=True)
class Choice(Generic[Value]):
    """A value and the sentence that says where it came from."""

    value: Value
    source: str


@dataclass(frozen=True)
class Scene:
    """What a choice may look at besides the emotion: the share of the film that is spoken over, and the hash of its picture."""

    speech_share: float
    picture_sha256: str


def wanted_emotion(film: Emotion, asked: Asked) -> Emotion:
    """The emotion of the whole: the person's moods where there are any, else the film's, coloured by the genre asked for.

    Moods that a model advised leave the picture a quarter of the say.
    Words for energy and pace raise or lower its arousal; it is moved away from moods that are to be avoided.
    """
    wanted = film
    if asked.feelings:
        felt = [mood_emotion(feeling.mood, feeling.degree) for feeling in asked.feelings]
        wanted = emotion(*(sum(getattr(e, name) for e in felt) / len(felt) for name in _SCALES))
        if not asked.felt_by_person:
            wanted = between(film, wanted, 0.75)
    elif asked.genres:
        genre = GENRES[asked.genres[0]]
        wanted = between(film, emotion(genre.valence, genre.arousal, film.tension), 0.5)
    livelier = 0.4 * (asked.energy or 0.0) + 0.25 * (asked.pace or 0.0)
    wanted = emotion(wanted.valence, wanted.arousal + livelier, wanted.tension)
    if not asked.felt_by_person:
        wanted = _away_from(wanted, asked.avoid)
    return wanted


_SCALES = ("valence", "arousal", "tension")


def _away_from(wanted: Emotion, avoid: tuple[str, ...]) -> Emotion:
    """The same emotion, or where the mood nearest to it is to be avoided, the place of the nearest mood that is not."""
    if nearest_moods(wanted)[0] not in avoid:
        return wanted
    others = nearest_moods(wanted, avoid)
    return mood_emotion(others[0]) if others else wanted


def choose_genre(wanted: Emotion, asked: Asked, scene: Scene) -> Choice[str]:
    """The first genre asked for, else the one that fits emotion, instruments and speech best; "" if all are to be avoided."""
    if asked.genres:
        return Choice(asked.genres[0], asked.source("tags.genres"))
    left = [name for name in GENRES if name not in asked.avoid]
    if not left:
        return Choice("", "person: every genre is to be avoided")
    best = max(left, key=lambda name: _fit(GENRES[name], wanted, asked, scene))
    why = f"nearest to valence {wanted.valence:+.2f} and arousal {wanted.arousal:+.2f}"
    if asked.instruments:
        why += f", played on {', '.join(asked.instruments)}"
    if scene.speech_share > 0.25:
        why += f", with speech over {scene.speech_share:.0%} of the film"
    return Choice(best, f"rule: {best} is {why}")


def _fit(genre: Genre, wanted: Emotion, asked: Asked, scene: Scene) -> float:
    # A genre spans a field around its centre; only what lies beyond it counts against it.
    apart = distance(wanted, emotion(genre.valence, genre.arousal, wanted.tension))
    fit = -apart + genre.unasked + scene.speech_share * genre.under_speech
    if asked.feelings:
        liked = {mode for mood in asked.moods for mode in MOODS[mood].modes}
        fit += 0.2 * bool(liked.intersection(genre.modes)) - 0.2
    if asked.mode:
        fit += 0.2 * (asked.mode in genre.modes) - 0.2
    if asked.tempo:
        low, high = genre.tempo_bpm
        fit -= 0.5 * (asked.tempo.low_bpm > high * 1.05 or asked.tempo.high_bpm < low * 0.95)
    if asked.instruments:
        named = [members_of(name) for name in asked.instruments]
        found = sum(bool(set(members) & set(genre.instruments)) for members in named) / len(named)
        used = len(set(genre.instruments) & {name for members in named for name in members}) / len(genre.instruments)
        # A genre that lacks one of two instruments asked for has lost most of its claim.
        fit += 2.0 * found**2 + 0.5 * used
    if asked.beats_per_bar == 3 and genre.grooves:
        fit -= 0.3
    silenced = sum(avoided(asked.avoid, name) for name in genre.instruments) / len(genre.instruments)
    return fit - 0.8 * silenced


def choose_moods(wanted: Emotion, asked: Asked) -> Choice[tuple[str, ...]]:
    """The moods asked for, else the two that lie nearest to the emotion."""
    if asked.moods:
        return Choice(asked.moods, asked.source("tags.moods"))
    nearest = tuple(nearest_moods(wanted, (*asked.avoid, *NEVER_GUESSED))[:2])
    return Choice(
        nearest,
        f"rule: nearest to the film's valence {wanted.valence:+.2f}, arousal {wanted.arousal:+.2f}, tension {wanted.tension:.2f}",
    )


def choose_instruments(genre: str, moods: tuple[str, ...], asked: Asked) -> Choice[tuple[str, ...]]:
    """The instruments asked for, then the genre's, less what is to be avoided; where nothing is left, the moods' and then any."""
    palette = GENRES[genre].instruments if genre else ()
    named = [_member_for(name, palette, asked.avoid) for name in asked.instruments]
    chosen = [name for name in named if name and not avoided(asked.avoid, name)]
    if not (asked.only and chosen):
        chosen += [name for name in palette if not avoided(asked.avoid, name)]
    if not chosen:
        liked = [name for mood in moods for name in MOODS[mood].instruments]
        chosen = [name for name in (*liked, *_ANYWHERE, *INSTRUMENTS) if not avoided(asked.avoid, name)][:1]
    source = f"rule: the palette of {genre}" if genre else "rule: what is left"
    if asked.instruments:
        rest = "" if asked.only else f"; {source}"
        source = asked.source("tags.instruments", ", ".join(asked.instruments)) + rest
    dropped = [name for name, member in zip(asked.instruments, named, strict=True) if member not in chosen]
    if dropped:
        source += f"; left out because it is to be avoided: {', '.join(dropped)}"
    return Choice(tuple(dict.fromkeys(chosen)), source)


# Moods that need to know what the film tells, not only how it looks.
NEVER_GUESSED = ("romantic", "funny", "nostalgic", "angry", "scary", "triumphant")
# What can carry music alone when a genre's whole palette is to be avoided.
_ANYWHERE = ("grand piano", "warm pad", "strings", "acoustic guitar", "harp", "synth pluck", "flute", "choir")


def tags_for(wanted: Emotion, asked: Asked, scene: Scene) -> tuple[Tags, dict[str, str]]:
    """The tags, and for each where it came from."""
    genre = choose_genre(wanted, asked, scene)
    moods = choose_moods(wanted, asked)
    instruments = choose_instruments(genre.value, moods.value, asked)
    genres = asked.genres or ((genre.value,) if genre.value else ())
    sources = {"tags.genres": genre.source, "tags.moods": moods.source, "tags.instruments": instruments.source}
    if asked.avoid:
        sources["tags.avoid"] = asked.source("tags.avoid")
    return Tags(genres=genres, moods=moods.value, instruments=instruments.value, avoid=asked.avoid), sources


def choose_key(wanted: Emotion, tags: Tags, asked: Asked, scene: Scene) -> Choice[str]:
    """The key asked for; else a mode as bright as the emotion, out of those that genre and moods like, on a tonic of the film's own."""
    if asked.key:
        return Choice(asked.key, asked.source("key"))
    modes = GENRES[tags.genres[0]].modes if tags.genres else MODES
    liked = [mode for mode in modes if any(mode in MOODS[mood].modes for mood in asked.moods)]
    if not liked and asked.moods:
        # Where genre and mood agree on no mode, the person's mood is the stronger wish.
        liked = list(dict.fromkeys(mode for mood in asked.moods for mode in MOODS[mood].modes))
    mode = asked.mode or mode_for(wanted, liked or modes)
    bright = mode in ("major", "mixolydian", "lydian")
    tonics = _BRIGHT_TONICS if bright else _DARK_TONICS
    tonic = tonics[int(sha256(scene.picture_sha256.encode()).hexdigest(), 16) % len(tonics)]
    key = str(Key.parse(f"{tonic} {mode}"))
    if asked.mode:
        return Choice(key, f"{asked.source('key', mode)}; rule: the tonic from the picture")
    manner = manner_for(wanted)
    return Choice(
        key,
        f"rule: {mode} is as bright as valence {wanted.valence:+.2f} (the ratings of Eerola et al. ask for"
        f" {'major' if manner.major else 'minor'}); the tonic from the picture",
    )


# Tonics on which strings, winds, guitars and voices all lie well.
_BRIGHT_TONICS = ("C", "D", "Eb", "F", "G", "A", "Bb")
_DARK_TONICS = ("A", "C", "D", "E", "F", "G", "B")


def choose_tempo(wanted: Emotion, tags: Tags, asked: Asked) -> Choice[float]:
    """The tempo asked for; else that of the arousal within the genre's range; "slow" and "fast" go to its ends and beyond."""
    said = asked.said.get("tempo_bpm", "asked for")
    if asked.tempo and asked.tempo.low_bpm == asked.tempo.high_bpm:
        return Choice(asked.tempo.low_bpm, f"person: {said}")
    low, high = GENRES[tags.genres[0]].tempo_bpm if tags.genres else (56.0, 168.0)
    where = f"{tags.genres[0]} ({low:g}–{high:g})" if tags.genres else f"{low:g}–{high:g}"
    if asked.tempo:
        low, high = asked.tempo.low_bpm, asked.tempo.high_bpm
        where = f"{low:g}–{high:g}, {said}"
    by_arousal = tempo_for(wanted.arousal)
    if asked.pace is not None and not asked.tempo:
        middle = (low * high) ** 0.5
        tempo = min(max(middle * (high / middle) ** asked.pace, 44.0), 190.0)
        return Choice(round(tempo, 1), f"person: pace {asked.pace:+.1f} {said}; rule: on the range of {where}")
    if not asked.tempo and (asked.advised_bpm is not None or asked.advised_pace is not None):
        return _advised_tempo(asked, low, high, where)
    # Half the arousal's own tempo, half its place in the range: a calm jazz is slow for jazz, not at the edge of it.
    habit = low * (high / low) ** ((wanted.arousal + 1.0) / 2.0)
    tempo = round((min(max(by_arousal, low), high) * habit) ** 0.5, 1)
    source = f"rule: arousal {wanted.arousal:+.2f} gives {by_arousal:.0f} BPM, in {where} {tempo:.0f}"
    return Choice(tempo, source if not asked.tempo else f"person: {where}; {source}")


def _advised_tempo(asked: Asked, low: float, high: float, where: str) -> Choice[float]:
    """The tempo that a model advised, brought to what the genre can bear."""
    by = asked.by("tempo_bpm")
    if asked.advised_bpm is None:
        middle, pace = (low * high) ** 0.5, asked.advised_pace or 0.0
        tempo = min(max(middle * (high / middle) ** pace, low), high)
        return Choice(round(tempo, 1), f"{by}: pace {pace:+.1f}; rule: on the range of {where}")
    tempo = min(max(asked.advised_bpm, low), high)
    held = f"; rule: held to {tempo:g}, within {where}" if tempo != asked.advised_bpm else ""
    return Choice(round(tempo, 1), f"{by}: {asked.advised_bpm:g} BPM{held}")


def avoided(avoid: tuple[str, ...], instrument: str) -> bool:
    """Whether a list of names to avoid rules out this instrument."""
    return Tags(avoid=avoid).avoids(instrument)


def _member_for(name: str, palette: tuple[str, ...], avoid: tuple[str, ...]) -> str:
    """The instrument meant by a name: itself, or the member of a family that the genre plays, else the first; "" if none is left."""
    if name in INSTRUMENTS:
        return name
    left = [member for member in FAMILIES[name] if not avoided(avoid, member)]
    fitting = [member for member in palette if member in left]
    return next(iter((*fitting, *left)), "")
