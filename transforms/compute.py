"""What training and serving compute: FLOP a parameter and token, and the peaks of chips.

Reference: Kaplan et al. 2020 (arXiv:2001.08361, section 2.1): a token costs 6·N FLOP to train on and 2·N to serve.
Attention comes on top where the shape is known; no input tells it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TRAINING_FLOP_PER_PARAM: Final = 6
SERVING_FLOP_PER_PARAM: Final = 2


@dataclass(frozen=True)
class Chip:
    """One accelerator: its dense BF16 peak and its memory bandwidth, per device as it is rented and counted."""

    flop_per_s: float
    bytes_per_s: float
    reference: str

    @property
    def ridge_flop_per_byte(self) -> float:
        """Arithmetic intensity above which the chip and not its memory is the limit."""
        return self.flop_per_s / self.bytes_per_s


# Dense BF16 (FP16 where the chip has no BF16), without structured sparsity; SXM or OAM boards unless named otherwise.
CHIPS: Final[Mapping[str, Chip]] = MappingProxyType(
    {
        "V100": Chip(125e12, 0.9e12, "NVIDIA V100 datasheet, 2020: FP16 tensor, SXM2"),
        "T4": Chip(65e12, 0.32e12, "NVIDIA T4 datasheet, 2019: FP16 tensor"),
        "A10G": Chip(70e12, 0.6e12, "NVIDIA A10G product brief, 2021"),
        "L4": Chip(121e12, 0.3e12, "NVIDIA L4 datasheet, 2023: half of the sparse figure"),
        "L40S": Chip(362e12, 0.864e12, "NVIDIA L40S datasheet, 2023"),
        "L40": Chip(181e12, 0.864e12, "NVIDIA L40 datasheet, 2023"),
        "A100": Chip(312e12, 2.039e12, "NVIDIA A100 80GB datasheet, 2022"),
        "H20": Chip(148e12, 4.0e12, "NVIDIA H20 product brief, 2024"),
        "H100": Chip(989e12, 3.35e12, "NVIDIA H100 datasheet, 2023: half of the sparse figure"),
        "H200": Chip(989e12, 4.8e12, "NVIDIA H200 datasheet, 2024: half of the sparse figure"),
        "B200": Chip(2250e12, 7.7e12, "NVIDIA HGX B200 datasheet, 2024: half of the sparse figure, per GPU"),
        "GB200": Chip(2500e12, 8e12, "NVIDIA GB200 NVL72 datasheet, 2024: half of the sparse figure, per GPU"),
        "MI250X": Chip(383e12, 3.2768e12, "AMD Instinct MI250X datasheet, 2021"),
        "MI300X": Chip(1307.4e12, 5.3e12, "AMD Instinct MI300X datasheet, 2023"),
        "MI325X": Chip(1307.4e12, 6.0e12, "AMD Instinct MI325X datasheet, 2024"),
        "MI355X": Chip(2516.6e12, 8e12, "AMD Instinct MI355X datasheet, 2025"),
        "Trainium": Chip(190e12, 0.82e12, "AWS Neuron documentation, Trainium architecture"),
        "TPU v4": Chip(275e12, 1.2288e12, "Google Cloud, TPU v4 system architecture"),
        "TPU v5e": Chip(197e12, 0.8192e12, "Google Cloud, TPU v5e system architecture"),
        "TPU v5p": Chip(459e12, 2.765e12, "Google Cloud, TPU v5p system architecture"),
        "TPU v6e": Chip(918e12, 1.64e12, "Google Cloud, TPU v6e system architecture"),
    }
)
