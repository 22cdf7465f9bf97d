"""BLIP-2: a short caption of one picture, or the answer to a question about it.

It sees one picture at a time and knows nothing of films, so a scene is what it says of a few of its frames, and a film what it
said of its scenes.
"""

from collections.abc import Sequence
from typing import Any

from reelscore.analysis.content.captioner import Tick, generated, greedy
from reelscore.analysis.content.chat import picture
from reelscore.analysis.content.cleaning import CAPTION_LENGTH, DESCRIPTION_LENGTH, cleaned, joined
from reelscore.analysis.content.frames import Frame, spread
from reelscore.analysis.content.manners import Place, said_plainly
from reelscore.checkpoints.hub import quiet

_TOKENS = 40  # of one caption
_FRAMES = 4  # of a scene; more of them say the same again
_CAPTION_CHARACTERS = 200


class Blip2Captioner:
    """BLIP-2 of either kind: on OPT, which goes on with the question, or on T5, which answers it."""

    def __init__(self, name: str, model: Any, processor: Any, place: Place) -> None:
        self.name = name
        self._model, self._processor, self._place = model, processor, place
        # Older folders do not say how many places a picture takes in the text; the model does.
        if processor.num_query_tokens is None:
            processor.num_query_tokens = model.config.num_query_tokens

    def scene(self, frames: Sequence[Frame], tick: Tick) -> str:
        """What a few frames of the scene show, each said once."""
        few = spread(frames, _FRAMES)
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
            tokens = generated(self._model, self._inputs(frame, ""), _TOKENS, tick)
            answer = self._processor.tokenizer.decode(tokens, skip_special_tokens=True)
        return cleaned(answer, _CAPTION_CHARACTERS)

    def ask(self, frame: Frame, question: str) -> float:
        """How sure the model is that the answer to a yes-or-no question is yes, from 0 to 1.

        It is the probability of the words for yes against that of the words for no as the first word of the answer, after
        Li et al. 2023 (BLIP-2), whose form of question is used.
        """
        import torch

        with said_plainly(self.name), quiet(), torch.inference_mode():
            inputs = self._inputs(frame, f"Question: {question} Answer:")
            answer = self._model.generate(
                **inputs,
                generation_config=greedy(self._model, 1),
                output_logits=True,
                return_dict_in_generate=True,
            )
            logits = answer.logits[0][0].float()
            yes, no = (torch.logsumexp(logits[self._beginnings(word)], 0) for word in ("yes", "no"))
            return float(torch.sigmoid(yes - no))

    def _beginnings(self, word: str) -> list[int]:
        """The tokens that are the word, however it is written; not the pieces of which it may be made."""
        tokenizer = self._processor.tokenizer
        forms = [space + form for form in (word, word.capitalize(), word.upper()) for space in ("", " ")]
        tokens = {token for form in forms for token in tokenizer(form, add_special_tokens=False)["input_ids"]}
        known = [token for token in tokens if tokenizer.decode([token]).strip().lower() == word]
        if not known:
            raise ValueError(f"its tokenizer has no token for the word {word!r}")
        return sorted(known)

    def _inputs(self, frame: Frame, words: str) -> Any:
        inputs = self._processor(
            images=picture(frame.rgb, self._processor.image_processor), text=words, return_tensors="pt"
        )
        return inputs.to(self._place.device, dtype=self._place.dtype)


def _part(tick: Tick, number: int, count: int) -> Tick:
    """The progress of one of `count` equal parts, told as that of the whole."""
    return lambda part: tick((number + part) / count)
