"""From a brief to music that is there already: the library is loaded, ranked, and for each seed a track is cut to the film."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from reelscore.checkpoints.towers import PictureWords
from reelscore.engines import Music, Request
from reelscore.engines.match.bars import bars_of
from reelscore.engines.match.cutting import RATE, cut
from reelscore.engines.match.likeness import heard_in, unlike
from reelscore.engines.match.options import Options
from reelscore.engines.match.ranking import Ranking, told_out
from reelscore.engines.match.scoring import Floats
from reelscore.engines.match.seeing import seen
from reelscore.engines.match.shelf import (
    Reader,
    Shelf,
    model_for,
    opened,
    shelf_of,
    text_by_meaning,
    text_by_pictures,
    text_by_words,
)
from reelscore.engines.match.telling import told
from reelscore.engines.match.wanted import Wanted, Window
from reelscore.engines.match.windows import apart, best_window
from reelscore.engines.match.words import sought
from reelscore.errors import InputError, MediaError
from reelscore.finish import finished
from reelscore.library import Track, open_library
from reelscore.progress import Progress


def make(request: Request, seeds: Sequence[int], progress: Progress) -> Iterator[Music]:
    """For each seed n the music of the (n + 1)-th best track. Raises InputError where none can play."""
    options: Options = request.options
    with open_library(options.folder) as library:
        looks = options.by != "brief" and request.film is not None
        reader = opened(options, request.hardware) if looks or options.by == "brief" else None
        shelf = shelf_of(library, options.by, reader, progress)
        text = _text(shelf, request, progress)
        ranking = Ranking(shelf, request.brief, text, options.licences)
        said = (*_how(options, reader, request.film), *_wordless(text))
        for seed in seeds:
            yield _take(ranking, seed, said, progress)


def _text(shelf: Shelf, request: Request, progress: Progress) -> Floats:
    """How well the words of each track fit."""
    if shelf.reader is None:
        return text_by_words(shelf, sought(request.brief))
    if isinstance(shelf.reader, PictureWords):
        assert request.film is not None
        return text_by_pictures(shelf, seen(request.film, request.brief, shelf.reader, progress))
    return text_by_meaning(shelf, sought(request.brief))


def _how(options: Options, reader: Reader | None, film: Path | None) -> tuple[str, ...]:
    """By what the words were compared, where that is not what one would expect."""
    if reader is not None:
        return (
            f"{reader.name} compared {'the film' if options.by != 'brief' else 'the brief'} with the tracks' words.",
        )
    if options.by == "brief":
        return ()
    if film is None:
        return (f"There is no film to look at: the brief's words were looked up in each {options.by}.",)
    name = model_for(options)[0] or "clip-vit-base-patch32"
    return (
        f"There is no CLIP here to look at the film, so the brief's words were looked up in each {options.by};"
        f" get one with: reelscore models get {name}.",
    )


def _wordless(text: Floats) -> tuple[str, ...]:
    if text.any():
        return ()
    return ("No track has any of the words that were looked for, so its sound alone decided.",)


def _take(ranking: Ranking, seed: int, said: tuple[str, ...], progress: Progress) -> Music:
    """The music of one seed; a track that cannot be read gives way to the next."""
    while True:
        rank, again = _place(ranking, seed)
        match = ranking.at(rank)
        assert match is not None
        try:
            window = _window(match.track, ranking.wanted, again)
            sound = cut(match.track, window, progress)
        except MediaError:
            ranking.drop(match, f"{match.track.path} cannot be read as it was when it was added")
            continue
        audio = finished(sound, RATE, ranking.brief, widen=False)
        remarks = (*told(match, window, ranking, rank, again), *said, *told_out(ranking.out))
        return Music(audio, remarks=remarks, licence=match.track.licence, attribution=match.track.attribution)


def _place(ranking: Ranking, seed: int) -> tuple[int, int]:
    """The rank of the track for a seed, and how often all tracks have had their turn before. Raises InputError where none can play."""
    if seed < len(ranking) and ranking.at(seed) is not None:
        return seed, 0
    count = ranking.count()
    if not count:
        raise InputError(f"No track of the library can play. {' '.join(told_out(ranking.out))}".strip())
    return seed % count, seed // count


def _window(track: Track, wanted: Wanted, again: int) -> Window:
    """The best window or, the (n + 1)-th time, one that begins elsewhere; with seams where they are not heard."""
    besides: list[int] = []
    bars = bars_of(track, wanted.duration)
    for _ in range(again % (len(bars) // apart(bars))):
        besides.append(best_window(track, wanted, None, besides).first)
    window = best_window(track, wanted, None, besides)
    if len(window.pieces) > 1:
        window = best_window(track, wanted, unlike(bars, heard_in(track.path)), besides)
    return window
