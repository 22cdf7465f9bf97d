"""What the model is told: of each scene its own words, then what holds for the whole film, and what to keep away from.

"Waves roll in at dusk, slow and gentle. sad piano. genre: ambient. instrument: piano, strings. key: A minor. bpm: 70"

The model learned on descriptions, a quarter of them followed by such labels (Copet et al. 2023, section 4; the labels are those
of its training set). The labels are the same in every scene, so that all scenes are played by one band in one key and tempo.
A "no" is not understood by such models: what a person does not want is taken out of the words and becomes what guidance
leads away from.
"""

from dataclasses import dataclass
from textwrap import shorten

from reelscore.brief import Brief, Section
from reelscore.saying import feelings, is_wished, kept, ruled_out, shunned, undenied, without

MOST_GENRES, MOST_INSTRUMENTS = 2, 6
_MOST_CHARACTERS = 600  # of a person's prompt; the model learned on a sentence or two


@dataclass(frozen=True)
class Prompt:
    """What is said of one scene, and what is said in every scene."""

    own: str
    steady: str = ""

    @property
    def text(self) -> str:
        """All that the model reads."""
        return ". ".join(part for part in (self.own, self.steady) if part)


def prompt_for(brief: Brief, section: Section | None) -> Prompt:
    """What is said of a section, or of the whole film: nothing that the brief avoids."""
    out = ruled_out(brief, shunned(brief))
    told = without(undenied(section.instruction), out) if section and section.instruction else ""
    return Prompt(_ended(told) or _felt(brief, section, out), ". ".join(_steady(brief, out)))


def avoided(brief: Brief) -> str:
    """What guidance leads away from, by commas; empty where nothing is to be avoided."""
    return ", ".join(shunned(brief))


def published_prompt(brief: Brief, section: Section) -> Prompt:
    """What the authors said of a scene: its instruction as it stands; where there is none, what it feels like."""
    return Prompt(section.instruction.strip() or _felt(brief, section, set()))


def _felt(brief: Brief, section: Section | None, out: set[str]) -> str:
    """Words for how a section feels, or the whole film."""
    words = [word for word in kept(feelings(brief, section), out) if word != "neutral"]
    return ", ".join([*words, "music for a film"])


def _steady(brief: Brief, out: set[str]) -> list[str]:
    """What is said in every scene."""
    labels = {
        "moods": kept(brief.tags.moods, out) if is_wished(brief, "tags.moods") else [],
        "genre": kept(brief.tags.genres, out)[:MOST_GENRES],
        "instrument": kept(brief.tags.instruments, out)[:MOST_INSTRUMENTS],
        "key": [brief.key],
        "bpm": [f"{round(brief.tempo_bpm)}"],
    }
    wish = shorten(without(undenied(brief.prompt), out), _MOST_CHARACTERS, placeholder="")
    said = [_ended(wish), *(f"{label}: {', '.join(values)}" for label, values in labels.items() if values)]
    return [part for part in said if part]


def _ended(part: str) -> str:
    return part.rstrip(" .,;:")
