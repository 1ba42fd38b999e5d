"""Every blocking check: the function names the offending rows, `on` the table that is held."""

from __future__ import annotations

from typing import Final

from orchestration.table_assets import check
from transforms.decisions.checks import (
    crossed_percentiles,
    models_without_a_card,
    savings_counted_twice,
    unproven_recommendations,
)
from transforms.economics.checks import (
    assets_off_the_training,
    months_off_the_days,
    open_bridges,
    open_roll_forwards,
    shares_off_one,
    spend_off_the_ledger,
    torn_lineage,
    unconverted_spend,
)
from transforms.ledger.checks import (
    charges_without_one_rule,
    misplaced_postings,
    pools_accrued_and_billed,
    postings_without_a_charge,
    unbalanced_charges,
    unbalanced_invoices,
    unbalanced_sources,
)
from transforms.staging.checks import bill_rows_in_no_unit, runs_that_end_before_they_start, totals_too_large

CHECKS: Final = [
    check(bill_rows_in_no_unit, on="charge_rows"),
    check(runs_that_end_before_they_start, on="training_runs"),
    check(totals_too_large, on="charges"),
    check(charges_without_one_rule, on="charge_rules"),
    check(misplaced_postings, on="postings"),
    check(pools_accrued_and_billed, on="charge_rules"),
    check(postings_without_a_charge, on="postings"),
    check(unbalanced_charges, on="postings"),
    check(unbalanced_invoices, on="postings"),
    check(unbalanced_sources, on="postings"),
    check(assets_off_the_training, on="amortization"),
    check(months_off_the_days, on="monthly_spend"),
    check(open_bridges, on="variance_bridge"),
    check(open_roll_forwards, on="amortization"),
    check(shares_off_one, on="thirds"),
    check(spend_off_the_ledger, on="lifecycle_spend"),
    check(torn_lineage, on="lifecycle_spend"),
    check(unconverted_spend, on="daily_spend"),
    check(crossed_percentiles, on="candidates"),
    check(models_without_a_card, on="recommendations"),
    check(savings_counted_twice, on="recommendations"),
    check(unproven_recommendations, on="recommendations"),
]
