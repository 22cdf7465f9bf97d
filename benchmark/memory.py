"""Memory and time against length: `python -m benchmark.memory`.

The example film is repeated by copying packets. Analysis is measured at 30 s, 5 and 30 minutes: its peak must not grow.
The whole run, with stems, is measured at 5 and 30 minutes: the peak stays under 2 GB and the time is linear in the length.
"""

import tempfile
from pathlib import Path

from benchmark.footage import EXAMPLE, repeated
from benchmark.running import Run, python

LIMIT_MIB = 2000.0 * 1e6 / 2**20


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        films = {1: EXAMPLE} | {times: repeated(EXAMPLE, times, Path(folder) / f"{times}.mp4") for times in (10, 60)}
        analysed = {
            times: _measured("analyze", times, "analyze", str(film), "--quiet") for times, film in films.items()
        }
        scored = {
            times: _measured(
                "score",
                times,
                "score",
                str(films[times]),
                "-o",
                str(Path(folder) / "out.mp4"),
                "--stems",
                str(Path(folder) / "stems"),
                "--quiet",
            )
            for times in (10, 60)
        }
    growth = analysed[60].peak_mib - analysed[10].peak_mib
    slope = scored[60].wall / scored[10].wall / 6
    print(f"analysis, 5 to 30 minutes: {growth:+.0f} MiB")
    print(
        f"whole run of 30 minutes: {scored[60].peak_mib:.0f} MiB (under {LIMIT_MIB:.0f}); time per minute against 5 minutes: {slope:.2f}"
    )
    return 0 if growth < 30 and scored[60].peak_mib < LIMIT_MIB and slope < 1.25 else 1


def _measured(what: str, times: int, *arguments: str) -> Run:
    taken = python("-m", "reelscore", *arguments)
    print(f"{what:8s} {times * 0.5:5.1f} min: {taken.wall:7.1f} s, peak {taken.peak_mib:6.0f} MiB", flush=True)
    return taken


if __name__ == "__main__":
    raise SystemExit(main())
