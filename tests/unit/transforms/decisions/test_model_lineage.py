"""Where the traffic of a model goes that is taken out of service."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from transforms.decisions.actions.model_lineage import lineages_of

if TYPE_CHECKING:
    from conftest import Company, TableOf


def family(company: Company, **served: float) -> Company:
    """A 32B fine-tune `sql`, its base `code`, a sibling `chat` of the same base, and a 1B student `small`."""
    sizes = {"base": 32e9, "code": 32e9, "chat": 32e9, "sql": 32e9, "small": 1e9}
    bases = {"code": "base", "sql": "code", "chat": "code"}
    company.rows.clear()
    for name, size in sizes.items():
        company.add("models", model_id=name, params=size, family="f", origin="own", base_model_id=bases.get(name))
    for name, tokens in served.items():
        prices = dict.fromkeys(("used_usd_per_mtok", "allocated_usd_per_mtok"), Decimal(5))
        company.add("unit_costs", month=dt.date(2026, 10, 1), model_id=name, input_tokens=10**9, **prices)
        company.serve(name, tokens, 30, "query").expect(name, tokens, 365)
    return company


def hosts(company: Company, model_id: str) -> list[str]:
    """The models onto which one may be retired."""
    rows = company.decide("candidates").filter(pl.col("action") == "retire", pl.col("model_id") == model_id)
    return rows.get_column("target_model_id").to_list()


def measured(company: Company, quality: float) -> Company:
    """The small student, evaluated on the one task."""
    compared = {"quality_metric": "accuracy", "teacher_quality": 1.0, "student_quality": quality}
    day = dt.date(2026, 10, 1)
    return company.add("workloads", task="query", student_model_id="small", measured_on=day, **compared)


def test_traffic_goes_to_the_model_it_was_made_from(company: Company) -> None:
    assert hosts(measured(family(company, sql=1e6, code=1e6, chat=1e6, small=1e6), 0.99), "sql") == ["code"]


def test_where_the_base_does_not_serve_it_goes_to_a_sibling(company: Company) -> None:
    assert hosts(measured(family(company, sql=1e6, chat=1e6, small=1e6), 0.99), "sql") == ["chat"]


def test_where_no_kin_serves_it_goes_to_a_student_that_passed_its_tasks(company: Company) -> None:
    assert hosts(measured(family(company, sql=1e6, small=1e6), 0.99), "sql") == ["small"]


def test_a_student_that_failed_or_was_not_asked_is_no_host(company: Company) -> None:
    assert hosts(family(company, sql=1e6, small=1e6), "sql") == []
    assert hosts(measured(family(company, sql=1e6, small=1e6), 0.9), "sql") == []


def test_what_was_made_from_a_model_is_no_host_for_it_whatever_its_family(company: Company) -> None:
    rows = family(company, code=1e6, sql=1e6).decide("candidates").filter(pl.col("action") == "retire")
    code = rows.filter(pl.col("model_id") == "code")

    assert code.get_column("target_model_id").to_list() == ["sql"]
    assert "sql is made from it" in code.item(0, "reason")
    assert "workloads.csv" in code.item(0, "reason")
    assert code.item(0, "net_present_value_usd_p50") is None


def test_what_was_made_from_a_model_may_take_its_traffic_once_it_passed_its_tasks(company: Company) -> None:
    family(company, code=1e6, sql=1e6)
    compared = {"quality_metric": "accuracy", "teacher_quality": 1.0, "student_quality": 0.99}
    company.add("workloads", task="query", student_model_id="sql", measured_on=dt.date(2026, 10, 1), **compared)
    code = company.decide("candidates").filter(pl.col("action") == "retire", pl.col("model_id") == "code")

    assert code.get_column("target_model_id").to_list() == ["sql"]
    assert code.item(0, "net_present_value_usd_p50") is not None


def test_models_made_from_each_other_in_a_circle_are_no_hosts(table_of: TableOf) -> None:
    rows = [{"model_id": "a", "base_model_id": "b"}, {"model_id": "b", "base_model_id": "a"}]
    kin = lineages_of(table_of("models", rows))

    assert kin["a"].relatives == []


def test_models_made_from_the_same_base_are_kin_without_a_family(table_of: TableOf) -> None:
    rows = [{"model_id": name, "params": 32e9, "base_model_id": "base"} for name in ("a", "b")]
    kin = lineages_of(table_of("models", [{"model_id": "base", "params": 32e9}, *rows]))

    assert (kin["a"].bases, kin["a"].relatives) == (["base"], ["b"])
    assert (kin["base"].bases, kin["base"].relatives, kin["base"].descendants) == ([], [], ["a", "b"])
