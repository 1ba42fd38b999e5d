"""Assumptions as JSON text: equal content is equal bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Final

_DIGITS: Final = 6
_PLAIN: Final = frozenset({str, int, bool})


def json_text(value: object) -> str:
    """Compact JSON with sorted keys and six digits, so that equal content is equal bytes."""
    return json.dumps(_rounded(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _rounded(value: object) -> object:
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
