"""The triangle of three shares: where a mix of spend lies, and where the price of imbalance is equal."""

from __future__ import annotations

import math
from functools import cache
from typing import Final

from templates.svg import Point

Shares = tuple[float, float, float]

WIDTH: Final = 504.5
SIDE: Final = 318.0
HEIGHT: Final = SIDE * math.sqrt(3) / 2
APEX_Y: Final = 36.0
BASE_Y: Final = APEX_Y + HEIGHT
TOP: Final[Point] = (WIDTH / 2, APEX_Y)
LEFT: Final[Point] = (WIDTH / 2 - SIDE / 2, BASE_Y)
RIGHT: Final[Point] = (WIDTH / 2 + SIDE / 2, BASE_Y)
RAYS: Final = 240
HALVINGS: Final = 30
TICKS: Final = (0.2, 0.4, 0.6, 0.8)


def point(shares: Shares) -> Point:
    """Where shares of pre-training (top), post-training (left) and inference (right) lie."""
    pre, post, inference = shares
    return (
        pre * TOP[0] + post * LEFT[0] + inference * RIGHT[0],
        pre * TOP[1] + post * LEFT[1] + inference * RIGHT[1],
    )


def shares_at(at: Point) -> Shares:
    """The shares of a point of the plane; negative outside the triangle."""
    pre = (BASE_Y - at[1]) / HEIGHT
    inference = (at[0] - LEFT[0] - pre * SIDE / 2) / SIDE
    return pre, 1 - pre - inference, inference


def edge_x(side: int, y: float) -> float:
    """The triangle's left (-1) or right (+1) side at a height."""
    return TOP[0] + side * (min(max(y, APEX_Y), BASE_Y) - APEX_Y) / HEIGHT * SIDE / 2


def penalty(shares: Shares, target: Shares) -> float:
    """What the same quality costs more than at the target; infinite where a share is missing."""
    if min(shares) <= 0:
        return math.inf
    return math.exp(sum(e * math.log(e / s) for e, s in zip(target, shares, strict=True))) - 1


@cache
def contour(target: Shares, level: float) -> tuple[Point, ...]:
    """The line of equal penalty around the target, found along rays by bisection."""
    return tuple(_on_ray(target, level, 2 * math.pi * ray / RAYS) for ray in range(RAYS))


def _on_ray(target: Shares, level: float, angle: float) -> Point:
    centre, direction = point(target), (math.cos(angle), math.sin(angle))
    near, far = 0.0, SIDE
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        at = (centre[0] + middle * direction[0], centre[1] + middle * direction[1])
        is_inside = penalty(shares_at(at), target) < level
        near, far = (middle, far) if is_inside else (near, middle)
    return centre[0] + near * direction[0], centre[1] + near * direction[1]
