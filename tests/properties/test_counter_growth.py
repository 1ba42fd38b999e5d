"""Laws of counters: what a fleet is told to have served is never above its request log, and hardly below it."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.landing.requests.counter_growth import land_growth
from warehouse.schemas.raw import CounterSamples
from warehouse.sources.reader_protocol import Delivered
from warehouse.sources.registry import FORMATS
from warehouse.sources.source import Source
from warehouse.tables import append

START = datetime(2026, 11, 19, tzinfo=UTC)
NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
SOURCE = Source("vllm", "request_telemetry", "vllm_metrics", "inbox/*")
SCRAPED_EVERY_S = 180

Scrape = tuple[int, int, int | None]
"""Second of the scrape, tokens counted, and second at which the process began, where it says so."""


def counted(pods: Sequence[Sequence[Scrape]]) -> tuple[int, int]:
    """Tokens of the input, and of the part read from a cache, as they land of one file with timestamps a pod."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA raw")
        connection.execute(CounterSamples.ddl())
        for pod, scrapes in enumerate(pods):
            for begun in {begun for _, _, begun in scrapes}:
                rows = _read(Path(folder), pod, [scrape for scrape in scrapes if scrape[2] == begun], begun)
                append(connection, CounterSamples.qualified(), rows)
        (Path(folder) / "landed").mkdir()
        files = land_growth(connection, Path(folder), NIGHT.date()).files
        landed = [pl.read_parquet(file.path) for file in files]
    if not landed:
        return 0, 0
    sums = pl.concat(landed).select(pl.col("input_tokens", "cached_input_tokens").sum()).row(0)
    return int(sums[0]), int(sums[1])


def _read(folder: Path, pod: int, scrapes: Sequence[Scrape], begun: int | None) -> pl.DataFrame:
    zero = int(START.timestamp())
    lines = [] if begun is None else [f"process_start_time_seconds {zero + begun}.25"]
    for second, tokens, _ in scrapes:
        at = (zero + second) * 1000
        lines.append(f'vllm:prompt_tokens_total{{model_name="m"}} {tokens} {at}')
        lines.append(f'vllm:prefix_cache_hits_total{{model_name="m"}} {tokens // 3} {at}')
    content = folder / "content"
    content.write_text("\n".join(lines) + "\n")
    delivered = Delivered(f"inbox/pod-{pod}.prom", f"{pod:x}" * 8, 1, content, NIGHT)
    return FORMATS["request_telemetry", "vllm_metrics"].read(delivered, SOURCE).frames["counter_samples"]


def fleet(rng: random.Random, *, says_begun: bool) -> tuple[list[list[Scrape]], int]:
    """Scrapes of three pods that are scaled up and started again, and the tokens that their request log has.

    Three requests a minute and pod; each process lives six hours and more, which the scrapes cut anywhere.
    """
    pods: list[list[Scrape]] = []
    served = 0
    for pod in range(3):
        scrapes: list[Scrape] = []
        second = rng.randrange(0, SCRAPED_EVERY_S) if pod < 2 else rng.randrange(3600, 6 * 3600)
        while second < 40 * 3600:
            begun, ends, total = second, second + rng.randrange(14 * 3600, 20 * 3600), 0
            next_scrape = begun + (0 if not scrapes and pod < 2 else rng.randrange(1, SCRAPED_EVERY_S))
            while second < min(ends, 46 * 3600):
                while next_scrape <= second:
                    scrapes.append((next_scrape, total, begun if says_begun else None))
                    next_scrape += SCRAPED_EVERY_S + rng.randrange(-5, 6)
                total += (tokens := rng.randrange(200, 2000))
                served += tokens
                second += rng.randrange(10, 30)
            second = ends + rng.randrange(30, 900)
        rng.shuffle(scrapes)
        pods.append(scrapes)
    return pods, served


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**32), says_begun=st.booleans())
def test_a_fleet_that_scales_and_restarts_comes_within_one_percent_and_never_above(
    *, seed: int, says_begun: bool
) -> None:
    pods, served = fleet(random.Random(seed), says_begun=says_begun)  # noqa: S311 - an invented fleet is no secret
    told, cached = counted(pods)
    assert 0.99 * served <= told <= served
    assert cached <= told // 3 + 4 * 50


lives = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=7), min_size=1, max_size=4)


@settings(max_examples=12, deadline=None)
@given(pods=st.lists(lives, min_size=1, max_size=2), says_begun=st.booleans(), rng=st.randoms(use_true_random=False))
def test_no_restarts_losses_or_order_of_scrapes_tell_of_more_than_was_served(
    *, pods: list[list[list[int]]], says_begun: bool, rng: random.Random
) -> None:
    scraped, served = [], 0
    for processes in pods:
        second, scrapes = rng.randrange(100), []
        for growth in processes:
            begun, total = second, 0
            for tokens in growth:
                total, second = total + tokens, second + rng.randrange(1, 4000)
                scrapes.append((second, total, begun if says_begun else None))
            served += total
            second += 1
        kept = [scrape for scrape in scrapes if rng.random() < 0.8]
        scraped.append(rng.sample(kept, len(kept)))
    told, cached = counted(scraped)
    assert cached <= told <= served


def test_the_same_scrapes_delivered_twice_count_once() -> None:
    scrapes: list[Scrape] = [(60 * minute, 7 * minute, None) for minute in range(10)]
    assert counted([scrapes + scrapes]) == counted([scrapes]) == (63, 21)
