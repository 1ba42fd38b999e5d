"""The ledger of random bills, runs, deployments and usage, against a second allocator and against itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from transforms.ledger.checks import misplaced_postings, unbalanced_charges, unbalanced_invoices, unbalanced_sources
from transforms.ledger.postings import postings
from transforms.money import units

MICROSECOND, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)
ORIGIN = datetime(2026, 10, 31, tzinfo=UTC)
"""Charges lie around the midnight at which this month ends."""

CURRENCIES = ("USD", "EUR", "JPY", "KWD", "CHF", "GBP", "INR", "SEK", "BRL", "AUD")
RULES = (
    {"field": "tag:kind", "pattern": "skip", "target": "out_of_scope"},
    {"field": "tag:kind", "pattern": "p*", "target": "pool", "target_id": "p0", "valid_to": date(2026, 11, 1)},
    {"field": "tag:kind", "pattern": "p*", "target": "pool", "target_id": "p1"},
    {"field": "tag:kind", "pattern": "d?", "target": "deployment", "target_id": "d0"},
    {"field": "tag:kind", "pattern": "model", "target": "model", "target_id": "m1", "phase": "posttraining"},
    {"field": "tag:kind", "pattern": "shared", "target": "shared", "team": "platform"},
)

instants = st.integers(0, 2 * 86_400).map(lambda second: ORIGIN + timedelta(seconds=second))
lengths = st.sampled_from([timedelta(0), MICROSECOND, 7 * MICROSECOND, HOUR, HOUR / 3, DAY, DAY + HOUR / 7, 2 * DAY])
costs = st.one_of(
    st.integers(-(10**15), 10**15), st.integers(-(10**37), 10**37), st.sampled_from([0, 1, -1, 2, 10**12])
).map(lambda count: str(Decimal(count).scaleb(-12)))
kinds = st.sampled_from(["skip", "p", "PX", "d1", "model", "shared", "none", ""])
span = st.tuples(instants, lengths)


@st.composite
def charge_rows(draw: st.DrawFn) -> dict[str, Any]:
    start, length = draw(span)
    return {
        "charge_start": start,
        "charge_end": start + length,
        "billed_cost": draw(costs),
        "effective_cost": draw(costs),
        "currency": draw(st.sampled_from(CURRENCIES)),
        "gpu_hours": draw(st.sampled_from(["0", "8", "0.333333333333", "192"])),
        "tags": json.dumps({" Kind ": draw(kinds)}).replace(" Kind ", draw(st.sampled_from(["kind", " KIND"]))),
        "charge_category": draw(st.sampled_from(["Usage", "Usage", "Tax", "Credit", "Purchase"])),
        "charge_class": draw(st.sampled_from([None, None, "Correction"])),
        "commitment_discount_status": draw(st.sampled_from([None, None, "Used", "Unused"])),
    }


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    charges = [
        dict(row, charge_id=f"c{number}")
        for number, row in enumerate(draw(st.lists(charge_rows(), min_size=1, max_size=5)))
    ]
    runs = [
        {"run_id": f"r{number}", "pool_id": draw(st.sampled_from(["p0", "p1"])), "held_from": start,
         "held_to": start + length, "gpu_count": draw(st.sampled_from([0.0, 0.0005, 1.5, 8.0, 64.0])),
         "status": draw(st.sampled_from(["finished", "failed"])),
         "model_id": model, "phase": "pretraining" if model else None, "team": draw(st.sampled_from([None, "t1"]))}
        for number, ((start, length), model) in enumerate(
            draw(st.lists(st.tuples(span, st.sampled_from([None, "m1"])), max_size=3))
        )
    ]  # fmt: skip
    deployments = [
        {"deployment_id": name, "model_id": model, "pool_id": "p0" if name == "d0" else "p1", "gpu_count": 8.0,
         "valid_from": start, "valid_to": start + length}
        for name, model, (start, length) in draw(
            st.lists(st.tuples(st.sampled_from(["d0", "d1"]), st.sampled_from(["m1", "m2", "m3"]), span), max_size=4)
        )
    ]  # fmt: skip
    usage = [
        {"deployment_id": name, "model_id": model, "team": team, "status": status, "weighted_tokens_milli": tokens,
         "units": float(units), "duration_us": duration, "hour": ORIGIN + hour * HOUR}
        for name, model, team, status, tokens, units, duration, hour in draw(
            st.lists(
                st.tuples(
                    st.sampled_from(["d0", "d1"]), st.sampled_from(["m1", "m2", None]),
                    st.sampled_from([None, "t1", "t2"]), st.sampled_from(["ok", "error", "pending"]),
                    st.sampled_from([0, 0, 7, 10**9]), st.sampled_from([0, 3]), st.sampled_from([0, 1]),
                    st.integers(0, 47),
                ),
                max_size=6,
            )
        )
    ]  # fmt: skip
    return {
        "charges": charges,
        "runs": runs,
        "deployments": deployments,
        "usage": usage,
        "rules": RULES,
        "stated": draw(st.booleans()),
    }


def tables(books: Any, world: Mapping[str, Any], shuffle: int | None = None) -> dict[str, pl.DataFrame]:
    stated = [{"pool_id": "p1", "gpu_count": 16.0}] if world["stated"] else []
    found: dict[str, pl.DataFrame] = books(
        charges=world["charges"], rules=list(RULES), runs=world["runs"], deployments=world["deployments"],
        usage=world["usage"], pools=stated, night_end=ORIGIN + 2 * DAY,
    ).tables(shuffle)  # fmt: skip
    return found


@given(worlds())
@settings(max_examples=100)
def test_every_line_of_the_ledger_is_that_of_the_second_allocator(books: Any, reference: Any, world: Any) -> None:
    ledger = tables(books, world)["postings"]

    for charge in world["charges"]:
        lines = ledger.filter(pl.col("charge_id") == charge["charge_id"])
        found = {
            row[:9]: list(row[9:])
            for row in lines.select(
                "charge_date", "account", "model_id", "phase", "run_id", "deployment_id", "pool_id", "team", "tenant",
                units("billed_cost"), units("effective_cost"),
            ).iter_rows()
            if any(row[9:])
        }  # fmt: skip
        assert found == reference(world).lines(charge)


@given(worlds())
@settings(max_examples=25)
def test_no_unit_is_lost_in_any_currency_and_every_charge_has_a_posting(books: Any, world: Any) -> None:
    night = tables(books, world)

    for check in (unbalanced_charges, unbalanced_invoices, unbalanced_sources):
        assert check(night["charges"], night["postings"]).is_empty()
    assert misplaced_postings(night["postings"]).is_empty()
    assert night["postings"]["charge_id"].n_unique() == len(world["charges"])


@given(worlds(), st.integers(0, 2**32))
@settings(max_examples=15)
def test_the_order_of_every_input_leaves_the_ledger_as_it_is(books: Any, world: Any, seed: int) -> None:
    assert_frame_equal(tables(books, world, shuffle=seed)["postings"], tables(books, world)["postings"])


@given(worlds(), st.integers(1, 4))
@settings(max_examples=15)
def test_any_part_of_the_charges_gives_its_part_of_the_ledger(books: Any, world: Any, size: int) -> None:
    night = tables(books, world)
    rest = (night["charge_rules"], night["pool_uses"], night["deployment_shares"], night["training_runs"])

    parts = [postings(part, *rest) for part in night["charges"].iter_slices(size)]

    assert_frame_equal(pl.concat(parts).sort("charge_id", "line"), night["postings"])
