"""Lines to paste: tags before names before ids, a model that is named, a pool where there are GPUs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl

from transforms.rule_suggestions import rule_suggestions
from transforms.source_profiles import source_profiles
from warehouse.schemas.ledger import ChargeRules
from warehouse.schemas.policy import Models
from warehouse.schemas.raw import Files
from warehouse.schemas.staging import Charges, TokenUsage, TrainingRuns

START = datetime(2026, 11, 20, tzinfo=UTC)
MODELS = Models.frame(
    pl.DataFrame(
        [{"model_id": "kestrel-7b", "aliases": ["kestrel"], "origin": "own"}], schema_overrides=Models.polars_schema()
    )
)


def bills(*charges: dict[str, object]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Charges of one source that no rule reaches, but for those with an account."""
    rows = [
        {
            "charge_id": f"c{number}",
            "source": "cloud",
            "billing_period_start": date(2026, 11, 1),
            "billing_period_end": date(2026, 12, 1),
            "charge_start": START,
            "charge_end": START,
            "known_at": START,
            "charge_day": START.date(),
            "charge_category": "Usage",
            "tags": "{}",
            "gpu_hours": 0.0,
            "gpu_hours_exact": Decimal(0),
            "currency": "USD",
            "billed_cost": charge["cost"],
            **{"effective_cost": charge["cost"]} | {name: value for name, value in charge.items() if name != "cost"},
        }
        for number, charge in enumerate(charges)
    ]
    accounts = [row.pop("account", "unallocated") for row in rows]
    frame = Charges.frame(pl.DataFrame(rows, schema_overrides=Charges.polars_schema()))
    rules = frame.select("charge_id", "charge_day", pl.lit("whole").alias("method"), pl.lit("").alias("rule"))
    return frame, ChargeRules.frame(rules.with_columns(pl.Series("account", accounts)))


def lines(*charges: dict[str, object]) -> list[str]:
    found = rule_suggestions(*bills(*charges), TrainingRuns.empty(), TokenUsage.empty(), MODELS)
    return found["line"].to_list()


def test_a_tag_that_says_what_something_is_for_is_the_best_guess() -> None:
    charge = {
        "cost": Decimal(100),
        "gpu_hours": 8.0,
        "resource_id": "i-0abc",
        "resource_name": "node-1",
        "tags": '{"user:team":"core","aws:createdBy":"x"}',
    }
    assert lines(charge) == ["100,cloud,tag:user:team,core,pool,core,,,,"]


def test_a_name_comes_before_an_id_and_without_gpus_a_cost_is_shared() -> None:
    named = {"cost": Decimal(5), "resource_name": "Log, central", "resource_id": "i-1"}

    assert lines(named) == ['100,cloud,resource_name,"Log, central",shared,shared,,,,']


def test_a_value_that_names_a_model_leads_to_it_in_the_phase_its_words_say() -> None:
    tags = [f'{{"workload":"{word}"}}' for word in ("kestrel-pretrain", "kestrel-sft", "kestrel-serving")]
    charges = [{"cost": Decimal(3 - number), "tags": text, "gpu_hours": 8.0} for number, text in enumerate(tags)]

    assert lines(*charges) == [
        "100,cloud,tag:workload,kestrel-pretrain,model,kestrel-7b,pretraining,,,",
        "100,cloud,tag:workload,kestrel-sft,model,kestrel-7b,posttraining,,,",
        "100,cloud,tag:workload,kestrel-serving,model,kestrel-7b,inference,,,",
    ]


def test_what_a_rule_reaches_needs_no_line() -> None:
    assert lines({"cost": Decimal(5), "account": "shared", "resource_id": "i-1"}) == []


def test_a_model_that_is_served_and_unknown_gets_its_lines() -> None:
    usage = {
        "hour": START,
        "part_start": START,
        "source": "gateway",
        "model": "Falcon 40B",
        "status": "ok",
        "requests": 1,
        "requests_with_usage": 1,
        "input_tokens": 90,
        "output_tokens": 10,
        "cached_input_tokens": 0,
        "units": 0.0,
        "weighted_tokens_milli": 0,
        "duration_us": 0,
        "duration_s_sum": 0.0,
        "concurrency_mean": 0.0,
    }
    tokens = TokenUsage.frame(pl.DataFrame([usage], schema_overrides=TokenUsage.polars_schema()))
    found = rule_suggestions(Charges.empty(), ChargeRules.empty(), TrainingRuns.empty(), tokens, MODELS)

    assert found.select("file", "line", "amount", "unit").rows() == [
        ("deployments.csv", "falcon-40b,falcon-40b,serving,1,2026-11-20,", 100.0, "tokens"),
        ("models.csv", "falcon-40b,Falcon 40B,,,,own,,,,2026-11-20,,", 100.0, "tokens"),
    ]


def test_a_source_is_described_by_what_it_holds_and_what_no_rule_reaches() -> None:
    files = pl.DataFrame(
        [{"source": "cloud", "kind": "gpu_billing", "file": "a", "rows": 2, "flags": ["float_money"]}],
        schema_overrides=Files.polars_schema(),
    )
    reached = {"cost": Decimal(30), "account": "shared"}
    charges = bills({"cost": Decimal(10), "gpu_hours": 8.0}, reached)
    profile = source_profiles(files, *charges, TrainingRuns.empty(), TokenUsage.empty()).row(0, named=True)

    assert (profile["effective_cost"], profile["unmatched_cost"]) == (40.0, 10.0)
    assert (profile["gpu_hours"], profile["unmatched_gpu_hours"]) == (8.0, 8.0)
    assert (profile["files"], profile["rows"], profile["currencies"]) == (1, 2, ["USD"])


def test_costs_of_several_currencies_are_not_added() -> None:
    files = pl.DataFrame(
        [{"source": "cloud", "kind": "gpu_billing", "rows": 2, "flags": []}],
        schema_overrides={"flags": pl.List(pl.String)},
    )
    charges = bills({"cost": Decimal(10)}, {"cost": Decimal(10), "currency": "EUR"})
    profile = source_profiles(files, *charges, TrainingRuns.empty(), TokenUsage.empty()).row(0, named=True)

    assert profile["effective_cost"] is None
    assert profile["currencies"] == ["EUR", "USD"]


def usage(model: str) -> pl.DataFrame:
    counts = {
        "units": 0.0,
        "weighted_tokens_milli": 0,
        "duration_us": 0,
        "duration_s_sum": 0.0,
        "concurrency_mean": 0.0,
    }
    row = {
        "hour": START,
        "part_start": START,
        "source": "gateway",
        "model": model,
        "status": "ok",
        "requests": 1,
        "requests_with_usage": 1,
        "input_tokens": 90,
        "output_tokens": 10,
        "cached_input_tokens": 0,
        **counts,
    }
    return TokenUsage.frame(pl.DataFrame([row], schema_overrides=TokenUsage.polars_schema()))


def a_run(**said: object) -> pl.DataFrame:
    row = {
        "run_id": "r1",
        "source": "slurm",
        "started_at": START,
        "end_source": "logged",
        "status": "finished",
        "gpu_seconds": 36_000.0,
        "attempts": 1,
        "hosts": [],
        **said,
    }
    return TrainingRuns.frame(pl.DataFrame([row], schema_overrides=TrainingRuns.polars_schema()))


def test_what_is_bought_by_the_token_names_the_model_that_requests_send_and_needs_no_deployment() -> None:
    bought = {"cost": Decimal(5), "sub_account_id": "proj_1", "charge_description": "gpt-4.1-mini-2025-04-14, input"}
    found = rule_suggestions(*bills(bought), TrainingRuns.empty(), usage("gpt-4.1-mini"), MODELS)

    assert found.select("file", "line").rows() == [
        (
            "attribution.csv",
            '100,cloud,charge_description,"gpt-4.1-mini-2025-04-14, input",model,gpt-4.1-mini,inference,,,',
        ),
        ("models.csv", "gpt-4.1-mini,,,,,adopted,,,,2026-11-20,,"),
    ]


def test_a_run_is_put_on_the_pool_its_machine_is_billed_in_and_what_is_served_on_the_other() -> None:
    # Two machines of 8 GPUs, 192 GPU-hours on one day each: the run held one, so the other serves.
    machines = [{"cost": Decimal(400), "gpu_hours": 192.0, "resource_id": name} for name in ("gpu-01", "gpu-02")]
    run = a_run(run_name="Kestrel-8B-pretrain", project="research", hosts=["GPU-01.example.com"])
    found = rule_suggestions(*bills(*machines), run, usage("kestrel-8b"), Models.empty())

    assert found.filter(source="slurm").select("file", "line", "amount").rows() == [
        ("attribution.csv", "100,slurm,host,GPU-01.example.com,pool,gpu-01,,,,", 10.0),
        ("attribution.csv", "100,slurm,run_name,Kestrel-8B-pretrain,model,kestrel-8b,pretraining,,,", 10.0),
    ]
    assert found.filter(file="deployments.csv")["line"].to_list() == ["kestrel-8b,kestrel-8b,gpu-02,8,2026-11-20,"]


def test_a_run_without_machines_goes_to_the_only_pool_and_its_model_is_listed() -> None:
    pool = {"cost": Decimal(9), "gpu_hours": 8.0, "resource_id": "i-1", "tags": '{"cluster":"train"}'}
    found = rule_suggestions(*bills(pool), a_run(project="Owl"), TokenUsage.empty(), MODELS)

    assert found.filter(source="slurm").select("file", "line").rows() == [
        ("attribution.csv", "100,slurm,project,Owl,model,owl,pretraining,,,"),
        ("attribution.csv", "100,slurm,project,Owl,pool,train,,,,"),
        ("models.csv", "owl,,,,,own,,,,2026-11-20,,"),
    ]


def test_who_made_a_resource_is_no_guess_of_what_it_is_for() -> None:
    charge = {
        "cost": Decimal(5),
        "resource_name": "node-1",
        "tags": '{"Oracle-Tags.CreatedBy":"default/p@x","CreatedOn":"1"}',
    }

    assert lines(charge) == ["100,cloud,resource_name,node-1,shared,shared,,,,"]


def test_a_run_without_a_machine_goes_to_the_pool_that_says_training_and_what_is_served_to_the_other() -> None:
    pools = [
        {"cost": Decimal(400), "gpu_hours": 192.0, "resource_id": f"i-{name}", "tags": f'{{"pool":"{name}"}}'}
        for name in ("big-serve", "train", "other")
    ]
    run = a_run(run_name="kestrel-pretrain", project="slurm", gpu_count=8.0)  # no host; the project is the folder
    found = rule_suggestions(*bills(*pools), run, usage("kestrel-8b"), Models.empty())

    assert found.filter(pl.col("source") != "cloud").select("file", "line").rows() == [
        ("deployments.csv", "kestrel-8b,kestrel-8b,big-serve,8,2026-11-20,"),
        ("models.csv", "kestrel-8b,,,,,own,,,,2026-11-20,,"),
        ("attribution.csv", "100,slurm,project,slurm,pool,train,,,,"),
        ("attribution.csv", "100,slurm,run_name,kestrel-pretrain,model,kestrel-8b,pretraining,,,"),
    ]


def test_a_run_needs_a_pool_of_its_size() -> None:
    pools = [
        {"cost": Decimal(400), "gpu_hours": hours, "resource_id": f"i-{name}", "tags": f'{{"pool":"{name}"}}'}
        for name, hours in (("train-small", 192.0), ("large", 24 * 64.0))  # 8 and 64 GPUs all day
    ]
    found = rule_suggestions(*bills(*pools), a_run(run_name="r", gpu_count=16.0), TokenUsage.empty(), Models.empty())

    assert "100,slurm,run_name,r,pool,large,,,," in found["line"].to_list()


def test_a_run_of_another_size_than_the_model_that_is_served_is_another_model() -> None:
    run = a_run(run_name="kestrel-70b-pretrain")
    found = rule_suggestions(*bills({"cost": Decimal(5)}), run, usage("kestrel-8b"), Models.empty())

    rule = "100,slurm,run_name,kestrel-70b-pretrain,model,kestrel-70b-pretrain,pretraining,,,"
    assert rule in found["line"].to_list()


def test_a_model_whose_gpus_a_bill_names_is_the_companys_own_and_needs_no_deployment() -> None:
    tags = '{"workload":"kestrel-serving"}'
    chip = {"cost": Decimal(17), "gpu_hours": 8.0, "tags": tags, "sku_id": "gpu", "resource_id": "i-1"}
    core = {"cost": Decimal(5), "tags": tags, "sku_id": "core", "resource_id": "i-2"}
    found = rule_suggestions(*bills(chip, core), TrainingRuns.empty(), usage("kestrel-serving"), Models.empty())

    assert found.select("file", "line").rows() == [
        ("attribution.csv", "100,cloud,tag:workload,kestrel-serving,model,kestrel-serving,inference,,,"),
        ("models.csv", "kestrel-serving,,,,,own,,,,2026-11-20,,"),
    ]


def test_what_is_asked_of_an_api_that_sells_tokens_is_adopted_and_needs_no_deployment() -> None:
    frames = *bills({"cost": Decimal(400), "gpu_hours": 192.0, "resource_id": "gpu-01"}), TrainingRuns.empty()
    found = rule_suggestions(*frames, usage("gpt-4.1-mini"), Models.empty(), {"gateway"})

    assert found.filter(source="gateway")["line"].to_list() == ["gpt-4.1-mini,,,,,adopted,,,,2026-11-20,,"]


def test_machines_of_a_bill_that_never_says_how_many_gpus_they_have_are_pools() -> None:
    pod = {"cost": Decimal(5), "gpu_model": "H100", "resource_id": "pod-1", "service_name": "Pods"}
    found = rule_suggestions(*bills(pod), TrainingRuns.empty(), usage("kestrel-8b"), Models.empty())

    assert found.filter(pl.col("file") != "models.csv")["line"].to_list() == [
        "100,cloud,resource_id,pod-1,pool,pod-1,,,,",
        "kestrel-8b,kestrel-8b,pod-1,1,2026-11-20,",
    ]


def test_credits_without_a_rule_make_what_no_rule_reaches_smaller() -> None:
    files = pl.DataFrame(
        [{"source": "cloud", "kind": "gpu_billing", "rows": 2, "flags": []}],
        schema_overrides={"flags": pl.List(pl.String)},
    )
    credit = {"cost": Decimal(-3), "charge_category": "Credit", "account": "adjustment"}
    charges = bills({"cost": Decimal(10)}, credit)
    profile = source_profiles(files, *charges, TrainingRuns.empty(), TokenUsage.empty()).row(0, named=True)

    assert (profile["effective_cost"], profile["unmatched_cost"]) == (7.0, 7.0)
