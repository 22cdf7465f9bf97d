"""BLIP-2: a short caption of one picture, or the answers to questions about it.

It sees one picture at a time and knows nothing of films, so a scene is what it says of a few of its frames, and a film what it
said of its scenes. Each picture is looked at once, however much is asked about it.
"""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from reelscore.analysis.content.captioner import Tick, generated, greedy, yes_over_no
from reelscore.analysis.content.chat import blank_for, picture
from reelscore.analysis.content.cleaning import CAPTION_LENGTH, DESCRIPTION_LENGTH, cleaned, joined
from reelscore.analysis.content.frames import KEY_FRAMES, Frame, spread
from reelscore.analysis.content.manners import Place, said_plainly
from reelscore.checkpoints.hub import quiet

_TOKENS = 40  # of one caption
_CAPTION_CHARACTERS = 200


class Blip2Captioner:
    """BLIP-2 of either kind: on OPT, which goes on with the question, or on T5, which answers it."""

    def __init__(self, name: str, model: Any, processor: Any, place: Place) -> None:
        self.name = name
        self.blank = blank_for(processor.image_processor)
        self.biases: dict[str, float] = {}
        self._model, self._processor, self._place = model, processor, place
        self._seen: WeakKeyDictionary[Frame, Any] = WeakKeyDictionary()

    def scene(self, frames: Sequence[Frame], tick: Tick) -> str:
        """What the key frames of the scene show, each said once."""
        few = spread(frames, KEY_FRAMES)
        said = []
        for number, frame in enumerate(few):
            said.append(self.caption(frame, _part(tick, number, len(few))))
        return joined(said, CAPTION_LENGTH)

    def film(self, frames: Sequence[Frame], captions: Sequence[str], tick: Tick) -> str:  # noqa: ARG002 - it knows pictures only
        """What the scenes show, each said once."""
        tick(1.0)
        return joined([part for caption in captions for part in caption.split("; ")], DESCRIPTION_LENGTH)

    def caption(self, frame: Frame, tick: Tick) -> str:
        """What one picture shows, in a few words; "" where the model said nothing usable."""
        with said_plainly(self.name), quiet():
            settings = greedy(self._model, _TOKENS)
            tokens = generated(self._model.language_model, self._before(frame, ""), settings, tick)
            answer = self._processor.tokenizer.decode(tokens, skip_special_tokens=True)
        return cleaned(answer, _CAPTION_CHARACTERS)

    def log_odds(self, frame: Frame, questions: Sequence[str]) -> list[float]:
        """For each yes-or-no question ln(p / (1 − p)) of yes: of its words against those of no, as the first of the answer.

        The form of the questions is that of Li et al. 2023 (BLIP-2).
        """
        import torch

        with said_plainly(self.name), quiet(), torch.inference_mode():
            asked = self._before(frame, *(f"Question: {question} Answer:" for question in questions))
            return yes_over_no(self._processor.tokenizer, self._first_words(asked).float())

    def _first_words(self, asked: dict[str, Any]) -> Any:
        """The logits of the first word of the answer to each of the questions: (questions, words)."""
        import torch

        language = self._model.language_model
        mask = asked["attention_mask"]
        if self._model.config.use_decoder_only_language_model:
            # Questions are filled up behind their ends, where the model has not yet read on.
            return language(**asked).logits[torch.arange(len(mask), device=mask.device), mask.sum(dim=1) - 1]
        settings = greedy(self._model, 1)
        said = language.generate(**asked, generation_config=settings, output_logits=True, return_dict_in_generate=True)
        return said.logits[0]

    def _before(self, frame: Frame, *texts: str) -> dict[str, Any]:
        """What the language model has before it when it speaks: the picture, and each text behind it; (texts, places, width)."""
        import torch

        with torch.inference_mode():
            written = self._processor.tokenizer(list(texts))["input_ids"]
            longest = max(map(len, written))
            filled = [[*ids, *[0] * (longest - len(ids))] for ids in written]
            told = self._model.get_input_embeddings()(torch.tensor(filled, dtype=torch.long, device=self._place.device))
            seen = self._features(frame).to(told.dtype).expand(len(written), -1, -1)
            lengths = torch.tensor([seen.shape[1] + len(ids) for ids in written], device=self._place.device)
            places = torch.arange(seen.shape[1] + longest, device=self._place.device)
            mask = (places < lengths[:, None]).long()
            return {"inputs_embeds": torch.cat([seen, told], dim=1), "attention_mask": mask}

    def _features(self, frame: Frame) -> Any:
        """The picture as the language model sees it, (1, places, width); forgotten together with the frame."""
        if frame not in self._seen:
            shown = picture(frame.rgb, self._processor.image_processor)
            pixels = self._processor.image_processor(shown, return_tensors="pt")["pixel_values"]
            pixels = pixels.to(self._place.device, dtype=self._place.dtype)
            self._seen[frame] = self._model.get_image_features(pixels).pooler_output
        return self._seen[frame]


def _part(tick: Tick, number: int, count: int) -> Tick:
    """The progress of one of `count` equal parts, told as that of the whole."""
    return lambda part: tick((number + part) / count)
