"""Sampled instruments: the patches of a soundfont, played by FluidSynth where that is installed.

Each patch plays one note by itself, from the first sample of the instrument to the last of its release, and so takes the same way
through cache, desk and rooms as the built-in ones: exact starts, no limit of sixteen channels, no note that hangs. Each
instrument is brought to the level of the built-in patches, so that the gain table of a score holds. FluidSynth's own reverb and
chorus are off. Effects and the film's big drums have no counterpart in General MIDI and stay built in.
"""

from collections.abc import Iterable, Iterator, Mapping
from ctypes import c_int, c_void_p
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from threading import Lock
from typing import Any

import numpy as np

from reelscore.audio import Samples, db_from_gain, gain_from_db
from reelscore.errors import InputError, MissingError
from reelscore.sound.patches import PATCHES
from reelscore.sound.patches.loudness import LEVEL_DB, weight
from reelscore.sound.patches.patch import Patch
from reelscore.vocabulary import INSTRUMENTS, Instrument

# What stands for a path where any installed soundfont will do.
SYSTEM = "system"
FOLDERS = (
    "~/.local/share/soundfonts",
    "~/.local/share/sounds/sf2",
    "/usr/share/sounds/sf3",
    "/usr/share/sounds/sf2",
    "/usr/share/soundfonts",
    "/usr/local/share/soundfonts",
    "/usr/local/share/fluidsynth",
    "/opt/homebrew/share/soundfonts",
    "/opt/homebrew/share/fluid-synth/sf2",
    "~/Library/Audio/Sounds/Banks",
    "C:/soundfonts",
    "C:/ProgramData/soundfonts",
)
# Better known ones first; what else is there comes after them, the largest first.
PREFERRED = ("MuseScore_General", "default-GM", "FluidR3_GM", "GeneralUser")

BUILT_IN = ("cinematic percussion", "riser", "impact")
DRUM_CHANNEL, DRUM_BANK = 9, 128
TAIL, DRUM_TAIL = 4.0, 5.0
# FluidSynth works in periods of this many samples; a note that starts with one starts on its sample.
PERIOD_SAMPLES = 64
CHECKED_PERIODS = 32
QUIET = 10.0 ** (-90.0 / 20.0)
REFERENCE_VELOCITY = 0.8
REFERENCE_DRUMS_DB = {36: -8.0, 38: -10.0}
LOUDEST = 0.4

INSTALL_PACKAGE = 'pip install "reelscore[fluidsynth]"'
INSTALL_LIBRARY = (
    "Debian and Ubuntu: apt install libfluidsynth3; macOS: brew install fluid-synth; "
    "Windows: choco install fluidsynth, or unpack a release from github.com/FluidSynth/fluidsynth on the PATH"
)
NO_SOUNDFONT = (
    "There is no soundfont on this system (Debian and Ubuntu: apt install musescore-general-soundfont-small; "
    f"elsewhere put an .sf2 or .sf3 file in {FOLDERS[0]}, or give its path)."
)


def find_soundfont(asked: str = SYSTEM) -> Path:
    """The soundfont of that path, or for "system" the best that is installed.

    Raises InputError where there is no such file, MissingError where none is installed.
    """
    if asked != SYSTEM:
        path = Path(asked).expanduser()
        if not path.is_file():
            raise InputError(f"{asked} is not there; give the path of an .sf2 or .sf3 file, or {SYSTEM!r}.")
        return path
    installed = _installed()
    if installed is None:
        raise MissingError(NO_SOUNDFONT)
    return installed


def _installed() -> Path | None:
    """The best soundfont in the folders where systems keep them."""
    found = [path for folder in FOLDERS for path in _soundfonts_in(Path(folder).expanduser())]

    def preference(path: Path) -> tuple[int, int]:
        known = next((place for place, name in enumerate(PREFERRED) if path.stem.startswith(name)), len(PREFERRED))
        return known, -path.stat().st_size

    return min(found, key=preference, default=None)


def _soundfonts_in(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(
            path for path in folder.iterdir() if path.suffix.lower() in (".sf2", ".sf3") and path.is_file()
        )


def missing(asked: str = SYSTEM) -> tuple[str, ...]:
    """What must be installed before that soundfont (a path, or "system") can be played: a sentence each, with its command."""
    wanted = []
    if find_spec("fluidsynth") is None:
        wanted.append(f"Sampled instruments need the package pyfluidsynth: {INSTALL_PACKAGE}.")
    elif _library() is None:
        wanted.append(f"Sampled instruments need the FluidSynth library ({INSTALL_LIBRARY}).")
    if asked == SYSTEM and _installed() is None:
        wanted.append(NO_SOUNDFONT)
    return tuple(wanted)


def sampled_patches(soundfont: Path, instruments: Iterable[str], rate: int) -> Mapping[str, Patch]:
    """Patches for the named instruments: from the soundfont where it has them, built in where it has not.

    They play at `rate` only. Raises MissingError without FluidSynth, InputError where the file is no soundfont.
    """
    problems = missing(str(soundfont))
    if problems:
        raise MissingError(" ".join(problems))
    sampler = _Sampler(soundfont, rate)
    return {name: _sampled(sampler, name) for name in sorted(instruments)}


def _library() -> Any:
    """pyfluidsynth, with the library that it binds; None where that is not installed."""
    try:
        import fluidsynth
    except (ImportError, OSError):
        # the package is there, but it looks for the system library as it is imported
        return None
    return fluidsynth


def _check(soundfont: Path) -> None:
    """Raises InputError for what is no soundfont, before libraries that write to the terminal get to see it."""
    try:
        with soundfont.open("rb") as file:
            head = file.read(12)
    except OSError as problem:
        raise InputError(f"{soundfont} cannot be read ({problem.strerror}); give an .sf2 or .sf3 file.") from problem
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise InputError(f"{soundfont} cannot be read as a soundfont; give an .sf2 or .sf3 file.")


class _Sampler:
    """One synthesiser with one soundfont. Plays one note at a time, from any thread."""

    def __init__(self, soundfont: Path, rate: int) -> None:
        _check(soundfont)
        self._library = _library()
        # a level of FluidSynth's log with no function to write it says nothing
        silence = self._library.cfunc(
            "fluid_set_log_function", c_void_p, ("level", c_int, 1), ("fun", c_void_p, 1), ("data", c_void_p, 1)
        )
        for level in range(5):
            silence(level, None, None)
        self.rate = rate
        self._lock = Lock()
        self._synth = self._library.Synth(
            gain=1.0, samplerate=rate, channels=16, **{"synth.reverb.active": 0, "synth.chorus.active": 0}
        )
        self._write = self._library.cfunc(
            "fluid_synth_write_float", c_int,
            *((name, kind, 1) for name, kind in (
                ("synth", c_void_p), ("len", c_int), ("lout", c_void_p), ("loff", c_int), ("lincr", c_int),
                ("rout", c_void_p), ("roff", c_int), ("rincr", c_int),
            )),
        )  # fmt: skip
        self._font = self._synth.sfload(str(soundfont))
        if self._font == -1:
            raise InputError(f"{soundfont} cannot be read as a soundfont; give an .sf2 or .sf3 file.")

    def __del__(self) -> None:
        if hasattr(self, "_synth"):
            self._synth.delete()

    def has(self, bank: int, program: int) -> bool:
        """Whether the soundfont has a preset there."""
        with self._lock:
            return bool(self._synth.program_select(0, self._font, bank, program) == 0)

    def note(self, bank: int, program: int, pitch: int, velocity: float, duration: float, tail: float) -> Samples:
        """One note to the end of its release, at most `tail` after its written end."""
        channel = DRUM_CHANNEL if bank == DRUM_BANK else 0
        with self._lock:
            self._synth.program_select(channel, self._font, bank, program)
            force = min(max(round(velocity * 127), 1), 127)
            # a voice keeps something of the sound it had before: started twice, a note is the same whatever came before it
            self._synth.noteon(channel, pitch, force)
            self._silence(channel)
            self._synth.noteon(channel, pitch, force)
            held = self._render(max(1, round(duration * self.rate / PERIOD_SAMPLES)))
            self._synth.noteoff(channel, pitch)
            pieces, left = [held], -(-round(tail * self.rate) // PERIOD_SAMPLES)
            while left > 0 and self._synth.get_active_voice_count() > 0:
                periods = min(CHECKED_PERIODS, left)
                pieces.append(self._render(periods))
                left -= periods
            self._silence(channel)
        return _ended(np.concatenate(pieces, axis=1), round(0.02 * self.rate))

    def _silence(self, channel: int) -> None:
        """Ends every voice; what the synthesiser still holds of them is thrown away."""
        self._render(1)
        self._synth.all_sounds_off(channel)
        self._render(1)

    def _render(self, periods: int) -> Samples:
        count = periods * PERIOD_SAMPLES
        heard = np.zeros((2, count), np.float32)
        left, right = heard[0].ctypes.data, heard[1].ctypes.data
        self._write(self._synth.synth, count, left, 0, 1, right, 0, 1)
        return heard


def _ended(sound: Samples, fade: int) -> Samples:
    """The note without the silence after it, faded where the tail's limit cut it."""
    audible = np.flatnonzero(np.max(np.abs(sound), axis=0) > QUIET)
    end = min(int(audible[-1]) + fade, sound.shape[1]) if len(audible) else min(fade, sound.shape[1])
    kept = sound[:, :end].copy()
    count = min(fade, end)
    kept[:, end - count :] *= np.linspace(1.0, 0.0, count, dtype=np.float32)
    return kept


def _sampled(sampler: _Sampler, name: str) -> Patch:
    """The patch of an instrument, at the common level."""
    instrument = INSTRUMENTS[name]
    if name in BUILT_IN:
        return PATCHES[name]
    bank = DRUM_BANK if instrument.drums else 0
    # every General MIDI bank has the standard kit; not all have the others
    programs = (instrument.program, 0) if instrument.drums else (instrument.program,)
    program = next((number for number in programs if sampler.has(bank, number)), None)
    if program is None:
        return PATCHES[name]
    tail = DRUM_TAIL if instrument.drums else TAIL
    raw = partial(sampler.note, bank, program, tail=tail)
    makeup_db = _drum_makeup_db(sampler, raw) if instrument.drums else _makeup_db(sampler, instrument, raw)
    gain = np.float32(gain_from_db(makeup_db))

    def play(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:  # noqa: ARG001
        if rate != sampler.rate:
            raise ValueError(f"this soundfont was opened for {sampler.rate} Hz, not {rate}")
        return raw(pitch, velocity, duration) * gain

    return Patch(play, tail)


def _makeup_db(sampler: _Sampler, instrument: Instrument, raw: Any) -> float:
    """What brings the instrument to the level of the built-in patches: the median over its range."""
    pitches = np.linspace(instrument.low, instrument.high, 5)[1:-1].round().astype(int).tolist()
    levels_db = [loudness_db(raw(pitch, REFERENCE_VELOCITY, 1.0), sampler.rate) for pitch in pitches]
    return LEVEL_DB - median(levels_db)


def _drum_makeup_db(sampler: _Sampler, raw: Any) -> float:  # noqa: ARG001
    """What brings kick and snare to the peaks of the built-in kits."""
    peaks_db = {
        key: db_from_gain(float(np.abs(raw(key, REFERENCE_VELOCITY, 0.25)).max())) for key in REFERENCE_DRUMS_DB
    }
    return median(target_db - max(peaks_db[key], -60.0) for key, target_db in REFERENCE_DRUMS_DB.items())


def loudness_db(sound: Samples, rate: int) -> float:
    """The K-weighted RMS of a note's loudest 400 ms in dB, the mean of both sides."""
    from scipy.fft import irfft, rfft, rfftfreq

    count = sound.shape[1]
    weights = weight(np.maximum(rfftfreq(count, 1.0 / rate), 1.0))
    power = np.mean(irfft(rfft(sound.astype(np.float64), axis=1) * weights, n=count, axis=1) ** 2, axis=0)
    window = min(round(LOUDEST * rate), count)
    total = np.concatenate([[0.0], np.cumsum(power)])
    return db_from_gain(float(np.sqrt(max(float(np.max(total[window:] - total[:-window])) / window, 1e-12))))
