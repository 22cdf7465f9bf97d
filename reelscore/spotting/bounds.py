"""What the words of an instruction may ask for: nothing that the person avoids, and no sound that the music does not have.

Whoever wrote the words (a captioner, a language model, a rule of ours) is not trusted to know. A clause that goes too far is
left out; the rest of its sentence stays.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from reelscore.brief import Brief
from reelscore.grammar import LISTING, NEGATING, ORIGINS
from reelscore.spotting.asking import Asked
from reelscore.spotting.clauses import without
from reelscore.spotting.lexicon import corrected, letters_of, meanings_of, members_of
from reelscore.spotting.wording import understand
from reelscore.spotting.words import words_of
from reelscore.vocabulary import FAMILIES, INSTRUMENTS

_SPOKEN_OF = 0.1  # of a tempo: how far two numbers may differ that mean the same


def _any_of(*words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE)


# Sounds that are no music; a generator of music that reads of them renders them as noise.
_EFFECTS = _any_of(
    r"(?:sound|audio) ?effects?|sfx|foley|field.?recordings?|(?:nature|ambient|environmental|background|city|street) sounds?",
    r"sounds? of|noises?|recordings? of|samples? of|vinyl crackle|tape hiss|sea ?gulls?|gulls|bird ?songs?|bird ?calls?",
    r"chirp\w*|cricket\w*|bark\w*|howl\w*|footsteps?|footfalls?|rain|rainfall|raindrops?|thunder|thunderclaps?",
    r"crashing (?:waves?|surf|sea)|waves? (?:crash|lap|break|roll)\w*|lapping|splash\w*|applause|chatter|laughter|screams?",
    r"sirens?|gun ?shots?|gunfire|explosions?|whoosh\w*|honk\w*|ticking clocks?|clocks? tick\w*",
    r"(?:engine|motor|traffic|door|radio|phone|crowd)s? (?:sound|noise|hum|rumbl|roar|ring|slam|creak|static)\w*",
    r"(?:hum|rumble|ringing|slamming|creaking|howling) of",
)
_ASKS_FOR_EFFECTS = _any_of(
    r"(?:sound|audio) ?effects?|sfx|foley|field.?recordings?|(?:nature|ambient|environmental|city|street) sounds?|sounds? of"
)
_WORDS_SUNG = _any_of(
    r"lyrics?|lyrical content|raps?|rapping|rapper|spoken|voice-?overs?|narrat\w+|dialogues?|speech|speaking|words sung"
)
# "A singing melody" is played; "singing" alone is done with the voice.
_VOICES = _any_of(
    r"vocals?|vocalists?|vocali[sz]\w*|voices?|sings|singers?|sung|chants?|chanting|hum|hums|humming|choirs?|choral|chorus",
    r"a ?cappella|singing(?! (?:line|melod|tone|string|violin|cello|theme|lead|flute|clarinet|quality))",
)
# What a model says to whoever asked it, or was told by somebody to say.
_NO_MUSIC = re.compile(
    r"https?:|www\.|\b\w+\.(?:com|org|net|io)\b|@\w|\b(?:as an ai|language model|json|prompt|ignore (?:all|any|every|the|previous)"
    r"|disregard|previous instructions?|copyright\w*|royalt\w+)\b",
    re.IGNORECASE,
)
# Words of the vocabulary that name no instrument where they stand like this: "on the beat", "a low bass register".
_OTHERWISE = _any_of(
    r"(?:on|off|each|every|first|last|next|second|third|fourth|final|per) (?:the |every |each )?beats?|beats? per",
    r"(?:low|deep) bass(?! ?(?:line|guitar|drum))|bass (?=register|range|notes?|tones?|octaves?|end)",
    r"(?:home|same|major|minor) keys?|keys? (?=change|centre|center|signature|of)|still|claps? of",
    # Swells and hits are played by anybody; an effect is asked for by its own name.
    r"swell\w*|sweep\w*|hits?|impacts?|booms?|booming",
)
# How something is played; whoever avoids the instrument avoids it, but it is none that the music lacks.
_MANNERS = _any_of(
    r"drones?|shimmer\w*|arpeggi\w+|arps?|pluck\w*|tremolos?|pizzicato|singing|whistl\w+|beats?|bass|keys?|\w+-like"
)
_AFTER_A_LIKENESS = re.compile(
    r"\b(?:style|manner|vein|spirit|hands|works?|sound|music) of|\b(?:à la|a la|inspired by|reminiscent of|like|by)\b|\bsimilar to",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][^\W\d_]+(?:[ -][A-Z][^\W\d_]+)+")
_LIKE_A_NAME = re.compile(r"\b[A-Z][^\W\d_]+(?:'s\b|’s\b|-(?:esque|like|style|inspired|ish)\b|esque\b)")
_CAPITAL = re.compile(r"\b[A-Z][^\W\d_]+")


@dataclass(frozen=True)
class Bounds:
    """What instructions for one brief may ask for.

    `said` are the letters of every word of the person's prompt: what they named may be named again.
    """

    brief: Brief
    effects: bool
    said: frozenset[str]

    def keep(self, text: str) -> str:
        """A text about the film less every clause that asks for what the person avoids; what is seen may sound."""
        return without(text, lambda clause: self._is_avoided(clause) or bool(_NO_MUSIC.search(clause)))

    def keep_quiet(self, text: str) -> str:
        """The same less what speaks of noises and of instruments that are not the music's as well."""
        return without(self.keep(text), lambda clause: self._is_noise(clause) or self._is_strange_to_players(clause))

    def keep_music(self, text: str) -> str:
        """A text about the music less every clause that leaves the brief: voices, another key or tempo, "no drums", names."""
        titled = sum(word[:1].isupper() for word in text.split()) > 0.5 * len(text.split())
        return without(
            self.keep_quiet(text), lambda clause: self._is_sung(clause) or self._leaves_the_brief(clause, titled)
        )

    def _is_avoided(self, clause: str) -> bool:
        """Whether something is named that is to be avoided; also where it is refused, for a generator reads the word alone."""
        tags, heard = self.brief.tags, understand(_OTHERWISE.sub(" ", clause))
        if any(name in tags.avoid for name in (*heard.genres, *heard.moods)):
            return True
        return any(
            name in tags.avoid or all(tags.avoids(each) for each in members_of(name))
            for name in (*heard.instruments, *heard.avoid)
            if members_of(name)
        )

    def _is_noise(self, clause: str) -> bool:
        return not self.effects and bool(_EFFECTS.search(clause))

    def _is_sung(self, clause: str) -> bool:
        choir = any(INSTRUMENTS[name].family == "voices" for name in self.brief.tags.instruments)
        return bool(_WORDS_SUNG.search(clause)) or (not choir and bool(_VOICES.search(clause)))

    def _is_strange_to_players(self, clause: str) -> bool:
        """Whether an instrument is named that neither plays in the brief nor is of the family of one that does."""
        palette = {INSTRUMENTS[name].family for name in self.brief.tags.instruments}
        plainly = _MANNERS.sub(" ", _OTHERWISE.sub(" ", clause))
        # Models do not misspell: "rises" is no slip for risers.
        spelt = " ".join(
            word.text for word in words_of(plainly) if meanings_of(word.letters) or not corrected(word.letters)
        )
        named = [members_of(name) for name in understand(spelt).instruments]
        return any(not palette & {INSTRUMENTS[each].family for each in members} for members in named if palette)

    def _leaves_the_brief(self, clause: str, titled: bool) -> bool:
        heard = understand(_OTHERWISE.sub(" ", clause))
        brief = self.brief
        if heard.key and heard.key != brief.key:
            return True
        if heard.tempo and not self._same_tempo(heard.tempo.low_bpm, heard.tempo.high_bpm):
            return True
        if re.search(r"\b\d{2,3} ?bpm\b", clause, re.IGNORECASE) and not heard.tempo:
            return True
        return any(map(members_of, heard.avoid)) or self._names_somebody(clause, titled)

    def _same_tempo(self, low_bpm: float, high_bpm: float) -> bool:
        return low_bpm * (1 - _SPOKEN_OF) <= self.brief.tempo_bpm <= high_bpm * (1 + _SPOKEN_OF)

    def _names_somebody(self, clause: str, titled: bool) -> bool:
        """Whether a name that the person did not give stands in the clause: two capitals in a row, or one after "in the style of"."""
        likeness = _AFTER_A_LIKENESS.search(clause)
        names = [found.group() for found in _LIKE_A_NAME.finditer(clause)]
        if likeness:
            names += [found.group() for found in _CAPITAL.finditer(clause, likeness.end())]
        if not titled:
            names += [found.group() for found in _NAME.finditer(clause)]
        return any(self._is_strange(word) for name in names for word in re.split(r"[ '’-]", name)[:2])

    def _is_strange(self, word: str) -> bool:
        letters = letters_of(word)
        return word[:1].isupper() and not (letters in ORIGINS or letters in self.said or meanings_of(letters))


def bounds_of(brief: Brief, asked: Asked) -> Bounds:
    """What instructions for this brief may ask for, after what the person said."""
    said = [word.letters for word in words_of(asked.prompt)]
    return Bounds(brief, _wants_effects(asked), frozenset(said))


def _wants_effects(asked: Asked) -> bool:
    """Whether the person asks for sounds that are no music: by an instrument of the effects, or in their own words and not in a refusal."""
    effects = {"effects", *FAMILIES["effects"]}
    if "effects" in asked.avoid:
        return False
    if effects.intersection(asked.instruments) and "tags.instruments" not in asked.advisers:
        return True
    return any(not _is_refused(asked.prompt[: found.start()]) for found in _ASKS_FOR_EFFECTS.finditer(asked.prompt))


def _is_refused(before: str) -> bool:
    """Whether one of the last words before something refuses it."""
    refusing: Collection[str] = LISTING | NEGATING
    return any(word.letters in refusing for word in words_of(before)[-4:])
