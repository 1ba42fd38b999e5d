"""Where runs in flight are heading, and what became of recommendations."""

from warehouse.schemas.columns import choice, count, day, flag, measure, ratio, text, usd
from warehouse.schemas.table import Table
from warehouse.vocabulary import ACTIONS

STATES = ("open", "withdrawn", "acted", "realised")


RUN_KINDS = ("pretraining", "sweep", "sft", "rl")
INTERVAL_BASES = ("comparable_scale", "smaller_scale", "too_few_runs")
RUN_REASONS = (
    "not_a_number",
    "rising",
    "above_interval",
    "worse_than_best",
    "may_be_best",
    "nothing_to_compare",
    "too_few_losses",
    "too_few_runs",
    "length_unknown",
    "no_model",
    "reward_decides",
)


class RunForecasts(Table):
    """One training run still going: where its loss is heading, what that still costs, and whether to go on."""

    table_key = ("as_of", "run_id")

    as_of = day("night")
    run_id = text("run")
    model_id = text("model").or_null()
    kind = choice("what kind of run", *RUN_KINDS)
    tokens = measure("trained on so far", "tokens").or_null()
    steps = measure("steps so far, where its losses carry no tokens", "steps").or_null()
    planned_tokens = measure("tokens it is planned to train on", "tokens").or_null()
    planned_steps = measure("steps planned, where its losses carry no tokens", "steps").or_null()
    planned_basis = text("where the planned length is known from")
    progress_ratio = ratio("part of the planned length that is over").or_null()
    loss = measure("last loss", "nats per token").or_null()
    lowest_loss = measure("lowest loss of a run that has left its way, smoothed", "nats per token").or_null()
    lowest_at_tokens = measure("tokens at which that was", "tokens").or_null()
    lowest_at_steps = measure("steps at which that was", "steps").or_null()
    final_loss_p10 = measure("loss at the end, low", "nats per token").or_null()
    final_loss_p50 = measure("loss at the end, expected", "nats per token").or_null()
    final_loss_p90 = measure("loss at the end, high", "nats per token").or_null()
    past_runs = count("finished runs that calibrate the interval")
    interval_basis = choice("which runs those are", *INTERVAL_BASES).or_null()
    widening_ratio = ratio("how much the interval of smaller runs was widened; 1 of comparable ones").or_null()
    hold_outs = count("past runs that were forecast from much smaller ones alone, to find the widening").or_null()
    hold_out_coverage_ratio = ratio("share of them within P10 and P90 before widening").or_null()
    widened_coverage_ratio = ratio("the same after widening").or_null()
    best_past_loss = measure("best final loss of finished runs of the model", "nats per token").or_null()
    spent_usd = usd("effective cost so far").or_null()
    remaining_usd = usd("cost to the planned end, at what a token or step has cost so far").or_null()
    verdict = choice("what to do", "continue", "stop", "roll_back", "unknown")
    reason_code = choice("why, or what is missing", *RUN_REASONS)


REWARD_REASONS = (
    "too_few_rewards",
    "falling",
    "below_curve",
    "saturated",
    "still_gaining",
    "at_its_end",
    "length_unknown",
)


class RewardForecasts(Table):
    """One RL run that is going on or has finished: its reward as a sigmoid of compute, and what more of it costs.

    R(C) = R0 + (A − R0) / (1 + (C_mid / C)^B), C in GPU-hours held (Khatri et al. 2025, arXiv:2510.13786).
    """

    table_key = ("as_of", "run_id")

    as_of = day("night")
    run_id = text("run")
    model_id = text("model").or_null()
    status = text("whether it is going on or has finished")
    reward_metric = text("the metric that is its reward")
    steps = measure("steps so far", "steps")
    planned_steps = measure("steps planned", "steps").or_null()
    planned_basis = text("where the planned length is known from")
    gpu_hours = measure("GPU time held so far", "GPU-hours").or_null()
    start_reward = measure("R0 of the best fit", "reward").or_null()
    reward = measure("reward now, on the curve", "reward").or_null()
    asymptote_p10 = measure("A, low", "reward").or_null()
    asymptote_p50 = measure("A, median", "reward").or_null()
    asymptote_p90 = measure("A, high", "reward").or_null()
    exponent = measure("B of the best fit", "1").or_null()
    midpoint_gpu_hours = measure("C_mid of the best fit; steps where no GPU time is known", "GPU-hours").or_null()
    gained_ratio = ratio("part of the way from R0 to A that is done").or_null()
    final_reward_p50 = measure("reward at the planned end", "reward").or_null()
    reward_per_usd = measure("reward that one more unit of money brings now", "reward per reporting currency").or_null()
    spent_usd = usd("effective cost so far").or_null()
    remaining_usd = usd("cost to the planned end, at what a step has cost so far").or_null()
    verdict = choice("what to do", "continue", "stop", "roll_back", "unknown")
    reason_code = choice("why, or what is missing", *REWARD_REASONS)


class TrackRecord(Table):
    """One past recommendation, and what became of it."""

    table_key = ("recommended_as_of", "model_id", "task", "pool_id", "action")

    recommended_as_of = day("first night that published it")
    model_id = text("model").or_null()
    task = text("task").or_null()
    pool_id = text("pool").or_null()
    action = choice("what was recommended", *ACTIONS)
    predicted_usd_p10 = usd("saving a month as predicted, low").or_null()
    predicted_usd_p50 = usd("saving a month as predicted, median").or_null()
    predicted_usd_p90 = usd("saving a month as predicted, high").or_null()
    realised_usd = usd("saving of the last four weeks, as a month").or_null()
    is_within = flag("realised between low and high").or_null()
    state = choice("what became of it", *STATES)
    reason = text("how that is known")
