"""The whole way on a minute of 1080p30, against only decoding it: `python -m benchmark.end_to_end [FILM]`.

Both are whole processes on all cores, run in turn (decode, score, decode, score …); the ratio is taken pair by pair and
its median printed. Decoding is FFmpeg's own command where it is on the path, else the same libraries through PyAV.
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from benchmark.footage import full_hd
from benchmark.running import python, run

LIMIT = 1.6
DECODE = "import av,sys\nwith av.open(sys.argv[1]) as f:\n f.streams.video[0].thread_type='AUTO'\n for _ in f.decode(video=0): pass"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", nargs="?", type=Path)
    parser.add_argument("--pairs", type=int, default=3)
    asked = parser.parse_args()
    ffmpeg = shutil.which("ffmpeg")
    with tempfile.TemporaryDirectory() as folder:
        film = asked.film or full_hd(Path(folder) / "film.mp4")
        scored = str(Path(folder) / "scored.mp4")
        ratios = []
        for _ in range(asked.pairs):
            if ffmpeg:
                decode = run(ffmpeg, "-v", "error", "-i", str(film), "-map", "0:v:0", "-f", "null", "-")
            else:
                decode = python("-c", DECODE, str(film))
            score = python("-m", "reelscore", "score", str(film), "-o", scored, "--quiet")
            ratios.append(score.wall / decode.wall)
            print(
                f"decode only {decode.wall:6.2f} s ({decode.cpu:.1f} s cpu)   score {score.wall:6.2f} s ({score.cpu:.1f} s cpu, "
                f"{score.peak_mib:.0f} MiB)   ratio {ratios[-1]:.2f}"
            )
    ratio = statistics.median(ratios)
    print(f"end to end / decode only ({'ffmpeg' if ffmpeg else 'PyAV'}): {ratio:.2f} (at most {LIMIT})")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())
