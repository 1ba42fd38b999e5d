"""What GPUs cost from now on and what of it could be left unpaid, and who needs them, pool by pool."""

from warehouse.schemas.columns import choice, count, day, flag, measure, ratio, text
from warehouse.schemas.columns import usd as money
from warehouse.schemas.table import Table
from warehouse.vocabulary import SUPPLY_KINDS, USER_KINDS


class Supply(Table):
    """One pool, month ahead and kind of supply, each commitment by itself; the cheapest to keep first."""

    table_key = ("as_of", "pool_id", "month", "supply_kind", "commitment_discount_id")

    as_of = day("night")
    pool_id = text("pool; `model:` or `deployment:` and its name where the charges name no pool")
    month = day("first day of the month ahead; months of 365.25 / 12 days from the end of the night on")
    months_ahead = count("0 is the month that begins after the night", "months")
    supply_kind = choice("how it is paid", *SUPPLY_KINDS)
    commitment_discount_id = text("reservation, savings plan or contract").or_null()
    keep_order = count("0 is kept first: owned, committed, on demand")
    gpus = measure("GPUs that it gives now", "GPUs, or dollars an hour where the charges bring no GPU time")
    gpu_hours = measure("GPU-hours of the month if nothing changes", "GPU-hours")
    usd_per_gpu_hour = measure("what the bill has paid", "reporting currency per GPU-hour")
    usd = money("cost of the month if nothing changes")
    avoidable_usd = money("part of it that is not paid where the GPUs are not needed")
    avoidable_usd_per_gpu_hour = measure("of an owned GPU its power", "reporting currency per GPU-hour")
    paid_ratio_earliest = ratio("part of the month that is paid in any case, if the contract ends early")
    paid_ratio_latest = ratio("part of the month that is paid in any case, if the contract ends late")
    ends_on = day("first day that the contract no longer covers; null where nobody tells").or_null()
    ends_on_earliest = day("first day that it may no longer cover").or_null()
    ends_on_latest = day("first day that it surely no longer covers").or_null()
    end_basis = choice("who tells the end", "bill", "commitments.csv", "assumed").or_null()
    renewal = text("what comes then: ends, renews or notice:<days>").or_null()
    sign_by = day("last day on which somebody can still end it or make it smaller").or_null()
    unit = choice("what one of its GPUs is", "GPU", "USD an hour")
    gpu_model = text("chip").or_null()
    is_rate_assumed = flag("no bill tells the rate")


class PoolUsers(Table):
    """One user of one pool over one stretch of time: the GPUs it holds, or will hold as policy announces."""

    table_key = ("as_of", "pool_id", "user_kind", "user_id", "model_id", "since")

    as_of = day("night")
    pool_id = text("pool").or_null()
    user_kind = choice("what it is", *USER_KINDS[:-1])
    user_id = text("deployment, model, or the policy file that announces it")
    model_id = text("model that it serves, where it serves one").or_null()
    models = count("models that it serves")
    gpus = measure("GPUs", "GPUs")
    since = day("first day; null: it holds them now").or_null()
    until = day("first day after; null: open").or_null()
    follows_demand = flag("its GPUs have changed lately, so that its fleet follows its demand")
    mean_gpus = measure("of training, GPUs in the mean hour; `gpus` is in its busy hours", "GPUs").or_null()
    use_sigma = measure("how far its use may go over the year ahead, of its logarithm", "nepers").or_null()
    basis = text("policy file, the bill, or measured")


class GpuDemand(Table):
    """One user of one pool in one month ahead, and what stands idle: the GPU-hours it needs, by draws."""

    table_key = ("as_of", "pool_id", "month", "user_kind", "user_id")

    as_of = day("night")
    pool_id = text("pool")
    month = day("first day of the month ahead")
    user_kind = choice("what it is", *USER_KINDS)
    user_id = text("deployment, model, or the policy file that announces it; empty for what stands idle")
    gpu_hours_p10 = measure("GPU-hours, low", "GPU-hours")
    gpu_hours_p50 = measure("GPU-hours, median", "GPU-hours")
    gpu_hours_p90 = measure("GPU-hours, high", "GPU-hours")
    basis = text("how it is known")
