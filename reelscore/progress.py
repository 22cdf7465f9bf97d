"""How long work tells what it is doing: a callback with a stage's name and the fraction of it that is done."""

from typing import Protocol


class Progress(Protocol):
    """Called as `progress("analysis", 0.25)`; the fraction runs from 0 to 1 within each stage.

    `told` says the same in the stage's own units where that tells more, such as "31 of 75 s of music".
    """

    def __call__(self, stage: str, fraction: float, told: str = "", /) -> None: ...


def unseen(stage: str, fraction: float, told: str = "", /) -> None:
    """The progress that nobody watches."""
