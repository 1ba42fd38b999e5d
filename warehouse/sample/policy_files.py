"""What the invented company's people wrote into policy/: the plan in the words of the policy tables."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from warehouse.sample.archive import put, text_of
from warehouse.sample.bill_rows import GPUS_PER_NODE, instance_type, month_of
from warehouse.sample.company import TOKEN_WEIGHTS, Company, chip_of
from warehouse.sample.logs import ORGANISATION
from warehouse.sample.tracker import CLUSTERS
from warehouse.sample.training import PROJECTS
from warehouse.sources.policy.files import columns_in_file
from warehouse.sources.policy.policy import FILE_NAMES, TABLES

Row = Mapping[str, object]

SHARED_SERVICES: Final = (
    "Kubernetes Engine",
    "Object Storage",
    "Network",
    "Observability",
    "Parallel File System",
    "Support",
)
TEAMS: Final = {"heron": "foundation", "wren": "edge", "osprey": "code", "plover": "vision"}
PLANNED_USD: Final = (1.3, 1.8, 1.6, 1.7, 1.8, 2.0, 2.1, 2.0, 2.6, 2.3, 2.15, 2.2)
PLANNED_HERON_34B_USD: Final = (0, 0.05, 0.24, 0.33, 0.33, 0.42, 0.42, 0.5, 0.5, 0.55, 0.58, 0.6)
LATENCY_LIMITS: Final[Mapping[str, Row]] = {"serve-h100": {"ttft_s_limit": 1.5, "tpot_s_limit": 0.05}}
STUDENT: Final = "osprey-1b"
LIVES: Final[tuple[Row, ...]] = (
    {"model_id": "*", "method": "straight_line", "months": 18, "valid_from": "2025-12-01"},
    {"model_id": "heron-34b", "method": "units_of_production", "expected_tokens": "2.2e13", "valid_from": "2026-01-26"},
    {
        "model_id": "heron-34b",
        "method": "units_of_production",
        "expected_tokens": "4.5e13",
        "valid_from": "2026-07-01",
        "reason": "traffic doubled in five months",
    },
    {"model_id": "heron-16b", "method": "units_of_production", "expected_tokens": "4.6e12", "valid_from": "2026-03-10"},
)
API_PRICES: Final = (
    {
        "model_id": "heron-34b",
        "provider": "Pagoda Inference",
        "api_model": "pagoda-36b",
        "input_usd_per_mtok": "0.30",
        "cached_input_usd_per_mtok": "0.03",
        "output_usd_per_mtok": "1.20",
        "priced_on": "2026-10-01",
        "reference": "invented, as everything here",
        "valid_from": "2026-10-01",
    },
)
# The bill of the reserved pool tells no end; of the other contracts nobody has looked it up, so both ends are valued.
CONTRACTS: Final[tuple[Row, ...]] = (
    {
        "commitment_id": "reserve-a100-2025",
        "pool_id": "reserve-a100",
        "gpu_count": 192,
        "valid_from": "2025-12-01",
        "valid_to": "2026-12-01",
        "renewal": "renews",
    },
)
EVALUATED: Final = (
    ("completion", 0.634, 0.617, "2026-10-14"),
    ("review", 0.702, 0.571, "2026-10-15"),
)


def write_policy(project: Path, company: Company) -> None:
    """Every policy table, with its header even where it has no rows."""
    rows: Mapping[str, Iterator[Row]] = {
        "models": _models(company),
        "attribution": _rules(company),
        "deployments": _deployments(company),
        "pools": _owned_pools(company),
        "rates": _owned_rates(company),
        "fx": _fx(company),
        "instances": _instances(company),
        "api_prices": iter(API_PRICES),
        "budgets": _budgets(company),
        "token_weights": _token_weights(),
        "lives": iter(LIVES),
        "workloads": _workloads(),
        "commitment_terms": iter(CONTRACTS),
        "assets": iter(()),
    }
    for name, table in TABLES.items():
        path = project / "policy" / f"{FILE_NAMES.get(name, name)}.csv"
        put(path, text_of(tuple(columns_in_file(table)), rows[name]))


def _models(company: Company) -> Iterator[Row]:
    for model in company.models:
        yield {
            "model_id": model.model_id,
            "aliases": ";".join(model.aliases),
            "family": model.family,
            "base_model_id": model.base_model_id,
            "teacher_model_id": model.teacher_model_id,
            "origin": model.origin,
            "params": f"{model.params:g}",
            "active_params": f"{model.params:g}",
            "training_tokens": "" if model.training_tokens is None else f"{model.training_tokens:g}",
            "released_on": model.released_on,
            "retires_on": model.retires_on,
            "owner": model.owner,
        }


def _rules(company: Company) -> Iterator[Row]:
    """Bills go to pools by tag, runs to pools by cluster and to models by project; requests find their own way."""
    pools = sorted({supply.pool_id for supply in company.supplies})
    logged = sorted({(run.pool_id, chip_of(run)) for run in company.runs if run.log == "mlperf"})
    trained = [model for model in company.models if model.origin == "own"]
    yield _rule(10, "service_name", "Web Hosting", "out_of_scope")
    for pool_id in pools:
        yield _rule(20, "tag:pool", pool_id, "pool", pool_id)
    for service in SHARED_SERVICES:
        yield _rule(30, "service_name", service, "shared")
    for pool_id, chip in logged:
        yield _rule(100, "cluster", f"{ORGANISATION}/{chip.lower()}x*", "pool", pool_id)
    for pool_id, cluster in CLUSTERS.items():
        yield _rule(110, "cluster", cluster, "pool", pool_id)
    yield _model_rule("scaling-2026", "heron-22b", "pretraining", "foundation")
    for model, (phase, suffix) in itertools.product(trained, PROJECTS.items()):
        yield _model_rule(f"{model.model_id}-{suffix}", model.model_id, phase, TEAMS[model.family])


def _model_rule(project: str, model_id: str, phase: str, team: str) -> Row:
    return {**_rule(200, "project", project, "model", model_id), "phase": phase, "team": team}


def _rule(priority: int, field: str, pattern: str, target: str, target_id: str = "") -> Row:
    return {
        "priority": priority,
        "source": "*",
        "field": field,
        "pattern": pattern,
        "target": target,
        "target_id": target_id,
    }


def _deployments(company: Company) -> Iterator[Row]:
    for deployment in company.deployments:
        for model_id, stage in itertools.product(deployment.models, deployment.stages):
            yield {
                "deployment_id": deployment.deployment_id,
                "model_id": model_id,
                "pool_id": deployment.pool_id,
                "gpu_count": stage.gpus,
                "valid_from": _moment(stage.start),
                "valid_to": _moment(stage.end) if stage.end else "",
                **LATENCY_LIMITS.get(deployment.pool_id, {}),
            }


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}" if moment.hour == 0 else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _owned_pools(company: Company) -> Iterator[Row]:
    for supply in company.owned:
        yield {
            "pool_id": supply.pool_id,
            "gpu_model": supply.gpu_model,
            "gpu_count": supply.gpus,
            "valid_from": supply.first,
        }


def _owned_rates(company: Company) -> Iterator[Row]:
    for supply in company.owned:
        yield {"pool_id": supply.pool_id, "usd_per_gpu_hour": supply.rate, "valid_from": supply.first}


def _fx(company: Company) -> Iterator[Row]:
    for month, currency, rate in company.fx:
        yield {"month": month_of(month), "currency": currency, "rate": rate}


def _instances(company: Company) -> Iterator[Row]:
    for pattern, gpu_model in sorted({(instance_type(supply), supply.gpu_model) for supply in company.supplies}):
        yield {"pattern": pattern, "gpu_model": gpu_model, "gpus": GPUS_PER_NODE}


def _budgets(company: Company) -> Iterator[Row]:
    months = [month for month, _, _ in company.fx]
    for month, total, serving in zip(months, PLANNED_USD, PLANNED_HERON_34B_USD, strict=True):
        yield {"month": month_of(month), "model_id": "*", "phase": "*", "usd": round(total * 1_000_000)}
        yield {
            "month": month_of(month),
            "model_id": "heron-34b",
            "phase": "inference",
            "usd": round(serving * 1_000_000),
        }


def _token_weights() -> Iterator[Row]:
    yield {
        "deployment_id": "*",
        **TOKEN_WEIGHTS,
    }


def _workloads() -> Iterator[Row]:
    for task, teacher, student, day in EVALUATED:
        yield {
            "task": task,
            "student_model_id": STUDENT,
            "quality_metric": "graded_accuracy",
            "teacher_quality": teacher,
            "student_quality": student,
            "measured_on": day,
        }
