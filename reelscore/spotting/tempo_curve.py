"""The calmest tempo curve that still meets its cues: a quadratic programme over beat times, solved exactly.

The unknowns are the beat times. Wanted are periods that change little and evenly from beat to beat and stay near the
middle tempo; beats that meet a cue are pulled onto it so hard that they miss by microseconds, unless a limit is in the
way, and may never leave their box. Everything is measured in beats of the middle tempo, so nothing depends on speed.

The method is a primal-dual interior-point method started from a lawful curve. Every step stays inside the limits, so
whatever it returns is lawful, and since each row touches at most three neighbouring beats, a step costs time linear in the
number of beats.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.linalg import LinAlgError, solveh_banded

Floats = npt.NDArray[np.float64]

_SMOOTH = 1.0  # price of a change of tempo, squared
_EVEN = 16.0  # price of a change of that change: it is what makes a curve instead of a zigzag
_NEAR = 0.003  # price of leaving the middle tempo
_PIN = 1e4  # price of missing a cue
_STEPS = 40
_GAP = 1e-10


@dataclass(frozen=True)
class Box:
    """Beat number `beat` must fall between `low` and `high` seconds, and is drawn to `aim` where there is one."""

    beat: int
    low: float
    high: float
    aim: float | None


@dataclass(frozen=True)
class Limits:
    """Shortest and longest period in seconds, and the largest change from one to the next (0.03 is 3 %)."""

    shortest: float
    longest: float
    change: float


def calm_curve(beats: Floats, boxes: list[Box], limits: Limits) -> Floats:
    """The beat times nearest to an even tempo within `limits` and `boxes`; the first stays at 0, the last box ends the piece.

    `beats` must lie strictly inside all limits; what comes back does so too.
    """
    if len(beats) < 4:
        return beats
    unit = float(np.median(np.diff(beats)))
    quadratic, linear = _wanted(len(beats) - 1, boxes, unit)
    rows, bounds = _limits(len(beats) - 1, boxes, limits, unit)
    return np.concatenate([[0.0], _minimum(quadratic, linear, rows, bounds, beats[1:] / unit) * unit])


def _wanted(count: int, boxes: list[Box], unit: float) -> tuple[sparse.csr_array, Floats]:
    """The objective ½ xᵀ Q x − fᵀ x over the beats after the first."""
    first = sparse.diags_array([1.0, -1.0], offsets=[0, -1], shape=(count, count), format="csr")
    second = first[1:] - first[:-1]
    third = second[1:] - second[:-1]
    pinned = [box for box in boxes if box.aim is not None]
    where = np.array([box.beat - 1 for box in pinned], dtype=int)
    weight = np.zeros(count)
    aims = np.zeros(count)
    weight[where] = _PIN
    aims[where] = [box.aim / unit for box in pinned if box.aim is not None]
    quadratic = _SMOOTH * second.T @ second + _EVEN * third.T @ third + _NEAR * first.T @ first
    quadratic = quadratic + sparse.diags_array(weight)
    return quadratic.tocsr(), weight * aims + _NEAR * (first.T @ np.ones(count))


def _limits(count: int, boxes: list[Box], limits: Limits, unit: float) -> tuple[sparse.csr_array, Floats]:
    """The limits as G x ≤ h over the beats after the first."""
    period = sparse.diags_array([1.0, -1.0], offsets=[0, -1], shape=(count, count), format="csr")
    before, after = period[:-1], period[1:]
    growth = 1.0 + limits.change
    where = np.array([box.beat - 1 for box in boxes], dtype=int)
    boxed = sparse.csr_array((np.ones(len(boxes)), (np.arange(len(boxes)), where)), shape=(len(boxes), count))
    low = np.array([box.low for box in boxes]) / unit
    high = np.array([box.high for box in boxes]) / unit
    rows = [period, -period, after - growth * before, before - growth * after, boxed, -boxed]
    bounds = [
        np.full(count, limits.longest / unit), np.full(count, -limits.shortest / unit),
        np.zeros(count - 1), np.zeros(count - 1), high, -low,
    ]  # fmt: skip
    return sparse.vstack(rows, format="csr"), np.concatenate(bounds)


def _minimum(quadratic: sparse.csr_array, linear: Floats, rows: sparse.csr_array, bounds: Floats, x: Floats) -> Floats:
    """Minimises ½ xᵀ Q x − fᵀ x subject to G x ≤ h, from an x strictly inside, by Mehrotra's predictor and corrector."""
    slack = bounds - rows @ x
    if slack.min() <= 0.0:
        return x
    price = np.full(len(slack), 1e-4) / np.maximum(slack, 1e-3)
    across = rows.T.tocsr()
    for _ in range(_STEPS):
        gap = float(slack @ price) / len(slack)
        gradient = quadratic @ x - linear + across @ price
        if gap < _GAP and np.abs(gradient).max() < 1e-8:
            break
        banded = _banded(quadratic + across @ sparse.diags_array(price / slack) @ rows)
        try:
            move, price_move = _newton(banded, gradient, rows, across, slack, price, slack * price)
            reach = min(_room(slack, -(rows @ move)), _room(price, price_move))
            after = float((slack - reach * (rows @ move)) @ (price + reach * price_move)) / len(slack)
            target = gap * (after / gap) ** 3
            bent = slack * price - (rows @ move) * price_move - target
            move, price_move = _newton(banded, gradient, rows, across, slack, price, bent)
        except LinAlgError:
            break
        reach = 0.99 * min(_room(slack, -(rows @ move)), _room(price, price_move))
        x = x + reach * move
        price = price + reach * price_move
        slack = bounds - rows @ x
        if slack.min() <= 0.0:  # rounding, when a limit is all but touched
            return x - reach * move
    return x


def _newton(
    banded: Floats,
    gradient: Floats,
    rows: sparse.csr_array,
    across: sparse.csr_array,
    slack: Floats,
    price: Floats,
    product: Floats,
) -> tuple[Floats, Floats]:
    """The step in x and in the prices that takes the gradient and the products of slack and price to zero."""
    move = solveh_banded(banded, -(gradient - across @ (product / slack)), check_finite=False)
    return move, (price * (rows @ move) - product) / slack


def _room(values: Floats, moves: Floats) -> float:
    """How far, at most 1, all of `values` can go along `moves` and stay positive."""
    falling = moves < 0
    return min(1.0, float(np.min(-values[falling] / moves[falling]))) if falling.any() else 1.0


def _banded(matrix: sparse.csr_array) -> Floats:
    """The upper diagonals of a symmetric matrix of bandwidth three, as LAPACK wants them."""
    count = matrix.shape[0]
    banded = np.zeros((4, count))
    for away in range(min(4, count)):
        banded[3 - away, away:] = matrix.diagonal(away)
    return banded
