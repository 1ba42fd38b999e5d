"""What a token's GPUs are on the model that takes it over.

A realised use of GPUs is an average at the volume at which it was realised: a model that hardly serves has all of its
GPUs for almost no tokens. Traffic far beyond that volume is measured by the hardware instead: the GPUs that it has
where it is, times the seconds of a step on the host's chip and size over those on its own, at the same batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from transforms.compute import CHIPS
from transforms.decisions.supply.serving_price import step_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.decisions.portfolio.simulation_context import Subject

# What a host has realised holds for up to so many times the volume at which it was; the card prints its basis.
REACH: Final = 10.0
_RECENT_DAYS: Final = 28
REALISED: Final = "realised by the host"
BY_HARDWARE: Final = "own GPUs by the seconds of a step on the host's chip and size"


def is_within_reach(position: Mapping[str, Any], daily_tokens: float) -> bool:
    """Whether the model serves enough for what it has realised to say what so many tokens a day would need."""
    return bool(daily_tokens <= REACH * position["recent_tokens"] / _RECENT_DAYS)


def host_missing(mover: Subject, host: Subject, share: float) -> str:
    """What is not known of the GPUs of so large a share of the mover on the host; empty where nothing is."""
    daily = share * mover.position["daily_tokens"]
    if is_within_reach(host.position, daily) and host.position["daily_tokens"] and host.position["recent_tokens"]:
        return ""
    missing = _unknown(mover.position) or _unknown(host.position)
    if not missing and not mover.position["concurrency"]:
        missing = f"of {mover.model_id} the requests in flight: send the durations of its requests"
    served = host.position["recent_tokens"] / _RECENT_DAYS
    words = f"{host.model_id} serves {served:,.0f} tokens a day, too few to tell what {daily:,.0f} need"
    return f"{words}, and there is not known {missing}" if missing else ""


def step_ratio(mover: Mapping[str, Any], host: Mapping[str, Any]) -> float:
    """GPU-seconds of a step of the mover's traffic on the host's chip and size, over those where it is."""
    return step_seconds(mover, host) / step_seconds(mover, mover)


def _unknown(position: Mapping[str, Any]) -> str:
    """What of the hardware of a model is not known, and how to supply it."""
    name = position["model_id"]
    if position["gpu_model"] not in CHIPS:
        return f"of {name} the chip: give its pool in deployments.csv, and bill the pool by chip"
    return "" if position["active_params"] else f"of {name} the size: give params in models.csv"
