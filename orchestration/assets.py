"""Every asset of a night, one line per table, in the order money flows."""

from __future__ import annotations

from typing import Final

from orchestration import ingestion, publication
from orchestration.checks import CHECKS
from orchestration.nights_index import index
from orchestration.notify import assets
from orchestration.retention import pruned
from orchestration.table_assets import stage
from transforms.decisions.demand.positions import positions
from transforms.decisions.demand.task_classes import task_classes
from transforms.decisions.demand.task_shares import task_shares
from transforms.decisions.law.iso_loss import iso_loss
from transforms.decisions.law.law_points import law_points
from transforms.decisions.law.lifetime_optimum import lifetime_optimum
from transforms.decisions.law.sampling_optimum import sampling_optimum
from transforms.decisions.law.scaling_law import law_draws, scaling_law
from transforms.decisions.portfolio.candidates import candidates
from transforms.decisions.portfolio.cash_curves import cash_curves, recommended_totals
from transforms.decisions.portfolio.portfolio_selection import portfolio
from transforms.decisions.portfolio.recommendations import recommendations
from transforms.decisions.portfolio.track_record import track_record
from transforms.decisions.runs.reward_forecasts import reward_forecasts
from transforms.decisions.runs.run_forecasts import run_forecasts
from transforms.decisions.supply.gpu_demand import gpu_demand
from transforms.decisions.supply.pool_states import pool_states
from transforms.decisions.supply.pool_users import pool_users
from transforms.decisions.supply.serving_regimes import serving_regimes
from transforms.decisions.supply.serving_states import serving_states
from transforms.decisions.supply.supply import supply
from transforms.economics.amortization.amortization import amortization, estimate_changes
from transforms.economics.amortization.amortization_restatements import amortization_restatements
from transforms.economics.amortization.model_lives import expected_service, model_lives
from transforms.economics.amortization.training_assets import training_assets
from transforms.economics.forecast.demand_forecast import demand_forecast, parity
from transforms.economics.forecast.demand_paths import demand_accuracy, demand_paths
from transforms.economics.forecast.demand_states import demand_states, estimate_days
from transforms.economics.forecast.spend_outlook import spend_outlook
from transforms.economics.forecast.task_demand import task_demand
from transforms.economics.scaling.scaling_evidence import scaling_evidence, two_phase_balance
from transforms.economics.spend.charged_months import charged_months
from transforms.economics.spend.daily_and_monthly_spend import daily_spend, monthly_spend
from transforms.economics.spend.lifecycle_spend import lifecycle_spend
from transforms.economics.spend.lineage_shares import lineage_shares
from transforms.economics.spend.model_thirds import thirds
from transforms.economics.spend.phase_compute import phase_compute
from transforms.economics.spend.service import daily_service, production_units, served_days, task_days
from transforms.economics.spend.shared_cost_allocation import company_spend, idle_shares, model_spend, shared_shares
from transforms.economics.spend.spend_anomalies import spend_anomalies
from transforms.economics.spend.teacher_costs import teacher_costs
from transforms.economics.spend.waste import goodput, run_spend, waste
from transforms.economics.unit_costs.api_comparisons import api_comparisons
from transforms.economics.unit_costs.equal_quality_prices import equal_quality_prices
from transforms.economics.unit_costs.token_kind_costs import token_costs
from transforms.economics.unit_costs.unit_costs import unit_costs
from transforms.economics.variance.budget_variances import budget_variances
from transforms.economics.variance.period_findings import period_findings
from transforms.economics.variance.reconciliation import reconciliation
from transforms.economics.variance.variance_bridge import variance_bridge
from transforms.ledger.billed_hours import billed_hours
from transforms.ledger.charge_rules import charge_rules
from transforms.ledger.commitment_balances import commitments
from transforms.ledger.daily_charges import billed_days
from transforms.ledger.daily_postings import booked_days
from transforms.ledger.deployment_shares import deployment_shares
from transforms.ledger.policy_sensitivity import policy_sensitivity
from transforms.ledger.pool_findings import pool_findings
from transforms.ledger.pool_use_weights import pool_uses
from transforms.ledger.postings import postings
from transforms.raw.findings import findings
from transforms.reports.amortization_runoff import runoffs
from transforms.reports.band_verdicts import band_verdicts
from transforms.reports.change_drivers import change_drivers
from transforms.reports.company_thirds import company_thirds
from transforms.reports.compute_verdicts import law_verdicts, runs_in_flight, serving_batches, task_standings
from transforms.reports.doubts import doubtful_shares, largest_findings
from transforms.reports.events import events
from transforms.reports.headline_metrics import headline_metrics
from transforms.reports.idle_pools import idle_pools
from transforms.reports.metrics.numbers import numbers
from transforms.reports.month_costs import month_classes, month_figures
from transforms.reports.outlook import outlook, quarters
from transforms.reports.pages import pages
from transforms.reports.phase_history import trails
from transforms.reports.quality_checks import quality_checks
from transforms.reports.recent_anomalies import recent_anomalies
from transforms.reports.rejected_alternatives import held_models, rejected_alternatives
from transforms.reports.report_period import subject
from transforms.reports.requested_decisions import requested_decisions
from transforms.reports.restatements import restated_months, restatements
from transforms.reports.scope import scope
from transforms.reports.served_groups import served_groups
from transforms.reports.top_changes import movers
from transforms.reports.unmatched import unmatched
from transforms.reports.usage_gaps import usage_gaps
from transforms.staging.accruals import accruals
from transforms.staging.charge_findings import charge_findings
from transforms.staging.charges import charges
from transforms.staging.delivered_days import delivered_days
from transforms.staging.gpu_activity import gpu_activity
from transforms.staging.repeated_gpu_hours import repeated_gpu_hours
from transforms.staging.run_attempts import run_attempts
from transforms.staging.run_findings import run_findings
from transforms.staging.token_usage import token_usage
from transforms.staging.traffic_overlaps import captured_twice, traffic_overlaps
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
        repeated_gpu_hours,
        charges,
        charge_findings,
        delivered_days,
        run_attempts,
        training_runs,
        run_findings,
        training_metrics,
        traffic_overlaps,
        captured_twice,
        token_usage,
        workload_uses,
        gpu_activity,
        checks=CHECKS["staging"],
    ),
    stage(
        charge_rules,
        billed_days,
        billed_hours,
        pool_uses,
        pool_findings,
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
        period_findings,
        daily_spend,
        charged_months,
        monthly_spend,
        spend_anomalies,
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
        demand_paths,
        demand_accuracy,
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
        two_phase_balance,
        scaling_evidence,
        thirds,
        training_assets,
        amortization,
        amortization_restatements,
        parity,
        unit_costs,
        api_comparisons,
        equal_quality_prices,
        teacher_costs,
        token_costs,
        estimate_changes,
        goodput,
        waste,
        checks=CHECKS["economics"],
    ),
    stage(findings, doubtful_shares, largest_findings, name="findings", checks=CHECKS["findings"]),
    stage(
        track_record,
        pool_states,
        serving_states,
        supply,
        pool_users,
        positions,
        serving_regimes,
        iso_loss,
        lifetime_optimum,
        sampling_optimum,
        run_forecasts,
        reward_forecasts,
        task_shares,
        gpu_demand,
        candidates,
        portfolio,
        task_classes,
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
        change_drivers,
        band_verdicts,
        company_thirds,
        quality_checks,
        headline_metrics,
        requested_decisions,
        rejected_alternatives,
        held_models,
        idle_pools,
        served_groups,
        usage_gaps,
        recent_anomalies,
        law_verdicts,
        serving_batches,
        runs_in_flight,
        task_standings,
        pages,
        numbers,
        unmatched,
        checks=CHECKS["reports"],
    ),
    publication.night,
    assets.delivery,
    pruned,
    index,
]
