"""Measures and takes in words: JSON for scripts, a few aligned lines for people, and the report with its picture."""

import json
from dataclasses import fields
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

from reelscore.brief import Brief
from reelscore.compose.score import Score
from reelscore.loudness import Loudness
from reelscore.outputs import write_text
from reelscore.progress import Progress, unseen
from reelscore.report.measures import Measures, check
from reelscore.report.timeline import draw_timeline


class Written(Protocol):
    """Where a take was written to."""

    @property
    def film(self) -> Path: ...
    @property
    def stems(self) -> Path | None: ...
    @property
    def midi(self) -> Path | None: ...


class Finished(Protocol):
    """A finished take, as far as a report tells of it."""

    @property
    def outputs(self) -> Written: ...
    @property
    def brief(self) -> Brief: ...
    @property
    def engine(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def score(self) -> Score | None: ...
    @property
    def loudness(self) -> Loudness: ...
    @property
    def speech_to_music_db(self) -> float | None: ...
    @property
    def remarks(self) -> tuple[str, ...]: ...
    @property
    def licence(self) -> str: ...
    @property
    def attribution(self) -> str: ...


def write_report(path: Path, take: Finished, progress: Progress = unseen) -> Measures:
    """Measures the finished file, writes the report to `path` and the timeline beside it, as PNG of the same name."""
    measures = check(take.outputs.film, take.brief, progress, speech_to_music_db=take.speech_to_music_db)
    draw_timeline(path.with_suffix(".png"), take.outputs.film, take.brief, measures, progress)
    write_text(path, take_json(take, measures) + "\n")
    return measures


def measures_json(measures: Measures) -> str:
    """The measures as JSON; what is infinite (the loudness of silence) is null."""
    return _json(_measured(measures))


def take_json(take: Finished, measures: Measures | None = None, indent: int | None = 2) -> str:
    """A take as JSON: where it is, how it was asked for, how it came out; on one line without `indent`."""
    brief, score = take.brief, take.score
    written = {"film": take.outputs.film, "stems": take.outputs.stems, "midi": take.outputs.midi}
    told: dict[str, Any] = {
        "written": {name: str(path) for name, path in written.items() if path},
        "asked": {
            "engine": take.engine,
            "seed": take.seed,
            "duration": brief.duration,
            "prompt": brief.prompt,
            "tags": brief.tags.model_dump(mode="json"),
            "key": brief.key,
            "tempo_bpm": brief.tempo_bpm,
            "sections": len(brief.sections),
            "cues": len(brief.cues),
            "speech": sum(span.end - span.start for span in brief.speech),
        },
        "mixed": {
            **{each.name: getattr(take.loudness, each.name) for each in fields(take.loudness)},
            "speech_to_music_db": take.speech_to_music_db,
        },
    }
    if score:
        told["score"] = {
            "parts": [part.name for part in score.parts],
            "notes": sum(len(part.notes) for part in score.parts),
            "notes_for_cues": sum(note.cue for part in score.parts for note in part.notes),
        }
    if take.licence or take.attribution:
        told["rights"] = {"licence": take.licence, "attribution": take.attribution}
    if measures:
        told["measured"] = _measured(measures)
    return _json({**told, "remarks": list(take.remarks)}, indent)


def summary(measures: Measures) -> str:
    """The measures in a few lines for people."""
    rows = [
        ("length", f"{_signed(measures.length_error * 1000)} ms against the picture"),
        (
            "picture",
            {True: "identical", False: "not the brief's film", None: "not compared"}[measures.picture_identical],
        ),
        ("loudness", f"{_level(measures.loudness_lufs)} LUFS, range {measures.loudness_range_lu:.1f} LU"),
        ("true peak", f"{_level(measures.true_peak_dbtp)} dBTP"),
        ("silence", f"{measures.longest_silence:.1f} s at the longest"),
        *_cue_rows(measures),
    ]
    if measures.speech_to_music_db is not None:
        rows.append(("speech", f"{measures.speech_to_music_db:.0f} dB above the music"))
    return _aligned(rows)


def take_summary(take: Finished, measures: Measures | None = None) -> str:
    """A take in a few lines for people."""
    brief = take.brief
    names = (*brief.tags.genres[:1], *brief.tags.moods[:2])
    wanted = f"{', '.join(names) or 'free'} in {brief.key}, {brief.tempo_bpm:.0f} BPM"
    made = f"seed {take.seed} ({take.engine})"
    # Only a score is certain to be what the brief wants; what a network made of it stands in its remarks.
    music = [("music", f"{wanted}, {made}")] if take.score else [("music", made), ("asked for", wanted)]
    rows = [
        ("written", str(take.outputs.film)),
        *music,
        ("form", f"{_counted(len(brief.sections), 'section')}, {_counted(len(brief.cues), 'cue')}"),
    ]
    if take.score:
        rows.append(("played by", ", ".join(dict.fromkeys(part.instrument for part in take.score.parts))))
    if take.attribution:
        rows.append(("credit", take.attribution))
    if measures is None:
        rows.append(
            (
                "loudness",
                f"{_level(take.loudness.integrated_lufs)} LUFS, peak {_level(take.loudness.true_peak_dbtp)} dBTP",
            )
        )
    text = _aligned(rows) if measures is None else f"{_aligned(rows)}\n{summary(measures)}"
    return "\n".join([text, *(f"Note: {remark}" for remark in take.remarks)])


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _cue_rows(measures: Measures) -> list[tuple[str, str]]:
    if measures.cue_hit_rate is None or measures.cue_hit_rate_by_chance is None:
        return []
    strength = measures.onset_strength_at_cues
    accent = f"; {strength:.1f} × the onset strength of other times" if strength is not None else ""
    by_chance = measures.cue_hit_rate_by_chance
    return [("cues", f"{measures.cue_hit_rate:.0%} hit within 50 ms ({by_chance:.0%} by chance){accent}")]


def _measured(measures: Measures) -> dict[str, Any]:
    return {each.name: getattr(measures, each.name) for each in fields(measures) if each.name != "curves"}


def _json(value: dict[str, Any], indent: int | None = 2) -> str:
    return json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """Rounded to what is measurable, and null for what JSON cannot hold."""
    if isinstance(value, float):
        return round(value, 6) if isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


def _aligned(rows: list[tuple[str, str]]) -> str:
    return "\n".join(f"{name:<10} {text}" for name, text in rows)


def _level(level: float) -> str:
    return f"{level:.1f}".replace("-", "−") if isfinite(level) else "−∞"


def _signed(number: float) -> str:
    return f"{number:+.1f}".replace("-", "−")
