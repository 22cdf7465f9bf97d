"""One command as the operating system saw it: seconds of wall clock and processor, and the peak of its memory."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """What one finished command took; memory in MiB (the largest resident set)."""

    wall: float
    cpu: float
    peak_mib: float


def run(*command: str) -> Run:
    """Runs a command to its end with its output thrown away. Raises CalledProcessError when it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command, stderr=said)
    scale = 1 if sys.platform == "darwin" else 1024
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * scale / 2**20)


def python(*arguments: str) -> Run:
    """The same for this interpreter."""
    return run(sys.executable, *arguments)
