"""The six tiles of page 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from markupsafe import Markup

from templates import colours, formats
from templates.figures import marks
from templates.pages.changes import Change
from templates.pages.index import Ref
from templates.pages.night import Night, Row

DELTA_LIMIT: Final = 44


@dataclass(frozen=True)
class Delta:
    """The line under a tile's value: an arrow, the words that count, and what follows them."""

    arrow: Markup | None
    strong: str
    rest: str
    is_worse: bool = False
    is_better: bool = False


@dataclass(frozen=True)
class Tile:
    """One tile: label, value with its unit, thirteen months, and what changed."""

    label: str
    ref: Ref | None
    value: str
    unit: str
    spark: Markup
    delta: Delta


def tiles(night: Night) -> list[Tile]:
    """The six tiles in their order."""
    return [_cost(night), _rate(night), _served(night), _idle(night), _waste(night), _named(night)]


def _series(night: Night, column: str) -> list[float | None]:
    return [None if row[column] is None else float(row[column]) for row in night.figures]


def _spark(night: Night, column: str, words: str) -> Markup:
    values = _series(night, column)
    plan = _series(night, "plan_usd") if column == "effective_usd" else []
    months = f"{len(values)} months" if len(values) > 1 else "1 month"
    return marks.sparkline(values, plan, f"{months}, last value {words}")


def _delta(strong: str, rest: Sequence[str], direction: str, more_is: str = "neutral") -> Delta:
    """A delta with as much of the rest as fits; `more_is` says whether more is worse, better or neither."""
    kept = list(rest)
    while kept and len(strong) + sum(len(part) for part in kept) > DELTA_LIMIT:
        kept.pop()
    worse = {"worse": "up", "better": "down"}.get(more_is) == direction
    better = {"worse": "down", "better": "up"}.get(more_is) == direction
    fill = colours.ATTENTION if worse else colours.TARGET if better else colours.TEXT_2
    arrow = {"up": marks.up, "down": marks.down}.get(direction)
    return Delta(arrow(fill) if arrow else None, strong, "".join(kept), is_worse=worse, is_better=better)


def _against_before(night: Night, column: str, rest: Sequence[str], more_is: str = "neutral") -> Delta:
    before = night.before
    change = Change.of(night.now[column], before[column] if before else None)
    if change is None or (change.ratio is None and change.before >= 0):
        return _delta("", ["first month with a value", *rest], "unknown")
    if change.ratio is None:
        return _delta(night.money.change(change.amount), [" since last month", *rest], "unknown")
    if change.direction == "flat":
        return _delta("level", [" with last month", *rest], "flat")
    word = "more" if change.amount > 0 else "less"
    strong = f"{formats.percent(abs(change.ratio))} {word}"
    return _delta(strong, [" than last month", *rest], change.direction, more_is)


def _cost(night: Night) -> Tile:
    ref, money = night.index.get("effective_cost"), night.money
    if ref is None:
        return Tile(
            "Effective cost", ref, formats.UNKNOWN, "", _nothing(), _delta("", ["no bill has arrived"], "unknown")
        )
    value = money.short(night.now["effective_usd"])
    return Tile("Effective cost", ref, value, "", _spark(night, "effective_usd", value), _cost_delta(night))


def _nothing() -> Markup:
    """The place of a curve that has no month."""
    return marks.sparkline([], [], "no month is known")


def _cost_delta(night: Night) -> Delta:
    plan = night.now["plan_usd"]
    if not plan or plan <= 0:
        return _against_before(night, "effective_usd", [], "worse")
    change = Change(night.now["effective_usd"], plan, night.subject["materiality_usd"])
    planned = night.money.short(plan)
    if change.direction == "flat":
        return _delta("on plan", [f" of {planned}"], "flat")
    word = "over" if change.amount > 0 else "under"
    return _delta(f"{formats.percent(abs(change.ratio or Decimal(0)))}", [f" {word} plan {planned}"], change.direction,
                  "worse")  # fmt: skip


def _rate(night: Night) -> Tile:
    rate = night.now["fully_loaded_usd_per_mtok"]
    used = night.now["used_usd_per_mtok"]
    value = night.money.per_mtok(rate)
    alone = [f"; served alone {night.money.per_mtok(used)}"] if used is not None else []
    delta = _against_before(night, "fully_loaded_usd_per_mtok", alone, "worse")
    if rate is None:
        delta = _delta("", ["no tokens with a cost"], "unknown")
    spark = _spark(night, "fully_loaded_usd_per_mtok", value)
    return Tile("Fully loaded cost per million tokens", night.index.get("fully_loaded"), value, "", spark, delta)


def _served(night: Night) -> Tile:
    if not night.now["tokens"] and night.now["unit_name"]:
        value, unit = formats.tokens_in_words(night.now["units"])
        name = formats.name(night.now["unit_name"], 16)
        delta = _against_before(night, "units", [], "neutral")
        spark = _spark(night, "units", value)
        return Tile(f"Units served: {name}", night.index.get("units"), value, unit, spark, delta)
    value, unit = formats.tokens_in_words(night.now["tokens"])
    cached = night.now["cached_ratio"]
    rest = [f"; {formats.percent(cached)} cached input"] if cached else []
    delta = _against_before(night, "tokens", rest)
    if not night.now["tokens"]:
        delta = _delta("", ["nothing served"], "unknown")
    return Tile("Tokens served", night.index.get("tokens"), value, unit, _spark(night, "tokens", value), delta)


def _points(night: Night, column: str, rest: Sequence[str], more_is: str) -> Delta:
    before = night.before[column] if night.before else None
    now = night.now[column]
    if now is None or before is None:
        return _delta("", [part.removeprefix("; ") for part in rest], "unknown")
    gap = formats.decimal(now) - formats.decimal(before)
    if abs(gap) < Decimal("0.0005"):
        return _delta("level", [" with last month", *rest], "flat")
    word, direction = ("more", "up") if gap > 0 else ("fewer", "down")
    return _delta(f"{formats.points(gap)} {word}", rest, direction, more_is)


def _idle(night: Night) -> Tile:
    value = formats.percent(night.now["idle_ratio"])
    rest = [f"; {night.money.short(night.now['idle_usd'])}"]
    delta = _points(night, "idle_ratio", rest, "worse")
    spark = _spark(night, "idle_ratio", value)
    return Tile("Idle and unused commitments", night.index.get("idle_ratio"), value, "of cost", spark, delta)


def _waste(night: Night) -> Tile:
    value = night.money.short(night.now["waste_usd"])
    goodput = night.now["goodput_ratio"]
    rest = [f"; {formats.percent(goodput)} goodput"] if goodput is not None else []
    change = Change.of(night.now["waste_usd"], night.before["waste_usd"] if night.before else None,
                       night.subject["materiality_usd"])  # fmt: skip
    if change is None:
        delta = _delta("", [part.removeprefix("; ") for part in rest], "unknown")
    elif abs(change.amount) < change.materiality:
        delta = _delta("flat", [f" ({night.money.change(change.amount)})", *rest], "flat")
    else:
        direction = "up" if change.amount > 0 else "down"
        word = "more" if change.amount > 0 else "less"
        delta = _delta(f"{night.money.short(abs(change.amount))} {word}", rest, direction, "worse")
    unit = formats.percent(night.now["waste_ratio"]) if night.now["waste_ratio"] is not None else ""
    return Tile("Failed and abandoned runs", night.index.get("waste"), value, unit, _spark(night, "waste_usd", value),
                delta)  # fmt: skip


def _named(night: Night) -> Tile:
    now: Row = night.now
    value = formats.percent(now["named_ratio"])
    rest = [f"; {night.money.short(now['unallocated_usd'])} has no rule"]
    delta = _points(night, "named_ratio", rest, "neutral")
    spark = _spark(night, "named_ratio", value)
    return Tile("Cost with a named model", night.index.get("named_ratio"), value, "", spark, delta)
