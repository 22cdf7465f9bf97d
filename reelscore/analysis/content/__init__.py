"""What is to be seen in a film, in words: one caption for each scene and a description of the whole, by a captioning model.

A captioner that can be asked (`feelings.Answering`) also says whether people are seen in a scene and how they feel.

Costs nothing to import; the models are imported when they are asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reelscore.analysis.facts import Analysis, Caption
from reelscore.hardware import Hardware
from reelscore.progress import Progress, unseen

if TYPE_CHECKING:
    from reelscore.analysis.content.captioner import Captioner, Tick
    from reelscore.analysis.content.frames import Frame
    from reelscore.analysis.content.scenes import Scene

__all__ = ["describe", "require_captioner"]

_FRAMES_OF_FILM = 12
_CAPTION_SHARE = 0.7  # of the time that a captioner that is asked takes for a scene


def require_captioner(captioner: str, hardware: Hardware) -> None:
    """Raises what `describe` would raise for this captioner on this machine, without loading its weights."""
    from reelscore.analysis.content.loading import check

    check(captioner, hardware)


def describe(analysis: Analysis, captioner: str, hardware: Hardware, progress: Progress = unseen) -> Analysis:
    """The same facts with a caption for each scene, a description of the film, and the name of who said so.

    `captioner` is a name from the catalogue, an id of the Hugging Face Hub, or a folder; it must be on this machine
    already. The same film and captioner give the same words. A scene of which nothing usable was said has no caption,
    and a remark says so. Raises MissingError, InputError and MediaError.
    """
    from reelscore.analysis.content.frames import frames
    from reelscore.analysis.content.loading import open_captioner
    from reelscore.analysis.content.scenes import scenes
    from reelscore.media import probe

    progress("captions", 0.0)
    model = open_captioner(captioner, hardware)
    found = scenes(analysis)
    captions: list[Caption] = []
    shown: list[Frame] = []
    unsaid: list[Scene] = []
    steps = len(found) + (len(found) > 1)
    for number, (scene, seen) in enumerate(zip(found, frames(probe(analysis.film), found), strict=True)):
        caption = _caption(model, scene, seen, _part_of(progress, number, steps))
        if caption:
            captions.append(caption)
        else:
            unsaid.append(scene)
        shown += _for_film(seen, len(found))
    return analysis.model_copy(
        update={
            "captions": tuple(captions),
            "description": _description(model, shown, captions, len(found), progress),
            "captioned_by": _name(captioner),
            "remarks": (*analysis.remarks, *_remarks(_name(captioner), unsaid, len(found))),
        }
    )


def _caption(model: Captioner, scene: Scene, seen: Sequence[Frame], tick: Tick) -> Caption | None:
    """What the model says of one scene, and of the people in it if it can be asked; None where it said nothing usable."""
    from reelscore.analysis.content.feelings import Answering, people_in
    from reelscore.analysis.content.frames import KEY_FRAMES, spread

    answering = model if isinstance(model, Answering) else None
    share = _CAPTION_SHARE if answering else 1.0
    text = model.scene(seen, lambda part: tick(share * part)) if seen else ""
    caption = Caption(start=scene.start, end=scene.end, text=text) if text else None
    if caption and answering:
        people = people_in(answering, spread(seen, KEY_FRAMES), lambda part: tick(share + (1.0 - share) * part))
        caption = caption.model_copy(update={"people": people.seen, "feelings": people.feelings})
    tick(1.0)
    return caption


def _part_of(progress: Progress, number: int, steps: int) -> Tick:
    """The progress of one step, told as that of the whole."""
    return lambda part: progress("captions", (number + part) / steps)


def _description(
    model: Captioner, shown: Sequence[Frame], captions: Sequence[Caption], scenes: int, progress: Progress
) -> str:
    """What the model says of the whole film; of a film of one scene it has said it already."""
    if scenes <= 1 or not shown:
        return captions[0].text if captions else ""
    from reelscore.analysis.content.cleaning import DESCRIPTION_LENGTH, cleaned
    from reelscore.analysis.content.frames import spread

    few = spread(shown, _FRAMES_OF_FILM)
    texts = [caption.text for caption in captions]
    text = model.film(few, texts, _part_of(progress, scenes, scenes + 1))
    progress("captions", 1.0)
    return text or cleaned(" ".join(texts), DESCRIPTION_LENGTH)


def _for_film(seen: Sequence[Frame], scenes: int) -> Sequence[Frame]:
    """The frames of a scene that stand for it in the film: few where there are many scenes, so that memory stays flat."""
    from reelscore.analysis.content.frames import spread

    return spread(seen, max(1, _FRAMES_OF_FILM // scenes))


def _name(captioner: str) -> str:
    """The captioner's name: of a folder only its last part, which says nothing of this machine."""
    from pathlib import Path

    folder = Path(captioner)
    return folder.resolve().name if folder.is_dir() else captioner


def _remarks(captioner: str, unsaid: Sequence[Scene], scenes: int) -> tuple[str, ...]:
    """One sentence where scenes are left without a caption."""
    if not unsaid:
        return ()
    if len(unsaid) == scenes:
        return (f"The captioner {captioner} said nothing usable of the film.",)
    where = ", ".join(f"{scene.start:.1f}–{scene.end:.1f} s" for scene in unsaid)
    return (f"The captioner {captioner} said nothing usable of {where}.",)
