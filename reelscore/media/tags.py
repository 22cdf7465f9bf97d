"""What a file says of its own sound: title, artist, rights and whatever else somebody wrote into it."""

from pathlib import Path

from reelscore.media.opening import opened, sound_stream

MOST_CHARACTERS = 20_000  # of one tag; lyrics and pictures in disguise are cut


def sound_tags(path: Path) -> dict[str, str]:
    """The tags of a sound file or film, by their names in small letters, as FFmpeg hands them on. Raises MediaError.

    Containers tag the whole file or the stream of sound; where both say something, the stream's word counts.
    """
    with opened(Path(path)) as container:
        sound = sound_stream(container)
        said = {**container.metadata, **(sound.metadata if sound else {})}
    return {name.lower(): text[:MOST_CHARACTERS] for name, text in said.items()}
