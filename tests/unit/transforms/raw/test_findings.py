"""Findings of all stages in one table, what of a month they put in doubt, and what that holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from inspect import signature
from typing import Any

import polars as pl

from transforms.raw.findings import findings
from transforms.reports.checks import mismatched_invoices, too_much_doubt
from transforms.reports.doubts import doubtful_shares, largest_findings
from warehouse.schemas import CATALOGUE

NOVEMBER = {"day_from": date(2026, 11, 20), "day_to": date(2026, 11, 20)}
SPLIT = {"source": "cloud", "kind": "double_billed", "subject": "h7", "rows": 1, "amount": Decimal(30),
         "currency": "USD", **NOVEMBER}  # fmt: skip
LOST = {"source": "runs", "kind": "run_without_pool", "subject": "r1", "rows": 1, "gpu_seconds": 3600.0, **NOVEMBER}
CAPPED = {"source": "cloud", "kind": "gpu_hours_capped", "subject": "vm1", "rows": 2, **NOVEMBER}


def table(name: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    schema = CATALOGUE[name].polars_schema()
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def gathered(*rows: Mapping[str, Any], accepted: Sequence[Mapping[str, Any]] = ()) -> pl.DataFrame:
    landed = [{"file_sha256": "", **row} for row in rows]
    given = {"landed_findings": landed, "accepted_findings": accepted}
    return findings(**{name: table(name, given.get(name, [])) for name in signature(findings).parameters})


def settings(allowed: float = 0.02) -> pl.DataFrame:
    return table("settings", [{"as_of": date(2026, 11, 20), "max_doubtful_ratio": allowed}])


def shares(rows: pl.DataFrame, cost: int = 70) -> pl.DataFrame:
    costs = {date(2026, 11, 20): cost, date(2026, 11, 21): -20, date(2026, 10, 1): 900}
    billed = {"source": "cloud", "currency": "USD"}
    days = [{**billed, "charge_day": day, "effective_cost": Decimal(amount)} for day, amount in costs.items()]
    runs = [{"source": "runs", "started_at": datetime(2026, 11, 2, tzinfo=UTC), "gpu_seconds": 720_000.0}]
    tables = (table("billed_days", days), table("training_runs", runs), table("token_usage", []))
    return doubtful_shares(rows, *tables, settings())


def test_a_finding_says_what_was_noticed_and_what_to_do_in_words() -> None:
    (row,) = gathered(SPLIT).to_dicts()

    assert (row["is_doubt"], row["is_accepted"], row["remedy_code"]) == (True, False, "bill_whole_or_split")
    assert row["sentence"] == (
        "h7 is billed whole and split: 1 charges stand beside the split of them (30.00 USD; 2026-11-20)"
    )


def test_a_person_accepts_one_subject_or_all_of_a_kind() -> None:
    one = [{"source": "cloud", "kind": "double_billed", "subject": "h7"}]
    every = [{"source": "cloud", "kind": "double_billed", "subject": "*"}]
    other = [{"source": "other", "kind": "double_billed", "subject": "*"}]

    assert [gathered(SPLIT, accepted=named)["is_accepted"].item() for named in (one, every, other)] == [
        True, True, False,
    ]  # fmt: skip


def test_a_doubt_is_a_part_of_its_source_s_month_and_credits_do_not_make_the_month_smaller() -> None:
    rows = shares(gathered(SPLIT, LOST, CAPPED)).select("source", "quantity", "doubts", "doubtful", "total").rows()

    # 30 of 70 USD in November; one of 200 GPU-hours; the notice puts nothing in doubt
    assert rows == [("cloud", "cost", 1, 30.0, 70.0), ("runs", "gpu_seconds", 1, 3600.0, 720_000.0)]


def test_more_doubt_than_the_settings_allow_holds_the_night() -> None:
    doubtful = shares(gathered(SPLIT, LOST))

    assert too_much_doubt(doubtful, settings())["source"].to_list() == ["cloud"]  # 42.9 % and 0.5 %
    assert too_much_doubt(doubtful, settings(0.5)).is_empty()
    assert too_much_doubt(shares(gathered(SPLIT), cost=1500), settings()).is_empty()  # 30 of 1,500 are 2 %


def test_what_is_accepted_holds_nothing() -> None:
    accepted = gathered(SPLIT, accepted=[{"source": "cloud", "kind": "double_billed", "subject": "h7"}])

    assert shares(accepted).is_empty()


def test_a_doubt_about_a_source_of_which_nothing_counts_holds_the_night() -> None:
    unseen = {"source": "gw", "kind": "usage_not_counted", "subject": "chat", "rows": 3, "tokens": 900.0, **NOVEMBER}

    assert too_much_doubt(shares(gathered(unseen)), settings())["doubtful_ratio"].to_list() == [None]


def test_an_invoice_that_does_not_tie_out_holds_the_night_until_it_is_accepted() -> None:
    invoice = {"source": "cloud", "kind": "invoice_mismatch", "subject": "INV-1", "rows": 30, "amount": Decimal("12.4"),
               "currency": "USD", **NOVEMBER}  # fmt: skip
    accepted = [{"source": "cloud", "kind": "invoice_mismatch", "subject": "inv-1"}]

    assert mismatched_invoices(gathered(invoice)).height == 1
    assert mismatched_invoices(gathered(invoice, accepted=accepted)).is_empty()


def test_the_largest_findings_are_doubts_first_and_then_by_their_share_of_the_month() -> None:
    rows = gathered(CAPPED, LOST, SPLIT)

    ranked = largest_findings(rows, shares(rows), settings()).select("rank", "kind").rows()

    assert ranked == [(1, "double_billed"), (2, "run_without_pool"), (3, "gpu_hours_capped")]


def test_ten_findings_are_listed_of_however_many_there_are() -> None:
    rows = gathered(*({**SPLIT, "subject": f"h{number}"} for number in range(25)))

    assert largest_findings(rows, shares(rows), settings()).height == 10
