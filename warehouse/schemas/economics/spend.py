"""What the ledger says was spent, in the reporting currency, and who carries what is idle and shared."""

from warehouse.schemas.columns import choice, cost, day, flag, measure, text, usd
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
