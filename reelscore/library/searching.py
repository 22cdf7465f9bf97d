"""Finding tracks by their words and numbers.

Words are matched by SQLite's own full-text search: stems (Porter), without accents, ranked by its BM25. What a person or
a film's brief says is only ever words to it, never its query language.
"""

from __future__ import annotations

import re
from typing import Any
from unicodedata import normalize

import numpy as np

from reelscore.brief import Key
from reelscore.errors import InputError
from reelscore.library.store import Store
from reelscore.library.tracks import Field, Floats, Found, Ids, Wanted

MOST_WORDS = 200  # of a query; a paragraph has fewer
# How much a word counts that is found in the title, the description, the tags, the artist's name.
_WEIGHTS = "2.0, 1.0, 1.5, 1.0"
_COLUMNS = {"description": "description tags", "title": "title", "both": "title description tags"}
_OFTEN = (
    "a about all also an and any are as at be been but by can could do does for from had has have he her his i if in into is it "
    "its like may me more most my no not of on or our out over she should so some such than that the their them then there "
    "these they this to up us very was we were what when which while who will with would you your"
)
_SAID_OFTEN = frozenset(_OFTEN.split())


def words_score(store: Store, query: str, field: Field) -> tuple[Ids, Floats]:
    """See `Library.words_score`."""
    ids = store.ids()
    scores = np.zeros(ids.size, np.float32)
    words = [word for word in _words(query) if word not in _SAID_OFTEN][:MOST_WORDS]
    if words:
        asked = f"{{{_COLUMNS[field]}}} : ({' OR '.join(map(_quoted, words))})"
        found = _ranked(store, asked)
        if found.size:
            at = np.searchsorted(ids, found["id"]).clip(max=ids.size - 1)
            still = ids[at] == found["id"]  # none that was added since
            scores[at[still]] = found["score"][still] / found["score"].max()
    return ids, scores


def search(store: Store, words: str, wanted: Wanted, limit: int | None) -> list[Found]:
    """See `Library.search`."""
    passing = _passing(store, wanted)
    asked = _words(words)[:MOST_WORDS]
    if words.strip() and not asked:
        raise InputError(f"{words!r} holds no word to look for; give words of a title, description, tag or artist.")
    if asked:
        best = _ranked(store, " ".join(map(_quoted, asked)))
        chosen = {int(id_): float(score) for id_, score in best if int(id_) in passing}
        most = max(chosen.values(), default=1.0)
        order = sorted(chosen, key=lambda id_: (-chosen[id_], id_))
        scores = {id_: chosen[id_] / most for id_ in order[:limit]}
    else:
        scores = dict.fromkeys(sorted(passing, key=lambda id_: (passing[id_].casefold(), id_))[:limit], 1.0)
    return [Found(track, scores[track.id]) for track in store.tracks(list(scores))]


def _words(text: str) -> list[str]:
    """The words of a text, each once, in small letters."""
    return list(dict.fromkeys(re.findall(r"[^\W_]+", normalize("NFKC", text).lower())))


def _quoted(word: str) -> str:
    return f'"{word}"'


def _ranked(store: Store, asked: str) -> Any:
    """The tracks that match, with BM25 turned so that more is better: a table of `id` and `score` (above 0)."""
    rows = store.rows(f"SELECT rowid, -bm25(words, {_WEIGHTS}) FROM words WHERE words MATCH ?", (asked,))
    found = np.array(rows, [("id", np.int64), ("score", np.float64)])
    found["score"] = np.maximum(found["score"], 1e-9)
    return found


def _passing(store: Store, wanted: Wanted) -> dict[int, str]:
    """The ids of the tracks that are as wanted, with their titles."""
    clauses = ["1"]
    values: list[Any] = []
    if wanted.licences:
        clauses.append(f"licence IN ({','.join('?' * len(wanted.licences))}) AND licence <> ''")
        values += sorted(wanted.licences)
    for column, between in (("tempo_bpm", wanted.tempo_bpm), ("duration", wanted.duration)):
        if between is not None:
            clauses.append(f"{column} BETWEEN ? AND ?")
            values += [float(edge) for edge in between]
    if wanted.key is not None:
        clauses.append("key = ?")
        values.append(_key(wanted.key))
    rows = store.rows(f"SELECT id, title, tags FROM track WHERE {' AND '.join(clauses)}", values)
    tags = {tag.strip().casefold() for tag in wanted.tags}
    return {id_: title for id_, title, said in rows if tags <= set(said.casefold().split(", "))}


def _key(text: str) -> str:
    try:
        return str(Key.parse(text))
    except ValueError as problem:
        raise InputError(f"{problem}.") from problem
