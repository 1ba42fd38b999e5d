"""The laws the company can decide by, each with the draws that say how well it is known."""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
import polars as pl

from transforms.decisions.law.law_fit import BOOTSTRAPS, Points, bootstrap, fit
from transforms.decisions.law.law_points import digest, shortfall
from transforms.decisions.law.laws import PUBLIC_LARGEST, PUBLIC_TOKENS_PER_PARAM, PUBLISHED, Law
from transforms.decisions.randomness import generator
from warehouse.schemas.decisions import LawDraws, ScalingLaw

PARAMETERS: Final = ("E", "A", "B", "alpha", "beta")
LEAST_EXPONENT: Final = 0.02
"""Below it a thousandfold size takes less than an eighth off its part of the loss: no run says what size is worth."""
_PUBLISHED_DRAWS: Final = 2000
_ALWAYS: Final = dt.date(1970, 1, 1)
# Covariance of (ln E, ln A, ln B, alpha, beta) over 4,000 bootstrap fits, by law_fit, of the 240 public points of Epoch
# AI's digitised figure 4 of Hoffmann et al. (github.com/epoch-research/analyzing-chinchilla). No other published law
# comes with its points, so all borrow this spread; their own stated intervals are narrower than their data allow
# (Besiroglu et al. 2024, section 3).
_COVARIANCE: Final = (
    (1.908507e-04, 2.020846e-03, 3.497262e-03, 1.191980e-04, 1.705283e-04),
    (2.020846e-03, 6.386502e-02, -2.767746e-02, 3.806764e-03, -1.384532e-03),
    (3.497262e-03, -2.767746e-02, 1.733951e-01, -1.718070e-03, 8.482172e-03),
    (1.191980e-04, 3.806764e-03, -1.718070e-03, 2.272188e-04, -8.601018e-05),
    (1.705283e-04, -1.384532e-03, 8.482172e-03, -8.601018e-05, 4.152112e-04),
)


def law_draws(law_points: pl.DataFrame, past_law_draws: pl.DataFrame) -> pl.DataFrame:
    """One law as it might be; draw 0 is the law itself.

    The own law is fitted again only when its points have changed since the night that `past_law_draws` comes from.
    """
    published = [_published_draws(law_id) for law_id in PUBLISHED]
    return LawDraws.frame(pl.concat([_own_draws(law_points, past_law_draws), *published]).sort("law_id", "draw"))


def scaling_law(settings: pl.DataFrame, law_points: pl.DataFrame, law_draws: pl.DataFrame) -> pl.DataFrame:
    """One law with its intervals; the own law is a row even where it cannot be fitted, and says what it needs."""
    needed = shortfall(law_points) or _flatness(law_draws)
    chosen = chosen_law(settings.item(0, "law"), needed)
    own = {
        "source": (needed and f"needs {needed}") or f"own fit to {law_points.height} finished pre-training runs",
        "points": law_points.height,
        "tokens_per_param_min": law_points.select((pl.col("tokens") / pl.col("params")).min()).item(),
        "tokens_per_param_max": law_points.select((pl.col("tokens") / pl.col("params")).max()).item(),
        "params_max": law_points["params"].max(),
        "tokens_max": law_points["tokens"].max(),
        "flop_max": law_points.select((6 * pl.col("params") * pl.col("tokens")).max()).item(),
    }
    least, most = PUBLIC_TOKENS_PER_PARAM
    texts = [{"law_id": "own"} | own] + [
        {
            "law_id": law_id,
            "source": law.source,
            "points": law.points,
            "tokens_per_param_min": least,
            "tokens_per_param_max": most,
            **dict(zip(("params_max", "tokens_max", "flop_max"), PUBLIC_LARGEST, strict=True)),
        }
        for law_id, law in PUBLISHED.items()
    ]
    laws = pl.DataFrame(texts).join(_intervals(law_draws), on="law_id", how="left")
    return ScalingLaw.frame(laws.with_columns((pl.col("law_id") == chosen).alias("is_chosen")).sort("law_id"))


def _flatness(law_draws: pl.DataFrame) -> str:
    """What runs need whose losses hardly differ with size or tokens: they have no draws of an own law."""
    return "" if (law_draws["law_id"] == "own").any() else "runs whose loss falls with their size and with their tokens"


def chosen_law(wish: str, own_shortfall: str) -> str:
    """The law of the night: what the settings name; `auto` is the own law where it exists, else Epoch's."""
    if wish == "auto":
        return "epoch" if own_shortfall else "own"
    return wish


def law_of(draws: pl.DataFrame) -> Law:
    """The rows of one law's draws as one law of arrays."""
    return Law(*(draws.get_column(name).to_numpy() for name in PARAMETERS))


def _own_draws(points: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    if shortfall(points):
        return LawDraws.empty()
    name = digest(points)
    kept = past.filter(pl.col("law_id") == "own", pl.col("points_digest") == name)
    return LawDraws.frame(kept) if kept.height == BOOTSTRAPS + 1 else _fitted(points, name)


def _fitted(points: pl.DataFrame, name: str) -> pl.DataFrame:
    ordered = points.sort("params", "tokens", "loss")
    runs = Points(*(ordered.get_column(column).to_numpy() for column in ("params", "tokens", "loss")))
    best = fit(runs)
    if float(np.min([best.law.alpha, best.law.beta])) < LEAST_EXPONENT:
        return LawDraws.empty()
    others = bootstrap(runs, BOOTSTRAPS, generator(_ALWAYS, "own law", name))
    columns = {
        parameter: np.concatenate([getattr(best.law, parameter), getattr(others.law, parameter)])
        for parameter in PARAMETERS
    }
    rows = pl.DataFrame(columns | {"objective": np.concatenate([best.objective, others.objective])})
    return _numbered(rows.with_columns(pl.lit(name).alias("points_digest")), "own")


def _published_draws(law_id: str) -> pl.DataFrame:
    law = PUBLISHED[law_id].law
    centre = np.array([np.log(law.E), np.log(law.A), np.log(law.B), law.alpha, law.beta])
    normals = generator(_ALWAYS, "law", law_id).standard_normal((_PUBLISHED_DRAWS, len(centre)))
    spread = np.einsum("ij,dj->di", np.linalg.cholesky(np.array(_COVARIANCE)), normals)
    rows = np.vstack([centre, centre + spread])
    rows[:, :3] = np.exp(rows[:, :3])
    rows[0] = [getattr(law, parameter) for parameter in PARAMETERS]
    return _numbered(pl.DataFrame(rows, schema=PARAMETERS), law_id)


def _numbered(rows: pl.DataFrame, law_id: str) -> pl.DataFrame:
    return LawDraws.frame(rows.with_columns(pl.lit(law_id).alias("law_id"), pl.int_range(pl.len()).alias("draw")))


def _intervals(law_draws: pl.DataFrame) -> pl.DataFrame:
    """One law: its parameters (draw 0), and P10, P50 and P90 over its other draws."""
    itself, others = pl.col("draw") == 0, pl.col("draw") > 0
    return law_draws.group_by("law_id").agg(
        *(pl.col(name).filter(itself).first() for name in (*PARAMETERS, "objective", "points_digest")),
        *(
            pl.col(name).filter(others).quantile(level / 100, "linear").alias(f"{name}_p{level}")
            for name in PARAMETERS
            for level in (10, 50, 90)
        ),
    )
