"""Plan against actual, and what changed from one month to the next."""

from warehouse.schemas.columns import choice, count, day, flag, ratio, text, usd
from warehouse.schemas.table import Table
from warehouse.vocabulary import ACCOUNTS, COST_DRIVERS, PHASES


class BudgetVariances(Table):
    """One row of the budget: plan, actual and the difference."""

    table_key = ("month", "model_id", "phase")

    month = day("first day of the month")
    model_id = text("model, or * for all")
    phase = text("phase, or * for all")
    budget_usd = usd("plan")
    actual_usd = usd("effective cost to the night: all in scope for * and *, else direct cost")
    variance_usd = usd("actual − plan; positive is more cost")
    variance_ratio = ratio("variance over plan; null where nothing was planned").or_null()
    known_days = count("days of the month that both requests and the bill have told of", "days")
    is_complete = flag("the month is over and all its days are known")


class VarianceBridge(Table):
    """One driver of the change of cost against the month before, of one account, model and phase."""

    month = day("first day of the month that is explained")
    days = count(
        "days compared: those of the month that requests and the bill have told of, and as many of the month before",
        "days",
    )
    account = choice("account", *ACCOUNTS)
    model_id = text("model").or_null()
    phase = choice("phase", *PHASES).or_null()
    driver = choice("why", *COST_DRIVERS)
    change_usd = usd("part of the change; positive is more cost")
