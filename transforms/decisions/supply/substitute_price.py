"""What a token costs on the model that takes it over.

A realised price is an average at the volume at which it was realised: a model that hardly serves has the cost of its
GPUs over almost no tokens. Traffic far beyond that volume is priced by the hardware instead: what the traffic costs
where it is, times the GPU-dollars of a step on the host's chip and size over those on its own, at the same batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from transforms.compute import CHIPS
from transforms.decisions.portfolio.simulation_context import MTOK
from transforms.decisions.quantiles import median
from transforms.decisions.supply.serving_price import step_usd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.decisions.law.laws import Floats
    from transforms.decisions.portfolio.simulation_context import Subject

# A realised price holds for up to so many times the volume at which it was realised; the card prints its basis.
REACH: Final = 10.0
_RECENT_DAYS: Final = 28
REALISED: Final = "realised by the host"
BY_HARDWARE: Final = "own price by the GPU cost of a step on the host's chip and size"


@dataclass(frozen=True)
class HostPrice:
    """USD per token of the moved traffic on its host, by draw, and how it is known."""

    used: Floats
    allocated: Floats
    basis: str

    @property
    def idle(self) -> Floats:
        """The part that is idle and shared cost."""
        return self.allocated - self.used

    @property
    def usd_per_mtok(self) -> float:
        """Median, as the card prints it."""
        return median(self.allocated) * MTOK


def is_within_reach(position: Mapping[str, Any], daily_tokens: float) -> bool:
    """Whether the model serves enough for its realised price to say what so many tokens a day would cost."""
    return bool(daily_tokens <= REACH * position["recent_tokens"] / _RECENT_DAYS)


def host_missing(mover: Subject, host: Subject, share: float) -> str:
    """What is not known of the price of so large a share of the mover on the host; empty where nothing is."""
    daily = share * mover.position["daily_tokens"]
    if is_within_reach(host.position, daily):
        return ""
    missing = _unknown(mover.position) or _unknown(host.position)
    if not missing and not mover.position["concurrency"]:
        missing = f"of {mover.model_id} the requests in flight: send the durations of its requests"
    served = host.position["recent_tokens"] / _RECENT_DAYS
    words = f"{host.model_id} serves {served:,.0f} tokens a day, too few to price {daily:,.0f}, and there is not known"
    return f"{words} {missing}" if missing else ""


def host_price(mover: Subject, host: Subject, share: float) -> HostPrice:
    """The host's realised price within its reach, else the mover's by the hardware of both."""
    if is_within_reach(host.position, share * mover.position["daily_tokens"]):
        return HostPrice(host.used_price, host.allocated_price, REALISED)
    ratio = step_usd(mover.position, host.position) / step_usd(mover.position, mover.position)
    return HostPrice(mover.used_price * ratio, mover.allocated_price * ratio, BY_HARDWARE)


def _unknown(position: Mapping[str, Any]) -> str:
    """What of the hardware of a model is not known, and how to supply it."""
    name = position["model_id"]
    if position["gpu_model"] not in CHIPS:
        return f"of {name} the chip: give its pool in deployments.csv, and bill the pool by chip"
    if not position["usd_per_gpu_hour"]:
        return f"of {name} the price of a GPU-hour: attribute its serving GPUs in attribution.csv"
    return "" if position["active_params"] else f"of {name} the size: give params in models.csv"
