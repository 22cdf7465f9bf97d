"""Commands in processes of their own: as the operating system saw them, and what a benchmark's own side found."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


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
    return Run(wall, usage.ru_utime + usage.ru_stime, _in_mib(usage))


def python(*arguments: str) -> Run:
    """The same for this interpreter."""
    return run(sys.executable, *arguments)


def side_of(benchmark: str, options: Mapping[str, object]) -> dict[str, float]:
    """What one side of a benchmark printed last, as JSON, when it was run afresh with these options."""
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-W", "ignore", "-m", f"benchmark.{benchmark}", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def memory_mib() -> tuple[float, float]:
    """The largest resident set that this process has had, and what it holds now: not a number where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return _in_mib(resource.getrusage(resource.RUSAGE_SELF)), float("nan")
    told = dict(line.split(":", 1) for line in status.read_text().splitlines())
    # Not what getrusage says: there a process begins with the peak of the one that started it.
    peak, now = (float(told[key].split()[0]) / 1024 for key in ("VmHWM", "VmRSS"))
    return peak, now


def _in_mib(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 2**20
