"""How fast a model can be served on a chip, and whether compute or memory is the limit.

Reference: Williams et al. 2009 (roofline); Pope et al. 2022, Efficiently Scaling Transformer Inference,
arXiv:2211.05102; Pope 2026: a batch saturates a chip at about 300 tokens times the sparsity of the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from transforms.compute import CHIPS, Chip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.decisions.law.laws import Quantity

WEIGHT_BYTES: Final = 2.0  # BF16
# What a well-run decode reaches of the two peaks.
MFU: Final = 0.45
MBU: Final = 0.60
# Memory a chip keeps free for activations and the runtime, as a share.
MEMORY_SHARE: Final = 0.90

# Memory of one device as it is rented, bytes; the sheets named in `compute.CHIPS`.
MEMORY_BYTES: Final[Mapping[str, float]] = MappingProxyType(
    {
        "V100": 32e9,
        "T4": 16e9,
        "A10G": 24e9,
        "L4": 24e9,
        "L40S": 48e9,
        "A100": 80e9,
        "H100": 80e9,
        "H200": 141e9,
        "B200": 180e9,
        "GB200": 186e9,
        "MI250X": 128e9,
        "MI300X": 192e9,
        "MI325X": 256e9,
        "MI355X": 288e9,
        "TPU v4": 32e9,
        "TPU v5e": 16e9,
        "TPU v5p": 95e9,
        "TPU v6e": 32e9,
    }
)


@dataclass(frozen=True)
class Shape:
    """What a served model reads and computes per token."""

    params: float
    active_params: float
    kv_bytes_per_token: float


@dataclass(frozen=True)
class Replica:
    """One copy of a model on so many chips of one kind; what they lose to each other is in the efficiency."""

    chip: Chip
    gpus: float
    efficiency: float = 1.0

    @property
    def _chips(self) -> float:
        """Chips that the copy is worth."""
        return self.gpus * self.efficiency

    def step_s(self, shape: Shape, batch: Quantity, context_tokens: Quantity) -> Quantity:
        """Seconds in which each of `batch` requests gets one token: the slower of compute and memory."""
        compute = 2 * shape.active_params * batch / (self._chips * self.chip.flop_per_s * MFU)
        traffic = shape.params * WEIGHT_BYTES + batch * context_tokens * shape.kv_bytes_per_token
        return np.maximum(compute, traffic / (self._chips * self.chip.bytes_per_s * MBU))

    def is_compute_bound(self, shape: Shape, batch: float, context_tokens: float) -> bool:
        """Whether computing and not memory is the limit of a step."""
        compute = 2 * shape.active_params * batch / (self._chips * self.chip.flop_per_s * MFU)
        return bool(compute >= self.step_s(shape, batch, context_tokens))

    def prefill_s(self, shape: Shape, tokens: Quantity) -> Quantity:
        """Seconds to read `tokens` of input: compute alone."""
        return 2 * shape.active_params * tokens / (self._chips * self.chip.flop_per_s * MFU)


def kv_bytes_per_token(layers: int, kv_heads: int, head_width: int, element_bytes: float) -> float:
    """Keys and values that one token of context adds: 2·L·n_kv·d_head·bytes.

    Llama-3-8B: 2·32·8·128·2 = 131,072 bytes.
    """
    return 2 * layers * kv_heads * head_width * element_bytes


def critical_batch(chip: Chip, shape: Shape) -> float:
    """Requests in flight at which reading the weights is paid for by computing with them."""
    return chip.ridge_flop_per_byte * WEIGHT_BYTES / 2 * shape.params / shape.active_params


def least_gpus(gpu_model: str, shape: Shape) -> int | None:
    """Chips, a power of two, whose memory holds the weights and as much again for half of the context cache."""
    memory = MEMORY_BYTES.get(gpu_model)
    if memory is None or gpu_model not in CHIPS:
        return None
    needed = shape.params * WEIGHT_BYTES * 1.25 / (memory * MEMORY_SHARE)
    return int(2 ** np.ceil(np.log2(max(needed, 1))))
