"""Adding tracks to a library against real time, on one core: `python -m benchmark.adding`.

Six pieces of a minute each in six formats, looked at, listened to and written down by one process on one thread. The rate is
seconds of music for each second of the processor's time, without what is loaded once; it must be 30.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from benchmark.briefs import brief_of
from benchmark.running import side_of
from reelscore.compose import compose
from reelscore.library import open_library
from reelscore.media import encode_sound
from reelscore.sound import render

LIMIT = 30.0
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
FILES = ("cinematic.wav", "folk.flac", "electronic.mp3", "jazz.ogg", "rock.m4a", "ambient.opus")


def main() -> int:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for seed, name in enumerate(FILES):
            file = folder / "tracks" / name
            file.parent.mkdir(exist_ok=True)
            brief = brief_of(file.stem)
            encode_sound([render(compose(brief, seed), seed=seed).samples], 48_000, file)
        os.environ.update(dict.fromkeys(THREADS, "1"))
        told = side_of("adding", {"folder": folder})
    rate = told["seconds"] / told["cpu"]
    print(
        f"loaded once: {told['loading']:.1f} s   added {told['seconds']:.0f} s of music in {told['cpu']:.1f} s of one core"
    )
    print(f"adding: {rate:.1f} × real time (at least {LIMIT:.0f})")
    return 0 if rate >= LIMIT else 1


def add(folder: Path) -> dict[str, float]:
    """Adds the tracks one after another, the first of them once before it counts."""
    begun = time.process_time()
    with open_library(folder / "first", create=True) as library:
        library.add([folder / "tracks" / FILES[0]])
    loaded = time.process_time()
    with open_library(folder / "library", create=True) as library:
        library.add([folder / "tracks"])
        cpu = time.process_time() - loaded
        seconds = float(library.overview().duration.sum())
    return {"loading": loaded - begun, "cpu": cpu, "seconds": seconds}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.folder is None:
        raise SystemExit(main())
    print(json.dumps(add(asked.folder)))
