"""Instructions: for each section of a brief the words for engines that read words.

    simple   what is seen, in the captioner's own words
    brief    the music in at most 30 words
    long     the music in at most 50 words

A language model writes the last two where there is one, in one question about all sections, asked when the rest of the brief
is settled; rules write whatever it leaves open. Nobody's words are trusted: all are bounded and kept to the brief.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Literal

from reelscore.analysis.facts import Analysis
from reelscore.brief import Brief, Section
from reelscore.spotting.asking import Asked
from reelscore.spotting.bounds import Bounds, bounds_of
from reelscore.spotting.clauses import bared, within
from reelscore.spotting.describing import Passage, at_length, briefly, plainly
from reelscore.spotting.language import LanguageModel
from reelscore.spotting.language.instructing import texts_by
from reelscore.spotting.language.question import MOST_SCENES, question_about
from reelscore.spotting.scene_facts import caption_of, scene_facts
from reelscore.spotting.telling import captions_between, mood_of, seeming

Detail = Literal["simple", "brief", "long"]
MOST_WORDS: dict[Detail, int] = {"simple": 120, "brief": 30, "long": 50}
_MOST_READ = 4_000  # characters of a caption or a description
_NOTHING_LEFT = "Music that goes on as before"


def instructed(
    brief: Brief, analysis: Analysis, asked: Asked, detail: Detail, writer: LanguageModel | None = None
) -> Brief:
    """The brief with an instruction for every section, and with who wrote them among its sources."""
    bounds = bounds_of(brief, asked)
    if detail == "simple":
        own, source = _captions(brief, analysis, bounds)
    elif writer:
        own, source = _written(brief, analysis, asked, bounds, detail, writer)
    else:
        own, source = [""] * len(brief.sections), "rule: from what is seen, how it feels and its part in the piece"
    rules = _by_rule(brief, analysis, asked, bounds, detail) if not all(own) else own
    sections = tuple(
        section.model_copy(update={"instruction": text or rule})
        for section, text, rule in zip(brief.sections, own, rules, strict=True)
    )
    return brief.model_copy(update={"sections": sections, "sources": {**brief.sources, "instructions": source}})


def _captions(brief: Brief, analysis: Analysis, bounds: Bounds) -> tuple[list[str], str]:
    """The caption of every section, "" where there is none that may be used, and who wrote them."""
    keep = cache(bounds.keep)  # of few captions, under many sections
    texts = [within(keep(_seen(analysis, section)), MOST_WORDS["simple"]) for section in brief.sections]
    count = sum(map(bool, texts))
    by = f"the captions of {analysis.captioned_by}" if analysis.captioned_by else "the captions"
    if count == len(texts):
        return texts, f"rule: {by}"
    return texts, f"rule: {by} for {count} of {len(texts)} scenes" if count else "rule: there are no captions"


def _written(
    brief: Brief, analysis: Analysis, asked: Asked, bounds: Bounds, detail: Detail, writer: LanguageModel
) -> tuple[list[str], str]:
    """What the model writes for every section, "" where that cannot be used, and who wrote what."""
    scenes = _scenes_to_ask_about(brief.sections)
    longest = [max((brief.sections[number] for number in scene), key=_length) for scene in scenes]
    question = question_about(analysis, [brief.sections[scene[0]].start for scene in scenes], asked)
    most_words = MOST_WORDS[detail]
    reply = texts_by(
        writer,
        question,
        longest,
        brief,
        most_words,
        bounds.effects,
        lambda text: within(bounds.keep_music(text), most_words),
    )
    count = len(brief.sections)
    if reply.said is None:
        return [""] * count, f"rule: all of them; the language model {reply.model} {reply.failure}"
    texts = [text for scene, text in zip(scenes, reply.said.texts, strict=True) for _ in scene]
    told = sum(map(bool, texts))
    by = f"model {reply.model}: {told} of {count} scenes{' (its second answer)' if reply.repaired else ''}"
    return texts, by if told == count else f"{by}; rule: the rest"


def _scenes_to_ask_about(sections: Sequence[Section]) -> list[range]:
    """The sections by their numbers, one a scene; of very many those that are most alike are one scene together."""
    steps = [abs(b.energy - a.energy) + abs(b.valence - a.valence) for a, b in pairwise(sections)]
    strongest = sorted(range(1, len(sections)), key=lambda number: -steps[number - 1])[: MOST_SCENES - 1]
    edges = [0, *sorted(strongest), len(sections)]
    return [range(first, last) for first, last in pairwise(edges)]


def _length(section: Section) -> float:
    return section.end - section.start


def _by_rule(brief: Brief, analysis: Analysis, asked: Asked, bounds: Bounds, detail: Detail) -> list[str]:
    """What the rules say of every section."""
    quiet = cache(bounds.keep_quiet)
    story = quiet(bared(analysis.description, _MOST_READ))
    texts = []
    for number, section in enumerate(brief.sections):
        passage = _passage(brief, number, analysis, asked, quiet(_seen(analysis, section)), story)
        if detail == "simple":
            text = plainly(passage)
        else:
            text = (briefly if detail == "brief" else at_length)(passage, MOST_WORDS[detail])
        texts.append(bounds.keep(text) or _NOTHING_LEFT)
    return texts


def _passage(brief: Brief, number: int, analysis: Analysis, asked: Asked, seen: str, story: str) -> Passage:
    section, *after = brief.sections[number : number + 2]
    mood = mood_of(seeming(captions_between(analysis.captions, section.start, section.end)))
    return Passage(
        section=section,
        after=after[0] if after else None,
        facts=scene_facts(analysis, section.start, section.end),
        energy=asked.energy,
        pace=asked.pace,
        seen=seen,
        story="" if story == seen else story,
        moods=() if asked.felt_by_person or not mood else (mood,),
        avoid=brief.tags.avoid,
    )


def _seen(analysis: Analysis, section: Section) -> str:
    return bared(caption_of(analysis, section.start, section.end), _MOST_READ)
