"""Decimal text becomes exact amounts of 12 decimals; no float stands on the way."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import polars as pl

from warehouse.schemas.columns import MONEY, MONEY_SCALE
from warehouse.sources.casts.casts import MONEY_NULLS, NULLS, Cast, null_if

DEEPEST: Final = 38
WIDEST: Final = 26
RESIDUAL_SCALE: Final = 18
_SHOWN: Final = 10 ** (DEEPEST - RESIDUAL_SCALE)
_TAIL: Final = DEEPEST - MONEY_SCALE
_HALF: Final = 10**_TAIL // 2
_FAR: Final = 1_000_000
_PLAIN: Final = r"^[+-]?[0-9]{1,26}(?:\.[0-9]{1,12})?$"
_NUMBER: Final = r"^(?<sign>[+-]?)(?<whole>[0-9]*)(?:\.(?<decimals>[0-9]*))?(?:[eE](?<exponent>[+-]?[0-9]+))?$"
_NON_FINITE: Final = r"^(?i)[+-]?(?:nan|inf|infinity)$"


@dataclass(frozen=True)
class Amounts(Cast):
    """Exact amounts; `residuals` is what rounding took from each, in units of its 38th decimal."""

    residuals: pl.Series

    def rounded_away(self, rows: pl.Series) -> Decimal:
        """What rounding took from these rows: exact amounts less rounded ones, each half-even to its 18th decimal.

        Each is rounded before any is added, so that the sum over files does not depend on how a bill is cut into them.
        """
        taken = pl.col("taken")
        quotient, rest = taken // _SHOWN, taken % _SHOWN
        is_up = (rest * 2 > _SHOWN) | ((rest * 2 == _SHOWN) & (quotient % 2 == 1))
        units = self.residuals.filter(rows).to_frame("taken").select(quotient + is_up.cast(pl.Int128))
        return Decimal(int(units.to_series().sum())).scaleb(-RESIDUAL_SCALE)


def money(cells: pl.Series) -> Amounts:
    """Costs: up to 38 decimals, rounded half-even to 12.

    Reasons: non_finite, bad_decimal, overflow, precision_loss; an empty cell gives null and no reason.
    """
    return _amounts(null_if(cells, MONEY_NULLS))


def quantity(cells: pl.Series) -> Amounts:
    """Exact numbers that are no money: as money, but digits beyond the 38th decimal are dropped, not refused."""
    amounts = _amounts(null_if(cells, NULLS))
    is_deep = amounts.reasons.eq("precision_loss").fill_null(value=False)
    reasons = pl.select(pl.when(~is_deep).then(amounts.reasons).alias("reason")).to_series()
    return Amounts(amounts.values, reasons, amounts.residuals)


def _amounts(cells: pl.Series) -> Amounts:
    """The few cells that are not plain take the long way; both ways give the same amount for a plain one."""
    is_plain = cells.str.contains(_PLAIN).fill_null(value=True)
    rows = pl.DataFrame({"cell": cells}).with_row_index("row")
    plain = rows.filter(is_plain).select(
        "row",
        pl.col("cell").cast(MONEY).alias("value"),
        pl.lit(None, pl.String).alias("reason"),
        pl.lit(0, pl.Int128).alias("residual"),
    )
    both = plain if is_plain.all() else pl.concat([plain, _exactly(rows.filter(~is_plain))]).sort("row")
    return Amounts(both["value"], both["reason"], both["residual"])


def _exactly(rows: pl.DataFrame) -> pl.DataFrame:
    """Any decimal text, E-notation included, by moving the point within its digits."""
    parts = rows.with_columns(pl.col("cell").str.extract_groups(_NUMBER).struct.unnest())
    numbers = _normalised(parts).with_columns(_reason().alias("reason"))
    return _rounded(_pieces(numbers)).select(
        "row",
        pl.when(pl.col("units").abs() < 10 ** (WIDEST + MONEY_SCALE))
        .then(pl.col("units").reinterpret(dtype=MONEY))
        .alias("value"),
        pl.when(pl.col("units").abs() < 10 ** (WIDEST + MONEY_SCALE))
        .then("reason")
        .otherwise(pl.col("reason").fill_null("overflow"))
        .alias("reason"),
        "residual",
    )


def _normalised(parts: pl.DataFrame) -> pl.DataFrame:
    """Significant digits and where the point stands among them: 0.digits × 10^point; exponents are bounded first."""
    exponent = pl.col("exponent").cast(pl.Int64, strict=False)
    far = pl.when(pl.col("exponent").str.starts_with("-")).then(-_FAR).otherwise(_FAR)
    bounded = pl.when(pl.col("exponent").is_null()).then(0).otherwise(exponent.fill_null(far)).clip(-_FAR, _FAR)
    all_digits = pl.col("whole") + pl.col("decimals").fill_null("")
    without_zeros = all_digits.str.strip_chars_start("0")
    point = pl.col("whole").str.len_bytes().cast(pl.Int64) + bounded
    skipped = all_digits.str.len_bytes().cast(pl.Int64) - without_zeros.str.len_bytes().cast(pl.Int64)
    digits = without_zeros.str.strip_chars_end("0")
    return parts.with_columns(digits.alias("digits"), (point - skipped).alias("point"))


def _reason() -> pl.Expr:
    is_zero = pl.col("digits") == ""
    depth = pl.col("digits").str.len_bytes().cast(pl.Int64) - pl.col("point")
    return (
        pl.when(pl.col("cell").str.contains(_NON_FINITE))
        .then(pl.lit("non_finite"))
        .when(pl.col("whole").is_null() | ((pl.col("whole") == "") & (pl.col("decimals").fill_null("") == "")))
        .then(pl.lit("bad_decimal"))
        .when(~is_zero & (pl.col("point") > WIDEST))
        .then(pl.lit("overflow"))
        .when(~is_zero & (depth > DEEPEST))
        .then(pl.lit("precision_loss"))
    )


def _pieces(numbers: pl.DataFrame) -> pl.DataFrame:
    """Whole units, the 12 decimals that are kept and the 6 that are rounded, each as an integer."""
    is_number = pl.col("reason").is_null() | (pl.col("reason") == "precision_loss")
    start = DEEPEST + pl.col("point").clip(-DEEPEST, WIDEST)
    padded = "0" * DEEPEST + pl.col("digits").str.slice(0, start) + "0" * (WIDEST + DEEPEST)
    readable = numbers.with_columns(pl.when(is_number).then(padded).alias("padded"), start.alias("start"))

    def piece(begin: pl.Expr | int, length: pl.Expr | int, dtype: type[pl.Int64 | pl.Int128]) -> pl.Expr:
        return ("0" + pl.col("padded").str.slice(begin, length)).cast(dtype)

    return readable.with_columns(
        piece(0, pl.col("start"), pl.Int128).alias("whole_units"),
        piece(pl.col("start"), MONEY_SCALE, pl.Int64).alias("kept"),
        piece(pl.col("start") + MONEY_SCALE, _TAIL, pl.Int128).alias("tail"),
    )


def _rounded(pieces: pl.DataFrame) -> pl.DataFrame:
    half = pl.lit(_HALF, dtype=pl.Int128)
    is_up = (pl.col("tail") > half) | ((pl.col("tail") == half) & (pl.col("kept") % 2 == 1))
    size = pl.col("whole_units") * 10**MONEY_SCALE + pl.col("kept") + is_up.cast(pl.Int64)
    rest = pl.col("tail") - is_up.cast(pl.Int128) * pl.lit(10**_TAIL, dtype=pl.Int128)
    sign = pl.when(pl.col("sign") == "-").then(-1).otherwise(1)
    return pieces.with_columns((sign * size).alias("units"), (sign * rest).fill_null(0).alias("residual"))
