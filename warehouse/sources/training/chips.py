"""The chip that a vendor's words for an accelerator mean."""

from __future__ import annotations

import re
from typing import Final

# Longer names first where one holds another; a chip is what runs the arithmetic, whatever board or memory it has.
_CHIPS: Final = (
    *("GB300", "GB200", "GH200", "B300", "B200", "B100", "H800", "H200", "H100", "H20", "A800", "A100", "A40", "A30"),
    *("A10G", "A10", "L40S", "L40", "L4", "V100", "P100", "T4"),
    *("MI355X", "MI350X", "MI325X", "MI300X", "MI300A", "MI250X", "MI250", "MI210"),
    *("Trainium2", "Trainium", "Inferentia2", "Gaudi3", "Gaudi2"),
)
_FAMILIES: Final = (
    (re.compile(r"\bTPU[ -]?trillium\b|\bTPU[ -]?v6e\b", re.IGNORECASE), "TPU v6e"),
    (re.compile(r"\bTPU[ -]?(v\d+[a-z]*)\b", re.IGNORECASE), r"TPU \1"),
    (re.compile(r"\b(RTX (?:PRO )?A?\d{4}(?: ?Ti| ?SUPER| ?Ada)?)\b", re.IGNORECASE), r"\1"),
    (re.compile(r"\b(RX \d{4} ?X?TX?)\b", re.IGNORECASE), r"\1"),
)
_BY_NAME: Final = tuple((re.compile(rf"(?<![A-Za-z0-9]){chip}(?![A-Za-z0-9])", re.IGNORECASE), chip) for chip in _CHIPS)


def chip(words: str | None) -> str | None:
    """`NVIDIA H100-SXM5-80GB` is an H100; words that name no known chip are kept trimmed, no words are unknown."""
    if words is None or not words.strip():
        return None
    for pattern, name in _BY_NAME:
        if pattern.search(words):
            return name
    for pattern, name in _FAMILIES:
        if match := pattern.search(words):
            return match.expand(name)
    return words.strip()
