"""`python adding_slowly.py LIBRARY FOLDER PAUSE`: adds a folder, with PAUSE seconds for each file in place of listening."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from made_library import heard

from reelscore.library import measuring, open_library
from reelscore.listening import Heard


def listen(_path: Path, *, near_bpm: float | None = None) -> Heard:
    time.sleep(float(sys.argv[3]))
    return heard(tempo_bpm=near_bpm or 120.0)


if __name__ == "__main__":
    measuring.listen = listen
    with open_library(Path(sys.argv[1]), create=True) as library:
        done = library.add([Path(sys.argv[2])])
        print(len(done.added), len(done.known), len(done.duplicates), len(done.refused))
