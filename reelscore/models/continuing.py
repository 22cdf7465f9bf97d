"""Music codes from a token decoder, step by step: what is there is continued, and every take of a batch has its own chance.

Codes are int64 (takes, codebooks, frames). The decoder sees each take twice where guidance is asked for, under its condition
and under the null one: all takes first, then all again. What is known beforehand is read at once and never overwritten; a
frame costs one step from then on. On CUDA a step is recorded once and replayed (models/replaying.py).
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from reelscore.models.choosing import Sampling, chosen, exponential, guided
from reelscore.models.codebooks import frames_complete, step_of_frame, steps_for, to_frames, to_steps
from reelscore.models.remembering import Condition
from reelscore.models.replaying import replayed
from reelscore.models.token_decoder import TokenDecoder

Watch = Callable[[int], None]
"""`watch(frames)`: told after each step how many frames are complete, those of the prompt included.

On CUDA a step is told when it has been started; the card may be as far behind as noise is drawn ahead."""
NOISE_AHEAD = 50
"""Steps whose noise is drawn and brought to the decoder's device at once, so that a card seldom waits for the CPU."""


@torch.no_grad()
def generate(
    decoder: TokenDecoder,
    conditional: Tensor | Sequence[Tensor],
    null: Tensor | None,
    *,
    length: int,
    generators: Sequence[torch.Generator],
    prompt: Tensor | None = None,
    sampling: Sampling = Sampling(),
    watch: Watch | None = None,
) -> Tensor:
    """`length` frames of codes for each generator, those of the prompt (takes, codebooks, frames) included.

    Conditions are (n, dim): one for all takes, or one for each. A take's chance is its own generator (on the CPU) alone.
    The codes come where the decoder is. What `watch` raises ends the work. Raises FloatingPointError where the decoder's number
    format overflowed.
    """
    takes, books = len(generators), decoder.config.codebooks
    conditions = _conditions(conditional, null, takes, sampling.guidance_scale)
    known = torch.empty(takes, books, 0, dtype=torch.long) if prompt is None else prompt
    known = known.to(decoder.norm.weight.device)
    if known.shape[:2] != (takes, books) or known.shape[2] > length:
        raise ValueError(f"a prompt is ({takes}, {books}, at most {length}), not {tuple(known.shape)}")
    if len(sampling.temperatures) not in (1, length):
        raise ValueError(f"{length} frames take 1 or as many temperatures, not {len(sampling.temperatures)}")
    if known.shape[2] == length:
        return known
    draft = _Draft(decoder, conditions, known, length, sampling)
    draft.fill(generators, watch)
    if not draft.holds:
        raise FloatingPointError(f"the decoder's scores are not numbers in {decoder.norm.weight.dtype}")
    return draft.frames


def _conditions(
    conditional: Tensor | Sequence[Tensor], null: Tensor | None, takes: int, guidance_scale: float
) -> list[Condition]:
    """The conditions of all rows: those of the takes, then the null one where guidance is asked for."""
    if isinstance(conditional, Tensor):
        conditions = [Condition(conditional, takes)]
    else:
        conditions = [Condition(tokens) for tokens in conditional]
    if not takes or sum(condition.rows for condition in conditions) != takes:
        raise ValueError(f"{takes} takes need one condition or as many, not {len(conditions)}")
    if guidance_scale == 1:
        return conditions
    if null is None:
        raise ValueError(f"guidance {guidance_scale} needs a null condition")
    return [*conditions, Condition(null, takes)]


class _Draft:
    """The codes of all takes over the steps, and what the decoder remembers of them; filled from left to right."""

    def __init__(
        self, decoder: TokenDecoder, conditions: Sequence[Condition], known: Tensor, length: int, sampling: Sampling
    ) -> None:
        config, device = decoder.config, decoder.norm.weight.device
        takes, rows = len(known), sum(condition.rows for condition in conditions)
        self._decoder, self._sampling, self._delays = decoder, sampling, config.delays
        self._copies = rows // takes
        self._known = known.shape[2]
        self._first = step_of_frame(self._known, config.delays)
        self._count = steps_for(length, config.delays)

        self._codes = to_steps(_lengthened(known, length, config.cardinality), config.delays, config.cardinality)
        is_known = torch.ones_like(known[:1], dtype=torch.bool, device=device)
        self._is_given = to_steps(_lengthened(is_known, length, False), config.delays, True)
        temperatures = torch.tensor(sampling.temperatures, dtype=torch.float32, device=device)
        self._temperatures = to_steps(temperatures.expand(1, config.codebooks, length), config.delays, 1.0)[0]

        # Steps find their place by the number in a tensor, so that one recording serves them all.
        self._at = torch.zeros(1, dtype=torch.long, device=device)
        self._drawn = torch.ones(NOISE_AHEAD, takes, config.codebooks, config.cardinality)
        self._noise = self._drawn.to(device)
        # Of all scores: no number from the step on in which one is none. Asking at each step would wait for the card.
        self._sum = torch.zeros((), device=device)
        memory = decoder.remember(conditions)
        self._cache = decoder.cache(rows, self._count - 1, memory)
        self._memory = memory.handed_over() if memory.before else memory

    @property
    def frames(self) -> Tensor:
        """The codes by music frame."""
        return to_frames(self._codes, self._delays)

    @property
    def holds(self) -> bool:
        """Whether all scores were numbers."""
        return bool(self._sum.isfinite())

    def fill(self, generators: Sequence[torch.Generator], watch: Watch | None) -> None:
        """Chooses all that is not given."""
        advance: Callable[[], None] = self._begin
        for step in range(self._first, self._count):
            if (step - self._first) % NOISE_AHEAD == 0 and self._sampling.draws != "never":
                self._draw(min(NOISE_AHEAD, self._count - step), generators)
            self._at.fill_(step)
            if step == self._first + 1:
                advance = replayed(self._step, self._step_back) if self._cache.static else self._step
            advance()
            if watch is not None:
                watch(max(self._known, frames_complete(step + 1, self._delays)))

    def _draw(self, steps: int, generators: Sequence[torch.Generator]) -> None:
        """The noise of the next steps and no more, so that generators go on from there in the next window."""
        for noise in self._drawn[:steps]:
            exponential(noise, generators)
        # On CUDA this waits until the steps that still read the noise before are done.
        self._noise[:steps].copy_(self._drawn[:steps])

    def _begin(self) -> None:
        """The first step: all that is given is read at once."""
        self._choose(self._codes[..., : self._first])

    def _step(self) -> None:
        self._choose(self._codes.index_select(2, self._at - 1))

    def _step_back(self) -> None:
        self._cache.rewind(self._first)

    def _choose(self, unread: Tensor) -> None:
        """Chooses the codes of this step, given the steps (takes, codebooks, n) that the decoder has not read yet."""
        scores = self._decoder(unread.repeat(self._copies, 1, 1), self._memory, self._cache, last_only=True)[:, :, -1]
        if self._copies == 2:
            conditional, null = scores.chunk(2)
            scores = guided(conditional, null, self._sampling.guidance_scale)
        self._sum.add_(scores.sum())
        noise = self._noise.index_select(0, (self._at - self._first) % NOISE_AHEAD)[0]
        codes = chosen(scores, self._temperatures.index_select(1, self._at), noise, self._sampling)
        given = self._codes.index_select(2, self._at)
        is_given = self._is_given.index_select(2, self._at)
        self._codes.index_copy_(2, self._at, torch.where(is_given, given, codes.unsqueeze(2)))


def _lengthened(frames: Tensor, length: int, filler: float) -> Tensor:
    """The frames and as many fillers as are missing."""
    return functional.pad(frames, (0, length - frames.shape[2]), value=filler)
