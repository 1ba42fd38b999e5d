"""Where runs in flight are heading, and what became of recommendations."""

from warehouse.schemas.columns import choice, count, day, flag, measure, text, usd
from warehouse.schemas.table import Table
from warehouse.vocabulary import ACTIONS

STATES = ("open", "withdrawn", "acted", "realised")


class RunForecasts(Table):
    """One training run still going: where its loss is heading, what that still costs, and whether to go on."""

    table_key = ("as_of", "run_id")

    as_of = day("night")
    run_id = text("run")
    model_id = text("model").or_null()
    tokens = measure("trained on so far", "tokens").or_null()
    planned_tokens = measure("training tokens planned for its model", "tokens").or_null()
    loss = measure("last loss", "nats per token").or_null()
    final_loss_p10 = measure("loss at the end, low", "nats per token").or_null()
    final_loss_p50 = measure("loss at the end, expected", "nats per token").or_null()
    final_loss_p90 = measure("loss at the end, high", "nats per token").or_null()
    past_runs = count("finished runs that calibrate the interval")
    best_past_loss = measure("best final loss of finished runs of the model", "nats per token").or_null()
    remaining_usd = usd("cost to the planned end, at the realised price of training").or_null()
    verdict = choice("what to do", "continue", "stop", "unknown")
    reason = text("why, or what is missing and how to supply it")


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
