"""Captioners that are talked to: video-language models with a chat template, shown several pictures with their times.

Holds for every `AutoModelForImageTextToText` whose template takes several pictures in one turn: SmolVLM2, Qwen-VL,
VideoLLaMA3, InternVL, LLaVA, Gemma 3 and others.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reelscore.analysis.content.captioner import Tick, generated, greedy
from reelscore.analysis.content.cleaning import CAPTION_LENGTH, DESCRIPTION_LENGTH, cleaned
from reelscore.analysis.content.frames import LONGER_SIDE, Frame
from reelscore.analysis.content.manners import Place, said_plainly, untiled
from reelscore.analysis.content.wording import FILM_QUESTION, SCENE_QUESTION, label
from reelscore.checkpoints.hub import quiet

_SCENE_TOKENS, _FILM_TOKENS = 128, 224


class ChatCaptioner:
    """A video-language model; `processor` makes its input from pictures and from words with a place for each picture."""

    def __init__(self, name: str, model: Any, processor: Any, place: Place) -> None:
        self.name = name
        self._model, self._processor, self._place = model, processor, place

    def scene(self, frames: Sequence[Frame], tick: Tick) -> str:
        """What the scene shows, in two or three sentences."""
        return self._answer(frames, SCENE_QUESTION, _SCENE_TOKENS, CAPTION_LENGTH, tick)

    def film(self, frames: Sequence[Frame], captions: Sequence[str], tick: Tick) -> str:  # noqa: ARG002 - it sees for itself
        """What the whole film shows, in three or four sentences."""
        return self._answer(frames, FILM_QUESTION, _FILM_TOKENS, DESCRIPTION_LENGTH, tick)

    def _answer(self, frames: Sequence[Frame], question: str, most_tokens: int, most: int, tick: Tick) -> str:
        with said_plainly(self.name), quiet():
            tokens = generated(self._model, self._inputs(frames, question), greedy(self._model, most_tokens), tick)
            answer = self._processor.tokenizer.decode(tokens, skip_special_tokens=True)
        return cleaned(answer, most, (question,))

    def _inputs(self, frames: Sequence[Frame], question: str) -> Any:
        """One turn of a user: each picture after its time, then the question."""
        content: list[dict[str, str]] = []
        for frame in frames:
            content += [
                {"type": "text", "text": label(self._model.config.model_type, frame.time)},
                {"type": "image"},
            ]
        content.append({"type": "text", "text": "\n" + question})
        tokenizer = self._processor.tokenizer
        prompt = tokenizer.apply_chat_template(
            [{"role": "user", "content": content}],
            chat_template=self._processor.chat_template,
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,
        )
        opened = bool(tokenizer.bos_token) and prompt.startswith(tokenizer.bos_token)
        image_processor = self._processor.image_processor
        inputs = self._processor(
            text=[prompt],
            images=[[picture(frame.rgb, image_processor) for frame in frames]],
            images_kwargs=untiled(image_processor),  # some processors tile whatever their image processor is set to
            add_special_tokens=not opened,
            return_tensors="pt",
        )
        return inputs.to(self._place.device, dtype=self._place.dtype)


def picture(rgb: npt.NDArray[np.uint8], image_processor: Any) -> Any:
    """The frame as Pillow has it; for processors that squash or crop to a square, on a square of their mean colour."""
    from PIL import Image

    if not wants_square(image_processor):
        return Image.fromarray(rgb)
    height, width = rgb.shape[:2]
    side = max(height, width)
    square = _of_mean_colour(image_processor, side)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = rgb
    return Image.fromarray(square)


def blank_for(image_processor: Any) -> Frame:
    """A picture on which there is nothing: all of the processor's mean colour."""
    return Frame(0.0, _of_mean_colour(image_processor, LONGER_SIDE))


def _of_mean_colour(image_processor: Any, side: int) -> npt.NDArray[np.uint8]:
    mean = getattr(image_processor, "image_mean", None) or (0.5, 0.5, 0.5)
    square = np.empty((side, side, 3), np.uint8)
    square[:] = [round(255 * min(max(float(value), 0.0), 1.0)) for value in mean]
    return square


def wants_square(image_processor: Any) -> bool:
    """Whether a picture of another shape would be squashed or cut at its sides."""
    size = getattr(image_processor, "size", None)
    held = dict(size) if size else {}
    to_a_square = held.get("height") is not None and held.get("height") == held.get("width")
    crops = bool(getattr(image_processor, "do_center_crop", False))
    tiles = getattr(image_processor, "max_image_size", None) is not None
    return to_a_square or crops or tiles
