"""How tracks come into the library: looked at, known again by their sound, listened to if they are new.

Every track is one transaction, so that a run that is broken off at any moment leaves whole tracks only, and the next run
goes on where it stopped.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from reelscore.errors import InputError
from reelscore.library.measuring import Listen, Look, Looked, may_be_sound
from reelscore.library.sheet import named_in, placed, read_sheet
from reelscore.library.store import Place, Store, said_fields
from reelscore.library.tracks import Added, Refused, Track, Written
from reelscore.library.walking import walked
from reelscore.library.words import cleaned, from_name, merged
from reelscore.library.workers import carried_out
from reelscore.listening import Heard, require_listening
from reelscore.progress import Progress

_SAME_TEMPO = 0.03  # a written tempo this near to the one that was heard needs no second hearing


def add(
    store: Store, paths: Sequence[Path], written: Written, progress: Progress, sheet: Path | None, workers: int
) -> Added:
    """See `Library.add`."""
    require_listening()
    written = cleaned(written)
    table = read_sheet(sheet) if sheet else None
    if table and not paths:
        paths = [named_in(table.path.parent, line.file) for line in table.lines]
    found = walked(paths)
    if written.title and len(found.files) > 1:
        raise InputError("A title belongs to one file; give the titles of several in a sheet (--sheet).")
    rows, remarks = placed(table, found.folders, found.files) if table else ({}, [])
    words = {path: merged(rows.get(path, Written()), written) for path in found.files}
    run = _Run(store, words, list(found.refused))
    run.through(found.files, found.named, progress, workers)
    return run.result(remarks)


def put(store: Store, path: Path, heard: Heard, written: Written) -> Track:
    """See `Library.put`."""
    path = path.absolute()
    looked = Look(path, named=True).do()
    assert looked is not None
    run = _Run(store, {path: cleaned(written)})
    run.bring(looked, heard)
    track = store.holder(looked.sha256)
    assert track is not None
    return store.tracks([track])[0]


@dataclass
class _Run:
    """One `add`: what a person wrote of each file, and what came of it so far.

    Whatever changes the library first looks at it in the same transaction: others may add and remove meanwhile.
    """

    store: Store
    words: dict[Path, Written]
    refused: list[Refused] = field(default_factory=list)
    added: list[int] = field(default_factory=list)
    known: list[Path] = field(default_factory=list)
    updated: list[int] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)
    duplicates: list[Path] = field(default_factory=list)
    no_sound: int = 0
    done: int = 0
    underway: dict[str, list[Looked]] = field(default_factory=dict)  # files with sound that is being listened to
    tasks: deque[Look | Listen] = field(default_factory=deque)

    def result(self, remarks: Sequence[str]) -> Added:
        return Added(
            added=tuple(self.added),
            known=tuple(self.known),
            updated=tuple(self.updated),
            moved=tuple(self.moved),
            duplicates=tuple(self.duplicates),
            refused=tuple(self.refused),
            no_sound=self.no_sound,
            remarks=tuple(remarks),
        )

    def through(self, files: Sequence[Path], named: set[Path], progress: Progress, workers: int) -> None:
        """All files: those that are unchanged at once, the others one after another."""
        progress("adding", 0.0)
        for file in files:
            if file not in named and not may_be_sound(file):
                self.no_sound += 1
                self.done += 1
            elif not self._recognise(file):
                self.tasks.append(Look(file, file in named))
        for task, outcome in carried_out(self.tasks, min(workers, len(self.tasks))):
            self._settle(task, outcome)
            progress("adding", self.done / len(files), f"{self.done} of {len(files)} files")
        progress("adding", 1.0)

    def _recognise(self, file: Path) -> bool:
        """Whether the file is known and unchanged; what was written of it is kept."""
        try:
            place = Place.of(file)
        except (OSError, ValueError):
            return False
        with self.store.writing() if said_fields(self.words[file]) else nullcontext():
            known, track = self.store.place_at(file)
            if track is None or known != place or self._needs_ear(track, file):
                return False
            self._note(track, file, self.store.say(track, self.words[file], by_person=True))
        return True

    def _needs_ear(self, track: int, file: Path) -> bool:
        """Whether a tempo was written that the beats, as they were heard, do not go with."""
        tempo_bpm = self.words[file].tempo_bpm
        if tempo_bpm is None:
            return False
        before = self.store.tempo_of(track)
        return before is None or abs(before / tempo_bpm - 1) > _SAME_TEMPO

    def _settle(self, task: Look | Listen, outcome: Looked | Heard | Refused | None) -> None:
        if isinstance(outcome, Refused):
            self._refuse(task, outcome)
        elif isinstance(outcome, Looked):
            self._meet_or_listen(outcome)
        elif outcome is None:
            self.no_sound += 1
            self.done += 1
        elif isinstance(task, Listen):
            self.bring(task.looked, outcome, task.again)
            for each in self.underway.pop(task.looked.sha256):
                self._meet_or_listen(each)

    def _refuse(self, task: Look | Listen, refused: Refused) -> None:
        """Refuses the file, and those that hold the same sound."""
        waiting = self.underway.pop(task.looked.sha256) if isinstance(task, Listen) else []
        self.refused += [refused, *(Refused(each.place.path, refused.why) for each in waiting)]
        self.done += 1 + len(waiting)

    def _meet_or_listen(self, looked: Looked) -> None:
        if looked.sha256 in self.underway:
            self.underway[looked.sha256].append(looked)
            return
        file = looked.place.path
        with self.store.writing():
            track = self.store.holder(looked.sha256)
            if track is not None and not self._needs_ear(track, file):
                self._meet(track, looked)
                return
        self.underway[looked.sha256] = []
        self.tasks.appendleft(Listen(looked, merged(self.words[file], looked.tagged).tempo_bpm, again=track))

    def bring(self, looked: Looked, heard: Heard, again: int | None = None) -> None:
        """A track as it was heard: a new one, one that was to be heard `again`, or one whose file held other sound before."""
        with self.store.writing():
            holder = self.store.holder(looked.sha256)
            if holder is not None and holder != again:  # somebody else was faster
                self._meet(holder, looked)
            else:
                self._keep(looked, heard, holder or self._former(looked.place.path))

    def _keep(self, looked: Looked, heard: Heard, track: int | None) -> None:
        """Writes down what was heard: for a new track, or for one that keeps what a person wrote of it."""
        file = looked.place.path
        person, measured = self.words[file], _measured(heard)
        if track is None:
            words = merged(person, looked.tagged, measured, from_name(file))
            self.added.append(self.store.insert(looked.sha256, looked.place, heard, words, said_fields(person)))
        else:
            self.store.hear(track, looked.sha256, heard)
            self.store.say(track, merged(looked.tagged, measured), by_person=False)
            self.store.say(track, person, by_person=True)
            self.store.lay(track, looked.place)
            self.updated.append(track)
        self.done += 1

    def _meet(self, track: int, looked: Looked) -> None:
        """A file with sound that the library knows: the track itself tagged anew, moved, or once more."""
        file = looked.place.path
        home = self.store.path_of(track)
        moved = file != home and not os.path.exists(home)  # noqa: PTH110 - does not raise
        elsewhere = file != home and not moved
        another = elsewhere and file not in self.store.places_of(track)
        self.store.lay(track, looked.place)
        if moved:
            self.store.move(track, file)
            self.store.leave(home)
        changed = not elsewhere and self.store.say(track, looked.tagged, by_person=False)
        changed |= self.store.say(track, self.words[file], by_person=True)
        if moved:
            self.moved.append(track)
            self.done += 1
        elif another:
            self.duplicates.append(file)
            self.done += 1
        else:
            self._note(track, file, changed)

    def _note(self, track: int, file: Path, changed: bool) -> None:
        self.done += 1
        if not changed:
            self.known.append(file)
        elif track not in self.updated:
            self.updated.append(track)

    def _former(self, file: Path) -> int | None:
        """The track that lay in this file alone, whose sound was replaced: it keeps what a person wrote of it."""
        _, track = self.store.place_at(file)
        return track if track is not None and self.store.places_of(track) == [file] else None


def _measured(heard: Heard) -> Written:
    """What was heard, where it can be said in words."""
    tempo_bpm = float(heard.pulse.tempo_bpm) if len(heard.pulse.beats) else None
    return Written(tempo_bpm=tempo_bpm, key=heard.key or None)
