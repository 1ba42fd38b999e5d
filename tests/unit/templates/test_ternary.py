"""The triangle: equal prices of imbalance, and labels that touch neither each other nor a dot."""

from __future__ import annotations

import math
import random
from itertools import combinations

import pytest

from templates.figures import ternary_labels as labels
from templates.figures.ternary import LEAST_RADIUS, ModelDot, radius, radius_scale
from templates.figures.ternary_plane import TICKS, Shares, contour, penalty, point, shares_at
from templates.typesetting.typeface import SEMIBOLD, text_width

THIRDS = (1 / 3, 1 / 3, 1 / 3)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [((0.45, 0.35, 0.20), 0.056), ((0.25, 0.25, 0.50), 0.058), ((0.2, 0.2, 0.6), 0.156), ((0.6, 0.1, 0.3), 0.27),
     ((0.1, 0.1, 0.8), 0.67)],
)  # fmt: skip
def test_the_penalty_of_known_mixes_is_known(shares: Shares, expected: float) -> None:
    assert penalty(shares, THIRDS) == pytest.approx(expected, abs=0.005)


def test_one_corner_at_twice_the_others_costs_six_percent() -> None:
    # (1/3)^3 / (0.25 · 0.25 · 0.5) = 0.037037 / 0.03125 = 1.185; its cube root is 1.058
    assert penalty((0.25, 0.25, 0.5), THIRDS) == pytest.approx(1.185185 ** (1 / 3) - 1, abs=1e-6)


@pytest.mark.parametrize("target", [THIRDS, (0.3, 0.2, 0.5)])
@pytest.mark.parametrize("level", [0.1, 0.25, 0.5])
def test_every_point_of_a_contour_has_its_penalty(target: Shares, level: float) -> None:
    for at in contour(target, level):
        assert penalty(shares_at(at), target) == pytest.approx(level, abs=1e-4)


def test_a_point_gives_back_its_shares() -> None:
    assert shares_at(point((0.2, 0.3, 0.5))) == pytest.approx((0.2, 0.3, 0.5))


def test_the_area_of_a_dot_is_in_proportion_to_spend() -> None:
    dots = [ModelDot("a", "", THIRDS, 16e6, "balanced"), ModelDot("b", "", THIRDS, 4e6, "balanced")]
    scale = radius_scale(dots)
    assert radius(16e6, scale) == pytest.approx(16)
    assert radius(4e6, scale) == pytest.approx(8)
    assert radius(1.0, scale) == LEAST_RADIUS


Box = tuple[float, float, float, float]


def box_of(label: labels.Label) -> Box:
    x, y = label.anchor
    width = max(text_width(label.name, 7.4, weight=SEMIBOLD), text_width(label.note, 6.6))
    left = x if label.side > 0 else x - width
    return left, y - 6.5, left + width, y + 8.8


def overlap(one: Box, two: Box) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


def random_labels(seed: int) -> list[labels.Label]:
    dice = random.Random(seed)  # noqa: S311 - a test's dice
    made = []
    for place in range(dice.randint(1, 12)):
        weights = [dice.random() ** 2 + 1e-3 for _ in range(3)]
        at = point((weights[0] / sum(weights), weights[1] / sum(weights), weights[2] / sum(weights)))
        side = 1 if at[0] >= point(THIRDS)[0] else -1
        size = dice.uniform(LEAST_RADIUS, 16)
        made.append(labels.Label(f"Model-{place}-{dice.randint(1, 400)}B-it"[:18], "$18.3M, +14 %", at, size, side))
    return made


@pytest.mark.parametrize("height", [150, 160, 170, 180, 190, 200, 210, 220])
def test_a_label_on_the_left_leaves_the_numbers_of_its_side_readable(height: float) -> None:
    (label,) = labels.placed([labels.Label("heron-70b", "$2.37M, +24 %", (200.0, height), 8.0, -1)])

    for x, y in (point((1 - share, share, 0.0)) for share in TICKS):
        assert not overlap(box_of(label), (x - 13, y - 8.5, x - 4, y - 4.2))


@pytest.mark.parametrize("seed", range(200))
def test_no_label_touches_another_or_a_dot_and_no_leader_crosses(seed: int) -> None:
    placed = labels.placed(random_labels(seed))
    assert len(placed) == len(random_labels(seed))
    for one, two in combinations(placed, 2):
        assert not overlap(box_of(one), box_of(two))
        assert not (one.side == two.side and labels.crosses(one.leader, two.leader))
    for label in placed:
        left, top, right, bottom = box_of(label)
        for other in placed:
            x, y = other.dot
            nearest = math.hypot(x - min(max(x, left), right), y - min(max(y, top), bottom))
            assert nearest >= other.radius
