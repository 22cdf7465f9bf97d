"""A library as it is asked: its columns in memory, what its texts mean, and how each track's words fit a brief or a film.

Loading is done once; then a query is one product of a matrix with a vector, or one look-up of words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reelscore.checkpoints import catalogue
from reelscore.checkpoints.catalogue import Kind
from reelscore.engines.match.options import By, Options
from reelscore.engines.match.scoring import Floats, relative
from reelscore.engines.match.words import Sought
from reelscore.hardware import Hardware, lacks_neural
from reelscore.library import Library, Overview
from reelscore.library.meaning import Vectors, meanings
from reelscore.library.tracks import Field, Ids
from reelscore.progress import Progress

WISH = 0.6  # of the words that the person said, against those that the film brought
# Differences of cosine that are as far as from what fits to what does not: CLIP's lie close together.
PICTURE_SPREAD, SENTENCE_SPREAD = 0.10, 0.40


class Reader(Protocol):
    """A model that reads texts as vectors."""

    @property
    def name(self) -> str: ...
    @property
    def key(self) -> str: ...
    def texts(self, texts: Sequence[str], /) -> Vectors: ...


@dataclass(frozen=True, eq=False)
class Shelf:
    """A library in memory. `vectors` (n, d) say what each track's text means to `reader`, of those that have a text (`told`); without
    a reader words are looked up."""

    library: Library
    overview: Overview
    by: By
    reader: Reader | None
    vectors: Vectors
    told: npt.NDArray[np.bool_]


def model_for(options: Options) -> tuple[str, Kind]:
    """The model that compares what the options say, and its kind; empty where words are looked up instead."""
    kind: Kind = "sentences" if options.by == "brief" else "pictures and words"
    named = options.sentences if options.by == "brief" else options.clip
    return named or _fetched(kind), kind


def _fetched(kind: Kind) -> str:
    """The first model of that kind in the catalogue, where it is on this machine."""
    from reelscore.checkpoints import hub

    if lacks_neural() or not find_spec("huggingface_hub"):
        return ""
    first = catalogue.of_kind(kind)[0]
    return first.name if hub.is_here(first) else ""


def opened(options: Options, hardware: Hardware) -> Reader | None:
    """The model that the options ask for, loaded; None where words are looked up. Raises MissingError and InputError."""
    name, kind = model_for(options)
    if not name:
        return None
    from reelscore.checkpoints.towers import open_clip, open_sentences

    return open_sentences(name, hardware) if kind == "sentences" else open_clip(name, hardware)


def shelf_of(library: Library, by: By, reader: Reader | None, progress: Progress) -> Shelf:
    """The library, loaded for queries by "brief", "description" or "title"."""
    overview = library.overview()
    if reader is None:
        return Shelf(
            library, overview, by, None, np.zeros((len(overview), 0), np.float32), np.zeros(len(overview), np.bool_)
        )
    ids, vectors = meanings(library, "title" if by == "title" else "description", reader.key, reader.texts, progress)
    vectors = _aligned(ids, vectors, overview.ids)
    return Shelf(library, overview, by, reader, vectors, np.asarray(vectors.any(axis=1)))


def text_by_pictures(shelf: Shelf, seen: Vectors) -> Floats:
    """How well the text of each track fits what is seen, (d,): 0 to 1."""
    return _likeness(shelf, seen, PICTURE_SPREAD)


def text_by_meaning(shelf: Shelf, words: Sought) -> Floats:
    """How well the text of each track fits the brief's sentences: 0 to 1."""
    assert shelf.reader is not None
    of_film = [(words.whole, 1.0), *zip(words.sections, words.shares, strict=True)]
    told = [(text, weight) for text, weight in of_film if text]
    total = sum(weight for _, weight in told)
    share = (1.0 - WISH) if words.wished else 1.0
    weighed = [(text, share * weight / total) for text, weight in told]
    if words.wished:
        weighed.append((words.wished, WISH))
    if not weighed:
        return np.zeros(len(shelf.overview))
    vectors = shelf.reader.texts([text for text, _ in weighed])
    return _likeness(shelf, np.array([weight for _, weight in weighed]) @ vectors, SENTENCE_SPREAD)


def text_by_words(shelf: Shelf, words: Sought) -> Floats:
    """How many of the brief's words each track has, and how telling they are (BM25): 0 to 1."""
    field: Field = "both" if shelf.by == "brief" else shelf.by
    asked = [(words.wished, WISH), (words.everything, 1.0 - WISH)] if words.wished else [(words.everything, 1.0)]
    fit = np.zeros(len(shelf.overview))
    for query, weight in asked:
        ids, scores = shelf.library.words_score(query, field)
        fit += weight * _aligned(ids, scores[:, None], shelf.overview.ids)[:, 0]
    return np.minimum(fit, 1.0)


def _likeness(shelf: Shelf, vector: Vectors | Floats, spread: float) -> Floats:
    fit = np.zeros(len(shelf.overview))
    if shelf.told.any():
        likeness = shelf.vectors @ np.asarray(vector, np.float32)
        fit[shelf.told] = relative(np.asarray(likeness[shelf.told], np.float64), spread)
    return fit


def _aligned(ids: Ids, rows: Vectors, wanted: Ids) -> Vectors:
    """The rows of the wanted ids, both rising; zeros where there is none: a library may grow while it is read."""
    if np.array_equal(ids, wanted):
        return rows
    found = np.zeros((len(wanted), rows.shape[1]), rows.dtype)
    place = np.clip(np.searchsorted(ids, wanted), 0, max(0, len(ids) - 1))
    there = ids[place] == wanted if len(ids) else np.zeros(len(wanted), bool)
    found[there] = rows[place[there]]
    return found
