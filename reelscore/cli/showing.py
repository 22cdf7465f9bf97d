"""What goes to the screen: results on stdout, progress on stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reelscore.outputs import write_text
from reelscore.progress import Progress, unseen


def deliver(text: str, output: Path | None) -> None:
    """Writes the text to a file where one is given, else to the screen."""
    if output is None:
        print(text, end="")
    else:
        write_text(output, text)


def present(take: Any, as_json: bool) -> None:
    """Tells of a finished take, in lines for people or as one line of JSON."""
    from reelscore import report

    if as_json:
        print(report.take_json(take, take.measures, indent=None), flush=True)
    else:
        print(report.take_summary(take, take.measures), flush=True)


@contextmanager
def shown_progress(quiet: bool) -> Iterator[Progress]:
    """A bar on stderr for each stage of long work, where somebody watches."""
    if quiet or not sys.stderr.isatty():
        yield unseen
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    with Bars(
        TextColumn("{task.description:>12}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[told]}"),
        console=Console(stderr=True),
        redirect_stdout=sys.stdout.isatty(),  # else what is printed would miss the pipe or file that waits for it
    ) as bars:
        stages: dict[str, TaskID] = {}

        def show(stage: str, fraction: float, told: str = "", /) -> None:
            if stage not in stages:
                stages[stage] = bars.add_task(stage, total=1.0, told="")
            bars.update(stages[stage], completed=fraction, told=told)

        yield show
