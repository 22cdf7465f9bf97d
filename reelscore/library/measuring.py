"""What is done with one file, and the processes that do it for many files at once.

A file comes from a stranger: where it brings a process down, that process is replaced and the file is refused. Processes
end with the one that started them, however that ends.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from reelscore.errors import MediaError, ReelscoreError
from reelscore.library.store import Place
from reelscore.library.tracks import Refused, Written
from reelscore.library.words import from_tags
from reelscore.listening import Heard, listen

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnContext

# Names that say sound: such a file is told of where it cannot be read. Any other is passed over if it is none.
_SOUND = "aac ac3 aif aifc aiff amr ape au caf dts flac m4a m4b mka mp2 mp3 oga ogg opus tta w64 wav weba wma wv"
SOUND_SUFFIXES = frozenset(f".{kind}" for kind in _SOUND.split())
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Looked:
    """A file at a glance: as it is, the hash of its coded sound, and what its tags say."""

    place: Place
    sha256: str
    tagged: Written


@dataclass(frozen=True)
class Look:
    """Looks at a file; None where it is no sound and nobody said that it is. `named` says that a person did."""

    path: Path
    named: bool

    def do(self) -> Looked | None:
        says_sound = self.named or self.path.suffix.lower() in SOUND_SUFFIXES
        try:
            return self._looked(readable(self.path), says_sound)
        except MediaError:
            if says_sound:
                raise
            return None

    def _looked(self, place: Place, says_sound: bool) -> Looked | None:
        from reelscore.media import sound_sha256, sound_tags
        from reelscore.media.finished import holds_picture

        try:
            if holds_picture(self.path) and not says_sound:
                return None
            return Looked(place, sound_sha256(self.path), from_tags(sound_tags(self.path)))
        except MediaError as problem:
            raise MediaError(
                f"{self.path} cannot be read as sound: it holds none, is damaged from the start, or is another kind of file."
            ) from problem


@dataclass(frozen=True)
class Listen:
    """Listens to a file that was looked at; of the tempi that fit, the one near `near_bpm` counts.

    `again` is the track that is known already and only heard anew.
    """

    looked: Looked
    near_bpm: float | None
    again: int | None = None

    @property
    def path(self) -> Path:
        return self.looked.place.path

    def do(self) -> Heard:
        return listen(self.path, near_bpm=self.near_bpm)


Task: TypeAlias = Look | Listen
Outcome: TypeAlias = Looked | Heard | Refused | None


def readable(path: Path) -> Place:
    """The file as it is now. Raises MediaError where it is not there, no file, empty, or may not be read."""
    try:
        place = Place.of(path)
        if not path.is_file():  # a pipe would never end
            raise MediaError(f"{path} is no file of sound; give sound files or folders.")
        with path.open("rb"):
            pass
    except FileNotFoundError as problem:
        what = "is a link to a file that is not there" if path.is_symlink() else "does not exist"
        raise MediaError(f"{path} {what}; check its name.") from problem
    except (OSError, ValueError) as problem:
        reason = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
        raise MediaError(f"{path} cannot be read ({reason}); check its permissions and its name.") from problem
    if not place.size:
        raise MediaError(f"{path} is empty; copy it again.")
    return place


def carried_out(tasks: deque[Task], workers: int) -> Iterator[tuple[Task, Outcome]]:
    """What comes of each task, as it is done, by as many processes; in this one where `workers` is 0.

    Tasks may be added to the deque while their outcomes are taken; what is put in front comes next.
    """
    if workers == 0:
        while tasks:
            task = tasks.popleft()
            yield task, _outcome(task)
        return
    crew: list[_Worker] = []
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


def _outcome(task: Task) -> Outcome:
    try:
        return task.do()
    except ReelscoreError as problem:
        return Refused(task.path, str(problem))


def _hand_out(tasks: deque[Task], crew: list[_Worker], most: int) -> None:
    """Gives every idle process a task, and starts new ones as long as there is work and room."""
    while tasks:
        idle = next((worker for worker in crew if worker.task is None), None)
        if idle is None:
            if len(crew) >= most:
                return
            crew.append(idle := _Worker())
        idle.give(tasks.popleft())


def _ready(crew: list[_Worker]) -> list[_Worker]:
    """Those whose outcome is there, or who are gone; waits for one."""
    from multiprocessing.connection import wait

    pipes = wait([worker.pipe for worker in crew if worker.task])
    return [worker for worker in crew if worker.pipe in pipes]


class _Worker:
    """A process that does one task after another."""

    def __init__(self) -> None:
        from multiprocessing import get_context

        context: SpawnContext = get_context("spawn")  # a fork would share locks, threads and the open database
        self.task: Task | None = None
        self.gone = False
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _alone():
            self._process.start()
        theirs.close()

    def give(self, task: Task) -> None:
        self.task = task
        with suppress(OSError):  # where it is gone, `taken` will find out
            self.pipe.send(task)

    def taken(self) -> tuple[Task, Outcome]:
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
