"""What is allowed in policy/ but probably not meant: rules that cannot match, models that nothing reaches."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from warehouse.schemas.names import ACCRUAL, CHARGE_FIELDS, KEYED, field_key, model_key, tag_key
from warehouse.sources.policy.faults import Fault
from warehouse.sources.policy.policy import FILE_NAMES, TABLES
from warehouse.sources.policy.row_checks import EVERYTHING, REQUEST_FIELDS

Row = Mapping[str, Any]

RUN_FIELDS: Final = ("run_name", "project", "cluster", "host")
WORKLOAD_FIELDS: Final = ("namespace", "pod")
KEYED_FIELDS: Final = KEYED
RULES_FILE: Final = "policy/attribution.csv"
LATIN: Final = str.maketrans("авеіјкмнорԛѕтухԝαικνορτυ", "abeijkmhopqstyxwaikvoptu")
"""Small letters of the Cyrillic and Greek alphabets as the Latin ones that they look like."""


def policy_findings(project: Path, policy: Mapping[str, pl.DataFrame], sources: Collection[str]) -> tuple[Fault, ...]:
    """Findings on sound policy tables beside the names of all sources, by file and line; none of them stops a night."""
    rules = policy["attribution"].to_dicts()
    return tuple(
        sorted(
            {
                *_strange_files(project),
                *_unknown_fields(rules),
                *_unknown_sources(rules, sources),
                *_never_open(rules),
                *_shadowed(rules),
                *_unknown_targets(rules, policy),
                *_unreached_models(rules, policy),
                *_look_alikes(policy["models"]["model_id"]),
                *_rates_without_pool(policy),
            }
        )
    )


def _strange_files(project: Path) -> Iterator[Fault]:
    tables = [FILE_NAMES.get(name, name) for name in TABLES]
    for path in (project / "policy").glob("*.csv"):
        if path.stem not in tables:
            yield Fault(
                f"policy/{path.name}", 0, "not a policy table, not read", path.stem, f"known: {', '.join(tables)}"
            )


def _unknown_fields(rules: Sequence[Row]) -> Iterator[Fault]:
    fields = (*CHARGE_FIELDS, *RUN_FIELDS, *REQUEST_FIELDS, *WORKLOAD_FIELDS)
    for rule in rules:
        field = rule["field"].lower()
        if field not in fields and not (field.startswith(KEYED_FIELDS) and tag_key(field.partition(":")[2])):
            remedy = f"known: {', '.join((*KEYED_FIELDS, *fields))}"
            yield Fault(RULES_FILE, rule["line"], "no record has this field", rule["field"], remedy)


def _unknown_sources(rules: Sequence[Row], sources: Collection[str]) -> Iterator[Fault]:
    for rule in rules:
        if rule["source"] not in {EVERYTHING, ACCRUAL, *sources}:
            remedy = f"write {EVERYTHING} or one of {', '.join(sorted(sources)) or 'the sources of trisect.toml'}"
            yield Fault(RULES_FILE, rule["line"], "no source has this name", rule["source"], remedy)


def _never_open(rules: Sequence[Row]) -> Iterator[Fault]:
    for rule in rules:
        if rule["valid_from"] and rule["valid_from"] == rule["valid_to"]:
            day = str(rule["valid_from"])
            yield Fault(RULES_FILE, rule["line"], "rule is never open: valid_to is exclusive", day, "move valid_to on")


def _shadowed(rules: Sequence[Row]) -> Iterator[Fault]:
    """Rules behind an earlier one that takes everything they could match."""
    earlier: dict[tuple[str, str], list[Row]] = {}
    for rule in rules:
        field = field_key(rule["field"])
        before = earlier.get((field, "*"), []) + earlier.get((field, rule["pattern"].lower()), [])
        first = next((other for other in before if _covers(other, rule)), None)
        if first:
            what = f"rule can never match: line {first['line']} takes all of it"
            yield Fault(RULES_FILE, rule["line"], what, rule["pattern"], "delete it or give it a smaller priority")
        earlier.setdefault((field, rule["pattern"].lower()), []).append(rule)


def _covers(earlier: Row, later: Row) -> bool:
    """Runs and workloads look up pool and model apart, requests model and deployment; charges take what comes first."""
    field = field_key(later["field"])
    looked_up_apart = field in (*RUN_FIELDS, *REQUEST_FIELDS, *WORKLOAD_FIELDS) or field.startswith("label:")
    return (
        earlier["source"] in {"*", later["source"]}
        and (earlier["target"] == later["target"] or not looked_up_apart)
        and str(earlier["valid_from"] or "") <= str(later["valid_from"] or "")
        and str(earlier["valid_to"] or "~") >= str(later["valid_to"] or "~")
    )


def _unknown_targets(rules: Sequence[Row], policy: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    targets = {"model": set(policy["models"]["model_id"]), "deployment": set(policy["deployments"]["deployment_id"])}
    for rule in rules:
        target = rule["target"]
        if target in targets and rule["target_id"] not in targets[target]:
            remedy = f"add it to policy/{target}s.csv, or mend the name"
            yield Fault(RULES_FILE, rule["line"], f"unknown {target}", rule["target_id"], remedy)


def _unreached_models(rules: Sequence[Row], policy: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Models without a rule, a deployment or a descendant: nothing but requests can name them."""
    models = policy["models"]
    reached = {rule["target_id"] for rule in rules if rule["target"] == "model"}
    reached |= set(policy["deployments"]["model_id"]) | set(models["base_model_id"]) | set(models["teacher_model_id"])
    for model_id in models["model_id"]:
        if model_id not in reached:
            remedy = "add a rule with target model, or a deployment"
            yield Fault("policy/models.csv", 0, "no rule and no deployment names this model", model_id, remedy)


def _look_alikes(model_ids: Iterable[str]) -> Iterator[Fault]:
    """Different models whose names a reader cannot tell apart: letters of other alphabets, full-width forms."""
    seen: dict[str, str] = {}
    for model_id in model_ids:
        other = seen.setdefault(model_key(unicodedata.normalize("NFKC", model_id)).translate(LATIN), model_id)
        if other != model_id:
            what = f"looks like {other!r}, but is another model"
            yield Fault("policy/models.csv", 0, what, _escaped(model_id), "type both names anew, or make it an alias")


def _escaped(name: str) -> str:
    return name.encode("unicode_escape").decode()


def _rates_without_pool(policy: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    for pool_id in sorted(set(policy["rates"]["pool_id"]) - set(policy["pools"]["pool_id"])):
        remedy = "add the pool to policy/pools.csv with its GPUs"
        yield Fault("policy/rates.csv", 0, "a rate accrues nothing without a row in pools.csv", pool_id, remedy)
