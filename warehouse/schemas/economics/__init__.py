"""What a model costs over its life, in the reporting currency; the tables stand in modules by subject."""

from warehouse.schemas.economics.demand import (
    QUANTITIES,
    DemandAccuracy,
    DemandForecast,
    DemandPaths,
    DemandStates,
    EstimateDays,
    ExpectedService,
    ModelLives,
    Parity,
    SpendOutlook,
    TaskDemand,
)
from warehouse.schemas.economics.evidence import EqualQualityPrices, ScalingEvidence, TeacherCosts, TwoPhaseBalance
from warehouse.schemas.economics.lives import (
    DailyService,
    LifecycleSpend,
    LineageShares,
    PhaseCompute,
    ProductionUnits,
    ServedDays,
    TaskDays,
    Thirds,
)
from warehouse.schemas.economics.plans import BudgetVariances, VarianceBridge
from warehouse.schemas.economics.prices import ApiComparisons, TokenCosts, UnitCosts
from warehouse.schemas.economics.reconciliation import PeriodFindings, Reconciliation
from warehouse.schemas.economics.spend import (
    ChargedMonths,
    CompanySpend,
    DailySpend,
    IdleShares,
    ModelSpend,
    MonthlySpend,
    SharedShares,
    SpendAnomalies,
)
from warehouse.schemas.economics.training import Amortization, AmortizationRestatements, EstimateChanges, TrainingAssets
from warehouse.schemas.economics.waste import Goodput, RunSpend, Waste

__all__ = [
    "QUANTITIES",
    "Amortization",
    "AmortizationRestatements",
    "ApiComparisons",
    "BudgetVariances",
    "ChargedMonths",
    "CompanySpend",
    "DailyService",
    "DailySpend",
    "DemandAccuracy",
    "DemandForecast",
    "DemandPaths",
    "DemandStates",
    "EqualQualityPrices",
    "EstimateChanges",
    "EstimateDays",
    "ExpectedService",
    "Goodput",
    "IdleShares",
    "LifecycleSpend",
    "LineageShares",
    "ModelLives",
    "ModelSpend",
    "MonthlySpend",
    "Parity",
    "PeriodFindings",
    "PhaseCompute",
    "ProductionUnits",
    "Reconciliation",
    "RunSpend",
    "ScalingEvidence",
    "ServedDays",
    "SharedShares",
    "SpendAnomalies",
    "SpendOutlook",
    "TaskDays",
    "TaskDemand",
    "TeacherCosts",
    "Thirds",
    "TokenCosts",
    "TrainingAssets",
    "TwoPhaseBalance",
    "UnitCosts",
    "VarianceBridge",
    "Waste",
]
