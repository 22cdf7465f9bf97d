"""Whether the tracks are where they should be and as they were; what moved is found again; what is not wanted is forgotten."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from reelscore.errors import InputError, MediaError, OutputError
from reelscore.library import licences
from reelscore.library.measuring import may_be_sound, readable
from reelscore.library.store import Store
from reelscore.library.tracks import Track, Trouble
from reelscore.library.walking import walked
from reelscore.progress import Progress


def remove(store: Store, names: Sequence[str]) -> list[Track]:
    """See `Library.remove`."""
    places = {path: track for path, (_, track) in store.places().items()}
    there = set(store.ids().tolist())
    chosen: dict[int, None] = {}
    for name in names:
        path = Path(os.path.abspath(name))  # noqa: PTH100 - takes ".." out of the name but follows no link
        if name.isdecimal() and int(name) in there:
            found = [int(name)]
        else:
            found = [track for place, track in places.items() if place == path or path in place.parents]
        if not found:
            raise InputError(
                f"There is no track {name!r} in the library; give ids or paths as `reelscore library list` shows them."
            )
        chosen |= dict.fromkeys(found)
    tracks = store.tracks(list(chosen))
    with store.writing():
        store.forget(list(chosen))
    return tracks


def intact(store: Store, track: Track) -> bool:
    """See `Library.intact`."""
    return _wrong_content(store, track, track.path) is None


def check(store: Store, folders: Sequence[Path], progress: Progress) -> list[Trouble]:
    """See `Library.check`."""
    store.refuse_damaged()
    for folder in folders:
        if not os.path.isdir(folder):  # noqa: PTH112 - does not raise for names that cannot be
            raise InputError(f"{folder} is no folder; give folders in which moved tracks may lie.")
    tracks = store.tracks()
    troubles: list[Trouble] = []
    for number, track in enumerate(tracks):
        troubles += _wrong_with(store, track)
        progress("checking", number / len(tracks), f"{number} of {len(tracks)} tracks")
    found = dict(_found_again(store, folders, [each for each in troubles if each.kind == "missing"], progress))
    progress("checking", 1.0)
    return [found.get(each.id, each) if each.kind == "missing" else each for each in troubles]


def _wrong_with(store: Store, track: Track) -> Iterator[Trouble]:
    """What is wrong with one track."""
    if os.path.exists(track.path):  # noqa: PTH110 - does not raise
        yield from filter(None, [_wrong_content(store, track, track.path)])
    else:
        others = (path for path in store.places_of(track.id) if _wrong_content(store, track, path) is None)
        yield _elsewhere(store, track, next(others, None))
    yield from _rights(track)
    if not track.description and not track.tags:
        yield Trouble(track.id, track.path, "words", "neither description nor tags; words will hardly find it")


def _elsewhere(store: Store, track: Track, path: Path | None) -> Trouble:
    """A track that is not where it was: put right where another file holds its sound."""
    if path is None:
        return Trouble(track.id, track.path, "missing", "the file is not there")
    with store.writing():
        store.move(track.id, path)
        store.leave(track.path)
    return Trouble(track.id, path, "moved", f"found again in {path}", mended=True)


def _wrong_content(store: Store, track: Track, path: Path) -> Trouble | None:
    """Whether the file still holds the track's sound; it is only read where size or time have changed."""
    try:
        now = readable(path)
        if store.place_at(path) == (now, track.id):
            return None
        from reelscore.media import sound_sha256

        if sound_sha256(path) != track.sha256:
            return Trouble(track.id, path, "changed", "the file holds other sound now; add it again")
    except MediaError:
        return Trouble(track.id, path, "damaged", "the file cannot be read as sound any more; copy it again")
    with suppress(OutputError), store.writing():  # a library that may only be read looks again each time
        store.lay(track.id, now)
    return None


def _found_again(
    store: Store, folders: Sequence[Path], missing: Sequence[Trouble], progress: Progress
) -> Iterator[tuple[int, Trouble]]:
    """Those that lie in `folders` now, put right; files of the same name or size are looked at first."""
    from reelscore.media import sound_sha256

    known = store.places()
    wanted = {track.sha256: track for track in store.tracks([each.id for each in missing])}
    names = {track.path.name for track in wanted.values()}
    sizes = {known[track.path][0].size for track in wanted.values() if track.path in known}
    files = [path for path in walked(folders).files if path not in known and may_be_sound(path)] if wanted else []
    files.sort(key=lambda path: (path.name not in names, _size(path) not in sizes))
    for number, file in enumerate(files):
        progress("looking", number / len(files), f"{len(wanted)} tracks still missing")
        if not wanted:
            return
        try:
            place, sha256 = readable(file), sound_sha256(file)
        except MediaError:
            continue
        if track := wanted.pop(sha256, None):
            with store.writing():
                store.lay(track.id, place)
            yield track.id, _elsewhere(store, track, file)


def _rights(track: Track) -> Iterator[Trouble]:
    """What a person must know before this track goes with a film."""
    if not track.licence:
        said = (
            f"its licence {track.licence_said!r} is none that is known" if track.licence_said else "no licence is known"
        )
        yield Trouble(track.id, track.path, "rights", f"{said}; say it with --licence")
    elif track.licence in licences.UNCHANGED:
        told = f"{licences.worded(track.licence, track.licence_said)} does not allow setting it to a film"
        yield Trouble(track.id, track.path, "rights", told)
    elif not track.artist and track.attribution and track.attribution == _composed(track):
        told = "its licence asks for the artist's name, and none is known; say it with --artist or --attribution"
        yield Trouble(track.id, track.path, "rights", told)


def _composed(track: Track) -> str:
    return licences.attribution(track.licence, track.licence_said, track.title, track.artist, track.source)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return -1
