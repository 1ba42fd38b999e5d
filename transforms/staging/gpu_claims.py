"""The same GPUs once: claims of one set of GPUs become intervals in which each GPU is held by one claim."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

import polars as pl

HOLDINGS: Final = {
    "claim": pl.UInt32(),
    "held_from_us": pl.Int64(),
    "held_to_us": pl.Int64(),
    "gpu_count": pl.Float64(),
}
"""One interval in which one claim holds GPUs; instants in microseconds since 1970."""


class _Claim(NamedTuple):
    """One claim of a set of GPUs; the smaller `order` holds where two claim the same."""

    order: int
    number: int
    start: int
    end: int
    gpus: float


def exclusive_holdings(claims: pl.DataFrame) -> pl.DataFrame:
    """The intervals that remain to each claim once every GPU of a set is held by one claim at a time.

    At every moment a set holds as many GPUs as the largest of the claims open then: the first of them in order holds
    what it claims, each later one what it claims beyond that. Costs n log n for n claims of one set.

    Args:
        claims: `gpu_set, claim, start_us, end_us, gpu_count`, in order of precedence within each set; `start_us` lies
            before `end_us`, and `gpu_count` is positive.

    Returns:
        `HOLDINGS`, by claim and time; a claim that others hold in full is absent.

    Example:
        A parent holds 4 GPUs from 0 to 3, its child claims the same from 2 to 5: the child holds them from 3 to 5.

        >>> claims = pl.DataFrame({"gpu_set": [1, 1], "claim": [0, 1], "start_us": [0, 2], "end_us": [3, 5],
        ...                        "gpu_count": [4.0, 4.0]})
        >>> exclusive_holdings(claims).rows()
        [(0, 0, 3, 4.0), (1, 3, 5, 4.0)]
    """
    rows = claims.select("gpu_set", "claim", "start_us", "end_us", "gpu_count").sort("gpu_set", maintain_order=True)
    holdings: list[tuple[int, int, int, float]] = []
    for _, members in groupby(rows.iter_rows(), key=itemgetter(0)):
        holdings += _held([_Claim(order, *row[1:]) for order, row in enumerate(members)])
    return pl.DataFrame(holdings, schema=HOLDINGS, orient="row").sort("claim", "held_from_us")


def _held(claims: list[_Claim]) -> list[tuple[int, int, int, float]]:
    """The holdings of one set, by a sweep over the moments at which a claim begins or ends."""
    begun = iter(sorted(claims, key=lambda claim: claim.start))
    following = next(begun, None)
    heaps: dict[float, list[_Claim]] = {}
    since: dict[int, tuple[int, float]] = {}
    holdings = []
    for moment in sorted({each for claim in claims for each in (claim.start, claim.end)}):
        while following is not None and following.start <= moment:
            heappush(heaps.setdefault(following.gpus, []), following)
            following = next(begun, None)
        now = _holders(heaps, moment)
        for number, (start, gpus) in list(since.items()):
            if now.get(number) != gpus:
                holdings.append((number, start, moment, gpus))
                del since[number]
        for number, gpus in now.items():
            since.setdefault(number, (moment, gpus))
    return holdings


def _holders(heaps: dict[float, list[_Claim]], moment: int) -> dict[int, float]:
    """Who holds how many GPUs from a moment on: of claims of one size the first open one, then what others add."""
    first = []
    for gpus, heap in list(heaps.items()):
        while heap and heap[0].end <= moment:
            heappop(heap)
        if heap:
            first.append(heap[0])
        else:
            del heaps[gpus]
    held, holders = 0.0, {}
    for claim in sorted(first):
        if claim.gpus > held:
            holders[claim.number] = claim.gpus - held
            held = claim.gpus
    return holders
