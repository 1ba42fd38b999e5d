"""What to do: laws, positions, alternatives, recommendations and what became of them; modules by subject."""

from warehouse.schemas.decisions.laws import LAWS, IsoLoss, LawDraws, LawPoints, LifetimeOptimum, ScalingLaw
from warehouse.schemas.decisions.options import (
    ACTIONS,
    STANDINGS,
    Candidates,
    CashCurves,
    Portfolio,
    Recommendations,
    RecommendedTotals,
)
from warehouse.schemas.decisions.outcomes import STATES, RunForecasts, TrackRecord
from warehouse.schemas.decisions.states import PoolStates, Positions, ServingStates, TaskShares
from warehouse.schemas.decisions.supply import GpuDemand, PoolUsers, Supply

__all__ = [
    "ACTIONS",
    "LAWS",
    "STANDINGS",
    "STATES",
    "Candidates",
    "CashCurves",
    "GpuDemand",
    "IsoLoss",
    "LawDraws",
    "LawPoints",
    "LifetimeOptimum",
    "PoolStates",
    "PoolUsers",
    "Portfolio",
    "Positions",
    "Recommendations",
    "RecommendedTotals",
    "RunForecasts",
    "ScalingLaw",
    "ServingStates",
    "Supply",
    "TaskShares",
    "TrackRecord",
]
