"""What to do: laws, positions, alternatives, recommendations and what became of them; modules by subject."""

from warehouse.schemas.decisions.laws import IsoLoss, LawDraws, LawPoints, LifetimeOptimum, SamplingOptimum, ScalingLaw
from warehouse.schemas.decisions.options import Candidates, CashCurves, Portfolio, Recommendations, RecommendedTotals
from warehouse.schemas.decisions.outcomes import STATES, RewardForecasts, RunForecasts, TrackRecord
from warehouse.schemas.decisions.states import (
    PoolStates,
    Positions,
    ServingRegimes,
    ServingStates,
    TaskClasses,
    TaskShares,
)
from warehouse.schemas.decisions.supply import GpuDemand, PoolUsers, Supply

__all__ = [
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
    "RewardForecasts",
    "RunForecasts",
    "SamplingOptimum",
    "ScalingLaw",
    "ServingRegimes",
    "ServingStates",
    "Supply",
    "TaskClasses",
    "TaskShares",
    "TrackRecord",
]
