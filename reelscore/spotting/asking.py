"""What the person asks for, from the prompt and from the single wishes together, in the vocabulary's own names.

Single wishes win over the prompt, and what is avoided wins over what is asked for, wherever either was said.
"""

from dataclasses import dataclass, field, replace

from reelscore.brief import Brief, Key, Wishes
from reelscore.errors import InputError
from reelscore.spotting.lexicon import name_in_vocabulary
from reelscore.spotting.wording import Feeling, TempoRange, Understood, understand
from reelscore.vocabulary import FAMILIES


@dataclass(frozen=True)
class Asked:
    """All that the person said, and where they were silent what a language model advised. What nobody said is empty or None.

    `instruments` may name families. `said` tells for a field of the brief in which words it was asked for, `advisers` for
    those that a model filled its name. `advised_bpm` and `advised_pace` are a model's tempo, which binds less than a person's.
    """

    prompt: str
    genres: tuple[str, ...]
    feelings: tuple[Feeling, ...]
    instruments: tuple[str, ...]
    only: bool
    avoid: tuple[str, ...]
    tempo: TempoRange | None
    pace: float | None
    energy: float | None
    key: str | None
    mode: str | None
    beats_per_bar: int | None
    cues: tuple[float, ...]
    not_understood: tuple[str, ...]
    said: dict[str, str]
    advisers: dict[str, str] = field(default_factory=dict)
    advised_bpm: float | None = None
    advised_pace: float | None = None

    @property
    def moods(self) -> tuple[str, ...]:
        return tuple(feeling.mood for feeling in self.feelings)

    @property
    def felt_by_person(self) -> bool:
        """Whether the moods are the person's own."""
        return bool(self.feelings) and "tags.moods" not in self.advisers

    def by(self, name: str) -> str:
        """Who asked for a field of the brief: the person, or a model by its name."""
        return f"model {self.advisers[name]}" if name in self.advisers else "person"

    def source(self, name: str, what: str = "") -> str:
        """Where a field of the brief comes from: who asked for it, for `what`, and how."""
        how = self.said.get(name, "asked for")
        return f"{self.by(name)}: {f'{what} {how}' if what else how}"


def asked_for(wishes: Wishes) -> Asked:
    """The wishes and what the prompt says, as one. Raises InputError for a name, tempo or key that cannot be, and for a contradiction."""
    prompt = understand(wishes.prompt)
    genres = _names(wishes.genres, ("genre",), "genre")
    moods = _names(wishes.moods, ("mood",), "mood")
    instruments = _names(wishes.instruments, ("instrument", "family"), "instrument")
    avoid = _names(wishes.avoid, ("family", "instrument", "genre", "mood"), "instrument, family, genre or mood")
    _refuse_contradiction(wishes, (*genres, *moods, *instruments), avoid)
    asked_by_name = {*genres, *moods, *instruments}
    all_avoided = tuple(dict.fromkeys((*avoid, *_without(prompt.avoid, asked_by_name))))
    feelings = tuple(Feeling(mood) for mood in moods) or prompt.feelings
    return Asked(
        prompt=wishes.prompt,
        genres=tuple(name for name in genres or prompt.genres if name not in all_avoided),
        feelings=tuple(feeling for feeling in feelings if feeling.mood not in all_avoided),
        instruments=tuple(dict.fromkeys((*instruments, *prompt.instruments))),
        only=prompt.only,
        avoid=all_avoided,
        tempo=_tempo(wishes) or prompt.tempo,
        pace=prompt.pace,
        energy=prompt.energy,
        key=_key(wishes) or prompt.key,
        mode=prompt.mode,
        beats_per_bar=prompt.beats_per_bar,
        cues=tuple(sorted(dict.fromkeys(wishes.cues))),
        not_understood=prompt.not_understood,
        said=_said(wishes, prompt),
    )


def asked_in(brief: Brief) -> Asked:
    """What a brief asks for by itself: what is written in it, and where it is silent what its prompt says."""
    asked = asked_for(Wishes(prompt=brief.prompt))
    tags, given = brief.tags, brief.model_fields_set
    avoid = tags.avoid or asked.avoid
    written = "written in the brief"
    return replace(
        asked,
        genres=tags.genres or tuple(name for name in asked.genres if name not in avoid),
        feelings=tuple(Feeling(mood) for mood in tags.moods) or asked.feelings,
        instruments=tags.instruments or asked.instruments,
        only=bool(tags.instruments) or asked.only,
        avoid=avoid,
        tempo=TempoRange(brief.tempo_bpm, brief.tempo_bpm) if "tempo_bpm" in given or brief.tempo_map else asked.tempo,
        key=brief.key if "key" in given else asked.key,
        beats_per_bar=brief.beats_per_bar if "beats_per_bar" in given else asked.beats_per_bar,
        said={**asked.said, **{f"tags.{name}": written for name, names in tags if names}},
    )


def _names(given: tuple[str, ...], kinds: tuple[str, ...], called: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(name_in_vocabulary(text, kinds, called) for text in given)  # type: ignore[arg-type]
    )


def _without(avoid: tuple[str, ...], asked: set[str]) -> list[str]:
    """What the prompt avoids, less what a single wish asks for by name; a family then gives way to its other members."""
    left: list[str] = []
    for name in avoid:
        members = FAMILIES.get(name, ())
        if asked.intersection(members):
            left += [member for member in members if member not in asked]
        elif name not in asked:
            left.append(name)
    return left


def _refuse_contradiction(wishes: Wishes, asked: tuple[str, ...], avoid: tuple[str, ...]) -> None:
    both = [name for name in asked if name in avoid]
    if both:
        raise InputError(f"{both[0]!r} is both asked for and to be avoided; take it out of one of the two.")
    for word in (*wishes.genres, *wishes.moods, *wishes.instruments):
        if word.casefold().strip() in (other.casefold().strip() for other in wishes.avoid):
            raise InputError(f"{word!r} is both asked for and to be avoided; take it out of one of the two.")


def _tempo(wishes: Wishes) -> TempoRange | None:
    if wishes.tempo_bpm is None:
        return None
    if not 30 <= wishes.tempo_bpm <= 240:
        raise InputError(f"A tempo of {wishes.tempo_bpm:g} BPM cannot be played; give one from 30 to 240.")
    return TempoRange(wishes.tempo_bpm, wishes.tempo_bpm)


def _key(wishes: Wishes) -> str | None:
    if wishes.key is None:
        return None
    try:
        return str(Key.parse(wishes.key))
    except ValueError as problem:
        raise InputError(f"{problem}.") from problem


def _said(wishes: Wishes, prompt: Understood) -> dict[str, str]:
    """For each field the person spoke of, where."""
    by_wish = {
        "tags.genres": wishes.genres,
        "tags.moods": wishes.moods,
        "tags.instruments": wishes.instruments,
        "tags.avoid": wishes.avoid,
        "tempo_bpm": wishes.tempo_bpm,
        "key": wishes.key,
        "cues": wishes.cues,
    }
    by_prompt = {
        "tags.genres": prompt.genres,
        "tags.moods": prompt.feelings,
        "tags.instruments": prompt.instruments,
        "tags.avoid": prompt.avoid,
        "tempo_bpm": prompt.tempo or prompt.pace is not None,
        "key": prompt.key or prompt.mode,
        "beats_per_bar": prompt.beats_per_bar,
    }
    said = {field: "asked for in the prompt" for field, value in by_prompt.items() if value}
    said |= {field: "asked for by name" for field, value in by_wish.items() if value}
    if prompt.read_as:
        said["prompt"] = "misspelt words were read as " + ", ".join(f"{a} → {b}" for a, b in prompt.read_as)
    return said
