"""The base of every table: columns in order, from which DDL, validation and documentation are derived."""

from __future__ import annotations

import re
from typing import ClassVar

import pandera.polars as pa
import polars as pl

from warehouse.schemas.columns import Column


class Table:
    """One table `stage.name`; a subclass lists its columns and says in its docstring what one row is.

    The stage is the module or package below `schemas` that holds the subclass, the name is its class name in snake
    case. `table_key` names the columns whose values are unique together, `table_partition` the day or hour by whose UTC
    day the table is computed and replaced (none: the whole table), `table_span` the first and last moment of a row
    that stands in every day it touches.
    """

    table_stage: ClassVar[str]
    table_name: ClassVar[str]
    table_key: ClassVar[tuple[str, ...]] = ()
    table_partition: ClassVar[str | None] = None
    table_span: ClassVar[tuple[str, str] | None] = None

    def __init_subclass__(cls) -> None:
        cls.table_stage = cls.__module__.partition("schemas.")[2].partition(".")[0]
        cls.table_name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def columns(cls) -> dict[str, Column]:
        """Columns by name, in the order they were written, those of a table it extends first."""
        written = [item for ancestor in reversed(cls.__mro__) for item in vars(ancestor).items()]
        return {name: value for name, value in written if isinstance(value, Column)}

    @classmethod
    def qualified(cls) -> str:
        """`stage.name`, safe to put into SQL because both are identifiers of this code."""
        return f"{cls.table_stage}.{cls.table_name}"

    @classmethod
    def polars_schema(cls) -> dict[str, pl.DataType]:
        """Polars type of each column."""
        return {name: column.dtype for name, column in cls.columns().items()}

    @classmethod
    def empty(cls) -> pl.DataFrame:
        """The table without rows."""
        return pl.DataFrame(schema=cls.polars_schema())

    @classmethod
    def frame(cls, rows: pl.DataFrame) -> pl.DataFrame:
        """The columns of the table from `rows`, in order; absent nullable columns become NULL."""
        columns = cls.columns()
        return rows.select(
            (pl.col(name) if name in rows.columns else pl.lit(None)).cast(column.dtype).alias(name)
            for name, column in columns.items()
            if name in rows.columns or column.is_nullable
        )

    @classmethod
    def ddl(cls) -> str:
        """CREATE TABLE for DuckDB; no keys, which DuckDB would pay for on every large write."""
        lines = [
            f'"{name}" {column.sql}' + ("" if column.is_nullable else " NOT NULL")
            for name, column in cls.columns().items()
        ]
        return f"CREATE TABLE IF NOT EXISTS {cls.qualified()} (\n  " + ",\n  ".join(lines) + "\n)"

    @classmethod
    def validation(cls) -> pa.DataFrameSchema:
        """The Pandera schema of the table, to be applied to eager frames only."""
        return pa.DataFrameSchema(
            {name: _validated(column) for name, column in cls.columns().items()},
            name=cls.qualified(),
            strict=True,
            ordered=True,
            unique=list(cls.table_key) or None,
        )


def _validated(column: Column) -> pa.Column:
    checks = []
    if column.allowed:
        checks.append(pa.Check.isin(column.allowed))
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum))
    return pa.Column(column.dtype, checks=checks, nullable=column.is_nullable, description=column.description)
