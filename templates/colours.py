"""The colours of the report: few, each with one meaning, and never alone."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

INK: Final = "#14181D"
TEXT_2: Final = "#58616C"
LINE: Final = "#C4CAD1"
GRID: Final = "#E7EAEE"
PAPER: Final = "#FFFFFF"
PRETRAINING: Final = "#1D3557"
POSTTRAINING: Final = "#B8581E"
POSTTRAINING_TEXT: Final = "#9A4A18"
INFERENCE: Final = "#86B8C6"
INFERENCE_TEXT: Final = "#2F7386"
HATCH: Final = "#7E8792"
HATCH_GROUND: Final = "#EFF1F3"
SHARED: Final = "#D9DDE1"
TARGET: Final = "#1B6E63"
TARGET_FILL: Final = "#DFE9E6"
ATTENTION: Final = "#9E2238"
MID_GREY: Final = "#8A909C"
BAR_GREY: Final = "#A9B0BA"
PALE_BAND: Final = "#F1F3F6"
PALER_BAND: Final = "#F7F8FA"
FORECAST: Final = "#DADEE3"
CASH_BAND: Final = "#D9E4E6"

FILLS: Final = MappingProxyType({
    "pretraining": PRETRAINING,
    "posttraining": POSTTRAINING,
    "inference": INFERENCE,
    "idle": HATCH_GROUND,
    "shared": SHARED,
    "unallocated": PAPER,
    "adjustment": LINE,
})  # fmt: skip
TEXTS: Final = MappingProxyType({
    "pretraining": PRETRAINING,
    "posttraining": POSTTRAINING_TEXT,
    "inference": INFERENCE_TEXT,
})  # fmt: skip
ON_FILL: Final = MappingProxyType({
    "pretraining": PAPER,
    "posttraining": PAPER,
    "inference": INK,
})  # fmt: skip
NAMES: Final = MappingProxyType({
    "pretraining": "Pre-training",
    "posttraining": "Post-training",
    "inference": "Inference",
    "idle": "Idle and unused",
    "shared": "Shared",
    "unallocated": "Unallocated",
    "adjustment": "Adjustments",
})  # fmt: skip
