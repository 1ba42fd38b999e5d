"""Where the labels of the triangle stand: outside it, apart from each other, with leader lines that do not cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from templates.figures.ternary_plane import BASE_Y, TICKS, edge_x, point
from templates.svg import Point

GAP: Final = 23.0
STEP: Final = 17.0
LEADER_GAP: Final = 3.0
LEFT_TOP: Final = 112.0
RIGHT_TOP: Final = 40.0
BOTTOM: Final = BASE_Y - 3.0
# A number of the left side stands where the second line of a label above its tick would be: no label goes there.
TICK_BANDS: Final = tuple((y - 17.2, y - 3.0) for y in sorted(point((1 - share, share, 0.0))[1] for share in TICKS))
SIDES: Final = {-1: LEFT_TOP, 1: RIGHT_TOP}


@dataclass(frozen=True)
class Label:
    """One label: its two lines, the dot it names, and the side and height it stands at."""

    name: str
    note: str
    dot: Point
    radius: float
    side: int
    is_optional: bool = False
    y: float = 0.0

    @property
    def anchor(self) -> Point:
        """Where its text begins, or ends on the left side."""
        return edge_x(self.side, self.y) + self.side * GAP, self.y

    @property
    def leader(self) -> tuple[Point, Point]:
        """The line from the text to the rim of the dot."""
        x, y = self.anchor
        start = (x - self.side * LEADER_GAP, y)
        across, down = start[0] - self.dot[0], start[1] - self.dot[1]
        length = max((across**2 + down**2) ** 0.5, 1e-9)
        rim = self.radius / length
        return start, (self.dot[0] + across * rim, self.dot[1] + down * rim)


def placed(labels: Sequence[Label]) -> list[Label]:
    """All labels at their final heights, left side first; optional ones go where there is no room."""
    return [label for side in (-1, 1) for label in _on_side(labels, side)]


def _on_side(labels: Sequence[Label], side: int) -> list[Label]:
    top = SIDES[side]
    room = int((BOTTOM - top) // STEP) + 1
    ours = [label for label in labels if label.side == side]
    kept = sorted(ours, key=lambda label: label.is_optional)[:room]
    ordered = sorted(kept, key=lambda label: (label.dot[1], label.name))
    return _untangled(_apart(ordered, top, TICK_BANDS if side < 0 else ()))


def _apart(labels: list[Label], top: float, bands: Sequence[tuple[float, float]]) -> list[Label]:
    """One pass down pushes labels below their upper neighbour, one pass up brings them back into the figure."""
    heights = [min(max(_beside(label.dot[1], bands), top), BOTTOM) for label in labels]
    for label_number in range(1, len(heights)):
        if heights[label_number] < heights[label_number - 1] + STEP:
            heights[label_number] = _below(heights[label_number - 1] + STEP, bands)
    limit = BOTTOM
    for label_number in reversed(range(len(heights))):
        heights[label_number] = min(heights[label_number], limit)
        limit = heights[label_number] - STEP
    return [replace(label, y=height) for label, height in zip(labels, heights, strict=True)]


def _beside(y: float, bands: Sequence[tuple[float, float]]) -> float:
    """The height itself, or the nearer end of the band that it is in."""
    return next((low if y - low < high - y else high for low, high in bands if low < y < high), y)


def _below(y: float, bands: Sequence[tuple[float, float]]) -> float:
    """The height itself, or the lower end of the band that it is in."""
    return next((high for low, high in bands if low < y < high), y)


def _untangled(labels: list[Label]) -> list[Label]:
    """Swaps heights of labels whose leaders cross; each swap shortens the lines, so this ends."""
    best = list(labels)
    for _ in range(len(best) ** 2):
        pair = _crossing(best)
        if pair is None:
            return best
        upper, lower = pair
        best[upper], best[lower] = replace(best[upper], y=best[lower].y), replace(best[lower], y=best[upper].y)
    return best


def _crossing(labels: list[Label]) -> tuple[int, int] | None:
    pairs = ((one, two) for one in range(len(labels)) for two in range(one + 1, len(labels)))
    return next((pair for pair in pairs if crosses(labels[pair[0]].leader, labels[pair[1]].leader)), None)


def crosses(one: tuple[Point, Point], two: tuple[Point, Point]) -> bool:
    """Whether two segments have a point in common that is inside both."""
    return _turn(one, two[0]) * _turn(one, two[1]) < 0 and _turn(two, one[0]) * _turn(two, one[1]) < 0


def _turn(segment: tuple[Point, Point], at: Point) -> float:
    (x1, y1), (x2, y2) = segment
    return (x2 - x1) * (at[1] - y1) - (y2 - y1) * (at[0] - x1)
