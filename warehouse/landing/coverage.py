"""Whether the newest delivery of a bill covers what it replaces: the days of each account, and what they charge for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

import duckdb
import polars as pl

from warehouse.landing.delivery_parts import SUBJECT, VERSIONS
from warehouse.landing.holds import Hold
from warehouse.landing.supersession import DeliveredUnit
from warehouse.schemas.raw import BillDeliveries, ChargeRows
from warehouse.sources.source import Source

_DAYS: Final = f"""
    WITH days AS (
        SELECT unit, checked.is_newest, checked.file_sha256, coalesce(sub_account_id, '') AS sub_account,
            charge_start::DATE AS day, currency, sum(billed_cost) AS cost,
            bool_or(billed_cost <> 0 OR effective_cost <> 0) AS has_cost
        FROM {ChargeRows.qualified()} AS charge JOIN checked ON charge.file_sha256 = checked.file_sha256
            AND coalesce(billing_account_id, '') = account AND charge.billing_period_start = period
            AND coalesce(charge.cost_view, '') = checked.cost_view
        WHERE source = $source GROUP BY ALL
    )
    SELECT unit, file_sha256, list_sort(list(DISTINCT sub_account)), min(day), max(day), count(DISTINCT day),
        currency, sum(cost)::DECIMAL(38, 12)
    FROM days AS older
    WHERE NOT is_newest AND has_cost AND NOT EXISTS (
        SELECT 1 FROM days AS newer WHERE newer.is_newest AND newer.unit = older.unit
            AND newer.sub_account = older.sub_account AND newer.day = older.day
    )
    GROUP BY unit, file_sha256, currency
"""
_SUBJECTS: Final = f"""
    WITH subjects AS (
        SELECT DISTINCT unit, checked.is_newest, checked.file_sha256, {SUBJECT} AS subject
        FROM {ChargeRows.qualified()} AS charge JOIN checked ON charge.file_sha256 = checked.file_sha256
            AND coalesce(billing_account_id, '') = account AND charge.billing_period_start = period
            AND coalesce(charge.cost_view, '') = checked.cost_view
        WHERE source = $source AND (billed_cost <> 0 OR effective_cost <> 0)
    ), newest AS (SELECT DISTINCT unit, subject FROM subjects WHERE is_newest)
    SELECT unit, file_sha256, count(*), count(newest.subject)
    FROM subjects LEFT JOIN newest USING (unit, subject) WHERE NOT is_newest GROUP BY unit, file_sha256
    HAVING count(newest.subject) < {VERSIONS} * count(*)
"""

_CHECKED: Final = {
    "unit": pl.Int64(),
    "account": pl.String(),
    "period": pl.Date(),
    "cost_view": pl.String(),
    "file_sha256": pl.String(),
    "is_newest": pl.Boolean(),
}
MOST_NAMED: Final = 5


def undecided(source: Source, units: Iterable[DeliveredUnit]) -> list[Hold]:
    """Units of which nothing tells the newest delivery, once for each pair of files."""
    pairs = {
        (each.newest.file, other.file, each.unit.billing_account_id, each.unit.billing_period_start)
        for each in units
        for other in each.undecided[:1]
    }
    return [
        Hold(
            "delivery_order_unknown",
            source.name,
            f"{newest} and {other} both bill {_unit(account, period)}, and neither an export time, nor the reach of "
            "their charges, nor the night they came tells which is newer; take the older one out of the inbox, or "
            "write exported_at into a control file beside each",
        )
        for newest, other, account, period in sorted(pairs)
    ]


def uncovered(
    connection: duckdb.DuckDBPyConnection, source: Source, units: Sequence[DeliveredUnit]
) -> tuple[list[Hold], frozenset[tuple[str, date, str]]]:
    """What newest deliveries do not cover of those they replace, and the (account, period, content) it concerns.

    What the last night had covered already is not asked again: what covers its cover covers it.
    """
    query = f"""
        SELECT billing_account_id, billing_period_start, file_sha256 FROM {BillDeliveries.qualified()}
        WHERE source = ? AND is_covered AND NOT is_current
    """
    settled = set(connection.execute(query, [source.name]).fetchall())
    checked = [
        (number, unit.unit.billing_account_id, unit.unit.billing_period_start, unit.unit.cost_view, sha256, is_newest)
        for number, unit in enumerate(units)
        for sha256, is_newest in _contents(unit, settled)
    ]
    if not any(not is_newest for *_, is_newest in checked):
        return [], frozenset()
    connection.register("checked", pl.DataFrame(checked, schema=_CHECKED, orient="row").to_arrow())
    days = connection.execute(_DAYS, {"source": source.name}).fetchall()
    subjects = connection.execute(_SUBJECTS, {"source": source.name}).fetchall()
    connection.unregister("checked")
    gaps: dict[tuple[int, str], str] = {}
    for number, sha256, accounts, first, last, count, currency, cost in sorted(days, key=str):
        more = " …" if len(accounts) > MOST_NAMED else ""
        named = ", ".join(name or "no sub-account" for name in accounts[:MOST_NAMED]) + more
        shortfall = f"{cost.normalize():f} {currency} of {named} on {count} days from {first} to {last} would vanish"
        gaps[number, sha256] = "; ".join(filter(None, (gaps.get((number, sha256)), shortfall)))
    for number, sha256, count, repeated in sorted(subjects):
        shortfall = f"it repeats {repeated:,} of the {count:,} things that the older one charges for"
        gaps[number, sha256] = "; ".join(filter(None, (gaps.get((number, sha256)), shortfall)))
    holds = [_hold(source, units[number], sha256, gap) for (number, sha256), gap in sorted(gaps.items())]
    return holds, frozenset((*units[number].unit[:2], sha256) for number, sha256 in gaps)


def _contents(unit: DeliveredUnit, settled: set[tuple[str, date, str]]) -> list[tuple[str, bool]]:
    """The contents of a unit that are compared: the newest, and what it replaces that is not settled."""
    newest = unit.newest.contents
    older = {sha256 for each in unit.older for sha256 in each.contents} - newest.keys()
    asked = sorted(sha256 for sha256 in older if (*unit.unit[:2], sha256) not in settled)
    return [(sha256, False) for sha256 in asked] + [(sha256, True) for sha256 in sorted(newest) if asked]


def _hold(source: Source, unit: DeliveredUnit, sha256: str, gap: str) -> Hold:
    older = next(each.contents[sha256].at.file for each in unit.older if sha256 in each.contents)
    account, period = unit.unit[:2]
    return Hold(
        "not_a_replacement",
        source.name,
        f"{unit.newest.file} is newer than {older} for {_unit(account, period)} and does not cover it: {gap}; where "
        'these exports add up (one per subscription, service or week) set delivery = "parts" for the source, where '
        "the older one is wrong take it out of the inbox",
    )


def _unit(account: str, period: date) -> str:
    return f"account {account or 'without name'}, {period:%Y-%m}"
