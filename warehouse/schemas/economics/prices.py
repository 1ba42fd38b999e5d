"""What a million tokens costs."""

from warehouse.schemas.columns import choice, count, day, exact, flag, measure, ratio, text, usd
from warehouse.schemas.table import Table


class UnitCosts(Table):
    """One month of one model: what a million tokens costs, or one unit where it delivers no text."""

    table_key = ("month", "model_id")

    month = day("first day of the month")
    model_id = text("model")
    requests = count("requests served")
    input_tokens = count("input, cached included", "tokens")
    cached_input_tokens = count("input read from a cache", "tokens")
    output_tokens = count("output", "tokens")
    units = measure("units delivered where it is not text", "unit_name")
    unit_name = text("unit").or_null()
    used_usd = usd("direct inference")
    idle_share_usd = usd("share of the idle and unused cost of the pools its serving used")
    shared_share_usd = usd("share of the shared cost")
    amortized_training_usd = usd("training carried")
    used_usd_per_mtok = exact("direct inference", "reporting currency per million tokens").or_null()
    allocated_usd_per_mtok = exact(
        "used + idle share + shared share", "reporting currency per million tokens"
    ).or_null()
    idle_share_usd_per_mtok = exact("share of idle and unused", "reporting currency per million tokens").or_null()
    shared_share_usd_per_mtok = exact("share of shared", "reporting currency per million tokens").or_null()
    amortized_training_usd_per_mtok = exact("training carried", "reporting currency per million tokens").or_null()
    fully_loaded_usd_per_mtok = exact("all of it", "reporting currency per million tokens").or_null()
    used_usd_per_unit = exact("direct inference", "reporting currency per unit_name").or_null()
    allocated_usd_per_unit = exact("used + idle share + shared share", "reporting currency per unit_name").or_null()
    fully_loaded_usd_per_unit = exact("all of it", "reporting currency per unit_name").or_null()
    utilization_ratio = ratio("busy share of the GPU time of its pools").or_null()
    activity_ratio = ratio("share of the time that its GPUs worked, as measured").or_null()
    activity_gpu_hours = measure("GPU time that the measurement covers", "GPU-hours").or_null()
    active_usd = usd(
        "allocated cost of the time its GPUs worked: used + idle share + shared share, times activity"
    ).or_null()
    inactive_usd = usd("the rest of the allocated cost").or_null()
    active_usd_per_mtok = exact("cost of the time its GPUs worked", "reporting currency per million tokens").or_null()
    inactive_usd_per_mtok = exact("the rest of the allocated cost", "reporting currency per million tokens").or_null()
    cached_ratio = ratio("share of the input read from a cache").or_null()
    usage_ratio = ratio("share of the requests that tell their tokens or units").or_null()


class TokenCosts(Table):
    """One month, model and kind of token: its part of the direct cost of serving, and what a million of them costs."""

    table_key = ("month", "model_id", "kind")
    table_partition = "month"

    month = day("first day of the month")
    model_id = text("model")
    kind = choice("kind of token", "input", "cached_input", "output")
    basis = choice("how the cost is split", "token_weights", "measured_time", "equal")
    tokens = count("tokens of the kind; input without what was read from a cache", "tokens")
    work_ratio = ratio("its share of the work")
    used_usd = usd("its part of the direct cost; the kinds add up to it")
    used_usd_per_mtok = exact("direct cost", "reporting currency per million tokens").or_null()


class ApiComparisons(Table):
    """One month, model and price at which its tokens could have been bought: build or buy."""

    table_key = ("month", "model_id", "provider", "api_model")

    month = day("first day of the month")
    model_id = text("model")
    provider = text("who sells it")
    api_model = text("name of the model there")
    rank = count("1 is the cheapest for the tokens that the model served")
    is_named = flag("the policy names the model; else the names are alike")
    priced_on = day("when the price was looked up").or_null()
    reference = text("where the price stands").or_null()
    api_usd_per_mtok = exact("price of the month's own mix of tokens", "reporting currency per million tokens")
    allocated_usd_per_mtok = exact(
        "own cost: used + idle share + shared share", "reporting currency per million tokens"
    )
    buy_usd = usd("what the month's tokens would have cost there")
    build_usd = usd("what they have cost: used + idle share + shared share")
    buy_ratio = ratio("buy over build; under 1 buying is cheaper; null where building cost nothing").or_null()
