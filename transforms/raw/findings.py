"""Every finding of the night in one table: what landing, staging, ledger and economics noticed, each in words."""

from __future__ import annotations

import polars as pl

from warehouse.schemas.findings import FINDING_KINDS, FindingRow, remedy, sentence
from warehouse.schemas.raw import Findings

ORDER = ("source", "kind", "subject", "file", "day_from", "counterpart", "currency")


def findings(
    landed_findings: pl.DataFrame,
    charge_findings: pl.DataFrame,
    run_findings: pl.DataFrame,
    pool_findings: pl.DataFrame,
    period_findings: pl.DataFrame,
    captured_twice: pl.DataFrame,
    accepted_findings: pl.DataFrame,
) -> pl.DataFrame:
    """One finding, in the order of its source and kind, with its sentence and whether a person has accepted it."""
    gathered = (landed_findings, charge_findings, run_findings, pool_findings, period_findings, captured_twice)
    noticed = pl.concat(FindingRow.frame(rows) for rows in gathered).sort(ORDER, nulls_last=True)
    doubts = [kind for kind, facts in FINDING_KINDS.items() if facts.is_doubt]
    described = noticed.with_columns(
        pl.col("kind").is_in(doubts).alias("is_doubt"),
        _accepted(noticed, accepted_findings).alias("is_accepted"),
        pl.Series("sentence", [sentence(row) for row in noticed.iter_rows(named=True)], dtype=pl.String),
        pl.Series("remedy", [remedy(row) for row in noticed.iter_rows(named=True)], dtype=pl.String),
        pl.col("kind")
        .replace_strict({kind: facts.remedy_code for kind, facts in FINDING_KINDS.items()}, return_dtype=pl.String)
        .alias("remedy_code"),
    )
    return Findings.frame(described)


def _accepted(noticed: pl.DataFrame, accepted_findings: pl.DataFrame) -> pl.Series:
    """Whether the settings of its source accept a finding; a subject of `*` accepts the whole kind."""
    keys = {(row["source"], row["kind"], row["subject"].casefold()) for row in accepted_findings.iter_rows(named=True)}
    return pl.Series(
        [
            bool({(row["source"], row["kind"], row["subject"].casefold()), (row["source"], row["kind"], "*")} & keys)
            for row in noticed.iter_rows(named=True)
        ],
        dtype=pl.Boolean,
    )
