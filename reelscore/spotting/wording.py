"""What a person's sentence asks for, understood without any model: "slow sad piano, no drums".

The sentence is read from left to right. The longest known phrase wins ("electric piano" before "piano"); "no", "without",
"avoid" and their like reach over what follows them up to a "but", a "with", a stop, or a comma after which no "or" closes
the list. Words that mean nothing here are handed back in their order.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from reelscore.brief import MODES, Key
from reelscore.grammar import ARTICLES, DEGREES, ENDING, JOINING, LISTING, NEGATING, PASSED_OVER
from reelscore.spotting.lexicon import Kind, Meaning, corrected, lexicon, meanings_of
from reelscore.spotting.words import Word, words_of
from reelscore.vocabulary import FAMILIES, INSTRUMENTS


@dataclass(frozen=True)
class Feeling:
    """A mood that is wished for, and how much of it: 1 plainly, 0.5 "slightly", 1.5 "extremely"."""

    mood: str
    degree: float = 1.0


@dataclass(frozen=True)
class TempoRange:
    """A tempo that was asked for in BPM; a single number has both ends alike."""

    low_bpm: float
    high_bpm: float


@dataclass(frozen=True)
class Understood:
    """What a prompt asks for.

    `instruments` and `avoid` may name families. `pace` and `energy` run from −1.5 (very slow, very little) to 1.5; None where
    nothing was said. `key` is whole ("A minor"), `mode` what was said of the mode alone. `only` tells that no other
    instruments than those named are wanted. `read_as` are pairs of a misspelt word and what it was taken for.
    """

    genres: tuple[str, ...] = ()
    feelings: tuple[Feeling, ...] = ()
    instruments: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    tempo: TempoRange | None = None
    pace: float | None = None
    energy: float | None = None
    key: str | None = None
    mode: str | None = None
    beats_per_bar: int | None = None
    only: bool = False
    read_as: tuple[tuple[str, str], ...] = ()
    not_understood: tuple[str, ...] = ()

    @property
    def moods(self) -> tuple[str, ...]:
        return tuple(feeling.mood for feeling in self.feelings)


def understand(prompt: str) -> Understood:
    """What `prompt` asks for; nothing of it is ever an error."""
    reading = _Reading(words_of(prompt))
    while reading.at < len(reading.words):
        reading.step()
    return reading.result()


_MODES_WRITTEN = (*MODES, "maj", "min", "ionian", "aeolian")
_LONGEST_PHRASE = 5
_MOST_NOT_UNDERSTOOD = 40


@dataclass(frozen=True, slots=True)
class _Match:
    """Known words in a row: how many, their meanings, and the correction if there was a slip."""

    count: int
    meanings: tuple[Meaning, ...]
    taken_for: str | None = None

    @property
    def is_sound(self) -> bool:
        return any(meaning.kind in ("instrument", "family") for meaning in self.meanings)


@dataclass
class _Reading:
    """The state of one reading from left to right."""

    words: list[Word]
    at: int = 0
    negator: str = ""
    refused: str = ""  # the kind of what the negator has taken so far: "sound", "feel", or nothing yet
    joined: bool = True  # whether an "and", "or" or listing comma stands before the next word
    degree: float = 1.0
    only: bool = False
    genres: list[str] = field(default_factory=list)
    feelings: dict[str, float] = field(default_factory=dict)
    instruments: list[str] = field(default_factory=list)
    avoid: list[str] = field(default_factory=list)
    paces: list[float] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)
    tempo: TempoRange | None = None
    key: str | None = None
    mode: str | None = None
    beats_per_bar: int | None = None
    read_as: list[tuple[str, str]] = field(default_factory=list)
    unknown: dict[str, None] = field(default_factory=dict)
    unknown_count: int = 0

    def step(self) -> None:
        """Reads on by one phrase or word."""
        self._cross_the_gap()
        for read in (self._read_tempo, self._read_key, self._read_grammar, self._read_phrase):
            if read():
                return
        self._read_unknown()

    def result(self) -> Understood:
        avoid = tuple(dict.fromkeys(self._avoided()))
        unknown = tuple(self.unknown)
        if self.unknown_count > len(unknown):
            unknown = (*unknown, f"… and {self.unknown_count - len(unknown)} more")
        return Understood(
            genres=tuple(name for name in dict.fromkeys(self.genres) if name not in avoid),
            feelings=tuple(Feeling(mood, degree) for mood, degree in self.feelings.items() if mood not in avoid),
            instruments=tuple(name for name in dict.fromkeys(self.instruments) if name not in avoid),
            avoid=avoid,
            tempo=self.tempo,
            pace=_mean_of(self.paces),
            energy=_mean_of(self.energies),
            key=self.key,
            mode=self.mode,
            beats_per_bar=self.beats_per_bar,
            only=self.only and bool(self.instruments),
            read_as=tuple(dict.fromkeys(self.read_as)),
            not_understood=unknown,
        )

    def _avoided(self) -> Iterator[str]:
        """What is refused; a family gives way to its other members where one of it is asked for: "no strings, but a solo cello"."""
        for name in self.avoid:
            members = FAMILIES.get(name, ())
            excepted = [wish for wish in self.instruments if wish in members and wish != name]
            if excepted and name not in excepted:
                yield from (member for member in members if member not in excepted)
            else:
                yield name

    def _letters(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.words[place].letters if 0 <= place < len(self.words) else ""

    def _cross_the_gap(self) -> None:
        gap = self.words[self.at].gap
        # "no, piano please" and "no problem, but …" refuse nothing that comes after the comma.
        idle = gap == "comma" and not self.refused
        if gap == "break" or idle or (gap == "comma" and self.negator and not self._list_goes_on()):
            self._end_negation()
        elif gap in ("comma", "slash"):
            self.joined = True
        if gap in ("break", "comma"):
            self.degree = 1.0

    def _end_negation(self) -> None:
        self.negator = self.refused = ""

    def _list_goes_on(self) -> bool:
        """Whether the things after this comma belong to the refused list: "no drums, bass or vocals"."""
        if self.negator in LISTING:
            match = self._match_at(self.at)
            return match is not None and match.is_sound == (self.refused == "sound")
        place = self.at
        for _ in range(12):
            closing = self._closing_word(place)
            if closing:
                return closing in ("or", "nor") or self.negator == "without"
            match = self._match_at(place)
            if match is None or match.is_sound != (self.refused == "sound"):
                return False
            place += match.count
            if place >= len(self.words) or (self.words[place].gap != "comma" and not self._closing_word(place)):
                return False
        return False

    def _closing_word(self, place: int) -> str:
        letters = self.words[place].letters if place < len(self.words) else ""
        return letters if letters in JOINING else ""

    def _read_tempo(self) -> bool:
        """ "110 bpm", "90-100 bpm", "bpm: 110", "tempo of 110", "at 110"."""
        number = _number(self._letters())
        if number is None:
            return False
        second = _number(self._letters(1)) if self._letters(1) != "to" else _number(self._letters(2))
        count = 1 if second is None else 2 + (self._letters(1) == "to")
        said_before = {self._letters(-1), self._letters(-2)} & {"bpm", "tempo", "at"}
        unit = self._letters(count) == "bpm" or (
            self._letters(count) == "beats" and self._letters(count + 1) in ("per", "a")
        )
        low, high = sorted((number, number if second is None else second))
        if not (unit or said_before) or not 30 <= low <= high <= 240:
            return False
        if not self.negator:
            self.tempo = TempoRange(low, high)
        per_minute = 3 if self._letters(count) == "beats" else 1
        self.at += count + (per_minute if unit else 0)
        return True

    def _read_key(self) -> bool:
        """ "A minor", "in f# dorian", "B flat major", "Am", "in E", "key of G"."""
        word = self.words[self.at]
        tonic = re.fullmatch(r"([A-Ga-g][#♯♭b]?)(m|min|maj)?", word.text)
        if not tonic:
            return False
        name, mode, count = tonic.group(1), tonic.group(2) or "", 1
        if mode and name.islower() and len(name) == 1:
            return False  # "am" is a word, "Am" a key
        if self._letters(1) in ("sharp", "flat") and len(name) == 1:
            name, count = name + ("#" if self._letters(1) == "sharp" else "b"), 2
        if not mode and self._letters(count) in _MODES_WRITTEN:
            mode, count = self._letters(count), count + 1
            # "in a minor key" speaks of the mode; "in A minor" of the key.
            if word.text == "a" and self._letters(count) in ("key", "mode", "mood"):
                return False
        after_of = self._letters(-1) == "of" and self._letters(-2) == "key"
        after_in = self._letters(-1) in ("in", "key") and name[0].isupper()
        if not mode and not after_of and not after_in:
            return False
        if not self.negator:
            self.key = str(Key.parse(f"{name[0].upper()}{name[1:]} {mode}"))
        self.at += count
        return True

    def _read_grammar(self) -> bool:
        """Words that steer the reading: negators, the ends of their reach, degrees, "only"."""
        letters, after = self._letters(), self._letters(1)
        if letters in ("nothing", "anything") and after == "but":
            self.only, self.at = True, self.at + 2
        elif letters in ("instead", "rather") and after in ("of", "than"):
            self._begin_negation("no", 2)
        elif letters in ("not", "dont", "do") and after in ("only", "just", "necessarily", "mind"):
            self.at += 2
        elif letters == "do" and after == "not":
            self._begin_negation("dont", 2)
        elif letters == "free" and after == "of":
            self._begin_negation("no", 2)
        elif letters in LISTING or (letters in NEGATING and not (letters == "nor" and self.negator)):
            self._begin_negation(letters, 1)
        elif letters in ("solo", "only", "just") and self._a_sound_follows():
            self._end_negation()
            self.only, self.at = True, self.at + 1
        elif letters in ("royalty", "copyright") and after == "free":
            self.at += 2
        elif letters in ("love", "loved", "like") and self._letters(-1) in ("i", "we", "id", "wed", "would"):
            self.at += 1
        elif letters in ("instrumental", "instrumentals"):
            self.avoid.append("choir")
            self.at += 1
        elif letters in DEGREES and not self._match_of_more_words():
            self.degree, self.at = DEGREES[letters], self.at + 1
        elif letters in ENDING or letters in JOINING:
            self._read_connection(letters)
        else:
            return False
        return True

    def _read_connection(self, letters: str) -> None:
        follows_at_once = self.negator and not self.refused and letters in ("with", "just")
        if letters in ENDING and not follows_at_once:
            if letters == "only" and self.at and self.instruments and not self.negator:
                self.only = True
            self._end_negation()
        self.joined = self.joined or letters in JOINING
        if letters in JOINING and self._letters(1) in ARTICLES and self.refused:
            self._end_negation()
        self.at += 1

    def _begin_negation(self, negator: str, count: int) -> None:
        self.negator, self.refused, self.joined = negator, "", True
        self.at += count

    def _a_sound_follows(self) -> bool:
        place = self.at + 1
        while place < len(self.words) and self.words[place].letters in ARTICLES and not self.words[place].gap:
            place += 1
        match = self._match_at(place)
        return match is not None and match.is_sound and self.words[place].gap in ("", "joined")

    def _match_of_more_words(self) -> bool:
        match = self._match_at(self.at)
        return match is not None and match.count > 1

    def _match_at(self, place: int) -> _Match | None:
        """The longest known phrase that begins at a word; a single unknown word may be mended."""
        reach = 1
        while (
            reach < _LONGEST_PHRASE
            and place + reach < len(self.words)
            and self.words[place + reach].gap in ("", "joined")
        ):
            reach += 1
        for count in range(min(reach, len(self.words) - place), 0, -1):
            run = self.words[place : place + count]
            letters = "".join(word.letters for word in run)
            if len(letters) > 32 or (count == 1 and letters in PASSED_OVER):
                continue
            if count > 1 and letters not in lexicon() and letters + "s" in lexicon():
                continue  # "epic drum kit" is an epic drum kit, not "epic drums" and a kit
            meanings = meanings_of(letters)
            if meanings:
                return _Match(count, meanings)
        return None

    def _read_phrase(self) -> bool:
        match = self._match_at(self.at)
        if match is None and self._letters() not in PASSED_OVER:
            word = self.words[self.at]
            known = corrected(word.letters) or corrected(word.letters.removesuffix("s"))
            if known:
                match = _Match(1, meanings_of(known), known)
                self.read_as.append((word.text, known))
        if match is None:
            return False
        self.at += match.count
        if self._letters() in ("free", "less") and self.words[self.at].gap in ("", "joined") and match.is_sound:
            self._refuse(match.meanings)
            self.at += 1
        elif self.negator and self._still_refusing(match):
            self._take_refusal(match)
        else:
            self._end_negation()
            self._wish(match.meanings)
        self.degree, self.joined = 1.0, False
        return True

    def _still_refusing(self, match: _Match) -> bool:
        kind = "sound" if match.is_sound else "feel"
        if not self.refused:
            return True
        return self.joined and (kind == self.refused or self._letters(-match.count - 1) in ("or", "nor"))

    def _take_refusal(self, match: _Match) -> None:
        follows = self._match_at(self.at) if self.at < len(self.words) and not self.words[self.at].gap else None
        if not match.is_sound and follows is not None and follows.is_sound:
            # "no heavy drums" refuses the drums; the adjective goes with them.
            self.joined = True
            return
        self.refused = "sound" if match.is_sound else "feel"
        self._refuse(match.meanings)

    def _refuse(self, meanings: tuple[Meaning, ...]) -> None:
        families = [meaning for meaning in meanings if meaning.kind == "family"]
        for meaning in meanings:
            if meaning.kind == "instrument" and families and meaning.name != families[0].name:
                continue
            if meaning.kind in ("genre", "mood", "instrument", "family"):
                self.avoid.append(meaning.name)
            elif meaning.kind == "pace":
                self.paces.append(-0.4 * meaning.low)
            elif meaning.kind == "energy":
                self.energies.append(-0.6 * meaning.low)
            elif meaning.kind == "mode" and meaning.name in ("major", "minor"):
                self.mode = "minor" if meaning.name == "major" else "major"

    def _wish(self, meanings: tuple[Meaning, ...]) -> None:
        order: tuple[Kind, ...] = ("genre", "mood", "instrument", "family", "pace", "energy", "tempo", "metre", "mode")
        meaning = min(meanings, key=lambda m: order.index(m.kind))
        if self.degree < 0 and meaning.kind in ("genre", "mood", "instrument", "family"):
            self._refuse(meanings)
        elif meaning.kind == "genre":
            self.genres.append(meaning.name)
        elif meaning.kind == "mood":
            self.feelings[meaning.name] = max(self.degree, self.feelings.get(meaning.name, 0.0))
        elif meaning.kind in ("instrument", "family"):
            self.instruments.append(_wished_sound(meanings))
        elif meaning.kind == "pace":
            self.paces.append(meaning.low * self.degree)
        elif meaning.kind == "energy":
            self.energies.append(meaning.low * self.degree)
        elif meaning.kind == "tempo":
            self.tempo = TempoRange(meaning.low, meaning.high)
        elif meaning.kind == "metre":
            self.beats_per_bar = int(meaning.low)
        else:
            self.mode = meaning.name

    def _read_unknown(self) -> None:
        word = self.words[self.at]
        self.at += 1
        if word.letters in PASSED_OVER or word.letters == "bpm":
            if word.letters in ARTICLES and self.refused and self.joined:
                self._end_negation()
            return
        self.degree = 1.0
        if word.letters.endswith("less") and (meanings := meanings_of(word.letters[:-4])):
            self._refuse(meanings)
            return
        shown = word.text if len(word.text) <= 40 else word.text[:39] + "…"
        if shown not in self.unknown:
            self.unknown_count += 1
            if len(self.unknown) < _MOST_NOT_UNDERSTOOD:
                self.unknown[shown] = None


def _wished_sound(meanings: tuple[Meaning, ...]) -> str:
    """The instrument a wish names by its own name, else the family from which the genre will choose."""
    families = [meaning.name for meaning in meanings if meaning.kind == "family"]
    instruments = [meaning.name for meaning in meanings if meaning.kind == "instrument"]
    if families and instruments:
        own_name = {families[0], families[0].removesuffix("s")} & INSTRUMENTS.keys()
        return instruments[0] if own_name else families[0]
    return (instruments or families)[0]


def _number(letters: str) -> float | None:
    return float(letters) if letters.isascii() and letters.isdigit() and len(letters) <= 4 else None


def _mean_of(values: list[float]) -> float | None:
    if not values:
        return None
    return max(-1.5, min(1.5, sum(values) / len(values)))
