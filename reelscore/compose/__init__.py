"""From a brief to a score: form, harmony, tune, players, accents, levels; each step a file of this folder.

`compose` is the whole of it. The same brief, seed and melody give the same score; another seed another piece.
"""

from reelscore.brief import Brief
from reelscore.compose import styles
from reelscore.compose.accents import hits_of, make_room, strike
from reelscore.compose.arrange import dice_for, make_plan, play_all
from reelscore.compose.casting import cast_for
from reelscore.compose.form import lay_out
from reelscore.compose.given import Melody, MelodyNote, theme_of
from reelscore.compose.melody import invent
from reelscore.compose.midi import read_melody, write_midi
from reelscore.compose.score import Score
from reelscore.compose.tidy import finish

__all__ = ["Melody", "MelodyNote", "compose", "read_melody", "write_midi"]

DEFAULT_GENRE = "cinematic"


def compose(brief: Brief, seed: int, melody: Melody | None = None) -> Score:
    """The score for a brief that has a tempo map and at least one section; `melody` becomes its motif.

    Raises ValueError where the brief is not complete.
    """
    if brief.tempo_map is None or not brief.sections:
        raise ValueError("a brief to compose from has a tempo map and at least one section; complete it first")
    genres = brief.tags.genres or (DEFAULT_GENRE,)
    style = styles.find(genres[0])
    second = styles.find(genres[1]) if len(genres) > 1 and genres[1] != genres[0] else None
    form = lay_out(brief, brief.tempo_map)
    cast = cast_for(brief, style, second)
    metre = _usual_metre(brief.tempo_map.bars)
    theme = theme_of(melody, metre) if melody and melody.notes else None
    motif = theme.motif() if theme else invent(style.taste, metre, dice_for(seed, "motif"))
    plan = make_plan(brief, form, style, motif, seed, theme)
    drafts = play_all(plan, cast, style, seed)
    hits = hits_of(brief, plan, style)
    make_room(drafts, hits, form.ending)
    drafts = strike(drafts, hits, cast, plan, style)
    return finish(brief, plan, drafts, hits, style)


def _usual_metre(bars: tuple[int, ...]) -> int:
    """How many beats most bars have."""
    return max(sorted(set(bars)), key=bars.count)
