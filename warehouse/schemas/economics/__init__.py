"""What a model costs over its life, in the reporting currency; the tables stand in modules by subject."""

from warehouse.schemas.economics.demand import QUANTITIES, DemandStates, ExpectedService, ModelLives
from warehouse.schemas.economics.lives import (
    THIRDS_STATUSES,
    DailyService,
    LifecycleSpend,
    LineageShares,
    PhaseCompute,
    Thirds,
)
from warehouse.schemas.economics.prices import UnitCosts
from warehouse.schemas.economics.reconciliation import Reconciliation
from warehouse.schemas.economics.spend import (
    CompanySpend,
    DailySpend,
    IdleShares,
    ModelSpend,
    MonthlySpend,
    SharedShares,
)
from warehouse.schemas.economics.training import Amortization, EstimateChanges, TrainingAssets

__all__ = [
    "QUANTITIES",
    "THIRDS_STATUSES",
    "Amortization",
    "CompanySpend",
    "DailyService",
    "DailySpend",
    "DemandStates",
    "EstimateChanges",
    "ExpectedService",
    "IdleShares",
    "LifecycleSpend",
    "LineageShares",
    "ModelLives",
    "ModelSpend",
    "MonthlySpend",
    "PhaseCompute",
    "Reconciliation",
    "SharedShares",
    "Thirds",
    "TrainingAssets",
    "UnitCosts",
]
