"""What pictures look like, and how much alike two of them are.

A small picture has 80 pixels on its longer side, uint8 BGR. Likeness runs from 0 (nothing in common) to 1 (the same), a
palette is a histogram of Lab colours that sums to 1, and differences run from 0 to 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

# Measured on twelve films: pictures 0.2 s apart in one shot reach 0.77 and more, those of different shots 0.65 and less.
ALIKE = 0.7
STILL_FOUND = 0.5  # likeness in the better direction: of what was there, or of what is there now
BLANK_STEP = 12.0  # grey levels between two pictures without texture, from which they count as different

# Of the visible area. Measured: bursts of light in a night sky change 0.36, cuts between two dark views 0.53 and more.
STAYED = 0.42
_UNTOUCHED = 0.03
_CHANGED_GREY_LEVELS, _VISIBLE_GREY_LEVELS = 8.0, 10.0

_SMALL_SIZE = 80

_BLOCK_WIDTH, _BLOCK_HEIGHT = 16, 15
_REACH_X, _REACH_Y = 16, 10  # how far a block may have moved: a fifth of the picture
_TEXTURE = 4.0  # standard deviation, in grey levels, from which a block has something to recognise
_FEWEST_BLOCKS = 3
_CERTAINLY_MOVED = 0.05  # share of a block's energy that may be missing where it is found again
_SURE = 0.85  # correlation of a block that is certainly the same thing
_PALETTE_BINS = 8
# Tints are differences of two colours over their sum. Measured between pictures of one shot 0.05 and less when the light
# stays, and 0.14 beyond the common shift when it turns to lamplight; between smooth drawings of two scenes 0.18 and more.
_TINT_OF_LIGHT, _SAME_TINT, _OTHER_TINT = 0.12, 0.1, 0.3
_SAME_LIGHT, _OTHER_LIGHT = 0.15, 0.65  # natural logarithms of brightness
_PLAIN = 0.7  # share of a block's variance in an even slope, from which its texture is no evidence
_PULL_HOME = 0.1  # by which another place must match better than the block's own


def small(bgr: Bytes) -> Bytes:
    """The picture shrunk to 80 pixels on its longer side."""
    height, width = bgr.shape[:2]
    scale = _SMALL_SIZE / max(height, width)
    size = max(_BLOCK_WIDTH, round(width * scale)), max(_BLOCK_HEIGHT, round(height * scale))
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


@dataclass(frozen=True)
class Kinship:
    """How much of two pictures is the same things seen.

    `likeness` is how well the texture of the middle one of their blocks is found again, `kept` the share of blocks that
    certainly are (a title that fades in over a picture keeps much of it). `agreement` is the likeness where the colours
    have to agree as well, up to one change of light for the whole picture; `either` is the same for the one of the two
    that is found better in the other: 1 for a picture over which something new appears. `textured` says of how many of
    the two there is enough to recognise; with none, the rest says nothing.
    """

    likeness: float
    kept: float
    agreement: float
    either: float
    textured: int


def kinship(one: Bytes, other: Bytes) -> Kinship:
    """How far the things in each of two small pictures are found in the other, wherever they have moved to.

    Blocks are found by the correlation of their texture, so that neither a pan nor a change of light makes one shot
    look like two.
    """
    return _kinship(_found(one, other), _found(other, one))


def _kinship(*both: "Sequence[_Match]") -> Kinship:
    """The kinship of two pictures, from what becomes of the blocks of each in the other."""
    # A picture that turns blank keeps nothing of the one before, though the blank one has no block to miss.
    nothing = np.zeros(1, dtype=np.float32)
    fits = [_fits(found) if len(found) >= _FEWEST_BLOCKS else nothing for found in both]
    agreeing = [_agreement(found) if len(found) >= _FEWEST_BLOCKS else nothing for found in both]
    return Kinship(
        likeness=max(0.0, min(float(np.median(found)) for found in fits)),
        kept=min(float(np.mean(found > _SURE)) for found in fits),
        agreement=max(0.0, min(float(np.median(found)) for found in agreeing)),
        either=max(float(np.median(found)) if len(found) > 1 else 1.0 for found in agreeing),
        textured=sum(len(found) >= _FEWEST_BLOCKS for found in both),
    )


def alike(one: Bytes, other: Bytes, likeness: float = ALIKE, found: float = STILL_FOUND) -> bool:
    """Whether two small pictures show the same view.

    They do when the same things are found in both with this `likeness`, or when most of the picture stayed as it was
    while something appeared in or vanished from it, and the one picture is `found` in the other this well; two without
    texture do when their colours are the same.
    """
    changed = changed_area(one, other)
    if changed < _UNTOUCHED:
        return True
    ahead = _found(one, other)
    if len(ahead) >= _FEWEST_BLOCKS and changed >= STAYED and float(np.median(_agreement(ahead))) < likeness:
        return False  # the way back, which takes as long, cannot change this any more
    kin = _kinship(ahead, _found(other, one))
    if not kin.textured:
        return colour_step(one, other) < BLANK_STEP
    return kin.agreement >= likeness or (changed < STAYED and kin.either >= found)


def changed_area(one: Bytes, other: Bytes) -> float:
    """The share of the area in which two small pictures differ, black in both (as bars are) left out."""
    seen = _brightest(np.maximum(one, other)) > _VISIBLE_GREY_LEVELS
    changed = _brightest(np.asarray(cv2.absdiff(one, other), dtype=np.uint8)) > _CHANGED_GREY_LEVELS
    return int(np.count_nonzero(changed & seen)) / max(1, int(np.count_nonzero(seen)))


def _brightest(picture: Bytes) -> Bytes:
    """The largest of the three channels at every pixel."""
    blue, green, red = cv2.split(picture)
    return np.asarray(cv2.max(cv2.max(blue, green), red), dtype=np.uint8)


def colour_step(one: Bytes, other: Bytes) -> float:
    """Mean absolute difference of two small pictures in grey levels, 0 to 255."""
    return float(np.mean(cv2.mean(cv2.absdiff(one, other))[:3]))


def unexplained(picture: Bytes, *others: Bytes) -> float:
    """How much of the picture's texture none of the others holds as it is: 0 where it has only moved, 1 where it is new.

    The mean squared rest of a block against its own variance, at the block that a third of them come below; so a
    picture that keeps a third of its area counts as explained. 1 where there is too little texture to say.
    """
    grey, *areas = (np.asarray(cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY), dtype=np.uint8) for seen in (picture, *others))
    places = _corners(grey)[::2]
    rests: list[float] = []
    for x, y in places:
        block = grey[y : y + _BLOCK_HEIGHT, x : x + _BLOCK_WIDTH]
        deviation = float(cv2.meanStdDev(block)[1][0, 0])
        if deviation >= _TEXTURE:
            rests.append(_rest(block, areas, x, y, deviation**2 * block.size))
        if sum(rest < _CERTAINLY_MOVED for rest in rests) > len(places) // 3 + 1:
            return 0.0  # whatever the others say, the third of them that comes lowest has only moved
    return float(np.percentile(rests, 33)) if len(rests) >= _FEWEST_BLOCKS else 1.0


def _rest(block: Bytes, areas: Sequence[Bytes], x: int, y: int, energy: float) -> float:
    """The share of the block's energy that the best place near (x, y) in the pictures leaves over, at most 1."""
    rest = 1.0
    for area in areas:
        here = area[y : y + _BLOCK_HEIGHT, x : x + _BLOCK_WIDTH]
        rest = min(rest, cv2.norm(block, here, cv2.NORM_L2SQR) / energy)
        if rest >= _CERTAINLY_MOVED:
            missed = cv2.minMaxLoc(cv2.matchTemplate(_around(area, x, y), block, cv2.TM_SQDIFF))[0]
            rest = min(rest, max(0.0, missed) / energy)
        if rest < _CERTAINLY_MOVED:
            break
    return rest


@dataclass(frozen=True)
class _Match:
    """Where a block was found again: how well its texture fits, and what became of its colour and its light."""

    fit: float
    tint: tuple[float, ...]
    light: float = 0.0
    plain: bool = False


_NOWHERE = _Match(0.0, (0.0, 0.0, 0.0))


def _found(where: Bytes, what: Bytes) -> list[_Match]:
    """What becomes in `where` of each textured block of `what`."""
    matches = []
    for x, y in _corners(what):
        block = what[y : y + _BLOCK_HEIGHT, x : x + _BLOCK_WIDTH]
        mean, deviation = cv2.meanStdDev(block)
        if cv2.sumElems(deviation)[0] >= 3.0 * _TEXTURE:
            matches.append(_match(where, block, mean.ravel().tolist(), x, y))
    return matches


def _match(where: Bytes, block: Bytes, colour: Sequence[float], x: int, y: int) -> _Match:
    """Where the block, `colour` on average and seen at (x, y), is found in `where`."""
    area = _around(where, x, y)
    # Where the area is flat the correlation is 0/0, which OpenCV returns as 1 or worse.
    if cv2.sumElems(cv2.meanStdDev(area)[1])[0] < 3.0:
        return _NOWHERE
    fits = cv2.matchTemplate(area, block, cv2.TM_CCOEFF_NORMED)
    _, fit, _, (left, top) = cv2.minMaxLoc(fits)
    if not np.isfinite(fit):
        return _NOWHERE
    home = min(y, _REACH_Y), min(x, _REACH_X)
    if float(fits[home]) > fit - _PULL_HOME:
        top, left = home
    there = cv2.mean(area[top : top + _BLOCK_HEIGHT, left : left + _BLOCK_WIDTH])[:3]
    light = math.log((sum(there) + 24.0) / (sum(colour) + 24.0))
    turned = tuple(after - before for after, before in zip(_tint(there), _tint(colour), strict=True))
    return _Match(min(fit, 1.0), turned, light, plain=_slope(block) > _PLAIN)


def _tint(colour: Sequence[float]) -> tuple[float, ...]:
    """The three differences between blue, green and red, over their sum; those of near black are near 0."""
    blue, green, red = colour
    total = blue + green + red + 48.0
    return (red - green) / total, (blue - green) / total, (red - blue) / total


def _fits(matches: Sequence[_Match]) -> Floats:
    return np.array([match.fit for match in matches], dtype=np.float32)


def _agreement(matches: Sequence[_Match]) -> Floats:
    """The fit of every match, less where its colour went another way than that of the others.

    One shift of tint, as wide as from daylight to lamplight, and one change of brightness are the light's.
    """
    fits = _fits(matches)
    tints = np.array([match.tint for match in matches], dtype=np.float32)
    lights = np.array([match.light for match in matches], dtype=np.float32)
    plain = np.array([match.plain for match in matches])
    common = np.median(tints, axis=0)
    common *= min(1.0, _TINT_OF_LIGHT / max(1e-6, float(np.linalg.norm(common))))
    off = np.linalg.norm(tints - common, axis=1)
    fits *= np.clip((_OTHER_TINT - off) / (_OTHER_TINT - _SAME_TINT), 0.0, 1.0)
    relit = np.abs(lights - np.median(lights))
    fits *= np.where(plain, np.clip((_OTHER_LIGHT - relit) / (_OTHER_LIGHT - _SAME_LIGHT), 0.0, 1.0), 1.0)
    return fits.astype(np.float32)


def _slope(block: Bytes) -> float:
    """The share of a block's variance that lies in one even slope of grey: near 1 for any piece of a smooth gradient."""
    grey = cv2.cvtColor(block, cv2.COLOR_BGR2GRAY)
    right, down = (_slopes() @ grey.astype(np.float32).ravel()).tolist()
    variance = float(cv2.meanStdDev(grey)[1][0, 0]) ** 2 * grey.size
    return float((right**2 + down**2) / max(1.0, variance))


@cache
def _slopes() -> Floats:
    """A slope to the right and one downward over a block, each of unit length: (2, pixels)."""
    down, right = np.mgrid[0:_BLOCK_HEIGHT, 0:_BLOCK_WIDTH].astype(np.float32)
    both = np.stack([(slope - slope.mean()).ravel() for slope in (right, down)])
    return np.asarray(both / np.linalg.norm(both, axis=1, keepdims=True), dtype=np.float32)


def _corners(picture: Bytes) -> list[tuple[int, int]]:
    """The upper left corner (x, y) of every block of a picture."""
    height, width = picture.shape[:2]
    rows = range(0, height - _BLOCK_HEIGHT + 1, _BLOCK_HEIGHT)
    columns = range(0, width - _BLOCK_WIDTH + 1, _BLOCK_WIDTH)
    return [(x, y) for y in rows for x in columns]


def _around(picture: Bytes, x: int, y: int) -> Bytes:
    """The part of a picture in which the block at (x, y) may lie after a movement."""
    below, right = y + _BLOCK_HEIGHT + _REACH_Y, x + _BLOCK_WIDTH + _REACH_X
    return picture[max(0, y - _REACH_Y) : below, max(0, x - _REACH_X) : right]


def blank(picture: Bytes) -> Literal["black", "white"] | None:
    """Whether a small picture is nothing but black or nothing but white (its middle rows, for films with bars)."""
    mean = sum(cv2.mean(picture)[:3]) / 3.0
    if mean < 30.0 and int(picture.max()) < 32:
        return "black"
    if mean > 128.0:
        rows = picture.shape[0]
        if int(picture[rows // 4 : rows - rows // 4].min()) > 222:
            return "white"
    return None


def palette(picture: Bytes) -> Floats:
    """Share of the picture's area in each of 8³ cells of Lab colour."""
    lab = cv2.cvtColor(picture, cv2.COLOR_BGR2Lab)
    counts = cv2.calcHist([lab], [0, 1, 2], None, [_PALETTE_BINS] * 3, [0, 256, 64, 192, 64, 192])
    return np.asarray(counts / max(1.0, float(counts.sum())), dtype=np.float32)


def palette_difference(one: Floats, other: Floats) -> float:
    """Share of the area whose colour has no near neighbour in the other palette: 0 the same colours, 1 none in common."""
    overlap = float(np.minimum(_softened(one), _softened(other)).sum())
    return float(np.clip(1.0 - overlap, 0.0, 1.0))


def _softened(counts: Floats) -> Floats:
    """The palette spread to neighbouring cells, so that a small drift of exposure is not a new colour."""
    soft = counts.astype(np.float32)
    for axis in range(3):
        padded = np.pad(soft, [(1, 1) if other == axis else (0, 0) for other in range(3)], mode="edge")
        darker = np.take(padded, range(_PALETTE_BINS), axis=axis)
        lighter = np.take(padded, range(2, _PALETTE_BINS + 2), axis=axis)
        soft = 0.5 * soft + 0.25 * (darker + lighter)
    return soft / max(1e-9, float(soft.sum()))


def layout(picture: Bytes) -> Floats:
    """The broad masses of light and colour: 9 × 16 mean colours, in grey levels."""
    return np.asarray(cv2.resize(picture, (16, 9), interpolation=cv2.INTER_AREA), dtype=np.float32)


def layout_difference(one: Floats, other: Floats) -> float:
    """How differently light and colour lie in two pictures, against the contrast that they have: 0 the same, to 1.

    Measured: two views of one street 0.13, a room after a pan 0.22, street and sky of the same night 0.5.
    """
    contrast = float(one.std() + other.std()) + 8.0
    return min(1.0, float(np.abs(one - other).mean()) / contrast)
