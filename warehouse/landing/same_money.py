"""Two bills of one account that hold the same money: a native export beside FOCUS, or two exports of one cloud."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import duckdb
import polars as pl

from warehouse.landing.holds import Hold
from warehouse.schemas.raw import ChargeRows, Readings
from warehouse.sources.billing.gcp_billing import DETAILED, STANDARD
from warehouse.sources.source import Source

TOLERANCE: Final = 0.01
"""How far the costs of a day may lie apart and be the same: exports round, and post credits on other days."""

LEAST_SHARE: Final = 0.5
"""The share of the smaller bill that has to be the same for both to be one."""

_EXPORTS: Final = f"""
    SELECT DISTINCT charge.source, list_intersect(reading.flags, ['{DETAILED}', '{STANDARD}']) AS flags,
        charge.file_sha256, {{account}} AS account, billing_period_start AS period
    FROM {ChargeRows.qualified()} AS charge JOIN {Readings.qualified()} AS reading USING (source, file_sha256)
    WHERE billing_account_id IS NOT NULL
"""
# A payer is 8611537 in one export and /providers/Microsoft.Billing/billingAccounts/8611537 in another.
_ACCOUNT: Final = "lower(regexp_extract({column}, '([^/]*)/*$', 1))"
_DAYS: Final = f"""
    SELECT {_ACCOUNT.format(column="coalesce(sub_account_id, '')")} AS sub_account, charge_start::DATE AS day, currency,
        sum(billed_cost)::DOUBLE AS cost
    FROM {ChargeRows.qualified()}
    WHERE source = $source AND list_contains($files, file_sha256) AND billing_period_start = $period
        AND {_ACCOUNT.format(column="billing_account_id")} = $account
    GROUP BY ALL
"""


def same_money(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> Iterator[Hold]:
    """Pairs of exports of one account and month, each of another layout, whose costs agree day by day."""
    formats = {source.name: source.format for source in sources if source.kind == "gpu_billing"}
    listed = connection.sql(_EXPORTS.format(account=_ACCOUNT.format(column="billing_account_id"))).pl()
    for (account, period), files in listed.sort("source", "file_sha256").group_by(
        "account", "period", maintain_order=True
    ):
        exports: dict[tuple[str, str], list[str]] = {}
        for source, flags, sha256 in files.select("source", "flags", "file_sha256").iter_rows():
            layout = " ".join([formats.get(source, ""), *(flags or [])])
            exports.setdefault((layout, source), []).append(sha256)
        for first, second in itertools.combinations(sorted(exports), 2):
            bound = {"period": period, "account": account}
            if first[0] != second[0] and _agree(
                *(_days(connection, {**bound, "source": one[1], "files": exports[one]}) for one in (first, second))
            ):
                names = " and ".join(f"{source} ({layout})" for layout, source in (first, second))
                yield Hold(
                    "same_money",
                    second[1],
                    f"{names} bill account {account} for {period:%Y-%m} with the same costs day by day: they are two "
                    "exports of one bill, and both would count; keep one of them in trisect.toml",
                )


def _days(connection: duckdb.DuckDBPyConnection, bound: Mapping[str, object]) -> pl.DataFrame:
    days: pl.DataFrame = connection.sql(_DAYS, params=dict(bound)).pl()
    return days


def _agree(first: pl.DataFrame, second: pl.DataFrame) -> bool:
    """Whether most of the smaller bill stands in the other one, on the same day of the same account below."""
    smaller = min(float(bill["cost"].abs().sum()) for bill in (first, second))
    both = first.join(second, on=["sub_account", "day", "currency"], suffix="_other")
    larger = pl.max_horizontal(pl.col("cost").abs(), pl.col("cost_other").abs())
    same = both.filter((pl.col("cost") - pl.col("cost_other")).abs() <= TOLERANCE * larger)
    return smaller > 0 and float(same["cost"].abs().sum()) >= LEAST_SHARE * smaller
