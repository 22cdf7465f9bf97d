"""A step recorded once and replayed: on CUDA one call starts all kernels of a step, which one by one take longer to start
than to run (torch.cuda.graph, https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs)."""

from collections.abc import Callable

import torch

TRIALS = 2
"""Runs before the recording, in which libraries choose kernels and take their memory."""


def replayed(step: Callable[[], None], again: Callable[[], None]) -> Callable[[], None]:
    """What does the same as `step`, from the very tensors that it read and into those that it wrote.

    The step may read no number back from the card, and its work may depend on nothing but tensors that stay where they are.
    It is run for trial first: after each run `again` brings back what must not have happened.
    """
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(TRIALS):
            step()
            again()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    again()
    return graph.replay
