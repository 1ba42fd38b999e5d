"""What the invented company serves: deployments as they grow, and the requests they answer."""

from __future__ import annotations

from datetime import date, timedelta

from warehouse.sample.company import Deployment, Stage, Traffic, at
from warehouse.sample.supply import END


def _grown(
    deployment_id: str, pool_id: str, models: tuple[str, ...], *steps: tuple[str, int], until: str = ""
) -> Deployment:
    """A deployment that changes its GPUs at each step."""
    starts = [at(day) for day, _ in steps]
    ends = [*starts[1:], at(until) if until else None]
    stages = tuple(Stage(start, end, gpus) for start, end, (_, gpus) in zip(starts, ends, steps, strict=True))
    return Deployment(deployment_id, pool_id, models, stages)


def _office_hours() -> tuple[Stage, ...]:
    """From 8 to 20 UTC on workdays since 5 October."""
    days = (date(2026, 10, 5) + timedelta(days=day) for day in range((END - date(2026, 10, 5)).days))
    return tuple(
        Stage(at(day.isoformat(), 8), at(day.isoformat(), 20), 32)
        for day in days
        if day.isoweekday() <= 5  # noqa: PLR2004
    )


DEPLOYMENTS = (
    _grown(
        "heron-34b-main", "serve-h100", ("heron-34b",), ("2026-01-26", 96), ("2026-03-01", 144), ("2026-05-01", 192),
        ("2026-07-01", 240), ("2026-09-01", 288), ("2026-10-15", 320),
    ),
    Deployment("heron-34b-burst", "serve-h100", ("heron-34b",), _office_hours()),
    _grown("heron-16b-main", "serve-h100", ("heron-16b",), ("2026-03-10", 32)),
    _grown("heron-70b-main", "serve-h100", ("heron-70b",), ("2026-05-11", 24)),
    _grown("heron-22b-main", "serve-h100", ("heron-22b",), ("2026-10-19", 48)),
    _grown(
        "osprey-code-main", "serve-h100", ("osprey-32b-code",), ("2026-06-22", 48), ("2026-08-01", 80),
        ("2026-10-01", 112),
    ),
    _grown("legal-batch", "reserve-a100", ("heron-34b-legal",), ("2026-04-15", 32)),
    _grown("osprey-sql-main", "reserve-a100", ("osprey-32b-sql",), ("2026-07-15", 16)),
    _grown("wren-3b-batch", "reserve-a100", ("wren-3b",), ("2026-05-04", 24)),
    _grown(
        "wren-7b-main", "reserve-a100", ("wren-7b",), ("2025-12-20", 104), ("2026-04-15", 88), ("2026-07-15", 64),
        until="2026-09-01",
    ),
    _grown("edge", "serve-l40s", ("wren-3b",), ("2026-04-01", 32), until="2026-08-03"),
    _grown("edge-shared", "serve-l40s", ("wren-3b", "osprey-1b"), ("2026-08-03", 40)),
    _grown("image-main", "image-l40s", ("plover-image-6b",), ("2026-03-02", 16)),
)  # fmt: skip

MILLION = 1e6
UNNAMED = (("", 1.0),)

TRAFFIC = (
    Traffic(
        "heron-34b", "heron-34b-main", "gateway", "assistants", UNNAMED, 880 * MILLION, 0.135, date(2026, 1, 26), END,
        seconds_per_request=14,
    ),
    Traffic(
        "heron-34b", "heron-34b-burst", "gateway", "assistants", UNNAMED, 290 * MILLION, 0.0, date(2026, 10, 5), END,
        seconds_per_request=14,
    ),
    Traffic(
        "heron-16b", "heron-16b-main", "gateway", "assistants", UNNAMED, 420 * MILLION, 0.02, date(2026, 3, 10), END,
        seconds_per_request=9,
    ),
    Traffic(
        "heron-70b", "heron-70b-main", "gateway", "research", UNNAMED, 31 * MILLION, -0.05, date(2026, 5, 11), END,
        output_ratio=0.35, per_request=9000, seconds_per_request=38,
    ),
    Traffic(
        "heron-22b", "heron-22b-main", "gateway", "assistants", UNNAMED, 310 * MILLION, 0.4, date(2026, 10, 19), END,
        seconds_per_request=11,
    ),
    Traffic(
        "osprey-32b-code", "osprey-code-main", "gateway", "developers", (("completion", 0.72), ("review", 0.28)),
        230 * MILLION, 0.2, date(2026, 6, 22), END, cached_ratio=0.55, per_request=5200, seconds_per_request=6,
    ),
    Traffic(
        "osprey-1b", "edge-shared", "gateway", "developers", (("completion", 1.0),), 90 * MILLION, 0.25,
        date(2026, 8, 3), END, cached_ratio=0.5, per_request=1800, seconds_per_request=0.7,
    ),
    Traffic(
        "wren-3b", "wren-3b-batch", "gateway", "search", UNNAMED, 380 * MILLION, 0.03, date(2026, 5, 4), END,
        output_ratio=0.02, cached_ratio=0.0, per_request=700, seconds_per_request=0.6,
    ),
    Traffic(
        "wren-7b", "wren-7b-main", "gateway", "mobile", UNNAMED, 1300 * MILLION, -0.06, date(2025, 12, 20),
        date(2026, 9, 1),
    ),
    Traffic("wren-3b", "edge", "gateway", "mobile", UNNAMED, 260 * MILLION, 0.05, date(2026, 4, 1), date(2026, 8, 3)),
    Traffic("wren-3b", "edge-shared", "gateway", "mobile", UNNAMED, 300 * MILLION, 0.0, date(2026, 8, 3), END),
    Traffic(
        "heron-34b-legal", "legal-batch", "batches", "legal", UNNAMED, 38 * MILLION, 0.03, date(2026, 4, 15), END,
        output_ratio=0.08, cached_ratio=0.1, per_request=21000, seconds_per_request=24,
    ),
    Traffic(
        "osprey-32b-sql", "osprey-sql-main", "agents", "analytics", (("sql", 1.0),), 8 / 24, 0.0,
        date(2026, 7, 15), END, per_request=1.0, seconds_per_request=3.2,
    ),
    Traffic(
        "plover-image-6b", "image-main", "images", "studio", UNNAMED, 15500, 0.03, date(2026, 3, 2), END,
        per_request=2.5, seconds_per_request=7.5,
    ),
)  # fmt: skip
