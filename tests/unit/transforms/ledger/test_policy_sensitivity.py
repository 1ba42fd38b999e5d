"""The same bill under other ways of sharing a pool."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from transforms.ledger.policy_sensitivity import policy_sensitivity

TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
TO_POOL = {"field": "resource_id", "pattern": "node", "target": "pool", "target_id": "p"}


def charge(name: str, cost: str, gpu_model: str = "H100") -> dict[str, Any]:
    return {"charge_id": name, "charge_start": TEN, "charge_end": TEN + HOUR, "billed_cost": cost,
            "resource_id": "node", "gpu_hours": "8",
            "gpu_model": gpu_model, "consumed_quantity": Decimal(1)}  # fmt: skip


def run(name: str, model: str, gpus: float, gpu_model: str | None = None) -> dict[str, Any]:
    return {"run_id": name, "pool_id": "p", "gpu_count": gpus, "held_from": TEN, "held_to": TEN + HOUR,
            "status": "finished", "model_id": model, "phase": "pretraining", "gpu_model": gpu_model}  # fmt: skip


def costs(books: Any, charges: list[dict[str, Any]], runs: list[dict[str, Any]], **more: Any) -> dict[Any, Any]:
    night = books(charges=charges, rules=[TO_POOL], runs=runs, **more).tables()
    names = ("billed_days", "pool_uses", "training_runs", "booked_days")
    found = policy_sensitivity(*(night[name] for name in names))
    return {
        (row["policy"], row["model_id"]): (f"{row['effective_cost'].normalize():f}", row["rank"], row["booked_rank"])
        for row in found.iter_rows(named=True)
    }


def test_idle_goes_to_those_who_used_the_pool(books: Any) -> None:
    # 4 + 2 of 16 GPUs pay 4 + 2 of 16 dollars; with idle they share all 16
    found = costs(books, [charge("a", "8"), charge("b", "8")], [run("r", "m", 4.0), run("s", "n", 2.0)])

    assert [found["booked", model][0] for model in ("m", "n")] == ["4", "2"]
    assert found["idle_with_users", "m"][0] == "10.666666666667"
    assert found["idle_with_users", "n"][0] == "5.333333333333"


def test_a_user_of_a_part_of_a_node_pays_the_whole_node(books: Any) -> None:
    # 9 GPUs are two nodes of 8, 1 GPU is one: 16 + 8 of 24 GPUs, nothing is idle
    bill = [charge(name, "24") for name in "abc"]
    found = costs(books, bill, [run("r", "m", 9.0), run("s", "n", 1.0)])

    assert [found["booked", model][0] for model in ("m", "n")] == ["27", "3"]
    assert [found["whole_nodes", model][0] for model in ("m", "n")] == ["48", "24"]


def test_chips_weigh_by_their_price_and_ranks_may_change(books: Any) -> None:
    # 8 H100 at 3 and 8 A100 at 1 dollar: the average is 2; an H100-hour weighs 1.5, an A100-hour 0.5
    bill = [charge("a", "24"), charge("b", "8", "A100")]
    found = costs(books, bill, [run("r", "m", 7.0, "H100"), run("s", "n", 8.0, "A100")])

    # weights 7 × 1.5 = 10.5, 8 × 0.5 = 4 and one idle GPU × 1, of 32 dollars
    assert found["booked", "n"][1:] == (1, 1)
    assert found["provider_weights", "m"] == ("21.677419354839", 1, 2)
    assert found["provider_weights", "n"] == ("8.258064516129", 2, 1)


def test_costs_without_a_pool_stay_as_they_are(books: Any) -> None:
    to_model = {"field": "resource_id", "pattern": "whole", "target": "model", "target_id": "m", "phase": "inference"}
    night = books(charges=[{**charge("a", "5"), "resource_id": "whole"}], rules=[to_model]).tables()
    names = ("billed_days", "pool_uses", "training_runs", "booked_days")

    assert set(policy_sensitivity(*(night[name] for name in names))["effective_cost"]) == {Decimal(5)}


def test_a_deployment_keeps_the_shares_of_its_models(books: Any) -> None:
    serving = [{"deployment_id": "d", "model_id": model, "pool_id": "p", "gpu_count": 4.0} for model in ("m", "n")]
    usage = [{"deployment_id": "d", "model_id": model, "hour": TEN, "status": "ok", "weighted_tokens_milli": tokens,
              "units": 0.0, "duration_us": 0} for model, tokens in (("m", 3), ("n", 1))]  # fmt: skip
    found = costs(books, [charge("a", "8")], [], deployments=serving, usage=usage)

    assert [found["booked", model][0] for model in ("m", "n")] == ["3", "1"]
    assert [found["idle_with_users", model][0] for model in ("m", "n")] == ["6", "2"]
