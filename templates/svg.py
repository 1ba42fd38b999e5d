"""Primitives of the figures: each returns a piece of SVG; measures are points, y grows downwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from markupsafe import Markup, escape

from templates.colours import HATCH, HATCH_GROUND, INK, PAPER
from templates.typesetting.typeface import CONDENSED, FALLBACK, REGULAR, Family, text_width

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]

ALT_LIMIT: Final = 250
NONE: Final = "none"
TOUCH: Final = 0.8
"""Points by which boxes may overlap: letters do not fill them."""


def number(value: float) -> str:
    """A coordinate with two decimals and without a minus before zero, so that equal figures are equal bytes."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def _dashes(dash: str) -> str:
    return f' stroke-dasharray="{dash}"' if dash else ""


def line(start: Point, end: Point, *, stroke: str = INK, width: float = 0.5, dash: str = "") -> str:
    """A straight stroke."""
    (x1, y1), (x2, y2) = start, end
    return (
        f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}" '
        f'stroke="{stroke}" stroke-width="{number(width)}"{_dashes(dash)}/>'
    )


def rect(
    corner: Point,
    size: Point,
    *,
    fill: str = NONE,
    stroke: str = NONE,
    width: float = 0.5,
    dash: str = "",
    rounding: float = 0.0,
) -> str:
    """A box from its upper left corner; nothing where it has no extent."""
    (x, y), (across, down) = corner, size
    if across <= 0 or down <= 0:
        return ""
    edge = f' stroke="{stroke}" stroke-width="{number(width)}"{_dashes(dash)}' if stroke != NONE else ""
    edge += f' rx="{number(rounding)}"' if rounding else ""
    return (
        f'<rect x="{number(x)}" y="{number(y)}" width="{number(across)}" height="{number(down)}" fill="{fill}"{edge}/>'
    )


def circle(
    centre: Point, radius: float, *, fill: str = NONE, stroke: str = NONE, width: float = 0.5, dash: str = ""
) -> str:
    """A dot or a ring."""
    edge = f' stroke="{stroke}" stroke-width="{number(width)}"{_dashes(dash)}' if stroke != NONE else ""
    return f'<circle cx="{number(centre[0])}" cy="{number(centre[1])}" r="{number(radius)}" fill="{fill}"{edge}/>'


def _joined(points: Iterable[Point]) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in points)


def polyline(points: Sequence[Point], *, stroke: str = INK, width: float = 1.0, dash: str = "") -> str:
    """A line through points; nothing through fewer than two."""
    if len(points) < 2:  # noqa: PLR2004 - a line has two ends
        return ""
    return (
        f'<polyline points="{_joined(points)}" fill="none" stroke="{stroke}" stroke-width="{number(width)}" '
        f'stroke-linejoin="round" stroke-linecap="round"{_dashes(dash)}/>'
    )


def polygon(
    points: Sequence[Point], *, fill: str = NONE, stroke: str = NONE, width: float = 0.5, dash: str = ""
) -> str:
    """A closed shape."""
    edge = f' stroke="{stroke}" stroke-width="{number(width)}"{_dashes(dash)}' if stroke != NONE else ""
    return f'<polygon points="{_joined(points)}" fill="{fill}" stroke-linejoin="round"{edge}/>'


def band(upper: Sequence[Point], lower: Sequence[Point], *, fill: str) -> str:
    """The area between two lines."""
    return polygon([*upper, *reversed(lower)], fill=fill)


@dataclass(frozen=True)
class Box:
    """The rectangle that a text takes."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether two texts touch each other's letters."""
        return (
            min(self.right, other.right) - max(self.left, other.left) > TOUCH
            and min(self.bottom, other.bottom) - max(self.top, other.top) > TOUCH
        )


class Label(str):
    """One text of a figure that knows its box, so that the figure can give it room."""

    __slots__ = ("anchor", "at", "content", "style")
    at: Point
    content: str
    anchor: Anchor
    style: tuple[float, str, int, Family]

    @classmethod
    def of(cls, at: Point, content: str, anchor: Anchor, style: tuple[float, str, int, Family]) -> Label:
        """The text on its baseline."""
        size, fill, weight, family = style
        label = cls(
            f'<text x="{number(at[0])}" y="{number(at[1])}" font-family="{family}, {FALLBACK}, sans-serif" '
            f'font-size="{number(size)}" '
            f'font-weight="{weight}" text-anchor="{anchor}" fill="{fill}">{escape(content)}</text>'
        )
        label.at, label.content, label.anchor, label.style = at, content, anchor, style
        return label

    def moved(self, across: float, down: float) -> Label:
        """The same text elsewhere."""
        return Label.of((self.at[0] + across, self.at[1] + down), self.content, self.anchor, self.style)

    @property
    def box(self) -> Box:
        """What it takes: its advance, from the height of capitals to a little below the baseline."""
        size, _, weight, family = self.style
        width = text_width(self.content, size, family, weight)
        left = self.at[0] - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return Box(left, self.at[1] - 0.72 * size, left + width, self.at[1] + 0.2 * size)


def text(
    at: Point,
    content: str,
    *,
    size: float = 7,
    fill: str = INK,
    anchor: Anchor = "start",
    weight: int = REGULAR,
    family: Family = CONDENSED,
) -> str:
    """One line of text on its baseline."""
    return Label.of(at, content, anchor, (size, fill, weight, family))


def placed(parts: Iterable[str], frame: Point) -> list[str]:
    """The parts with every text inside the frame and clear of the texts before it.

    The one label placer of all figures: what is written first keeps its place; a later text that would meet it goes up
    or down by as little as needed, at most two of its own heights, and is left out where no place is free.
    """
    taken: list[Box] = []
    kept: list[str] = []
    for part in parts:
        if not isinstance(part, Label) or not part.content.strip():
            kept.append(part)
            continue
        free = next((one for one in _places(part, frame) if not any(one.box.meets(box) for box in taken)), None)
        if free is not None:
            taken.append(free.box)
            kept.append(free)
    return kept


def _places(label: Label, frame: Point) -> Iterator[Label]:
    """Where a text may stand, the nearest place first; all of them inside the frame."""
    box = label.box
    across = min(0.0, frame[0] - box.right) if box.right > frame[0] else max(0.0, -box.left)
    inside = label.moved(across, 0.0) if across else label
    for step in range(2 * round(2 * label.style[0]) + 1):
        down = (step + 1) // 2 * (1.0 if step % 2 else -1.0)
        moved = inside.moved(0.0, down) if down else inside
        if moved.box.top >= -TOUCH and moved.box.bottom <= frame[1] + TOUCH:
            yield moved


def hatch(corner: Point, size: Point, *, step: float = 2.8, ground: str = HATCH_GROUND) -> str:
    """A box hatched at 45° with lines cut to its edges: a pattern fill would not survive every reader."""
    (x, y), (across, down) = corner, size
    if across <= 0 or down <= 0:
        return ""
    strokes = []
    offset = step
    while offset < across + down:
        start = (x + max(0.0, offset - down), y + min(offset, down))
        end = (x + min(offset, across), y + max(0.0, offset - across))
        strokes.append(f"M{number(start[0])} {number(start[1])}L{number(end[0])} {number(end[1])}")
        offset += step
    drawn = f'<path d="{"".join(strokes)}" stroke="{HATCH}" stroke-width="0.5" fill="none"/>' if strokes else ""
    return rect(corner, size, fill=ground) + drawn


def triangle(centre: Point, size: float, *, fill: str, points: Literal["up", "down"] = "up") -> str:
    """A small triangle: the fonts have none."""
    x, y = centre
    tip = -size / 2 if points == "up" else size / 2
    return polygon([(x - size / 2, y - tip), (x + size / 2, y - tip), (x, y + tip)], fill=fill)


def halo(at: Point, content: str, *, size: float, fill: str, weight: int, width: float, ground: str = PAPER) -> str:
    """Text in the middle of a line, on a box that interrupts the line."""
    x, y = at
    box = rect((x - width / 2, y - size * 0.62), (width, size * 0.95), fill=ground)
    return box + text((x, y + size * 0.18), content, size=size, fill=fill, anchor="middle", weight=weight)


def figure(size: Point, title: str, parts: Iterable[str], css_class: str = "figure") -> Markup:
    """A whole figure with its alternative text.

    Raises:
        ValueError: The alternative text is missing or too long: every figure says in words what the eye concludes.
    """
    if not title or len(title) > ALT_LIMIT:
        message = f"a figure of class {css_class!r} needs an alternative text of 1 to {ALT_LIMIT} characters"
        raise ValueError(f"{message}, not {len(title)}: {title[:80]!r}; shorten it where the figure is made")
    width, height = number(size[0]), number(size[1])
    return Markup(  # noqa: S704 - every text within was escaped by the primitive that wrote it
        f'<svg xmlns="http://www.w3.org/2000/svg" class="drawn {css_class}" role="img" '
        f'width="{width}pt" height="{height}pt" viewBox="0 0 {width} {height}">'
        f"<title>{escape(title)}</title>{''.join(placed(parts, size))}</svg>"
    )
