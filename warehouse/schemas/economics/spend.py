"""What the ledger says was spent, in the reporting currency, and who carries what is idle and shared."""

from warehouse.schemas.columns import choice, cost, count, day, exact, flag, measure, text, usd
from warehouse.schemas.table import Table
from warehouse.vocabulary import ACCOUNTS, PHASES


class DailySpend(Table):
    """One day of one source, currency, account, model, phase and pool, with its cost in the reporting currency."""

    table_partition = "charge_date"

    charge_date = day("UTC day")
    source = text("source of the settings, or accrual")
    currency = text("currency of the bill")
    account = choice("account", *ACCOUNTS)
    model_id = text("model").or_null()
    phase = choice("phase", *PHASES).or_null()
    pool_id = text("pool").or_null()
    is_waste = flag("spent on runs that failed, were cancelled or ran out of time")
    is_restated = flag("billed in a later billing period than the day's own: a correction of what was reported")
    gpu_seconds = measure("GPU time", "GPU-seconds")
    billed_cost = cost("billed cost")
    effective_cost = cost("effective cost")
    billed_usd = usd("billed cost; null where the month's rate is missing").or_null()
    effective_usd = usd("effective cost; null where the month's rate is missing").or_null()


class ChargedMonths(Table):
    """One month of charge dates, month of billing, source and currency: what the month cost as the report counts it."""

    table_key = ("month", "billing_month", "source", "currency")

    month = day("first day of the month of the charge dates")
    billing_month = day("first day of the month in which the billing period starts")
    source = text("source of the settings, or accrual")
    currency = text("ISO 4217 code")
    effective_cost = cost("effective cost in scope")
    out_of_scope_cost = cost("effective cost that attribution.csv takes out of scope")
    correction_cost = cost("part of the effective cost that rows of class Correction bring, by the day they start")
    rate = exact("rate of the month", "reporting currency per one unit of the currency").or_null()
    effective_usd = usd("effective cost in scope, as far as it has a rate")
    last_charge_date = day("latest charge date")


class MonthlySpend(Table):
    """One month of one account by who spent it: model, phase, pool, run, deployment, team, tenant and task."""

    table_partition = "month"

    month = day("first day of the month")
    account = choice("account", *ACCOUNTS)
    model_id = text("model").or_null()
    phase = choice("phase", *PHASES).or_null()
    pool_id = text("pool").or_null()
    run_id = text("training run").or_null()
    deployment_id = text("deployment").or_null()
    team = text("team").or_null()
    tenant = text("tenant").or_null()
    task = text("task").or_null()
    is_waste = flag("spent on runs that failed, were cancelled or ran out of time")
    gpu_seconds = measure("GPU time", "GPU-seconds")
    billed_usd = usd("billed cost, as far as it has a rate")
    effective_usd = usd("effective cost, as far as it has a rate")


class IdleShares(Table):
    """One month and pool: the part of its idle and unused cost that one model and phase, or nobody, carries."""

    table_partition = "month"

    month = day("first day of the month")
    pool_id = text("pool")
    model_id = text("model; null for the part that no model carries").or_null()
    phase = choice("phase", *PHASES).or_null()
    basis = choice("key of the split", "gpu_seconds", "direct_usd", "nobody")
    gpu_seconds = measure("GPU time the model and phase used in the pool", "GPU-seconds")
    idle_usd = usd("its part of the pool's idle cost")
    unused_usd = usd("its part of the pool's unused commitments and reservations")


class SharedShares(Table):
    """One month: the part of the shared cost that one model and phase carries, or that nobody does."""

    table_partition = "month"

    month = day("first day of the month")
    model_id = text("model; null for the part that no model carries").or_null()
    phase = choice("phase", *PHASES).or_null()
    direct_usd = usd("the key: direct effective cost of the month, nothing where it is negative")
    shared_usd = usd("its part of the shared cost")


class ModelSpend(Table):
    """One month of one model and phase: its own cost, and its parts of what is idle and shared."""

    table_key = ("month", "model_id", "phase")
    table_partition = "month"

    month = day("first day of the month")
    model_id = text("model")
    phase = choice("phase", *PHASES)
    direct_usd = usd("postings of the model and phase, waste included")
    waste_usd = usd("part of direct_usd that failed, was cancelled, ran out of time or was done again")
    idle_share_usd = usd("share of the idle and unused cost of the pools it used")
    shared_share_usd = usd("share of the shared cost")
    gpu_seconds = measure("GPU time", "GPU-seconds")


class CompanySpend(Table):
    """One month and reason: what no model carries, so that models and company together are the ledger."""

    table_key = ("month", "account", "pool_id")
    table_partition = "month"

    month = day("first day of the month")
    account = choice("account", *ACCOUNTS)
    pool_id = text("pool").or_null()
    effective_usd = usd("effective cost")


class SpendAnomalies(Table):
    """One day on which the cost of a model, a pool or a team left the interval of its own past, and what moved most.

    The days of four weeks to the last day that every source has billed whole. The start and end of a training run on a
    pool, a release and a retirement are events and no anomalies.
    """

    table_key = ("subject_kind", "subject", "charge_date")

    subject_kind = choice("what it is: serving of a model, all of a pool, serving of a team", "model", "pool", "team")
    subject = text("its name")
    charge_date = day("UTC day")
    actual_usd = usd("cost of the day")
    expected_usd = usd("what four same weekdays and the level of the last week let expect")
    low_usd = usd("low end of the interval")
    high_usd = usd("high end of the interval")
    past_days = count("days forecast one by one before, which the interval is tested on", "days")
    since = day("first of the days without a gap that lie outside on the same side")
    is_new = flag("it began on the last day that is known, or the day before")
    ledger_source = text("source of the ledger rows that moved most").or_null()
    ledger_account = text("their account").or_null()
    ledger_model_id = text("their model").or_null()
    ledger_pool_id = text("their pool").or_null()
    ledger_change_usd = usd("what they changed against their median of two weeks").or_null()
