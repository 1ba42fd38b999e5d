"""The closed lists that all rooms share, each once. It imports nothing, so any room may read it."""

from __future__ import annotations

from typing import Final

PHASES: Final = ("pretraining", "posttraining", "inference")
"""Phases of a model's life, in the order they happen."""

ACCOUNTS: Final = ("direct", "idle", "commitment_unused", "shared", "adjustment", "unallocated", "out_of_scope")
"""Accounts of the ledger (allocation-rules, section 2)."""

CHARGE_CATEGORIES: Final = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
"""ChargeCategory of FOCUS."""

RUN_STATUSES: Final = ("finished", "failed", "cancelled", "timeout", "running", "unknown")
"""How a training run ended."""

END_SOURCES: Final = ("logged", "last_event", "job_db", "censored")
"""Where the end of a training run comes from."""

REQUEST_STATUSES: Final = ("ok", "error", "cancelled", "pending", "unknown")
"""How a request ended."""

THIRDS_STATUSES: Final = (
    "balanced",
    "pretraining_heavy",
    "posttraining_heavy",
    "inference_heavy",
    "too_young",
    "no_own_pretraining",
)
"""How a model's spend lies against the target shares."""

HEAVY_STATUSES: Final = {phase: f"{phase}_heavy" for phase in PHASES}
"""Phase -> the status that says the phase has more than its share."""

WASTE_CAUSES: Final = (
    "failed",
    "cancelled",
    "timeout",
    "abandoned_sweep",
    "repeated_steps",
    "superseded",
    "idle",
    "commitment_unused",
)
"""Why cost was wasted or idle."""

COST_DRIVERS: Final = ("price", "volume", "mix", "efficiency", "one_off", "restatement", "other")
"""Why cost changed from month to month, in the order of the bridge."""

ACTIONS: Final = ("hold", "retrain_smaller", "distil", "route", "tune_serving", "release_capacity", "retire")
"""What can be decided about a model or a pool."""

LAWS: Final = ("own", "epoch", "hoffmann", "muennighoff")
"""Scaling laws: the company's own fit and the published ones."""
