"""Processes that do tasks with files, one file each at a time.

A file comes from a stranger: where it brings a process down, that process is replaced and the file is refused. Processes
end with the one that started them, however that ends.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from reelscore.errors import ReelscoreError
from reelscore.library.tracks import Refused

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnContext

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class Task(Protocol):
    """Something to be done with a file; raises a ReelscoreError where the file does not allow it."""

    @property
    def path(self) -> Path: ...

    def do(self) -> Any: ...


AnyTask = TypeVar("AnyTask", bound=Task)


def carried_out(tasks: deque[AnyTask], workers: int) -> Iterator[tuple[AnyTask, Any]]:
    """Each task with what came of it, or why it was refused, as it is done by as many processes; in this one where `workers` is 0.

    Tasks may be added to the deque while their outcomes are taken; what is put in front comes next.
    """
    if workers == 0:
        while tasks:
            task = tasks.popleft()
            yield task, _outcome(task)
        return
    crew: list[_Worker[AnyTask]] = []
    try:
        while tasks or any(worker.task for worker in crew):
            _hand_out(tasks, crew, workers)
            for worker in _ready(crew):
                task, outcome = worker.taken()
                if worker.gone:
                    crew.remove(worker)
                yield task, outcome
    finally:
        for worker in crew:
            worker.end()


def _outcome(task: Task) -> Any:
    try:
        return task.do()
    except ReelscoreError as problem:
        return Refused(task.path, str(problem))


def _hand_out(tasks: deque[AnyTask], crew: list[_Worker[AnyTask]], most: int) -> None:
    """Gives every idle process a task, and starts new ones as long as there is work and room."""
    while tasks:
        idle = next((worker for worker in crew if worker.task is None), None)
        if idle is None:
            if len(crew) >= most:
                return
            crew.append(idle := _Worker())
        idle.give(tasks.popleft())


def _ready(crew: list[_Worker[AnyTask]]) -> list[_Worker[AnyTask]]:
    """Those whose outcome is there, or who are gone; waits for one."""
    from multiprocessing.connection import wait

    pipes = wait([worker.pipe for worker in crew if worker.task])
    return [worker for worker in crew if worker.pipe in pipes]


class _Worker(Generic[AnyTask]):
    """A process that does one task after another."""

    def __init__(self) -> None:
        from multiprocessing import get_context

        context: SpawnContext = get_context("spawn")  # a fork would share locks, threads and the open database
        self.task: AnyTask | None = None
        self.gone = False
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _alone():
            self._process.start()
        theirs.close()

    def give(self, task: AnyTask) -> None:
        self.task = task
        with suppress(OSError):  # where it is gone, `taken` will find out
            self.pipe.send(task)

    def taken(self) -> tuple[AnyTask, Any]:
        """The task that it had and what came of it."""
        assert self.task is not None
        task, self.task = self.task, None
        try:
            return task, self.pipe.recv()
        except (EOFError, OSError):
            self.gone = True
            self.end()
            return task, Refused(
                task.path, f"{task.path} brought the process down that read it; convert it to WAV or FLAC."
            )

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self.pipe.close()


def _serve(pipe: Connection) -> None:
    """Does what comes through the pipe until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal asks everybody; only the one who leads answers
    while True:
        try:
            task = pipe.recv()
            pipe.send(_outcome(task))
        except (EOFError, OSError):
            return


@contextmanager
def _alone() -> Iterator[None]:
    """A process started inside counts on one core only, and takes no Ctrl-C before it can ignore it."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
    try:
        yield
    finally:
        if masked is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
