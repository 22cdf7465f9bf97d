"""What a person is told of a take: whose weights, what was said to the model, what it cannot hear, and where scenes meet."""

from collections.abc import Sequence
from textwrap import shorten

from reelscore.checkpoints.own_form import ModelCard
from reelscore.engines import Request
from reelscore.engines.musicgen.options import Options
from reelscore.engines.musicgen.plan import Plan
from reelscore.engines.musicgen.prompts import avoided

_MOST_SCENES, _MOST_LETTERS = 8, 70


def remarks_for(request: Request, card: ModelCard, plan: Plan, moved: Sequence[float | None]) -> tuple[str, ...]:
    """The remarks on a take whose joins were moved so, in seconds; None for those near which there is no beat."""
    options: Options = request.options
    remarks = [f"The weights are those of {card.source}; licence: {card.licence}.", *_said(plan)]
    if (words := avoided(request.brief)) and not options.as_published:
        remarks.append(
            f"Kept away from: {words}."
            if options.guidance != 1
            else f"With --guidance 1 nothing leads away from what is to be avoided: {words}."
        )
    if options.guide:
        remarks.append("The melody is that of the composer's playing, without its bass and drums.")
    if request.melody:
        remarks.append(f"The melody is that of {request.melody}, from the film's beginning on.")
    if any(cue.kind != "ending" for cue in request.brief.cues):
        remarks.append("musicgen hears words alone: the brief's cues have no effect on it, but for its ending.")
    if moved:
        remarks.append(_met(moved))
    return tuple(remarks)


def _said(plan: Plan) -> list[str]:
    """The words of the scenes, and those that are said in every scene, once."""
    scenes = [part.scene for part in plan.parts]
    if len(scenes) == 1:
        return [f"Asked for: {scenes[0].prompt.text}."]
    shown = [
        f"{scene.start:.1f} s “{shorten(scene.prompt.own, _MOST_LETTERS, placeholder=' …')}”"
        for scene in scenes[:_MOST_SCENES]
    ]
    more = f", and {len(scenes) - len(shown)} more" if len(scenes) > len(shown) else ""
    told = [f"Asked for from {', '.join(shown)}{more}."]
    return [*told, f"Asked for in every scene: {scenes[0].prompt.steady}."] if scenes[0].prompt.steady else told


def _met(moved: Sequence[float | None]) -> str:
    """Where scenes meet."""
    found = [abs(each) for each in moved if each is not None]
    if not found:
        return "No beats were found where scenes meet; they meet where the film turns."
    all_of = f"{len(found)} of {len(moved)} joins" if len(found) < len(moved) else "All joins"
    mean, most = sum(found) / len(found), max(found)
    return f"{all_of} of scenes lie on a beat, {mean:.2f} s from the film's turn on average and {most:.2f} s at most."
