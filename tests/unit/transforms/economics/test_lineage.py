"""Who carries an ancestor's training."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.economics.checks import torn_lineage
from transforms.economics.spend.lifecycle_spend import lifecycle_spend
from transforms.economics.spend.lineage_shares import ancestors, lineage_shares
from transforms.economics.spend.phase_compute import phase_compute

JANUARY, FEBRUARY = date(2025, 1, 1), date(2025, 2, 1)
NIGHT = date(2025, 2, 10)


def trained(model_id: str, usd: object, phase: str = "pretraining", **given: Any) -> dict[str, Any]:
    return {"month": JANUARY, "model_id": model_id, "phase": phase, "direct_usd": usd, **given}


def served(model_id: str, tokens: int, day: date = FEBRUARY) -> dict[str, Any]:
    return {"day": day, "model_id": model_id, "requests": 1, "input_tokens": tokens}


@pytest.fixture
def family(rows: Any) -> pl.DataFrame:
    """A base, its child and its grandchild."""
    return rows(  # type: ignore[no-any-return]
        "models",
        {"model_id": "base", "origin": "own", "released_on": date(2025, 1, 22)},
        {"model_id": "kid", "origin": "own", "base_model_id": "base", "released_on": date(2025, 2, 1)},
        {"model_id": "grand", "origin": "own", "base_model_id": "kid"},
    )


def carried(shares: pl.DataFrame, month: date, ancestor: str) -> dict[str, Decimal]:
    held = shares.filter(pl.col("month") == month, pl.col("ancestor_id") == ancestor, pl.col("training_usd") != 0)
    return dict(held.select("model_id", "training_usd").iter_rows())


def test_training_follows_the_tokens_served_by_ancestor_and_descendants(rows: Any, night: Any, family: Any) -> None:
    # the base served 100, the kid 300, the grandchild 600 of 1000 tokens: $90 becomes 9, 27 and 54
    spend = rows("model_spend", trained("base", 100, waste_usd=10))
    service = rows("daily_service", served("base", 100), served("kid", 300), served("grand", 600))
    shares = lineage_shares(family, spend, service, night(NIGHT))
    assert carried(shares, FEBRUARY, "base") == {"base": Decimal(9), "kid": Decimal(27), "grand": Decimal(54)}
    waste = shares.filter(pl.col("month") == FEBRUARY)["waste_usd"]
    assert sorted(waste) == [Decimal(1), Decimal(3), Decimal(6)]


def test_before_anybody_has_served_the_ancestor_keeps_its_training(rows: Any, night: Any, family: Any) -> None:
    shares = lineage_shares(family, rows("model_spend", trained("base", 90)), rows("daily_service"), night(JANUARY))
    assert carried(shares, JANUARY, "base") == {"base": Decimal(90)}
    assert shares["basis"].unique().to_list() == ["nobody"]


def test_without_any_tokens_days_in_service_share_it(rows: Any, night: Any, family: Any) -> None:
    # to 10 February the base has been in service 20 days and the kid 10: 60 and 30 of $90
    shares = lineage_shares(family, rows("model_spend", trained("base", 90)), rows("daily_service"), night(NIGHT))
    assert carried(shares, FEBRUARY, "base") == {"base": Decimal(60), "kid": Decimal(30)}


def test_a_grandchild_inherits_from_each_ancestor_once(rows: Any, night: Any, family: Any) -> None:
    # only the grandchild serves: it carries the base's $90 and the kid's $8, nothing twice
    spend = rows("model_spend", trained("base", 90), trained("kid", 8, "posttraining"))
    shares = lineage_shares(family, spend, rows("daily_service", served("grand", 1)), night(NIGHT))
    assert carried(shares, FEBRUARY, "base") == {"grand": Decimal(90)}
    assert carried(shares, FEBRUARY, "kid") == {"grand": Decimal(8)}


def test_parent_and_child_never_keep_the_same_dollar(rows: Any, night: Any, family: Any) -> None:
    spend = rows("model_spend", trained("base", 100, waste_usd=10), trained("kid", 8, "posttraining"))
    service = rows("daily_service", served("kid", 3), served("grand", 1))
    settings = night(NIGHT)
    shares = lineage_shares(family, spend, service, settings)
    compute = phase_compute(family, rows("training_runs"), service, spend, settings)
    lives = lifecycle_spend(spend, shares, compute, settings)
    inherited = {
        (model, phase): usd
        for model, phase, usd in lives.select("model_id", "phase", "inherited_usd").iter_rows()
        if usd != 0
    }
    # the kid takes 3/4 and the grandchild 1/4 of the base's $100; the kid passes 1/4 of its own $8 on
    assert inherited == {
        ("base", "pretraining"): Decimal(-100),
        ("kid", "pretraining"): Decimal(75),
        ("grand", "pretraining"): Decimal(25),
        ("kid", "posttraining"): Decimal(-2),
        ("grand", "posttraining"): Decimal(2),
    }
    assert lives["total_usd"].sum() == Decimal(108)
    assert torn_lineage(lives).is_empty()


def test_a_circle_is_refused_by_name(rows: Any) -> None:
    models = rows("models", *({"model_id": m, "base_model_id": b} for m, b in [("a", "b"), ("b", "c"), ("c", "b")]))
    with pytest.raises(ValueError, match=r"circle: models\.csv, base_model_id: b → c → b; give each"):
        ancestors(models)


def test_a_model_that_is_its_own_base_is_refused_by_name(rows: Any) -> None:
    with pytest.raises(ValueError, match="a → a"):
        ancestors(rows("models", {"model_id": "a", "base_model_id": "a"}))


def test_a_base_that_is_no_model_of_the_company_ends_the_line(rows: Any, night: Any) -> None:
    models = rows("models", {"model_id": "a", "base_model_id": "somebody-elses-7b"})
    assert ancestors(models) == {"a": []}
    spend = rows("model_spend", trained("a", 5, "posttraining"))
    assert lineage_shares(models, spend, rows("daily_service"), night(NIGHT)).is_empty()


def test_no_models_have_no_lineage(rows: Any, night: Any) -> None:
    empty = lineage_shares(rows("models"), rows("model_spend"), rows("daily_service"), night(NIGHT))
    assert empty.is_empty()
