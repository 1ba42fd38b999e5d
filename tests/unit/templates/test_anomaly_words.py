"""A day outside its interval stands on page 3 with its ledger rows, and on page 1 while it is new."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from templates.pages.bridge import bridge
from templates.pages.night import Night
from templates.pages.summary import summary
from templates.wording import unmarked, wording
from transforms.reports.recent_anomalies import recent_anomalies
from warehouse.schemas import CATALOGUE

Tables = dict[str, pl.DataFrame]
FIRST, NEXT, NIGHT = date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 21)
OUTSIDE: dict[str, Any] = {
    "subject_kind": "model", "subject": "owl", "charge_date": FIRST, "since": FIRST, "actual_usd": Decimal(25_000),
    "expected_usd": Decimal(10_000), "low_usd": Decimal(9_000), "high_usd": Decimal(11_000), "past_days": 90,
    "is_new": True, "ledger_source": "aws", "ledger_account": "direct", "ledger_model_id": "owl",
    "ledger_pool_id": "h100", "ledger_change_usd": Decimal(15_000),
}  # fmt: skip


def recent(*rows: dict[str, Any]) -> pl.DataFrame:
    table = CATALOGUE["spend_anomalies"]
    found = table.frame(pl.DataFrame([OUTSIDE | row for row in rows], schema_overrides=table.polars_schema()))
    return recent_anomalies(pl.DataFrame({"as_of": [NIGHT]}), found)


def test_what_the_same_ledger_rows_moved_is_told_once_with_its_days() -> None:
    """A spike of two days of a model, its team and its pool: one line, from the first day to the last."""
    found = recent({}, {"charge_date": NEXT}, {"subject_kind": "team", "subject": "search"},
                   {"subject_kind": "pool", "subject": "h100"})  # fmt: skip
    assert found.select("subject_kind", "subject", "since", "until").rows() == [("model", "owl", FIRST, NEXT)]


def test_what_began_before_the_last_week_is_no_news() -> None:
    assert recent({"charge_date": date(2026, 11, 12), "since": date(2026, 11, 12)}).height == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({},
         ("Serving of owl cost $25.0k on 18 November, $9.00k–11.0k expected: "
         "direct cost of aws for owl on h100, +$15.0k.")),
        ({"subject_kind": "pool", "subject": "h100", "ledger_account": "commitment_unused", "ledger_model_id": None},
         ("Pool h100 cost $25.0k on 18 November, $9.00k–11.0k expected: "
         "commitment unused cost of aws on h100, +$15.0k.")),
        ({"subject_kind": "team", "subject": "search", "ledger_pool_id": None},
         "Team search cost $25.0k on 18 November, $9.00k–11.0k expected: direct cost of aws for owl, +$15.0k."),
    ],
)  # fmt: skip
def test_the_sentence_names_the_day_the_interval_and_the_rows(given: dict[str, Any], words: str) -> None:
    row = recent(given).row(0, named=True)
    assert unmarked(wording("USD").say("bridge", "anomaly", row)).replace("\u00a0", " ") == words


def test_a_new_one_leads_the_notes_of_page_1_and_an_older_one_stands_on_page_3_alone(tables: Tables) -> None:
    new, older = (Night({**tables, "recent_anomalies": recent({"is_new": is_new})}) for is_new in (True, False))
    assert unmarked(summary(new).notes[0]).startswith("Serving of owl cost")
    assert not any("owl" in note for note in summary(older).notes)
    assert [row.name for row in bridge(older).anomalies] == ["serving of owl"]
    assert len(summary(new).notes) <= 3
