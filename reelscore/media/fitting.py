"""What fits where: which films and which sound a container holds, asked before any work is done."""

from pathlib import Path

from av.video.stream import VideoStream

from reelscore.errors import InputError
from reelscore.media.copying import MP4_KINDS, holds_stream
from reelscore.media.encode import CODECS, Codec, holds
from reelscore.media.opening import opened, picture_stream
from reelscore.media.probe import Clip

# FFmpeg's name of the container and the codec of its sound, by the suffix of the film's name.
FILMS = {
    ".mp4": ("mp4", "aac"),
    ".m4v": ("mp4", "aac"),
    ".mov": ("mov", "aac"),
    ".mkv": ("matroska", "opus"),
    ".webm": ("webm", "opus"),
}
FILM_CODECS = ("aac", "opus", "flac", "pcm")


def refuse_unfit(clip: Clip, target: Path, sound_codec: str | None = None) -> None:
    """Raises InputError where `mux` could not write this film to `target` with such sound; quick, and writes nothing."""
    kind, _ = container_and_codec(target, sound_codec)
    if target.exists() and target.samefile(clip.path):
        raise InputError(f"{target} is the film itself; give another name for the result.")
    _check_edit(clip, target, kind)
    with opened(clip.path) as source:
        _check_picture(picture_stream(source, clip.path), clip, target, kind)


def container_and_codec(target: Path, sound_codec: str | None) -> tuple[str, Codec]:
    """FFmpeg's name of the container that `target` says, and the codec of its sound. Raises InputError."""
    kind, usual = FILMS.get(target.suffix.lower(), ("", ""))
    if not kind:
        raise InputError(
            f"{target} does not say a film format that can be written; end its name in {', '.join(FILMS)}."
        )
    if sound_codec is not None and sound_codec not in FILM_CODECS:
        raise InputError(f"There is no sound codec {sound_codec!r} for films; choose {', '.join(FILM_CODECS)}.")
    codec = CODECS[sound_codec or usual]
    if not holds(kind, codec):
        fitting = ", ".join(name for name in FILM_CODECS if holds(kind, CODECS[name]))
        raise InputError(f"A {target.suffix} film cannot hold {codec.name} sound; choose {fitting}.")
    return kind, codec


def _check_picture(picture: VideoStream, clip: Clip, target: Path, kind: str) -> None:
    if holds_stream(kind, picture):
        return
    fitting = [suffix for suffix, (other, _) in FILMS.items() if holds_stream(other, picture)]
    remedy = f"end its name in {', '.join(fitting)}" if fitting else "convert the film to H.264 first"
    raise InputError(f"{target} cannot hold the film's picture as it is ({clip.video_codec}); {remedy}.")


def _check_edit(clip: Clip, target: Path, kind: str) -> None:
    """Copying packets keeps a hidden beginning hidden only where the new file can hide it too."""
    if clip.edit == "assembled":
        raise InputError(
            f"{clip.path} is joined from pieces by an edit list, not in its picture; export it anew first."
        )
    if clip.edit == "trimmed" and kind not in MP4_KINDS:
        raise InputError(
            f"{clip.path} hides pictures before its beginning, which {target} cannot; end its name in .mp4 or .mov."
        )
