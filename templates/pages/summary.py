"""Page 1: what it cost and what to decide."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from markupsafe import Markup

from templates import colours, formats
from templates.figures.money_bar import Segment, money_bar
from templates.figures.month_columns import MonthColumn, month_columns
from templates.pages.changes import Change
from templates.pages.decisions_requested import Request, no_action, requests
from templates.pages.fit_summary import chart_height
from templates.pages.index import Ref
from templates.pages.kpis import Tile, tiles
from templates.pages.night import Night, Row
from templates.pages.quality_checks import Assurance, assurances
from templates.table_unit import TableUnit

TITLE_NAME: Final = 18
LEAD_FRAME: Final = "Cost changed −$99.7kK-00 on 20 % more tokensK-00: . Three decisions are asked for below."
PHASES: Final = ("pretraining", "posttraining", "inference")


@dataclass(frozen=True)
class Mover:
    """One contribution to the change of the month."""

    words: str
    ref: Ref
    lasts: str


@dataclass(frozen=True)
class Summary:
    """Everything that page 1 prints."""

    month: str
    previous: str
    case: str
    total: Ref | None
    plan: Change | None
    plan_ratio: Ref | None
    change: Change | None
    cost_change: Ref | None
    mtok: Change | None
    mtok_ratio: Ref | None
    tokens: Change | None
    tokens_ratio: Ref | None
    months: int
    movers: tuple[Mover, ...]
    largest: Row | None
    served_share: Ref | None
    training_share: Decimal
    tiles: tuple[Tile, ...]
    money_bar: Markup | None
    columns: Markup | None
    columns_unit: str
    requests: tuple[Request, ...]
    request_head: tuple[str, str, str, str]
    no_action: str
    assurances: tuple[Assurance, ...]

    @property
    def title_refs(self) -> tuple[Ref | None, ...]:
        """The numbers of the title, as they are read."""
        second = {"plan": (self.plan_ratio, self.mtok_ratio), "one_month": (self.served_share,)}
        return (self.total, *second.get(self.case, ()))


def summary(night: Night) -> Summary:
    """Page 1 of the night."""
    index = night.index
    asked, head = requests(night)
    named, checks, idle = tuple(_movers(night)), tuple(assurances(night)), no_action(night)
    height = chart_height(night.paper, _lead(night, named), asked, idle, checks)
    return Summary(
        month=night.month,
        previous=night.previous,
        case=_case(night),
        total=index.get("effective_cost"),
        **_comparisons(night),
        months=len(night.figures),
        movers=named,
        largest=_largest_cause(night),
        served_share=index.get("inference_ratio"),
        training_share=_training_share(night),
        tiles=tuple(tiles(night)),
        money_bar=_money_bar(night),
        columns=_columns(night, height),
        columns_unit=_columns_unit(night),
        requests=tuple(asked),
        request_head=head,
        no_action=idle,
        assurances=checks,
    )


def _comparisons(night: Night) -> dict[str, Any]:
    """The month against its plan and against the month before."""
    now, before, index = night.now, night.before or {}, night.index
    moved = night.tables["movers"]
    later, earlier = (Decimal(moved[f"{side}_usd"].sum() or 0) for side in ("current", "previous"))
    material = night.subject["materiality_usd"]
    tokens = before.get("tokens") if night.is_known else None
    return {
        "plan": _against(night, now["plan_usd"]),
        "plan_ratio": index.get("plan_ratio"),
        "change": Change(later, earlier, material) if moved.height else None,
        "cost_change": index.get("cost_change"),
        "mtok": Change.of(now["fully_loaded_usd_per_mtok"], before.get("fully_loaded_usd_per_mtok")),
        "mtok_ratio": index.get("mtok_change_ratio"),
        "tokens": Change.of(now["tokens"], tokens),
        "tokens_ratio": index.get("tokens_change_ratio"),
    }


def _lead(night: Night, movers: tuple[Mover, ...]) -> str:
    """About what the lead will say: its room is known before its words are."""
    named = [f"{mover.words} ({night.money.change(mover.ref.value)}, {mover.lasts})K-00," for mover in movers]
    return " ".join([LEAD_FRAME, *named])


def _against(night: Night, amount: Decimal | None) -> Change | None:
    """The cost of the month against another amount."""
    return Change.of(night.now["effective_usd"], amount, night.subject["materiality_usd"])


def _columns_unit(night: Night) -> str:
    has_plan = any(row["plan_usd"] is not None for row in night.figures)
    return _unit(night).words + ("; bar across a column: plan" if has_plan else "")


def _case(night: Night) -> str:
    if night.index.get("effective_cost") is None:
        return "no_bill"
    served = sum(row["tokens"] + row["units"] for row in night.figures)
    inference = _class_total(night, "inference")
    if not served and not inference:
        return "nothing_served"
    if night.subject["has_plan"] and (night.now["plan_usd"] or 0) > 0:
        return "plan"
    return "no_plan" if night.before else "one_month"


def _training_share(night: Night) -> Decimal:
    amounts = _month_classes(night)
    whole = sum(amounts.values(), Decimal(0))
    trained = amounts.get("pretraining", Decimal(0)) + amounts.get("posttraining", Decimal(0))
    return trained / whole if whole > 0 else Decimal(0)


def _class_total(night: Night, cost_class: str) -> Decimal:
    rows = night.tables["month_classes"].filter(cost_class=cost_class)
    return Decimal(rows["effective_usd"].sum() or 0)


def mover_words(row: Row, limit: int = TITLE_NAME) -> str:
    """An entity in a sentence: post-training of Atlas-70B, idle and unused."""
    name = colours.NAMES[row["cost_class"]].lower()
    return f"{name} of {formats.name(row['model_id'], limit)}" if row["model_id"] else name


def _movers(night: Night) -> list[Mover]:
    rows = night.tables["movers"].sort("position").head(3).to_dicts()
    named = [
        Mover(mover_words(row), night.index[f"mover_{row['position']}"], "lasting" if row["is_lasting"] else "one-off")
        for row in rows
    ]
    other = night.index.get("movers_other")
    return [*named, Mover("other", other, "")] if other and other.value else named


def _largest_cause(night: Night) -> Row | None:
    """The mover that went furthest in the direction of the month."""
    moved = night.tables["movers"].sort("position").to_dicts()
    whole = sum((row["change_usd"] for row in moved), Decimal(0))
    same = [row for row in moved if row["change_usd"] * whole > 0]
    return same[0] if same else None


def _month_classes(night: Night) -> dict[str, Decimal]:
    rows = night.tables["month_classes"].filter(month=night.subject["month"])
    return dict(zip(rows["cost_class"], rows["effective_usd"], strict=True))


def _money_bar(night: Night) -> Markup | None:
    amounts = _month_classes(night)
    whole = sum(amounts.values(), Decimal(0))
    if whole <= 0:
        return None
    segments = [
        Segment(name, float(amounts[name] / whole), night.money.short(amounts[name]),
                formats.whole_percent(amounts[name] / whole))
        for name in colours.NAMES if amounts.get(name)
    ]  # fmt: skip
    largest = sorted(segments, key=lambda segment: -segment.ratio)[:3]
    words = ", ".join(f"{segment.name.lower()} {segment.percent}" for segment in largest)
    return money_bar(segments, f"{night.month}: {night.money.short(whole)}, of which {words}.")


def _unit(night: Night) -> TableUnit:
    amounts = [row[column] or Decimal(0) for row in night.figures for column in ("effective_usd", "plan_usd")]
    return TableUnit.of_axis(night.money, amounts)


def _columns(night: Night, height: float) -> Markup | None:
    unit = _unit(night)
    rows = night.tables["month_classes"].sort("month").partition_by("month", maintain_order=True)
    months = [
        _column(night, {**dict(zip(row["cost_class"], row["effective_usd"], strict=True))}, unit, place)
        for place, row in enumerate(rows)
    ]
    if not any(any(month.amounts) for month in months):
        return None
    last = [Decimal(repr(amount)) * unit.scale for amount in months[-1].amounts]
    printed = [night.money.short(amount) for amount in last]
    planned = [night.money.short(night.now["plan_usd"])] if night.now["plan_usd"] is not None else []
    costs = [row["effective_usd"] for row in night.figures]
    alt = (
        f"{len(months)} months of effective cost, from {night.money.short(min(costs))} to "
        f"{night.money.short(max(costs))}; {night.month}: {night.money.short(costs[-1])}."
    )
    return month_columns(months, [*printed, *planned], alt, height)


def _column(night: Night, amounts: dict[str, Decimal], unit: TableUnit, place: int) -> MonthColumn:
    row = night.figures[place]
    rest = sum((value for name, value in amounts.items() if name not in PHASES), Decimal(0))
    stack = [float(amounts[phase] / unit.scale) for phase in PHASES]
    is_year_shown = place == 0 or row["month"].month == 1
    return MonthColumn(
        label=formats.month_short(row["month"]),
        year=str(row["month"].year) if is_year_shown else "",
        amounts=(*stack, float(rest / unit.scale)),
        plan=float(row["plan_usd"] / unit.scale) if row["plan_usd"] is not None else None,
    )
