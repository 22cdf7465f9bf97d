"""What the codec is made of: layers over (b, n, features), and the way to send long sounds through them in pieces.

A layer that looks around tells what it sees, so that each piece can be given as much of its neighbours as has a part in it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from reelscore.models.products import linear


class Seen(NamedTuple):
    """The first and the last step that something is made of."""

    first: int
    last: int


class Sees(Protocol):
    """A layer that looks around."""

    def sees(self, made: Seen) -> Seen:
        """What those steps of the result are made of."""


class Convolution(nn.Module):
    """A convolution of (b, n, inside) whose ends mirror what lies beside them: (b, ⌈n / stride⌉, outside)."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outside, inside, kernel))
        self.bias = nn.Parameter(torch.empty(outside))
        self.stride, self.dilation = stride, dilation
        self.span = (kernel - 1) * dilation + 1
        self.after = (self.span - stride) // 2
        self.before = self.span - stride - self.after
        _draw(self.weight, self.bias, inside * kernel)

    def forward(self, x: Tensor) -> Tensor:
        if self.span == 1:
            return linear(x, self.weight.squeeze(-1), self.bias)
        x = _mirrored(x, self.before, self.after + -x.shape[1] % self.stride)
        # As a picture one row high whose features lie together, which is how x lies in memory.
        row = functional.conv2d(
            x.transpose(1, 2).unsqueeze(2), self.weight.unsqueeze(2), self.bias, (1, self.stride), 0, (1, self.dilation)
        )
        return row.squeeze(2).transpose(1, 2)

    def sees(self, made: Seen) -> Seen:
        """What those steps of the result are made of."""
        # The last step may be made of one step and its mirror, which shows what is before.
        mirrored = (made.last - 1) * self.stride + 1 - self.after
        first = min(made.first * self.stride - self.before, mirrored)
        return Seen(first, made.last * self.stride - self.before + self.span - 1)


class Upsampling(nn.Module):
    """A transposed convolution whose kernel is twice its rate: (b, n, inside) → (b, rate · n, outside).

    The weight is (2 · rate, outside, inside): every step becomes 2 · rate of them, and those of neighbours are added.
    """

    def __init__(self, inside: int, outside: int, rate: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(2 * rate, outside, inside))
        self.bias = nn.Parameter(torch.empty(outside))
        self.rate = rate
        self.cut = rate - rate // 2
        """Steps that are cut off at the beginning; at the end it is the rest of the rate."""
        _draw(self.weight, self.bias, inside * 2)

    def forward(self, x: Tensor) -> Tensor:
        rows, steps, inside = x.shape
        outside = len(self.bias)
        x = functional.pad(x, (0, 0, 1, 1))
        halves = linear(x, self.weight.view(-1, inside)).view(rows, steps + 2, 2, self.rate, outside)
        made = halves[:, 1:, 0] + halves[:, :-1, 1]
        made += self.bias
        return made.view(rows, -1, outside)[:, self.cut : self.cut + steps * self.rate]

    def sees(self, made: Seen) -> Seen:
        """What those steps of the result are made of."""
        return Seen((made.first + self.cut) // self.rate - 1, (made.last + self.cut) // self.rate)


class ResidualUnit(nn.Module):
    """x plus two convolutions of it, the first one dilated."""

    def __init__(self, features: int, inner: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.spread = Convolution(features, inner, kernel, dilation=dilation)
        self.mix = Convolution(inner, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.mix(functional.elu(self.spread(functional.elu(x))))
        return y.add_(x)

    def sees(self, made: Seen) -> Seen:
        """What those steps of the result are made of."""
        return self.spread.sees(made)


class Recurrence(nn.Module):
    """The LSTM and, past it, its input."""

    def __init__(self, features: int, layers: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(features, features, layers, batch_first=True)

    def forward(self, pieces: Iterable[Tensor]) -> Iterator[Tensor]:
        """(b, n, features) piece by piece, every piece knowing of those before."""
        if self.lstm.weight_hh_l0.is_cuda:
            self.lstm.flatten_parameters()
        state: tuple[Tensor, Tensor] | None = None
        for x in pieces:
            y, state = self.lstm(x, state)
            yield y + x


def seen_through(layers: nn.ModuleList, made: Seen) -> Seen:
    """What those steps of the last layer's result are made of, at the first layer."""
    for layer in reversed(list(layers)):
        made = cast(Sees, layer).sees(made)
    return made


class Window(NamedTuple):
    """A piece with the steps beside it: x[:, begin:end] is the piece."""

    x: Tensor
    begin: int
    end: int


def in_context(pieces: Iterable[Tensor], around: int) -> Iterator[Window]:
    """Each piece of (b, n, features) with `around` steps before and after it, or as many as there are."""
    held: Tensor | None = None
    begin = 0
    waiting: deque[int] = deque()
    for piece in pieces:
        held = piece if held is None else torch.cat((held, piece), dim=1)
        waiting.append(piece.shape[1])
        while waiting and held.shape[1] >= (end := begin + waiting[0]) + around:
            yield Window(held[:, : end + around], begin, end)
            waiting.popleft()
            begin = min(end, around)
            held = held[:, end - begin :]
    for length in waiting:
        assert held is not None
        yield Window(held[:, max(0, begin - around) :], min(begin, around), min(begin, around) + length)
        begin += length


def _mirrored(x: Tensor, before: int, after: int) -> Tensor:
    """x (b, n, c) with so many steps before and after it, which mirror those beside the ends.

    A sound too short for that is first filled up with zeros, and as many steps are cut off again afterwards.
    """
    steps = x.shape[1]
    missing = max(0, max(before, after) + 1 - steps)
    if missing:
        x = functional.pad(x, (0, 0, 0, missing))
    whole = torch.cat((x[:, 1 : before + 1].flip(1), x, x[:, x.shape[1] - 1 - after : -1].flip(1)), dim=1)
    return whole[:, : steps + before + after]


def _draw(weight: Tensor, bias: Tensor, inputs: int) -> None:
    """Untrained weights that keep the level."""
    nn.init.normal_(weight, std=inputs**-0.5)
    nn.init.zeros_(bias)
