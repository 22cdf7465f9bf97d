"""What a language model's answer means: text of any kind in, names of the vocabulary and bounded numbers out.

Understood are a JSON object (however roughly written), lines such as "Moods: calm, dreamy", and a line of tags such as
"Piano, Strings, calm, 90 BPM". Whatever else stands there is passed over, so that a text can do no harm, whoever wrote it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from reelscore.brief import MODES, Key
from reelscore.spotting.language.loose_json import values_in
from reelscore.spotting.language.reading import LONGEST_ITEM, is_number, readable, scenes_told
from reelscore.spotting.lexicon import Kind, letters_of, meanings_of
from reelscore.spotting.wording import Understood, understand

MOST_GENRES, MOST_MOODS, MOST_INSTRUMENTS, MOST_AVOIDED = 2, 3, 6, 4
_MOST_ITEMS = 30


@dataclass(frozen=True)
class SceneAdvice:
    """What one scene asks for: a mood, and how much goes on from 0 to 1; None where nothing usable was said."""

    mood: str | None = None
    energy: float | None = None


@dataclass(frozen=True)
class Suggestion:
    """What a language model suggests, in the vocabulary's names; what it did not say is empty or None.

    `instruments` and `avoid` may name families. `pace` (−1 slow to 1 fast) stands where the tempo was given in words.
    `scenes` has one entry for each scene that was asked about.
    """

    genres: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    tempo_bpm: float | None = None
    pace: float | None = None
    key: str | None = None
    mode: str | None = None
    scenes: tuple[SceneAdvice, ...] = ()

    @property
    def tells_scenes(self) -> bool:
        return any(scene != SceneAdvice() for scene in self.scenes)

    @property
    def parts(self) -> tuple[str, ...]:
        """What it says something about, in words."""
        said = {
            "genres": self.genres,
            "moods": self.moods,
            "instruments": self.instruments,
            "avoid": self.avoid,
            "tempo": self.tempo_bpm is not None or self.pace is not None,
            "key": self.key or self.mode,
            "scenes": self.tells_scenes,
        }
        return tuple(name for name, value in said.items() if value)

    def completed_by(self, other: "Suggestion") -> "Suggestion":
        """This suggestion, and where it is silent what the other one says."""
        silent = {
            name: getattr(other, name)
            for name in ("genres", "moods", "instruments", "avoid", "key", "mode")
            if not getattr(self, name)
        }
        if self.tempo_bpm is None and self.pace is None:
            silent |= {"tempo_bpm": other.tempo_bpm, "pace": other.pace}
        if not self.tells_scenes:
            silent["scenes"] = other.scenes
        return replace(self, **silent)


@dataclass(frozen=True)
class Answer:
    """What was understood, and what was wrong in sentences for whoever wrote it; no faults where it can be used as it is."""

    suggestion: Suggestion
    faults: tuple[str, ...] = ()


def read_answer(text: str, scenes: int) -> Answer:
    """What an answer says of the film and of its `scenes` scenes; nothing of it is ever an error."""
    plain = readable(text)
    best = _Draft(scenes)
    for fields in _fields_in(plain):
        draft = _Draft(scenes)
        for name, value in fields.items():
            draft.take(name, value)
        if len(draft.suggestion().parts) >= max(1, len(best.suggestion().parts)):
            best = draft
    return Answer(best.suggestion(), tuple(best.faults()))


# ── Where an answer keeps what ────────────────────────────────────────────────────────────────────────────────────────

_FIELDS = {
    letters_of(word): name
    for name, words in {
        "genres": "genres, genre, styles, style, music genre, musical genre",
        "moods": "moods, mood, emotions, emotion, feelings, feeling, atmosphere",
        "instruments": "instruments, instrument, instrumentation, sounds",
        "avoid": "avoid, avoided, negative, negative tags, exclude, not",
        "tempo": "tempo_bpm, tempo, bpm, tempo rate, speed, beats per minute",
        "key": "key, key signature, tonality",
        "mode": "mode, scale, key mode",
        "scenes": "scenes, scene, sections, segments",
        "tags": "tags, tag, music tags, keywords, music, prompt",
    }.items()
    for word in words.split(", ")
}


def _field(name: str) -> str | None:
    return _FIELDS.get(letters_of(name[:LONGEST_ITEM]))


def _fields_in(text: str) -> Iterator[dict[str, Any]]:
    """Each thing in the text that may be the answer, by the names of its fields; the later, the likelier."""
    for written in (_tag_line(text), _labelled_lines(text)):
        if written:
            yield written
    for value in values_in(text):
        if isinstance(value, list):
            if value and all(isinstance(item, str) for item in value):
                yield {"tags": value}
            objects = [item for item in value if isinstance(item, dict)][:_MOST_ITEMS]
        else:
            objects = [value, *(inner for inner in value.values() if isinstance(inner, dict))][:_MOST_ITEMS]
        for each in reversed(objects):
            known = {_field(name): inner for name, inner in each.items() if _field(name)}
            if known:
                yield {name: inner for name, inner in known.items() if name}


def _labelled_lines(text: str) -> dict[str, Any]:
    """Lines such as "Moods: calm, dreamy", and lists below such a label."""
    found: dict[str, Any] = {}
    label = None
    for line in text.splitlines():
        match = re.match(r"[^\w\n]{0,8}([A-Za-z][A-Za-z_ ]{1,30}?)[^\w\n:=]{0,4}[:=](.*)", line)
        name = _field(match.group(1)) if match else None
        if match and name and name not in ("tags", "scenes"):
            rest = match.group(2).strip(" *_\"'`{}[]")
            found[name] = rest if rest else []
            label = None if rest else name
        elif label and re.match(r"\s*(?:[-*•]|\d+[.)])\s*\w", line):
            found[label].append(line.strip(" \t-*•.)0123456789"))
        elif line.strip():
            label = None
    return {name: value for name, value in found.items() if value}


def _tag_line(text: str) -> dict[str, Any]:
    """The line with the most tags among those that are lists of tags for the greater part."""
    best: list[str] = []
    most = 1
    for line in text.splitlines():
        items = line[:600].rpartition(":")[2].strip(" .*`\"'[]{}").split(",")
        if not 2 <= len(items) <= _MOST_ITEMS:
            continue
        known = sum(len(item.split()) <= 4 and understand(item) != _NOTHING for item in items if item.strip())
        if known > most and known * 2 >= len(items):
            most, best = known, items
    return {"tags": best} if best else {}


_NOTHING = Understood()


# ── What the values mean ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class _Draft:
    """A suggestion in the making."""

    scenes: int
    names: dict[str, dict[str, None]] = field(default_factory=lambda: {name: {} for name in _KINDS})
    unknown: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in _KINDS})
    tempo_bpm: float | None = None
    pace: float | None = None
    key: str | None = None
    mode: str | None = None
    told: dict[int, SceneAdvice] = field(default_factory=dict)

    def take(self, name: str, value: Any) -> None:
        """Takes in what the answer holds under one of its fields."""
        if name in _KINDS:
            for item in _items(value):
                self._take_item(name, item)
        elif name == "tempo":
            self._take_tempo(value)
        elif name in ("key", "mode"):
            self._take_key(str(value)[:LONGEST_ITEM])
        elif name == "scenes":
            self._take_scenes(value)
        elif isinstance(value, dict):
            for inner, content in list(value.items())[:_MOST_ITEMS]:
                if (known := _field(inner)) and known != "tags":
                    self.take(known, content)
        else:
            self._take_understood(understand(", ".join(_items(value))))

    def _take_item(self, name: str, item: str) -> None:
        meanings = meanings_of(letters_of(item))
        named = [m.name for kind in _KINDS[name] for m in meanings if m.kind == kind]
        if named:
            self.names[name][named[0]] = None
            return
        heard = understand(item)
        self.names["avoid"].update(dict.fromkeys(heard.avoid))
        all_named = {
            "genres": heard.genres,
            "moods": heard.moods,
            "instruments": heard.instruments,
            "avoid": (*heard.instruments, *heard.genres, *heard.moods),
        }[name]
        self.names[name].update(dict.fromkeys(all_named))
        if not all_named and not heard.avoid:
            self.unknown[name].append(item)

    def _take_understood(self, heard: Understood) -> None:
        for name, named in (("genres", heard.genres), ("moods", heard.moods), ("avoid", heard.avoid)):
            self.names[name].update(dict.fromkeys(named))
        self.names["instruments"].update(dict.fromkeys(heard.instruments))
        if heard.tempo:
            self.tempo_bpm = (heard.tempo.low_bpm + heard.tempo.high_bpm) / 2
        self.pace = heard.pace
        self.key, self.mode = heard.key, heard.mode

    def _take_tempo(self, value: Any) -> None:
        if isinstance(value, list | dict):
            numbers = [n for n in (value if isinstance(value, list) else value.values()) if is_number(n)]
            value = sum(numbers[:2]) / len(numbers[:2]) if numbers else ", ".join(_items(value))
        if is_number(value):
            self.tempo_bpm = float(value) if 30 <= value <= 240 else None
        elif isinstance(value, str):
            self.tempo_bpm, self.pace = _tempo_in(value[:LONGEST_ITEM])

    def _take_key(self, written: str) -> None:
        try:
            self.key = str(Key.parse(written.replace("_", " ")))
        except ValueError:
            modes = [mode for mode in MODES if mode in written.casefold()]
            self.mode = modes[0] if len(modes) == 1 else self.mode

    def _take_scenes(self, value: Any) -> None:
        for number, fields in scenes_told(value, "mood", self.scenes).items():
            self.told.setdefault(number, _scene_advice(fields))

    def suggestion(self) -> Suggestion:
        avoid = tuple(self.names["avoid"])[:MOST_AVOIDED]
        kept = {name: tuple(n for n in self.names[name] if n not in avoid) for name in _KINDS}
        return Suggestion(
            genres=kept["genres"][:MOST_GENRES],
            moods=kept["moods"][:MOST_MOODS],
            instruments=kept["instruments"][:MOST_INSTRUMENTS],
            avoid=avoid,
            tempo_bpm=self.tempo_bpm,
            pace=self.pace if self.tempo_bpm is None else None,
            key=self.key,
            mode=self.mode,
            scenes=tuple(self.told.get(number, SceneAdvice()) for number in range(self.scenes)),
        )

    def faults(self) -> Iterator[str]:
        """What a second answer should mend."""
        found = self.suggestion()
        if not found.parts and not any(self.unknown.values()):
            yield "there was no JSON object of the asked form in it"
            return
        for name in ("genres", "moods", "instruments"):
            if not getattr(found, name):
                given = ", ".join(f'"{_shown(item)}"' for item in self.unknown[name][:3])
                yield f'"{name}" ' + (f"holds no name of its list (but {given})" if given else "is empty or missing")
        if self.scenes > 1 and not found.tells_scenes:
            yield f'"scenes" does not give a mood and an energy for each of the {self.scenes} scenes'


_KINDS: dict[str, tuple[Kind, ...]] = {
    "genres": ("genre",),
    "moods": ("mood",),
    "instruments": ("instrument", "family"),
    "avoid": ("family", "instrument", "genre", "mood"),
}


def _items(value: Any) -> list[str]:
    """The single things that a value names: a string is divided at commas, an object gives its names or what it calls `name`."""
    if isinstance(value, str):
        parts: Iterable[str] = re.split(r"[,;|/\n•]", value[: _MOST_ITEMS * LONGEST_ITEM])
        return [part.strip(" \t.*-_\"'")[:LONGEST_ITEM] for part in parts if part.strip(" \t.*-_\"'")][:_MOST_ITEMS]
    if isinstance(value, dict):
        named = value.get("name", value.get("instrument"))
        return _items(named if isinstance(named, str) else list(value))
    if isinstance(value, list):
        return [item for inner in value[:_MOST_ITEMS] if isinstance(inner, str | dict) for item in _items(inner)][
            :_MOST_ITEMS
        ]
    return []


def _tempo_in(text: str) -> tuple[float | None, float | None]:
    """A tempo in BPM, or a pace in words: "90 BPM", "80-100", "about 90", "andante", "slow"."""
    numbers = [float(number) for number in re.findall(r"\d{2,3}(?:\.\d{1,6})?(?!\d)", text)][:2]
    playable = [number for number in numbers if 30 <= number <= 240]
    if playable:
        return sum(playable) / len(playable), None
    heard = understand(text)
    if heard.tempo:
        return (heard.tempo.low_bpm + heard.tempo.high_bpm) / 2, None
    return None, heard.pace


def _scene_advice(fields: dict[str, Any]) -> SceneAdvice:
    mood = energy = None
    for name, value in fields.items():
        called = letters_of(str(name)[:LONGEST_ITEM])
        if _FIELDS.get(called) == "moods":
            draft = _Draft(0)
            draft.take("moods", value)
            mood = next(iter(draft.names["moods"]), None)
        elif called in ("energy", "intensity", "level"):
            energy = _energy(value)
    return SceneAdvice(mood, energy)


_AMOUNTS = {"verylow": 0.1, "low": 0.25, "medium": 0.5, "moderate": 0.5, "mid": 0.5, "high": 0.8, "veryhigh": 0.95}


def _energy(value: Any) -> float | None:
    """A share from 0 to 1: as a number, as "70%", or in words."""
    if isinstance(value, str):
        number = re.fullmatch(r"\s*(\d{1,3}(?:\.\d{1,6})?)\s*(%?)\s*", value[:LONGEST_ITEM])
        if not number:
            return _AMOUNTS.get(letters_of(value[:LONGEST_ITEM]))
        value = float(number.group(1)) / (100.0 if number.group(2) else 1.0)
    return float(value) if is_number(value) and 0 <= value <= 1 else None


def _shown(item: str) -> str:
    return " ".join(re.sub(r"[^\w ]", " ", item).split())[:30]
