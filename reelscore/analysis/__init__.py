"""From a film to what is seen and heard in it: shots, movement, light and speech, in one pass over the file.

The pictures go by one at a time and none are kept, so that memory does not grow with the film.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reelscore.analysis.facts import Analysis, Caption, Curves, Peak, Shot, Speech
from reelscore.progress import Progress, unseen

if TYPE_CHECKING:
    from reelscore.analysis.light import LightMeter
    from reelscore.analysis.measured import Measured
    from reelscore.analysis.motion import Blackout
    from reelscore.analysis.shots import Span

__all__ = ["Analysis", "Caption", "Curves", "Peak", "Shot", "Speech", "analyze"]


def analyze(path: Path, progress: Progress = unseen) -> Analysis:
    """All that can be said of the film in `path` without a model of language or of images; captions stay empty.

    Raises MediaError where the file is no film or no picture of it can be decoded.
    """
    # What looks at pictures is imported here, so that the types above can be had without waiting for OpenCV.
    from reelscore.analysis.light import LightMeter
    from reelscore.analysis.look import small
    from reelscore.analysis.measured import STEP
    from reelscore.analysis.motion import MotionMeter
    from reelscore.analysis.shots import ShotFinder
    from reelscore.analysis.speech import SpeechFinder
    from reelscore.media import CodedHash, Damage, Picture, play, probe

    clip = probe(path)
    shots, motion, light, speech = ShotFinder(), MotionMeter(), LightMeter(), SpeechFinder()
    digest, damage = CodedHash(), Damage()
    frames = 0
    with _one_thread():
        for event in play(clip, picture_width=160, sound_rate=16_000, digest=digest, damage=damage, progress=progress):
            if isinstance(event, Picture):
                frames += 1
                picture = small(event.bgr)
                shots.see(event.time, picture)
                motion.see(event.time, event.bgr)
                light.see(event.time, picture)
            else:
                speech.hear(event.time, event.samples)
    spans = shots.spans(clip.duration)
    blackouts = _blackouts(spans)
    movement = motion.measured(blackouts)
    return Analysis(
        film=path,
        duration=clip.duration,
        frame_rate=clip.frame_rate,
        frames=frames,
        width=clip.width,
        height=clip.height,
        has_sound=clip.has_sound and not damage.sound_missing,
        picture_sha256=digest.hexdigest(),
        shots=_shots(spans, movement, light),
        curves=Curves(
            step=STEP,
            motion=movement.curve(clip.duration),
            brightness=light.brightness.curve(clip.duration),
            saturation=light.saturation.curve(clip.duration),
            contrast=light.contrast.curve(clip.duration),
            warmth=light.warmth.curve(clip.duration),
        ),
        peaks=motion.peaks(blackouts),
        speech=speech.result(clip.duration),
        remarks=(*clip.remarks, *damage.remarks),
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    """OpenCV works in this thread alone: on pictures this small its others only wait, and take time from the decoder."""
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def _blackouts(spans: list[Span]) -> list[Blackout]:
    """Where neighbouring pictures belong to different shots."""
    from reelscore.analysis.motion import Blackout

    return [Blackout(min(span.mixed_from, span.start), max(span.mixed_until, span.start)) for span in spans[1:]]


def _shots(spans: list[Span], movement: Measured, light: LightMeter) -> tuple[Shot, ...]:
    """The shots with their means, taken where nothing of another shot is mixed in."""
    shots = []
    for span, following in zip(spans, [*spans[1:], None], strict=True):
        start = max(span.start, span.mixed_until)
        end = min(span.end, following.mixed_from) if following else span.end
        if start >= end:
            start, end = span.start, span.end
        shot = Shot(
            start=span.start,
            end=span.end,
            opens_with=span.opens_with,
            change=span.change,
            returns_to=span.returns_to,
            motion=movement.mean(start, end),
            brightness=light.brightness.mean(start, end),
            saturation=light.saturation.mean(start, end),
            contrast=light.contrast.mean(start, end),
            warmth=light.warmth.mean(start, end),
        )
        shots.append(shot)
    return tuple(shots)
