"""What the ledger holds and the pages do not count."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl

from transforms.reports.scope import scope

MONEY = pl.Decimal(38, 12)
COSTS = {"billed_cost": MONEY, "effective_cost": MONEY}
LINE_2, LINE_3 = "attribution.csv line 2", "attribution.csv line 3"


def frame(key: str, *rows: tuple[str, str | None, str]) -> pl.DataFrame:
    """Currency, what the key is, and billed cost; effective cost is a tenth less."""
    cost = [Decimal(billed) for _, _, billed in rows]
    return pl.DataFrame(
        {"currency": [row[0] for row in rows], key: [row[1] for row in rows], "billed_cost": cost,
         "effective_cost": [billed * 9 / 10 for billed in cost]},
        schema={"currency": pl.String, key: pl.String, **COSTS},
    )  # fmt: skip


def rules(*lines: int) -> pl.DataFrame:
    return pl.DataFrame(
        [{"line": line, "field": "service_name", "pattern": f"service {line}"} for line in lines],
        schema={"line": pl.Int64, "field": pl.String, "pattern": pl.String},
    )


def found(booked: pl.DataFrame, billed: pl.DataFrame) -> list[dict[str, Any]]:
    return scope(billed, booked, rules(2, 3)).to_dicts()


def test_in_scope_and_each_rule_add_up_to_the_ledger() -> None:
    # 70 + 20 in scope; 6 + 3 by line 2 and 1 by line 3: a ledger of 100
    booked = frame(
        "account", ("USD", "direct", "70"), ("USD", "shared", "20"), ("USD", "out_of_scope", "9"),
        ("USD", "out_of_scope", "1"),
    )  # fmt: skip
    billed = frame("scope_rule", ("USD", LINE_2, "6"), ("USD", LINE_3, "1"), ("USD", LINE_2, "3"), ("USD", None, "90"))
    rows = found(booked, billed)
    assert [(row["rule"], row["billed_cost"]) for row in rows] == [(None, 90), (LINE_2, 9), (LINE_3, 1)]
    assert sum(row["billed_cost"] for row in rows) == booked["billed_cost"].sum() == 100
    assert sum(row["effective_cost"] for row in rows) == Decimal(90)
    assert [row["pattern"] for row in rows] == [None, "service 2", "service 3"]


def test_a_currency_of_which_nothing_is_in_scope_has_nothing_in_scope() -> None:
    booked = frame("account", ("EUR", "out_of_scope", "5"), ("USD", "direct", "7"))
    rows = found(booked, frame("scope_rule", ("EUR", LINE_2, "5"), ("USD", None, "7")))
    assert [(row["currency"], row["rule"], row["billed_cost"]) for row in rows] == [
        ("EUR", None, 0), ("EUR", LINE_2, 5), ("USD", None, 7),
    ]  # fmt: skip


def test_without_such_a_rule_all_is_in_scope() -> None:
    rows = found(frame("account", ("USD", "direct", "7")), frame("scope_rule", ("USD", None, "7")))
    assert [(row["rule"], row["billed_cost"]) for row in rows] == [(None, 7)]
