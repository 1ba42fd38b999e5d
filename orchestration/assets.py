"""Every asset of a night, one line per table, in the order money flows."""

from __future__ import annotations

from typing import Final

from orchestration import ingestion, notification, publication
from orchestration.checks import CHECKS
from orchestration.table_assets import stage
from transforms.decisions.candidates import candidates
from transforms.decisions.cash_curves import cash_curves, recommended_totals
from transforms.decisions.law_points import law_points
from transforms.decisions.lifetime import iso_loss, lifetime_optimum
from transforms.decisions.pool_states import pool_states
from transforms.decisions.positions import positions
from transforms.decisions.recommendations import recommendations
from transforms.decisions.run_forecasts import run_forecasts
from transforms.decisions.scaling_laws import law_draws, scaling_law
from transforms.decisions.serving_states import serving_states
from transforms.decisions.task_shares import task_shares
from transforms.decisions.track_record import track_record
from transforms.economics.amortizing import amortization, estimate_changes
from transforms.economics.assets import training_assets
from transforms.economics.balance import thirds
from transforms.economics.bridging import variance_bridge
from transforms.economics.budgeting import budget_variances
from transforms.economics.buying import api_comparisons
from transforms.economics.demand import demand_states, estimate_days
from transforms.economics.evidence import scaling_evidence, two_phase_balance
from transforms.economics.expectations import expected_service, model_lives
from transforms.economics.forecasts import demand_forecast, parity
from transforms.economics.lifecycle import lifecycle_spend
from transforms.economics.lineage import lineage_shares
from transforms.economics.outlook import spend_outlook
from transforms.economics.overhead import company_spend, idle_shares, model_spend, shared_shares
from transforms.economics.phases import phase_compute
from transforms.economics.reconciliation import reconciliation
from transforms.economics.restated_balances import amortization_restatements
from transforms.economics.service import daily_service, production_units, served_days, task_days
from transforms.economics.spend import daily_spend, monthly_spend
from transforms.economics.task_demand import task_demand
from transforms.economics.token_costs import token_costs
from transforms.economics.unit_costs import unit_costs
from transforms.economics.wasted import goodput, run_spend, waste
from transforms.ledger.billed_days import billed_days
from transforms.ledger.billed_hours import billed_hours
from transforms.ledger.booked_days import booked_days
from transforms.ledger.charge_rules import charge_rules
from transforms.ledger.commitments import commitments
from transforms.ledger.deployment_shares import deployment_shares
from transforms.ledger.policy_sensitivity import policy_sensitivity
from transforms.ledger.pool_uses import pool_uses
from transforms.ledger.postings import postings
from transforms.reports.events import events
from transforms.reports.months import month_classes, month_figures
from transforms.reports.movers import movers
from transforms.reports.numbers import numbers
from transforms.reports.outlook import outlook, quarters
from transforms.reports.pages import pages
from transforms.reports.restatements import restated_months, restatements
from transforms.reports.runoffs import runoffs
from transforms.reports.scope import scope
from transforms.reports.subject import subject
from transforms.reports.trails import trails
from transforms.reports.unmatched import unmatched
from transforms.staging.accruals import accruals
from transforms.staging.charges import charges
from transforms.staging.delivered_days import delivered_days
from transforms.staging.token_usage import token_usage
from transforms.staging.training_metrics import training_metrics
from transforms.staging.training_runs import training_runs
from transforms.staging.workload_uses import workload_uses

ASSETS: Final = [
    ingestion.settings,
    ingestion.policy,
    ingestion.published_before,
    ingestion.inbox,
    ingestion.request_hours,
    stage(
        accruals,
        charges,
        delivered_days,
        training_runs,
        training_metrics,
        token_usage,
        workload_uses,
        checks=CHECKS["staging"],
    ),
    stage(
        charge_rules,
        billed_days,
        billed_hours,
        pool_uses,
        deployment_shares,
        commitments,
        postings,
        booked_days,
        policy_sensitivity,
        checks=CHECKS["ledger"],
    ),
    stage(law_points, law_draws, scaling_law, name="scaling_laws"),
    stage(
        reconciliation,
        daily_spend,
        monthly_spend,
        idle_shares,
        shared_shares,
        run_spend,
        model_spend,
        company_spend,
        served_days,
        task_days,
        production_units,
        daily_service,
        estimate_days,
        demand_states,
        model_lives,
        demand_forecast,
        task_demand,
        expected_service,
        spend_outlook,
        budget_variances,
        variance_bridge,
        lineage_shares,
        phase_compute,
        lifecycle_spend,
        thirds,
        training_assets,
        amortization,
        amortization_restatements,
        parity,
        unit_costs,
        api_comparisons,
        token_costs,
        estimate_changes,
        goodput,
        waste,
        scaling_evidence,
        two_phase_balance,
        checks=CHECKS["economics"],
    ),
    stage(
        track_record,
        pool_states,
        serving_states,
        positions,
        iso_loss,
        lifetime_optimum,
        run_forecasts,
        task_shares,
        candidates,
        cash_curves,
        recommendations,
        recommended_totals,
        checks=CHECKS["decisions"],
    ),
    stage(
        subject,
        month_classes,
        month_figures,
        movers,
        trails,
        runoffs,
        outlook,
        quarters,
        events,
        scope,
        restated_months,
        restatements,
        pages,
        numbers,
        unmatched,
        checks=CHECKS["reports"],
    ),
    publication.night,
    notification.letters,
]
