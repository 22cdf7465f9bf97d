"""Solo piano: two hands and the pedal; the left hand changes its figure with the energy."""

from reelscore.compose.basses import bass
from reelscore.compose.melody import Taste
from reelscore.compose.players import block, comp, left_hand
from reelscore.compose.singing import counter, theme
from reelscore.compose.style import Accents, Layer, Style

_PIANOS = ("grand piano", "felt piano", "electric piano", "harp", "vibraphone")

STYLE = Style(
    "solo piano",
    layers=(
        Layer(
            "Right hand", "lead", _PIANOS, theme(0.84), enters=0.1, gain_db=0, pan=0.1, reverb_db=-14, low=58, high=91
        ),
        Layer(
            "Octaves",
            "double",
            _PIANOS,
            theme(0.7),
            enters=0.75,
            gain_db=-3,
            pan=0.14,
            reverb_db=-14,
            low=72,
            high=98,
            bright=True,
        ),
        Layer(
            "Inner voice",
            "counter",
            _PIANOS,
            counter(0.5),
            enters=0.45,
            gain_db=-4,
            pan=0.05,
            reverb_db=-14,
            low=53,
            high=69,
        ),
        Layer(
            "Left hand, chords",
            "figure",
            _PIANOS,
            block(3, 1, 0.6, True),
            leaves=0.3,
            gain_db=-2,
            pan=-0.1,
            reverb_db=-14,
            low=45,
            high=67,
        ),
        Layer(
            "Left hand, broken",
            "figure",
            _PIANOS,
            left_hand(((0, 7, 12, 16, 19, 16, 12, 7), (0, 7, 12, 14, 16, 12, 7, 12), (0, 7, 16, 12, 19, 12, 16, 7))),
            enters=0.3,
            leaves=0.7,
            gain_db=-3,
            pan=-0.12,
            reverb_db=-14,
            low=36,
            high=74,
        ),
        Layer(
            "Left hand, rolling",
            "figure",
            _PIANOS,
            left_hand(((0, 7, 12, 16, 12, 7, 12, 7, 0, 7, 12, 16, 19, 16, 12, 7),), 0.25),
            enters=0.7,
            gain_db=-4,
            pan=-0.12,
            reverb_db=-14,
            low=33,
            high=72,
        ),
        Layer(
            "Chords",
            "pulse",
            _PIANOS,
            comp(("6...5.5.6...5.5.", "..5...5...5...5."), 3, 1.5),
            enters=0.62,
            gain_db=-5,
            pan=0.0,
            reverb_db=-14,
            low=55,
            high=74,
        ),
        Layer(
            "Low octaves",
            "bass",
            _PIANOS,
            bass(("8.......7.......", "8..............."), 0.95),
            enters=0.55,
            gain_db=-4,
            pan=-0.2,
            reverb_db=-16,
            low=28,
            high=43,
        ),
    ),
    taste=Taste("medium", 5, 1.1, 73),
    colour="add9",
    looseness=0.011,
    span_lu=5,
    accents=Accents(_PIANOS, -3, boom=False, riser=False, breath=0.2),
)
