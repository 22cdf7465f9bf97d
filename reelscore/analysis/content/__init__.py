"""What is to be seen in a film, in words: one caption for each scene and a description of the whole, by a captioning model.

Costs nothing to import; the models are imported when they are asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reelscore.analysis.facts import Analysis, Caption
from reelscore.hardware import Hardware
from reelscore.progress import Progress, unseen

if TYPE_CHECKING:
    from reelscore.analysis.content.captioner import Captioner
    from reelscore.analysis.content.frames import Frame
    from reelscore.analysis.content.scenes import Scene

__all__ = ["describe", "require_captioner"]

_FRAMES_OF_FILM = 12


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
        text = _caption(model, seen, progress, number, steps)
        if text:
            captions.append(Caption(start=scene.start, end=scene.end, text=text))
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


def _caption(model: Captioner, seen: Sequence[Frame], progress: Progress, number: int, steps: int) -> str:
    """What the model says of one scene, with its progress as part of the whole."""
    text = model.scene(seen, lambda part: progress("captions", (number + part) / steps)) if seen else ""
    progress("captions", (number + 1) / steps)
    return text


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
    text = model.film(few, texts, lambda part: progress("captions", (scenes + part) / (scenes + 1)))
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
