"""The timeline: one picture of a film and its music, from the film strip at the top to the tempo at the bottom.

All rows share the time axis. Fine lines through all of them are the cues, coloured by whether the sound hits them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from reelscore.brief import Brief, Section
from reelscore.media import Clip, probe
from reelscore.media.finished import holds_picture
from reelscore.media.stills import Still, stills_at
from reelscore.outputs import written_whole
from reelscore.progress import Progress, unseen
from reelscore.report.measures import HIT_TOLERANCE, Floats, Measures

WIDTH_PIXELS, HEIGHT_PIXELS, DPI = 1600, 900, 100

BACKGROUND, PANEL, LINE = "#12141a", "#191c24", "#2b303c"
TEXT, QUIET = "#e9ebf0", "#8b92a3"
HIT, MISS, NO_CUE = "#5be3b4", "#ff6b6b", "#8b92a3"
WAVE, SPEECH, LOUD, TEMPO = "#7aa2ff", "#f5c46b", "#c792ea", "#59c7f0"
ENERGY_COLOURS = ("#31406f", "#4a5fb0", "#8a5fc0", "#d9607f", "#f58a4b", "#ffc15e")  # from still to full

_LEFT, _RIGHT, _TOP, _BOTTOM = 0.066, 0.895, 0.885, 0.055
_LOUDNESS_SPAN_LU = 26.0
_STRIP, _HEIGHTS = (
    1.45,
    {"form": 0.62, "cues": 1.0, "speech": 0.3, "sound": 1.55, "spectrum": 1.35, "loudness": 1.15, "tempo": 0.6},
)


@dataclass(frozen=True)
class _Sheet:
    """What every row draws from."""

    brief: Brief
    measures: Measures
    duration: float

    @property
    def cue_colours(self) -> list[str]:
        return [HIT if _is_hit(error) else MISS for error in self.measures.cue_errors]


def draw_timeline(path: Path, video: Path, brief: Brief, measures: Measures, progress: Progress = unseen) -> None:
    """Draws the finished film `video`, its brief and its measures into the PNG file `path`, about 1600 × 900 pixels."""
    clip = probe(video) if holds_picture(video) else None
    sheet = _Sheet(brief, measures, max(brief.duration, measures.curves.duration, 0.1))
    strip = _strip(clip) if clip else ()
    progress("timeline", 0.5)
    figure = _drawn(sheet, video.name, strip)
    with written_whole(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, facecolor=BACKGROUND)
    progress("timeline", 1.0)


def _strip(clip: Clip) -> Sequence[Still]:
    """As many stills as fit side by side."""
    width = WIDTH_PIXELS * (_RIGHT - _LEFT)
    height = HEIGHT_PIXELS * (_TOP - _BOTTOM) * _STRIP / (_STRIP + sum(_HEIGHTS.values()))
    count = int(np.clip(round(width / (height * clip.width / clip.height)), 3, 48))
    times = [clip.duration * (number + 0.5) / count for number in range(count)]
    return tuple(stills_at(clip, times, longer_side=320))


def _drawn(sheet: _Sheet, name: str, strip: Sequence[Still]) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_PIXELS / DPI, HEIGHT_PIXELS / DPI), dpi=DPI, facecolor=BACKGROUND)
    FigureCanvasAgg(figure)
    rows: list[tuple[float, str, Callable[[Any, _Sheet], str]]] = [
        (_HEIGHTS["form"], "form", _draw_form),
        (_HEIGHTS["cues"], "energy\nand cues", _draw_cues),
        (_HEIGHTS["speech"], "speech", _draw_speech),
        (_HEIGHTS["sound"], "sound", _draw_sound),
        (_HEIGHTS["spectrum"], "spectrum", _draw_spectrum),
        (_HEIGHTS["loudness"], "loudness", _draw_loudness),
        (_HEIGHTS["tempo"], "tempo", _draw_tempo),
    ]
    if not sheet.brief.speech:
        rows = [row for row in rows if row[1] != "speech"]
    if strip:
        rows.insert(0, (_STRIP, "film", lambda axes, sheet: _draw_film(axes, sheet, strip)))
    grid = figure.add_gridspec(
        len(rows),
        1,
        height_ratios=[row[0] for row in rows],
        left=_LEFT,
        right=_RIGHT,
        top=_TOP,
        bottom=_BOTTOM,
        hspace=0.09,
    )
    for number, (_, label, draw) in enumerate(rows):
        axes = figure.add_subplot(grid[number])
        _prepare(axes, sheet, last=number == len(rows) - 1)
        note = draw(axes, sheet)
        axes.set_xlim(0.0, sheet.duration)
        axes.text(-0.011, 0.5, label, transform=axes.transAxes, ha="right", va="center", color=QUIET, size=10)
        axes.text(
            1.009, 0.5, note, transform=axes.transAxes, ha="left", va="center", color=TEXT, size=9.5, linespacing=1.5
        )
        if label not in ("film", "form", "speech"):
            _draw_cue_lines(axes, sheet)
    _write_title(figure, sheet, name)
    return figure


def _prepare(axes: Any, sheet: _Sheet, last: bool) -> None:
    axes.set_facecolor(PANEL)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_yticks([])
    ticks = _time_ticks(sheet.duration)
    axes.set_xticks(ticks, [_clock(tick, sheet.duration) for tick in ticks] if last else [])
    axes.tick_params(axis="x", length=0, colors=QUIET, labelsize=9, pad=6)


def _write_title(figure: Any, sheet: _Sheet, name: str) -> None:
    brief = sheet.brief
    figure.text(_LEFT, 0.945, name, color=TEXT, size=17, weight="bold", va="center")
    tags = " · ".join((*brief.tags.genres[:2], *brief.tags.moods[:2]))
    facts = [f"{brief.key}", f"{brief.tempo_bpm:.0f} BPM", _clock(brief.duration, brief.duration)]
    figure.text(_LEFT, 0.908, " · ".join([*([tags] if tags else []), *facts]), color=QUIET, size=11, va="center")
    rate, chance = sheet.measures.cue_hit_rate, sheet.measures.cue_hit_rate_by_chance
    if rate is not None and chance is not None:
        hits = sum(_is_hit(error) for error in sheet.measures.cue_errors)
        figure.text(
            _RIGHT,
            0.945,
            f"{hits} of {len(sheet.measures.cue_errors)} cues hit",
            color=HIT if rate > max(0.8, chance) else MISS,
            size=17,
            weight="bold",
            ha="right",
            va="center",
        )
        figure.text(
            _RIGHT,
            0.908,
            f"an onset within {HIT_TOLERANCE * 1000:.0f} ms; by chance {chance:.0%}",
            color=QUIET,
            size=11,
            ha="right",
            va="center",
        )


def _draw_film(axes: Any, sheet: _Sheet, strip: Sequence[Still]) -> str:
    width = sheet.brief.duration / len(strip)
    for number, still in enumerate(strip):
        extent = (number * width, (number + 1) * width, 0.0, 1.0)
        axes.imshow(still.bgr[:, :, ::-1], extent=extent, aspect="auto", interpolation="lanczos")
    for edge in range(1, len(strip)):
        axes.axvline(edge * width, color=BACKGROUND, linewidth=1.5)
    axes.set_ylim(0.0, 1.0)
    identical = sheet.measures.picture_identical
    if identical is None:
        return ""
    return "picture\nuntouched" if identical else "picture is\nnot the brief's"


def _draw_form(axes: Any, sheet: _Sheet) -> str:
    from matplotlib.patches import FancyBboxPatch

    gap = sheet.duration * 0.0012
    for section in sheet.brief.sections:
        length = section.end - section.start
        axes.add_patch(
            FancyBboxPatch(
                (section.start + gap, 0.06), max(length - 2 * gap, gap), 0.88,
                boxstyle="round,pad=0,rounding_size=0.12", mutation_aspect=1.0 / max(sheet.duration / 26, 1e-3),
                facecolor=_energy_colour(section.energy), linewidth=0,
            )
        )  # fmt: skip
        _name_section(axes, sheet, section)
    axes.set_ylim(0.0, 1.0)
    axes.set_facecolor(BACKGROUND)
    count = len(sheet.brief.sections)
    return f"{count} section{'s' * (count > 1)}" if count else ""


def _name_section(axes: Any, sheet: _Sheet, section: Section) -> None:
    share = (section.end - section.start) / sheet.duration
    ink = "#12141a" if section.energy > 0.55 else TEXT
    if share > 0.075:
        pad = sheet.duration * 0.007
        axes.text(section.start + pad, 0.5, section.letter, color=ink, size=13, weight="bold", va="center")
        axes.text(section.end - pad, 0.48, section.role, color=ink, size=10, va="center", ha="right", alpha=0.9)
    elif share > 0.015:
        middle = (section.start + section.end) / 2
        axes.text(middle, 0.5, section.letter, color=ink, size=11, weight="bold", va="center", ha="center")


def _draw_cues(axes: Any, sheet: _Sheet) -> str:
    for section in sheet.brief.sections:
        span, colour = [section.start, section.end], _energy_colour(section.energy)
        axes.fill_between(span, 0.0, section.energy, color=colour, alpha=0.42, linewidth=0)
        axes.plot(span, [section.energy] * 2, color=colour, linewidth=2.0, solid_capstyle="butt")
    times = [cue.time for cue in sheet.brief.cues]
    heights = [0.18 + 0.75 * cue.strength for cue in sheet.brief.cues]
    axes.vlines(times, 0.0, heights, colors=sheet.cue_colours, linewidth=1.4)
    axes.scatter(times, heights, c=sheet.cue_colours, s=26, zorder=3, linewidths=0)
    axes.set_ylim(0.0, 1.08)
    late = [error for error in sheet.measures.cue_errors if error is not None and _is_hit(error)]
    strength = sheet.measures.onset_strength_at_cues
    notes = [f"{np.median(np.abs(late)) * 1000:.0f} ms off (median)"] if late else []
    return "\n".join(notes + ([f"{strength:.1f} × the accent\nof other times"] if strength is not None else []))


def _draw_speech(axes: Any, sheet: _Sheet) -> str:
    for span in sheet.brief.speech:
        axes.axvspan(span.start, span.end, 0.2, 0.8, color=SPEECH, linewidth=0)
    axes.set_ylim(0.0, 1.0)
    distance = sheet.measures.speech_to_music_db
    return f"music {distance:.0f} dB below" if distance is not None else ""


def _draw_sound(axes: Any, sheet: _Sheet) -> str:
    low, high, times = _outline(sheet.measures.curves.waveform, sheet.measures.curves.duration)
    for section in sheet.brief.sections or (Section(start=0.0, end=sheet.duration),):
        inside = (times >= section.start) & (times <= section.end)
        colour = _energy_colour(0.25 + 0.75 * section.energy)
        axes.fill_between(times[inside], -high[inside], high[inside], color=colour, alpha=0.45, linewidth=0)
        axes.fill_between(times[inside], -low[inside], low[inside], color=colour, linewidth=0)
    for span in sheet.brief.speech:
        axes.axvspan(span.start, span.end, color=SPEECH, alpha=0.1, linewidth=0)
    axes.set_ylim(-1.05, 1.05)
    tempo_map = sheet.brief.tempo_map
    if tempo_map is not None and len(tempo_map.beats) <= 700:
        downbeats = [time for time in tempo_map.downbeats if time <= sheet.duration]
        axes.vlines(tempo_map.beats, -1.05, -0.97, colors=QUIET, linewidth=0.7)
        axes.vlines(downbeats, -1.05, -0.86, colors=TEXT, linewidth=1.1)
    return f"peak {_level(sheet.measures.true_peak_dbtp)} dBTP\nlongest silence {sheet.measures.longest_silence:.1f} s"


def _draw_spectrum(axes: Any, sheet: _Sheet) -> str:
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("night", [PANEL, "#26305c", "#5b4aa0", "#c2557f", "#f79a55", "#fff0b8"])
    spectrogram = sheet.measures.curves.spectrogram
    if spectrogram.size > len(spectrogram):
        top = float(np.percentile(spectrogram, 99.7))
        axes.imshow(
            spectrogram, origin="lower", aspect="auto", cmap=colours, vmin=top - 52.0, vmax=top,
            extent=(0.0, sheet.measures.curves.duration, 0.0, 1.0), interpolation="bilinear",
        )  # fmt: skip
    return "30 Hz – 16 kHz"


def _draw_loudness(axes: Any, sheet: _Sheet) -> str:
    curve = sheet.measures.curves.short_term_lufs
    times = (np.arange(len(curve)) + 0.5) * 0.1
    top = max(-6.0, float(curve.max(initial=-70.0)) + 2.0)
    shown = np.maximum(curve, top - _LOUDNESS_SPAN_LU)
    axes.fill_between(times, top - _LOUDNESS_SPAN_LU, shown, color=LOUD, alpha=0.25, linewidth=0)
    axes.plot(times, shown, color=LOUD, linewidth=1.8)
    if isfinite(sheet.measures.loudness_lufs):
        axes.axhline(sheet.measures.loudness_lufs, color=TEXT, linewidth=0.9, linestyle=(0, (4, 4)), alpha=0.8)
    axes.set_ylim(top - _LOUDNESS_SPAN_LU, top)
    return f"{_level(sheet.measures.loudness_lufs)} LUFS\nrange {sheet.measures.loudness_range_lu:.1f} LU"


def _draw_tempo(axes: Any, sheet: _Sheet) -> str:
    tempo_map = sheet.brief.tempo_map
    if tempo_map is None:
        return f"{sheet.brief.tempo_bpm:.0f} BPM"
    beats = np.asarray(tempo_map.beats)
    tempo_bpm = 60.0 / np.diff(beats)
    axes.stairs(tempo_bpm, beats, color=TEMPO, linewidth=1.8, baseline=None)
    shown = tempo_bpm[beats[:-1] < sheet.duration]
    low, high = float(shown.min()), float(shown.max())
    margin = max(0.3 * (high - low), 0.04 * high)
    axes.set_ylim(low - margin, high + margin)
    return f"{low:.0f}–{high:.0f} BPM" if high - low > 1.0 else f"{high:.0f} BPM"


def _draw_cue_lines(axes: Any, sheet: _Sheet) -> None:
    if len(sheet.brief.cues) <= 150:
        for cue, colour in zip(sheet.brief.cues, sheet.cue_colours, strict=True):
            axes.axvline(cue.time, color=colour, linewidth=0.7, alpha=0.12 + 0.38 * cue.strength, zorder=2.5)


def _outline(waveform: Floats, duration: float) -> tuple[Floats, Floats, Floats]:
    """Mean and highest peak in as many columns as can be told apart, and their times."""
    if not len(waveform):
        return np.zeros(1), np.zeros(1), np.zeros(1)
    columns = min(len(waveform), int(WIDTH_PIXELS * (_RIGHT - _LEFT)))
    edges = np.linspace(0, len(waveform), columns + 1).astype(int)
    means = np.add.reduceat(waveform, edges[:-1]) / np.diff(edges)
    times = 0.5 * (edges[:-1] + edges[1:]) * duration / len(waveform)
    return 0.75 * means, np.maximum.reduceat(waveform, edges[:-1]), times


def _energy_colour(energy: float) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("energy", ENERGY_COLOURS)(energy)


def _is_hit(error: float | None) -> bool:
    return error is not None and abs(error) <= HIT_TOLERANCE


def _time_ticks(duration: float) -> list[float]:
    """Round times, about a dozen."""
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    step = next((step for step in steps if duration / step <= 16), 7200)
    return [float(tick) for tick in np.arange(0.0, duration + 1e-6, step)]


def _clock(time: float, duration: float) -> str:
    if duration < 10:
        return f"{time:.1f} s"
    minutes, seconds = divmod(round(time), 60)
    return f"{minutes}:{seconds:02d}"


def _level(level: float) -> str:
    return f"{level:.1f}".replace("-", "−") if isfinite(level) else "−∞"
