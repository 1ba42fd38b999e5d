"""Why a model has no other size or no task to show: the verdict of the decisions, or what its life says."""

from __future__ import annotations

from templates import formats
from templates.pages.night import Night, Row


def why_no_sizes(night: Night, model_id: str) -> str:
    """One sentence: what is missing for another size, or what the model has before it."""
    tonight = {"as_of": night.subject["as_of"], "model_id": model_id}
    positions = night.tables["positions"].filter(**tonight).to_dicts()
    return _of_its_life(night, positions[0]) if positions else "Nothing is known of what it costs to serve."


def why_no_tasks(night: Night, model_id: str) -> str:
    """One sentence: what it delivers, or that nothing was asked of it."""
    rows = night.tables["positions"].filter(as_of=night.subject["as_of"], model_id=model_id).to_dicts()
    if rows and rows[0]["unit_name"] and rows[0]["daily_tokens"] is None:
        return f"It delivers {formats.name(rows[0]['unit_name'], 20)}s; shares of tasks are counted in tokens."
    if rows and not rows[0]["monthly_inference_usd"]:
        return "Nothing was asked of it in the last four weeks."
    return "No request of the last weeks carries a task."


def _of_its_life(night: Night, position: Row) -> str:
    model_id = position["model_id"]
    model = night.tables["models"].filter(model_id=model_id).to_dicts()
    if model and model[0]["params"] is None:
        return "Its size is not known: give params in models.csv."
    if position["unit_name"] and position["daily_tokens"] is None:
        return f"It delivers {formats.name(position['unit_name'], 20)}s, not tokens: laws of loss do not speak of it."
    if not position["served_days"]:
        return "It has not served yet, so the demand ahead of it is not known."
    if position["remaining_months"] <= 0:
        return f"No service is ahead of it{_retired(night, model_id)}: no other size could pay."
    if not position["daily_tokens"]:
        return "Nobody asks it for tokens any more: no other size could pay."
    return "No other size reaches its loss on any amount of data within a thousand times its own."


def _retired(night: Night, model_id: str) -> str:
    ends = night.tables["models"].filter(model_id=model_id)["retires_on"].drop_nulls().to_list()
    return f", it retired on {formats.day(ends[0])}" if ends and ends[0] <= night.subject["as_of"] else ""
