"""The same quality from a smaller model on more data.

What the incumbent's training has cost is spent: retraining pays only where serving the demand still ahead at the old
size costs more than training the new one and serving it, evaluation and migration included.

Reference: Sardana et al. 2024, Beyond Chinchilla-Optimal, arXiv:2401.00448.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transforms.decisions.actions.alternatives import THROUGHPUT_SIGMA, Alternative, Proposal, Verdict
from transforms.decisions.actions.gpu_changes import add_gpus, moved_share, own_holdings, throughput
from transforms.decisions.law.architectures import nearest
from transforms.decisions.law.law_subjects import effective_demand, law_missing
from transforms.decisions.law.laws import tokens_to_train_on, training_flop
from transforms.decisions.law.lifetime_optimum import lifetime_optimum_of
from transforms.decisions.quantiles import median
from transforms.decisions.supply.roofline import least_gpus
from transforms.decisions.supply.serving_price import least_serving_usd, shape_of, size_price_ratio
from transforms.periods import HOURS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.decisions.law.laws import Floats
    from transforms.decisions.portfolio.simulation_context import DrawnLaw, Night, Subject
    from transforms.decisions.supply.fleet import Fleet, Holding

ACTION: Final = "retrain_smaller"
# Months of training where its GPU-hours are not known, at the least, and of the post-training that follows.
TRAIN_MONTHS: Final = 2.0
LEAST_TRAIN_MONTHS: Final = 0.5
POST_MONTHS: Final = 1.0
MOVE_MONTHS: Final = 3.0
# Sizes tried around the optimum (above it more draws of the law can reach the loss), and the largest share of the
# old size that still counts as smaller.
_AROUND: Final = (0.7, 1.0, 1.4, 2.0, 2.8)
_SMALLER: Final = 0.9
_OFTEN: Final = 0.5
# Epochs over the company's data after which repeating it is worth nothing (Muennighoff et al. 2023, figure 4).
_MOST_EPOCHS: Final = 40.0


def retrain_proposals(subject: Subject, fleet: Fleet, wish: float | None = None) -> list[Proposal]:
    """Smaller sizes for the loss of the incumbent, at the optimum and around it, or the one size wished for.

    Sizes that can reach the loss in less than half of the draws are left out.
    """
    law = subject.night.law
    if law is None:
        return []
    sizes = _sizes(optimum_params(subject, law)) if wish is None else [wish]
    active = subject.position["active_params"]
    fitting = [size for size in sorted(set(sizes)) if size < _SMALLER * active]
    plans = [(size, training_tokens(subject, law, size)) for size in fitting]
    return [_proposal(subject, law, *plan, fleet) for plan in plans if np.isfinite(plan[1]).mean() >= _OFTEN]


def _sizes(optimum: float) -> list[float]:
    return [nearest(share * optimum).params for share in _AROUND]


def retrain_missing(subject_position: Mapping[str, Any], night: Night) -> Alternative | None:
    """Why retraining cannot be valued, and how to supply what is missing; None where it can."""
    words = law_missing(subject_position, night)
    return Alternative(ACTION, subject_position["model_id"], missing=words) if words else None


def optimum_params(subject: Subject, law: DrawnLaw) -> float:
    """Median over the draws of the size of least remaining cost."""
    return median(np.asarray(lifetime_optimum_of(law.draws, subject.losses, effective_demand(subject)).params))


def training_tokens(subject: Subject, law: DrawnLaw, params: float) -> Floats:
    """Tokens by draw on which `params` reaches the incumbent's loss, repeated where unique ones run out.

    Infinite in the draws in which no number of tokens does, or only more epochs than are worth anything.
    """
    unique = subject.position["unique_tokens"]
    tokens = tokens_to_train_on(law.draws.tokens_for(subject.losses, params), unique)
    return np.where(tokens <= _MOST_EPOCHS * unique, tokens, np.inf)


def _proposal(subject: Subject, law: DrawnLaw, params: float, needed: Floats, fleet: Fleet) -> Proposal:
    """In the draws that never reach the loss the training of the others is lost, and nothing is saved."""
    night, position = subject.night, subject.position
    reaches = np.isfinite(needed)
    plan = median(needed[reaches])
    flop = training_flop(params, np.where(reaches, needed, plan))
    training = flop * subject.training_price
    calendar = training_calendar(subject, fleet, float(training_flop(params, plan)))
    moved = moved_share(subject, fleet, calendar["lead_months"], MOVE_MONTHS)
    ratio = size_price_ratio(position, params) * throughput(night, subject.model_id, ACTION)
    gpus: dict[str, Floats] = {}
    for holding in own_holdings(subject, fleet):
        floor = min(successor_floor(subject, holding, params, fleet), holding.gpus)
        less = holding.needed * ratio
        np.maximum(less, floor, out=less)
        less -= holding.needed
        np.minimum(less, 0, out=less)
        less *= reaches * moved
        add_gpus(gpus, holding.pool_id, less)
    posttraining = float(position["posttraining_usd"] or 0)
    loss = median(subject.losses)
    reach = law.reach(params, plan)
    alternative = Alternative(
        action=ACTION,
        model_id=subject.model_id,
        target_params=params,
        target_tokens=plan,
        standing="measured",
        is_extrapolated=any(beyond > 1 for beyond in reach.values()),
        quality_gate=f"validation loss at most {loss:.3f} on the frozen evaluation set; the owner signs",
        blocked=_blocked(position),
        assumptions=_assumptions(subject, law, params, training)
        | reach
        | calendar
        | {"posttraining_usd": posttraining, "loss": loss, "chance_to_reach_the_loss": float(reaches.mean())},
    )
    return Proposal(
        alternative,
        one_off=np.asarray(training + posttraining + night.evaluation_usd + night.migration_usd),
        gpus=gpus,
        months=subject.months,
        cuts={},
    )


def successor_floor(subject: Subject, holding: Holding, params: float, fleet: Fleet) -> float:
    """The fewest GPUs that serve the successor from a pool, in its units."""
    if fleet.rows[holding.pool_id][0]["unit"] != "GPU":
        return least_serving_usd(subject.position, params) / HOURS_PER_MONTH
    return float(least_gpus(subject.position["gpu_model"] or "", shape_of(params)) or 1)


def training_calendar(subject: Subject, fleet: Fleet, flop: float) -> dict[str, Any]:
    """Months until the successor serves: the GPU-hours of its training over what is free of the GPUs that train.

    Where no pool trains, GPUs are rented as many as trained the incumbent. Post-training comes after.
    """
    night, position = subject.night, subject.position
    seconds = position["gpu_seconds_per_training_flop"]
    if not seconds:
        return {"training_gpu_hours": None, "training_months": TRAIN_MONTHS, "posttraining_months": POST_MONTHS} | (
            night.calendar(TRAIN_MONTHS + POST_MONTHS, MOVE_MONTHS)
        )
    hours = flop * float(seconds) / 3600
    free = fleet.free_training_gpus()
    used = max(free, 0.0) or float(position["training_gpus"] or 0.0)
    months = max(hours / (used * HOURS_PER_MONTH), LEAST_TRAIN_MONTHS) if used else TRAIN_MONTHS
    return {
        "training_gpu_hours": hours,
        "free_training_gpus": free,
        "training_gpus": used,
        "training_months": months,
        "posttraining_months": POST_MONTHS,
    } | night.calendar(months + POST_MONTHS, MOVE_MONTHS)


def _blocked(position: Mapping[str, Any]) -> Verdict | None:
    """What stands against it whatever it is worth; that the past is in balance does not: it is spent."""
    if position["origin"] == "adopted" or position["thirds_status"] == "no_own_pretraining":
        words = "its pre-training was paid by others: adopt a smaller sibling, evaluate it and add it to workloads.csv"
        return Verdict("not_own_pretraining", words)
    return None


def _assumptions(subject: Subject, law: DrawnLaw, params: float, training: Floats) -> dict[str, Any]:
    position, night = subject.position, subject.night
    return {
        "law": law.law_id,
        "law_source": law.source,
        "laws_drawn": law.law_ids,
        "params": position["active_params"],
        "training_tokens": position["training_tokens"],
        "unique_tokens": position["unique_tokens"],
        "training_usd_p50": median(training),
        "evaluation_usd": night.evaluation_usd,
        "migration_usd": night.migration_usd,
        "usd_per_training_flop": position["usd_per_training_flop"],
        "training_price_basis": position["training_price_basis"],
        "usd_per_inference_flop": position["usd_per_inference_flop"],
        "serving_price_ratio": size_price_ratio(position, params),
        "throughput_sigma": THROUGHPUT_SIGMA,
        "least_serving_usd_a_month": least_serving_usd(position, params),
        **subject.outlook(),
    }
