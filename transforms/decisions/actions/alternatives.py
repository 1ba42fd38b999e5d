"""What could be done with one model, task or pool, before it is valued."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from transforms.decisions.randomness import generator

if TYPE_CHECKING:
    from transforms.decisions.law.laws import Floats
    from transforms.decisions.portfolio.simulation_context import Night

# Chance that a student nobody has evaluated will pass the gate: an even bet, until workloads.csv says better.
GATE_CHANCE: Final = 0.5
# Spread of the GPU-seconds of a token on another size or host around what the roofline or its realised use says.
THROUGHPUT_SIGMA: Final = 0.10


class Verdict(NamedTuple):
    """What stands against an alternative: its code, and the sentence for who reads the table."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Alternative:
    """What could be done with one model, task or pool.

    Attributes:
        standing: safe (no answer changes), measured, evaluate_first, or data_request where it cannot be valued.
        gate_probability: chance that the quality gate is passed; 1 where no answer changes or it was measured.
        missing: what is not known and how to supply it; empty where the alternative can be valued.
        blocked: why it may not be recommended whatever it is worth; None where nothing stands against it.
    """

    action: str
    model_id: str | None = None
    task: str | None = None
    pool_id: str | None = None
    deployment_id: str | None = None
    target_model_id: str | None = None
    target_params: float | None = None
    target_tokens: float | None = None
    standing: str = "safe"
    gate_probability: float = 1.0
    is_extrapolated: bool = False
    quality_gate: str = "none: the answers do not change"
    missing: str = ""
    blocked: Verdict | None = None
    assumptions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_measured(self) -> bool:
        """Whether nothing of its quality is left to evaluate."""
        return self.standing != "evaluate_first"


@dataclass(frozen=True)
class Proposal:
    """An alternative as a change of GPU demand, and what it pays beside GPUs.

    Attributes:
        one_off: training, evaluation and migration, USD by draw.
        gpus: by pool, months × draws: GPUs more in use, fewer where negative.
        released: by pool, months × 1: GPUs given back of those that stand idle.
        months: service ahead of what it changes.
        failed: paid where the quality gate is not passed, USD by draw.
        cuts: GPUs to which it cuts a deployment, by its key.
        loads: GPUs' worth of traffic that it puts on a host, by the key of the host, months × draws.
    """

    alternative: Alternative
    one_off: Floats
    gpus: Mapping[str, Floats]
    months: float
    released: Mapping[str, Floats] = field(default_factory=dict)
    failed: Floats | float = 0.0
    cuts: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
    loads: Mapping[tuple[str, str, str], Floats] = field(default_factory=dict)

    @property
    def pool_ids(self) -> list[str]:
        """The pools whose demand it changes."""
        return sorted({*self.gpus, *self.released})

    def passes(self, night: Night) -> Floats:
        """Whether the quality gate is passed, by draw: as many draws as the chance says."""
        one = self.alternative
        if one.gate_probability >= 1:
            return np.ones(night.draws, dtype=bool)
        size = "" if one.target_params is None else f"{one.target_params:.6g}"
        name = (str(one.model_id), str(one.task), str(one.target_model_id or size))
        order = generator(night.as_of, "gate", one.action, *name).permutation(night.draws)
        return np.asarray(order < one.gate_probability * night.draws)
