"""Tasks for the processes that measure, which go wrong in every way that a process can."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from reelscore.errors import MediaError
from reelscore.library.store import Place
from reelscore.library.tracks import Written


@dataclass(frozen=True)
class Odd:
    """A task that does what its file's name says."""

    path: Path

    def do(self) -> object:
        from reelscore.library.measuring import Looked

        if self.path.name == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.path.name == "refuse":
            raise MediaError(f"{self.path} is none.")
        if self.path.name == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)  # as the terminal sends it to everybody
        return Looked(Place(self.path, os.getpid(), 0), os.environ.get("OMP_NUM_THREADS", ""), Written())
