"""What every page knows: the tables, the month, the currency, and the index of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Final

import polars as pl

from templates import formats
from templates.formats import Money
from templates.pages.index import Index
from templates.wording import wording
from warehouse.vocabulary import PHASES

Row = dict[str, Any]
WHOLE_REPORT: Final = "report"
"""What `squeeze` counts for the report as a whole."""


@dataclass(frozen=True)
class Night:
    """The night that the report is of."""

    tables: Mapping[str, pl.DataFrame]
    paper: str = "A4"
    earlier: pl.DataFrame | None = None
    squeezed: Mapping[str, int] = field(default_factory=dict)

    def squeeze(self, page: str) -> int:
        """How many times a page has been too long for its paper: so much less of its lists and figures is printed."""
        return self.squeezed.get(page, 0)

    @property
    def is_flowing(self) -> bool:
        """Whether pages go on below each other: the short report of a company of one model."""
        return self.squeeze(WHOLE_REPORT) > 0

    @cached_property
    def settings(self) -> Row:
        """The one row of settings."""
        return self.tables["settings"].row(0, named=True)

    @cached_property
    def subject(self) -> Row:
        """The one row that says which month is reported."""
        return self.tables["subject"].row(0, named=True)

    @cached_property
    def index(self) -> Index:
        """The numbers by name."""
        return Index(self.tables["numbers"])

    def title(self, page: str, model_id: str | None = None) -> Row:
        """The row of a page: the code of its title and what the title names besides."""
        rows = self.tables["pages"].filter(pl.col("page") == page, pl.col("model_id").eq_missing(pl.lit(model_id)))
        return rows.row(0, named=True)

    def say(self, topic: str, code: str, *facts: object) -> str:
        """A sentence of templates/words in the currency of the night."""
        return wording(self.money.currency).say(topic, code, *facts)

    def before_tonight(self) -> pl.Expr:
        """Rows of nights that were published before this one."""
        return pl.col("night") < pl.lit(self.subject["as_of"])

    @cached_property
    def money(self) -> Money:
        """How amounts are printed."""
        return Money(self.settings["currency"])

    @cached_property
    def figures(self) -> list[Row]:
        """The months that the report looks back on, the reported one last."""
        return self.tables["month_figures"].sort("month").to_dicts()

    @property
    def now(self) -> Row:
        """The figures of the month reported."""
        return self.figures[-1]

    @property
    def before(self) -> Row | None:
        """The figures of the month before, where it has any cost."""
        return self.figures[-2] if self.subject["previous_month"] and len(self.figures) > 1 else None

    @property
    def month(self) -> str:
        """The month in a title: October, or 1 to 21 November while it runs."""
        words = formats.month(self.subject["month"])
        return words if self.subject["is_complete"] else _to_day(words, self.last_day.day)

    @property
    def in_month(self) -> str:
        """The month as a time within a sentence: in October, or from 1 to 21 November while it runs."""
        if self.subject["is_complete"]:
            return f"in {self.month}"
        return f"from {self.month}" if self.last_day.day > 1 else f"on {self.month}"

    @property
    def is_known(self) -> bool:
        """Whether requests and bills have told of every day reported."""
        return bool(self.subject["known_days"] == self.last_day.day)

    @property
    def compared(self) -> tuple[str, str]:
        """The month before and the month, or the days of each that are compared because later ones are not known."""
        if self.is_known or not self.previous:
            return self.previous, self.month
        first, second = self.previous, formats.month(self.subject["month"])
        return _to_day(first, self.subject["known_days"]), _to_day(second, self.subject["known_days"])

    @property
    def period(self) -> str:
        """The month in the masthead."""
        words = formats.month_year(self.subject["month"])
        state = "closed month" if self.subject["state"] == "FINAL" else "complete month"
        if self.subject["is_complete"] and not self.is_known:
            days = self.subject["known_days"]
            return f"{words}, known to {days}" if days else f"{words}, not known yet"
        return f"{words}, {state}" if self.subject["is_complete"] else f"{words}, to {self.last_day.day}"

    @property
    def previous(self) -> str:
        """The month before in a title."""
        month = self.subject["previous_month"]
        return formats.month(month) if month else ""

    @property
    def last_day(self) -> date:
        """The last day reported."""
        end: date = self.subject["period_end"]
        return end - timedelta(days=1)

    @property
    def target(self) -> tuple[float, float, float]:
        """The target shares of the three phases."""
        weights = [float(self.settings[f"{phase}_weight"]) for phase in PHASES]
        whole = sum(weights)
        return weights[0] / whole, weights[1] / whole, weights[2] / whole

    @property
    def target_name(self) -> str:
        """The target in words: equal thirds, or 30 : 20 : 50."""
        first, second, third = self.target
        if max(abs(first - second), abs(second - third)) < 1e-9:  # noqa: PLR2004 - rounding
            return "equal thirds"
        return " : ".join(formats.plain(share * 100) for share in self.target)


def _to_day(month: str, day: int) -> str:
    """A month to one of its days: 1 to 21 November."""
    return f"1 to {day} {month}" if day > 1 else f"1 {month}"
