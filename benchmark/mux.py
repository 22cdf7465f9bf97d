"""A new sound beside the picture, by copying and by MoviePy's re-encoding: `python -m benchmark.mux [FILM]`.

Both get the same film and the same new sound from the same WAV file, in turn, and write an MP4 with H.264 and AAC. What
counts is the processor time of the call itself, threads and child processes with it, without starting Python.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmark.footage import full_hd
from reelscore.audio import Audio, write_audio
from reelscore.media import picture_sha256, probe

LIMIT = 50.0

TIMED = """
import os, sys
from pathlib import Path
film, sound, target = map(Path, sys.argv[1:])
def spent():
    return sum(os.times()[:4])
{prepared}
before = spent()
{call}
print(spent() - before)
"""
OURS = TIMED.format(
    prepared="import soundfile\nfrom reelscore.media import mux, probe",
    call="""
with soundfile.SoundFile(sound) as given:
    blocks = (block.T for block in given.blocks(48000, dtype="float32", always_2d=True))
    mux(probe(film), blocks, 48000, target)
""",
)
MOVIEPY = TIMED.format(
    prepared="from moviepy import AudioFileClip, VideoFileClip",
    call="""
with VideoFileClip(str(film)) as clip, AudioFileClip(str(sound)) as music:
    clip.with_audio(music).write_videofile(str(target), codec="libx264", audio_codec="aac", temp_audiofile_path=str(target.parent), logger=None)
""",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", nargs="?", type=Path, help="H.264 in MP4; left out, 20 s of 1080p30 are made")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = asked.film or full_hd(folder / "film.mp4", duration=20.0)
        clip = probe(film)
        sound = folder / "sound.wav"
        write_audio(_music(clip.duration), sound)
        print(
            f"{clip.width} x {clip.height}, {clip.frame_rate:.2f} pictures/s, {clip.duration:.1f} s, {clip.video_codec}"
        )
        ours = _cpu(OURS, film, sound, folder / "ours.mp4")
        theirs = _cpu(MOVIEPY, film, sound, folder / "moviepy.mp4")
        same = picture_sha256(folder / "ours.mp4") == picture_sha256(film)
    ratio = theirs / ours
    print(f"reelscore mux {ours:8.2f} s cpu   picture {'identical' if same else 'CHANGED'}")
    print(f"moviepy       {theirs:8.2f} s cpu   picture encoded anew")
    print(f"moviepy / reelscore: {ratio:.0f} (at least {LIMIT:.0f})")
    return 0 if same and ratio >= LIMIT else 1


def _music(duration: float) -> Audio:
    """Chords and noise: as much work for the encoder as music is."""
    time = np.arange(round(duration * 48_000)) / 48_000
    noise = np.random.default_rng(0).normal(0, 0.03, (2, len(time)))
    chord = sum(0.08 * np.sin(2 * np.pi * pitch * time) for pitch in (110.0, 220.0, 277.2, 329.6, 440.0))
    return Audio((chord * (0.6 + 0.4 * np.cos(2 * np.pi * time)) + noise).astype(np.float32), 48_000)


def _cpu(program: str, *files: Path) -> float:
    """The seconds of processor time that a program says its call took."""
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, files)], stdout=subprocess.PIPE, check=True, text=True
    )
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    raise SystemExit(main())
