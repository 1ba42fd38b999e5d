"""Sizes that can be built: layers and widths that fill the chips' tiles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import numpy as np

from transforms.decisions.law.laws import Floats
from transforms.decisions.supply.roofline import kv_bytes_per_token

_HEAD_WIDTH: Final = 128
_KV_HEADS: Final = 8
_VOCABULARY: Final = 128_256
_WIDTHS: Final = tuple(range(1024, 16_385, 512))
_LAYERS: Final = tuple(range(16, 130, 2))
# Width over layers of dense decoders that were built, from 1B to 405B (Llama 3: 128 at 8B, 102 at 70B, 130 at 405B).
_LEAST_ASPECT: Final = 64
_MOST_ASPECT: Final = 160
_USUAL_ASPECT: Final = 112
_CLOSE: Final = 0.03
_GATED_WIDTH: Final = 3.5
_TILE: Final = 256


@dataclass(frozen=True)
class BuildableShape:
    """A dense decoder with grouped-query attention and a gated feed-forward layer."""

    layers: int
    width: int

    @property
    def feed_forward(self) -> int:
        """Width of the feed-forward layer, on whole tiles."""
        return int(-(-self.width * _GATED_WIDTH // _TILE) * _TILE)

    @property
    def params(self) -> float:
        """Parameters: attention, feed-forward, and one table of embeddings at each end."""
        attention = 2 * self.width**2 + 2 * self.width * _KV_HEADS * _HEAD_WIDTH
        return float(self.layers * (attention + 3 * self.width * self.feed_forward) + 2 * _VOCABULARY * self.width)

    @property
    def kv_bytes(self) -> float:
        """Bytes of keys and values per token of context, BF16."""
        return kv_bytes_per_token(self.layers, _KV_HEADS, _HEAD_WIDTH, 2)


@cache
def buildable() -> tuple[tuple[float, BuildableShape], ...]:
    """Every shape considered with its size, smallest first."""
    shapes = (BuildableShape(layers, width) for width in _WIDTHS for layers in _LAYERS)
    sized = ((shape.params, shape) for shape in shapes if _LEAST_ASPECT <= shape.width / shape.layers <= _MOST_ASPECT)
    return tuple(sorted(sized, key=lambda pair: (pair[0], pair[1].layers)))


@lru_cache(maxsize=4096)
def nearest(params: float) -> BuildableShape:
    """The shape of usual proportions among those of nearly this size."""
    sizes, unusual = _measures()
    away = abs(sizes / params - 1) // _CLOSE
    return buildable()[int(np.where(away == away.min(), unusual, np.inf).argmin())][1]


@cache
def _measures() -> tuple[Floats, Floats]:
    """Of every shape considered its size, and how far its proportions are from the usual."""
    sizes, shapes = zip(*buildable(), strict=True)
    return np.array(sizes), np.array([abs(shape.width / shape.layers - _USUAL_ASPECT) for shape in shapes])
