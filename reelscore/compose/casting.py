"""Casting: which instrument plays each layer of a style, given what the person asked for and what they avoid."""

from dataclasses import dataclass, replace

from reelscore.brief import Brief
from reelscore.compose.basses import bass
from reelscore.compose.players import arpeggio, comp, pad
from reelscore.compose.rhythm import BRUSH_FILLS, drums
from reelscore.compose.style import Layer, Role, Style
from reelscore.vocabulary import GENRES, INSTRUMENTS, Family

# Who can stand in when everybody a layer names is avoided.
_STAND_INS: dict[Role, tuple[str, ...]] = {
    "lead": ("grand piano", "solo violin", "flute", "vibraphone", "synth lead", "trumpet", "choir", "acoustic guitar", "organ"),
    "double": ("flute", "strings", "vibraphone", "synth pluck", "trumpet", "choir"),
    "counter": ("solo cello", "clarinet", "french horn", "vibraphone", "electric guitar", "warm pad"),
    "pad": ("warm pad", "strings", "organ", "choir", "french horn", "clarinet", "grand piano"),
    "figure": ("grand piano", "harp", "acoustic guitar", "marimba", "pizzicato strings", "synth pluck", "clarinet"),
    "pulse": ("pizzicato strings", "marimba", "synth pluck", "acoustic guitar", "grand piano", "strings", "clarinet"),
    "bass": ("upright bass", "electric bass", "synth bass", "solo cello", "bassoon", "grand piano", "warm pad", "organ", "brass section", "harp", "marimba"),
    "kit": ("drum kit", "electronic kit", "cinematic percussion", "brushes", "shaker"),
    "colour": ("glockenspiel", "vibraphone", "harp", "synth pluck", "grand piano"),
}  # fmt: skip
_STRUCK = (
    "grand piano", "pizzicato strings", "harp", "marimba", "vibraphone", "synth pluck", "acoustic guitar",
    "electric guitar", "electric piano", "glockenspiel", "felt piano", "brass section", "organ", "strings",
)  # fmt: skip

_LIGHT_BEAT = {"kick": "7.......6.......", "snare": "....5.......5...", "shaker": "5.4.5.4.5.4.5.4."}

_ROLES_OF: dict[Family, tuple[Role, ...]] = {
    "keys": ("figure", "pulse", "lead", "pad"),
    "mallets": ("colour", "pulse", "figure", "lead"),
    "plucked": ("figure", "pulse", "lead"),
    "strings": ("lead", "counter", "pad", "double"),
    "woodwind": ("lead", "double", "counter"),
    "brass": ("lead", "double", "counter", "pad"),
    "voices": ("pad", "counter", "double"),
    "pads": ("pad",),
    "synths": ("lead", "pulse", "double", "figure"),
    "bass": ("bass",),
    "drums": ("kit",),
    "effects": (),
}


@dataclass(frozen=True)
class Chair:
    """A layer with its instrument, and the register and energies in which it plays."""

    layer: Layer
    name: str
    instrument: str
    low: int
    high: int
    enters: float
    leaves: float

    @property
    def role(self) -> Role:
        return self.layer.role


@dataclass(frozen=True)
class Cast:
    """Everybody on stage: the chairs, and what strikes accents (None where it is avoided or not of the style)."""

    chairs: tuple[Chair, ...]
    struck: str | None
    boom: str | None
    riser: str | None
    crash: str | None


def cast_for(brief: Brief, style: Style, second: Style | None) -> Cast:
    """The cast of a style for a brief; a second genre lends its instruments to leads and pads and one of its colours."""
    layers = _blended(style, second) if second else list(style.layers)
    chosen = [_first_allowed(layer, brief) for layer in layers]
    asked = asked_for(brief)
    claimed, guests = _grant_wishes(brief, style, layers, chosen)
    has_kit = any(
        instrument and layer.role == "kit" and layer.accents for layer, instrument in zip(layers, chosen, strict=True)
    )
    wanted_kit = any(layer.role == "kit" and layer.accents for layer in layers)
    earlier = 0.2 if wanted_kit and not has_kit else 0.0
    chairs: list[Chair] = []
    for index, (layer, instrument) in enumerate(zip(layers, chosen, strict=True)):
        if instrument is not None:
            driven = earlier if layer.role in ("pulse", "figure") else 0.0
            chairs.append(_chair(layer, instrument, index in claimed and instrument in asked, driven))
    chairs += [_chair(guest, guest.instruments[0], True, 0.0) for guest in guests]
    if earlier:
        chairs += _pulse_without_drums(brief)
    return Cast(
        chairs=tuple(_named_apart(chairs)),
        struck=_first_of((*style.accents.struck, *_STRUCK), brief),
        boom=_first_of(("impact",), brief) if style.accents.boom else None,
        riser=_first_of(("riser",), brief) if style.accents.riser else None,
        crash=next((c.instrument for c in chairs if c.role == "kit" and c.layer.accents), None),
    )


def asked_for(brief: Brief) -> set[str]:
    """The instruments that the person named: where a rule filled the list up, what stands before the genre's palette.

    Only these are brought in early. A palette tells who may play; when they enter is what makes a build.
    """
    names = brief.tags.instruments
    if "rule:" not in brief.sources.get("tags.instruments", "") or not brief.tags.genres:
        return set(names)
    palette = GENRES[brief.tags.genres[0]].instruments
    count, reach = len(names), len(palette)
    while count and names[count - 1] in palette[:reach]:
        count -= 1
        reach = palette.index(names[count])
    return set(names[:count])


def _first_of(names: tuple[str, ...], brief: Brief) -> str | None:
    return next((name for name in names if not brief.avoids(name)), None)


def _first_allowed(layer: Layer, brief: Brief) -> str | None:
    own = _first_of(layer.instruments, brief)
    # A layer of hand percussion or colour is simply left out; the music stands without it.
    if own is None and not (layer.role == "kit" and not layer.accents):
        return _first_of(_STAND_INS[layer.role], brief)
    return own


def _blended(style: Style, second: Style) -> list[Layer]:
    """The first style's layers, with the second style's players in every other lead, pad and colour."""
    layers: list[Layer] = []
    lenders = {
        role: [layer for layer in second.layers if layer.role == role] for role in ("lead", "pad", "colour", "counter")
    }
    taken = dict.fromkeys(lenders, 0)
    for layer in style.layers:
        offers = lenders.get(layer.role, [])
        if offers and taken[layer.role] < len(offers) and layer.role != "lead":
            lender = offers[taken[layer.role]]
            taken[layer.role] += 1
            names = tuple(dict.fromkeys((*lender.instruments[:2], *layer.instruments)))
            layers.append(replace(layer, instruments=names))
        elif offers and layer.role == "lead":
            names = tuple(dict.fromkeys((offers[0].instruments[0], *layer.instruments)))
            layers.append(replace(layer, instruments=names))
        else:
            layers.append(layer)
    own_roles = {layer.role for layer in style.layers}
    extra = [layer for layer in second.layers if layer.role in ("colour", "kit") and layer.role not in own_roles]
    return layers + extra[:1]


def _grant_wishes(
    brief: Brief, style: Style, layers: list[Layer], chosen: list[str | None]
) -> tuple[set[int], list[Layer]]:
    """Puts wished instruments on the layers that suit them best; returns the layers so claimed, and those for guests."""
    claimed: set[int] = set()
    guests: list[Layer] = []
    is_solo = len({layer.instruments for layer in style.layers}) == 1
    for wish in brief.tags.instruments:
        if brief.avoids(wish):
            continue
        family = INSTRUMENTS[wish].family
        if is_solo and wish in style.layers[0].instruments and not claimed:
            chosen[:] = [wish] * len(chosen)
            claimed |= set(range(len(layers)))
            continue
        free = [index for index in range(len(layers)) if index not in claimed]
        asking = [index for index in free if wish in layers[index].instruments]
        by_role = [i for role in _ROLES_OF[family] for i in free if layers[i].role == role and not is_solo]
        # Who already has it keeps it; then who could have it; then whose role suits its family.
        having = [index for index in asking if chosen[index] == wish]
        candidates = having or asking or by_role
        if candidates:
            chosen[candidates[0]] = wish
            claimed.add(candidates[0])
        elif family != "effects":
            guests.append(_guest(wish))
    return claimed, guests


def _guest(wish: str) -> Layer:
    """A layer for an instrument that the style has no place for: a light beat, a bass, held chords or broken ones."""
    facts = INSTRUMENTS[wish]
    name = wish.capitalize()
    if facts.drums:
        beat = drums((_LIGHT_BEAT,), BRUSH_FILLS, crash=False)
        return Layer(name, "kit", (wish,), beat, gain_db=-8, reverb_db=-14, silent_in=("intro",))
    if facts.family == "bass":
        return Layer(name, "bass", (wish,), bass(("8.......7.......",)), gain_db=-4, reverb_db=-24, low=28, high=48)
    if facts.sustained:
        return Layer(name, "pad", (wish,), pad(3, velocity=0.62), gain_db=-8, pan=0.15, reverb_db=-10, low=50, high=76)
    broken = arpeggio(((0, 1, 2, 1), (0, 2, 1, 2)), 0.5, 1.5, 3, "7565")
    return Layer(name, "figure", (wish,), broken, gain_db=-8, pan=0.25, reverb_db=-12, low=55, high=80)


def _chair(layer: Layer, instrument: str, wished: bool, earlier: float) -> Chair:
    facts = INSTRUMENTS[instrument]
    if facts.drums:
        low, high = 35, 81
    else:
        low, high = _register(layer, instrument)
    enters = max(layer.enters - earlier, 0.0)
    leaves = layer.leaves
    if wished:
        # What was asked for by name is heard in all but the quietest passages.
        enters = min(enters, 0.2)
        leaves = 1.01 if layer.role in ("lead", "figure", "pulse") else leaves
    name = layer.name if instrument == layer.instruments[0] else instrument.capitalize()
    return Chair(layer, name, instrument, low, high, enters, leaves)


def _register(layer: Layer, instrument: str) -> tuple[int, int]:
    """The layer's register as far as the instrument reaches; at least an octave and a half where the instrument has it."""
    facts = INSTRUMENTS[instrument]
    low, high = max(layer.low, facts.low), min(layer.high, facts.high)
    if high - low < 18:
        high = min(max(high, low + 18), facts.high)
        low = max(min(low, high - 18), facts.low)
    return low, high


def _pulse_without_drums(brief: Brief) -> list[Chair]:
    """Somebody plucks the eighths that the drums would have kept."""
    instrument = _first_of(_STAND_INS["pulse"], brief)
    if instrument is None:
        return []
    layer = Layer(
        "Pulse", "pulse", (instrument,), comp(("8.6.7.6.8.6.7.6.", "8.6.7.6.8.667.6."), 2, 0.6),
        enters=0.45, gain_db=-6, pan=-0.2, low=52, high=72, silent_in=("intro", "breakdown"),
    )  # fmt: skip
    return [_chair(layer, instrument, False, 0.0)]


def _named_apart(chairs: list[Chair]) -> list[Chair]:
    seen: dict[str, int] = {}
    named: list[Chair] = []
    for chair in chairs:
        seen[chair.name] = seen.get(chair.name, 0) + 1
        named.append(replace(chair, name=f"{chair.name} {seen[chair.name]}") if seen[chair.name] > 1 else chair)
    return named
