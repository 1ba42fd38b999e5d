"""Every blocking check by stage: the function names the offending rows, `on` the table that is held."""

from __future__ import annotations

from typing import Final

from orchestration.table_assets import Check
from transforms.decisions.checks import (
    cards_above_their_pool,
    cards_that_exclude_each_other,
    crossed_percentiles,
    models_without_a_card,
    purchases_given_back,
    savings_above_what_is_paid,
    savings_counted_twice,
    unproven_recommendations,
)
from transforms.economics.checks import (
    assets_off_the_training,
    days_off_the_ledger,
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
    days_off_the_bill,
    misplaced_postings,
    pools_accrued_and_billed,
    postings_without_a_charge,
    totals_too_large,
    unbalanced_charges,
    unbalanced_invoices,
    unbalanced_sources,
)
from transforms.reports.checks import mismatched_invoices, too_much_doubt
from transforms.staging.checks import (
    bill_rows_in_no_unit,
    runs_that_end_before_they_start,
    workloads_measured_twice,
)

CHECKS: Final = {
    "staging": [
        Check(bill_rows_in_no_unit, on="delivered_days"),
        Check(runs_that_end_before_they_start, on="training_runs"),
        Check(workloads_measured_twice, on="workload_uses"),
    ],
    "ledger": [
        Check(charges_without_one_rule, on="charge_rules", grain="day"),
        Check(days_off_the_bill, on="booked_days"),
        Check(misplaced_postings, on="postings", grain="day"),
        Check(pools_accrued_and_billed, on="billed_hours"),
        Check(postings_without_a_charge, on="postings", grain="day"),
        Check(totals_too_large, on="billed_days"),
        Check(unbalanced_charges, on="postings", grain="day"),
        Check(unbalanced_invoices, on="postings", grain="day"),
        Check(unbalanced_sources, on="postings", grain="day"),
    ],
    "economics": [
        Check(assets_off_the_training, on="amortization"),
        Check(days_off_the_ledger, on="daily_spend"),
        Check(months_off_the_days, on="monthly_spend"),
        Check(open_bridges, on="variance_bridge"),
        Check(open_roll_forwards, on="amortization"),
        Check(shares_off_one, on="thirds"),
        Check(spend_off_the_ledger, on="lifecycle_spend"),
        Check(torn_lineage, on="lifecycle_spend"),
        Check(unconverted_spend, on="daily_spend"),
    ],
    "decisions": [
        Check(cards_above_their_pool, on="recommendations"),
        Check(cards_that_exclude_each_other, on="recommendations"),
        Check(crossed_percentiles, on="candidates"),
        Check(models_without_a_card, on="recommendations"),
        Check(purchases_given_back, on="supply"),
        Check(savings_above_what_is_paid, on="portfolio"),
        Check(savings_counted_twice, on="recommendations"),
        Check(unproven_recommendations, on="recommendations"),
    ],
    "findings": [
        Check(mismatched_invoices, on="findings"),
        Check(too_much_doubt, on="doubtful_shares"),
    ],
    "reports": [],
}
