"""What a user is told of the track that plays: which it is, why, what is heard of it, and what must be known of its rights."""

from collections.abc import Mapping

from reelscore.engines.match.ranking import Match, Ranking
from reelscore.engines.match.scoring import Part
from reelscore.engines.match.wanted import Window
from reelscore.library import Track, licences

_RUNNERS_UP = 3
_MOST_SPANS = 7  # that are told one by one


def told(match: Match, window: Window, ranking: Ranking, rank: int, again: int) -> tuple[str, ...]:
    """The remarks on a match of that rank, from 0, whose track has played `again` times before."""
    track = match.track
    place = "The best" if rank == 0 else f"Number {rank + 1}"
    remarks = [
        f"{place} of {_counted(len(ranking))}: {named(track)}, score {match.score:.2f} ({_parts(match.parts)}).",
        f"Heard of it{', this time' if again else ''}: {_stretches(window)}.",
    ]
    if others := _runners_up(ranking, rank):
        remarks.append(f"Next would be: {others}.")
    return (*remarks, *_rights(track))


def named(track: Track) -> str:
    """“Title” by Artist (source)."""
    by = f" by {track.artist}" if track.artist else ""
    return f"“{track.title}”{by}{f' ({track.source})' if track.source else ''}"


def _counted(tracks: int) -> str:
    return "1 track" if tracks == 1 else f"{tracks} tracks"


def _parts(parts: Mapping[Part, float]) -> str:
    return ", ".join(f"{part} {fit:.2f}" for part, fit in parts.items())


def _stretches(window: Window) -> str:
    """Which seconds are heard, in the order of the film."""
    spans = [f"{max(0.0, start):.1f} to {end:.1f} s" for start, end in window.stretches]
    if len(spans) > _MOST_SPANS:
        spans = [*spans[:5], f"{len(spans) - 6} more stretches", spans[-1]]
    return f"{', then '.join(spans)}{', its own ending' if window.ends else ''}"


def _runners_up(ranking: Ranking, rank: int) -> str:
    others = (ranking.at(other) for other in range(rank + 1, rank + 1 + _RUNNERS_UP) if other < len(ranking))
    return ", ".join(f"“{other.track.title}” {other.score:.2f}" for other in others if other)


def _rights(track: Track) -> tuple[str, ...]:
    """What must be known of a track's rights."""
    if not track.licence:
        said = f" but “{track.licence_said}”" if track.licence_said else ""
        return (f"No licence is written down for this track{said}: make sure that you may use it.",)
    if terms := licences.terms(track.licence):
        return (f"The licence of this track is {track.licence}: {terms}.",)
    return ()
