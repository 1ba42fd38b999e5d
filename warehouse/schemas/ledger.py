"""Who pays what: the rule each charge follows, the uses of each pool, and the postings."""

import polars as pl

from warehouse.schemas.columns import (
    Column,
    choice,
    cost,
    count,
    day,
    exact,
    flag,
    instant,
    integer,
    measure,
    ratio,
    text,
)
from warehouse.schemas.findings import FindingRow
from warehouse.schemas.table import Table
from warehouse.vocabulary import ACCOUNTS, PHASES

SHARING_POLICIES = ("booked", "idle_with_users", "whole_nodes", "provider_weights")
"""As booked: by GPU time, idle apart. Idle with users: nobody's time is paid by who used the pool that day. Whole
nodes: every user's GPU time of an hour is rounded up to whole nodes. Provider weights: chips weigh by their price."""


def _weight(description: str, unit: str) -> Column:
    """A whole number of 128 bits: weights are never rounded, however large the pool."""
    return Column(pl.Decimal(38, 0), "DECIMAL(38,0)", unit, description, minimum=0)


class ChargeRules(Table):
    """One charge and the account and target that attribution.csv gives it."""

    table_key = ("charge_id",)
    table_partition = "charge_day"

    charge_id = text("charge")
    charge_day = day("UTC day on which the charge starts")
    method = choice("how it is posted", "whole", "pool", "deployment")
    account = choice("account, unless a pool or deployment splits it", *ACCOUNTS).or_null()
    rule = text("attribution.csv line N, or why no rule matched")
    pool_id = text("pool").or_null()
    deployment_id = text("deployment").or_null()
    model_id = text("model").or_null()
    phase = choice("phase", *PHASES).or_null()
    team = text("team of the rule").or_null()


class BilledHours(Table):
    """One hour of one pool or deployment that charges of one day touch, with the GPU time they bring into it."""

    table_key = ("charge_day", "method", "target_id", "hour", "is_accrued")
    table_partition = "charge_day"

    charge_day = day("UTC day on which the charges start")
    method = choice("how the charges are posted", "pool", "deployment")
    target_id = text("pool or deployment")
    hour = instant("UTC hour")
    is_accrued = flag("accrued for GPUs that send no bill")
    gpu_time = _weight("GPU time of the charges in the hour", "thousandth GPU × microseconds")


class BilledDays(Table):
    """One day's charges of one file that are alike in all that the tables after the ledger ask of them."""

    table_partition = "charge_day"

    charge_day = day("UTC day on which the charges start")
    source = text("source of the settings, or accrual")
    billing_period_start = day("first day of the billing period")
    invoice_id = text("invoice").or_null()
    currency = text("ISO 4217 code")
    file_sha256 = text("file").or_null()
    charge_category = text("kind of charge")
    charge_class = text("Correction, or null").or_null()
    commitment_discount_id = text("reservation or savings plan").or_null()
    commitment_discount_status = text("Used, Unused or null").or_null()
    pool_id = text("pool that the rule names").or_null()
    deployment_id = text("deployment that the rule names").or_null()
    model_id = text("model that the rule names").or_null()
    phase = choice("phase that the rule names", *PHASES).or_null()
    is_pooled = flag("shared among the users of the pool")
    gpu_model = text("chip").or_null()
    has_gpu_time = flag("the charges bring GPU time")
    is_listed = flag("the charges have a list cost")
    unmatched_name = text("what the bill calls them, where no rule gives them a place").or_null()
    scope_rule = text("attribution.csv line N, where it puts them out of scope").or_null()
    charges = count("charges")
    billed_cost = cost("sum of what the invoice says")
    effective_cost = cost("sum of what was consumed")
    list_cost = cost("sum at list price").or_null()
    gpu_hours = exact("sum of the GPU time", "GPU-hours")
    first_start = instant("first start of what is charged")
    last_end = instant("last end of what is charged, exclusive")
    node_gpus = integer("most GPUs that one consumed unit stands for", "GPUs").or_null()
    largest_cost = measure("largest of the costs without its sign", "currency")


class PoolUses(Table):
    """One user (run, deployment, workload or idle) of one pool in one hour, with its integer weight."""

    table_key = ("pool_id", "hour", "user_kind", "user_id")
    table_partition = "hour"

    pool_id = text("pool")
    hour = instant("UTC hour")
    user_kind = choice("kind of user, in the order of the split", "run", "deployment", "workload", "idle")
    user_id = text("run, deployment or workload; empty for idle")
    weight = _weight("use", "thousandth GPU × microseconds")
    is_billed = flag("false where no charge of the pool touches the hour")
    model_id = text("model of a workload; that of a run stands in staging.training_runs").or_null()
    phase = choice("phase of a workload", *PHASES).or_null()
    team = text("team of a workload").or_null()


class PoolFindings(FindingRow):
    """One pool whose GPUs are claimed twice by the logs of several sources, or are stated nowhere."""


class DeploymentShares(Table):
    """One model, team, tenant and task of one deployment in one billed hour; no model where none is valid."""

    table_partition = "hour"

    deployment_id = text("deployment")
    hour = instant("UTC hour")
    model_id = text("model").or_null()
    model_weight = _weight("weight of the model among the models of the hour", "of its basis")
    team = text("team").or_null()
    tenant = text("tenant").or_null()
    task = text("task").or_null()
    weight = _weight("weight of the team, tenant and task within the model", "of its basis")
    basis = choice("what the weights are", "tokens", "units", "duration", "equal")


class Commitments(Table):
    """One reservation or savings plan: what it cost, what of that was used and unused, and what is still to come."""

    table_key = ("source", "commitment_discount_id", "currency")

    source = text("source of the settings")
    commitment_discount_id = text("reservation or savings plan")
    currency = text("ISO 4217 code")
    first_day = day("first day that its purchases cover")
    last_day = day("last day that its purchases cover")
    purchased_cost = cost("billed cost of its purchases, corrections of them included")
    used_cost = cost("effective cost of the usage it covered")
    unused_cost = cost("effective cost of what nobody used")
    remaining_cost = cost("purchased − used − unused")
    is_over = flag("its last day lies before the end of the night")
    is_balanced = flag("nothing remains after its last day, and no more was consumed than bought")
    explanation = text("verdict in words")


class PolicySensitivity(Table):
    """One model's cost under one other way of sharing pools, and its rank: what the choice of policy decides.

    Costs of a pool and day are shared anew among its users; models of a deployment keep their shares of it.
    """

    table_key = ("policy", "currency", "model_id")

    policy = choice("way of sharing", *SHARING_POLICIES)
    currency = text("ISO 4217 code")
    model_id = text("model")
    effective_cost = cost("effective cost under the policy")
    share_ratio = ratio("share of all models' cost").or_null()
    rank = integer("1 costs most")
    booked_rank = integer("rank in the ledger as it is booked")


class Postings(Table):
    """One part of one charge on one day in one account; the parts of a charge add up to it exactly."""

    table_key = ("posting_id",)
    table_partition = "charge_day"

    posting_id = text("charge_id and line")
    charge_id = text("charge")
    charge_day = day("UTC day on which the charge starts")
    line = integer("number of the posting within its charge, from 1")
    source = text("source of the settings, or accrual")
    charge_date = day("UTC day of the part")
    billing_period_start = day("billing period of the charge")
    invoice_id = text("invoice").or_null()
    account = choice("account", *ACCOUNTS)
    model_id = text("model").or_null()
    phase = choice("phase", *PHASES).or_null()
    run_id = text("training run").or_null()
    deployment_id = text("deployment").or_null()
    pool_id = text("pool").or_null()
    team = text("team").or_null()
    tenant = text("tenant").or_null()
    task = text("task").or_null()
    rule = text("rule that led here, or why none did")
    gpu_seconds = measure("share of the charge's GPU time", "GPU-seconds")
    is_waste = flag("spent on a run that failed, was cancelled or ran out of time")
    currency = text("ISO 4217 code")
    billed_cost = cost("share of what the invoice says")
    effective_cost = cost("share of what was consumed")
    known_at = instant("when the charge became known")


class BookedDays(Table):
    """One day's charges in one place: their postings of one day of use, added up over the charges of an invoice."""

    table_partition = "charge_day"

    charge_day = day("UTC day on which the charges start")
    charge_date = day("UTC day of the parts")
    source = text("source of the settings, or accrual")
    billing_period_start = day("billing period of the charges")
    invoice_id = text("invoice").or_null()
    account = choice("account", *ACCOUNTS)
    model_id = text("model").or_null()
    phase = choice("phase", *PHASES).or_null()
    run_id = text("training run").or_null()
    deployment_id = text("deployment").or_null()
    pool_id = text("pool").or_null()
    team = text("team").or_null()
    tenant = text("tenant").or_null()
    task = text("task").or_null()
    is_waste = flag("spent on a run that failed, was cancelled or ran out of time")
    currency = text("ISO 4217 code")
    gpu_seconds = measure("share of the charges' GPU time", "GPU-seconds")
    billed_cost = cost("share of what the invoice says")
    effective_cost = cost("share of what was consumed")
