"""What a token decoder remembers between its steps: the conditions it was given, and the music so far.

Queries, keys and values are (rows, heads, places, channels of a head); those of a condition have no rows. A step on a CPU reads
them at the speed of memory, which torch's own attention, made for long sequences, does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from reelscore.models.products import on_bare_cpu

MULTIPLE = 16


class Condition(NamedTuple):
    """Conditioning tokens (n, dim) that so many consecutive rows of the batch attend to."""

    tokens: Tensor
    rows: int = 1


class Bank(NamedTuple):
    """Keys and values of one condition in one layer, which so many consecutive rows of the batch attend to."""

    keys: Tensor
    values: Tensor
    rows: int

    @staticmethod
    def of(keys: Tensor, values: Tensor, rows: int) -> "Bank":
        """Laid out in memory for the steps to come; the values, on a CPU, with the places of one channel side by side."""
        if on_bare_cpu(keys):
            return Bank(keys.contiguous(), values.transpose(1, 2).contiguous().transpose(1, 2), rows)
        return Bank(keys.contiguous(), values.contiguous(), rows)

    def found(self, asked: Tensor) -> Tensor:
        """What the queries of several rows find here."""
        rows, heads, length, width = asked.shape
        together = asked.transpose(0, 1).reshape(heads, rows * length, width)
        if length == 1 and on_bare_cpu(asked):
            found = _found_by_few(together, self.keys, self.values)
        else:
            # Attention of long sequences wants the channels of a place side by side.
            found = functional.scaled_dot_product_attention(
                together[None], self.keys[None], self.values.contiguous()[None]
            )
        return found.view(heads, rows, length, width).transpose(0, 1)


@dataclass(frozen=True)
class Memory:
    """Every condition of a batch as every layer's attention has read it: by layer, then in the rows' order."""

    layers: tuple[tuple[Bank, ...], ...]
    before: int = 0
    """Places that each condition takes before the music; 0 where the conditions stand beside it."""

    @property
    def rows(self) -> int:
        return sum(bank.rows for bank in self.layers[0])

    def handed_over(self) -> "Memory":
        """What is still needed of conditions before the music once a cache has begun with them: no key and no value."""
        nothing = self.layers[0][0].keys.new_empty(0)
        rows = [bank.rows for bank in self.layers[0]]
        return Memory(tuple(tuple(Bank(nothing, nothing, each) for each in rows) for _ in self.layers), self.before)


class Past(NamedTuple):
    """What one layer keeps of the music so far, space for more of it, and where the next tokens go."""

    keys: Tensor
    values: Tensor
    used: int
    """Where nothing is static: places before the next token."""
    positions: Tensor
    mask: Tensor | None
    """Where all is static: what each of the next tokens adds to its scores, (n, places), to see no place after its own."""

    def found(self, asked: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """What the next tokens find in the music so far and among themselves; their keys and values are kept."""
        keys, values = keys.detach(), values.detach()
        if self.mask is not None:
            self.keys.index_copy_(2, self.positions, keys)
            self.values.index_copy_(2, self.positions, values)
            return functional.scaled_dot_product_attention(asked, self.keys, self.values, self.mask)
        count = asked.shape[2]
        end = self.used + count
        self.keys[:, :, self.used : end] = keys
        self.values[:, :, self.used : end] = values
        keys, values = self.keys[:, :, :end], self.values[:, :, :end]
        if count == 1 and on_bare_cpu(asked):
            each = (part.flatten(0, 1) for part in (asked, keys, values))
            return _found_by_few(*each).view_as(asked)
        if count == 1:
            return functional.scaled_dot_product_attention(asked, keys, values)
        if not self.used:
            return functional.scaled_dot_product_attention(asked, keys, values, is_causal=True)
        seen = torch.ones(count, end, dtype=torch.bool, device=asked.device).tril(self.used)
        return functional.scaled_dot_product_attention(asked, keys, values, seen)


class Cache:
    """Keys and values of the music so far of one batch, in space for `length` places after those of its conditions, if any.

    It is for making music: no gradient goes through what is kept. A static cache is for CUDA graphs: nothing about a step
    depends on how far the music is but the number in the tensor `place`, which the step itself moves on. A replay, which
    Python does not see, leaves `used` as it was; after a capture, which counts without computing, and after trial runs, go
    back with `rewind`.
    """

    def __init__(
        self, template: Tensor, *, layers: int, rows: int, heads: int, length: int, width: int, before: int = 0
    ) -> None:
        """In the number format of the template and where it is."""
        # Kernels that take a mask want a multiple of this, or copy it.
        space = -(-(before + length) // MULTIPLE) * MULTIPLE
        self.keys = template.new_zeros(layers, rows, heads, space, width)
        self.values = torch.zeros_like(self.keys)
        self.place = torch.full((), before, dtype=torch.long, device=template.device)
        self.length = length
        self.before = before
        self.used = 0
        self.static = template.device.type == "cuda"

    @property
    def rows(self) -> int:
        return self.keys.shape[1]

    def begin(self, memory: Memory) -> None:
        """Puts the conditions of that memory before the music."""
        for keys, values, banks in zip(self.keys, self.values, memory.layers, strict=True):
            row = 0
            for bank in banks:
                keys[row : row + bank.rows, :, : self.before] = bank.keys.detach()
                values[row : row + bank.rows, :, : self.before] = bank.values.detach()
                row += bank.rows

    def clear(self) -> None:
        """Forgets all music."""
        self.rewind(0)

    def rewind(self, used: int) -> None:
        """Forgets what came after the first `used` places of the music."""
        self.used = used
        self.place.fill_(self.before + used)

    def advance(self, count: int) -> None:
        """Counts so many places as used; their keys and values are there."""
        self.used += count
        self.place += count

    def pasts(self, count: int) -> list[Past]:
        """What each layer needs to take so many tokens more."""
        device = self.place.device
        positions = self.place + torch.arange(count, device=device)
        mask = None
        if self.static:
            later = torch.arange(self.keys.shape[3], device=device) > positions[:, None]
            mask = self.keys.new_zeros(later.shape).masked_fill(later, float("-inf"))
        return [
            Past(self.keys[layer], self.values[layer], self.before + self.used, positions, mask)
            for layer in range(len(self.keys))
        ]


def found_after(before: Sequence[Bank], asked: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """What the places of the music find among themselves and in the conditions of their rows before them."""
    banks = [bank for bank in before for _ in range(bank.rows)]
    keys = torch.cat([torch.stack([bank.keys for bank in banks]), keys], dim=2)
    values = torch.cat([torch.stack([bank.values for bank in banks]), values], dim=2)
    count, end = asked.shape[2], keys.shape[2]
    seen = torch.ones(count, end, dtype=torch.bool, device=asked.device).tril(end - count)
    return functional.scaled_dot_product_attention(asked, keys, values, seen)


def _found_by_few(asked: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """What few queries (b, n, channels) find among keys and values (b, places, channels): as many."""
    asked = asked * asked.shape[2] ** -0.5
    scores = torch.bmm(keys, asked.transpose(1, 2)).transpose(1, 2).contiguous()
    shares = scores.softmax(dim=-1)
    if asked.shape[1] == 1 and values.stride(1) == 1:
        return torch.bmm(values.transpose(1, 2), shares.transpose(1, 2)).transpose(1, 2)
    return torch.bmm(shares, values)
