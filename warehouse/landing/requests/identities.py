"""Rows that share an identity: the only ones of which it has to be decided which count.

An engine finds them among all landed requests, which is the heavy part; the rules that decide are written once, in SQL
for the warehouse, and see the candidates alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final, NamedTuple

import duckdb
import polars as pl

from warehouse.landing.requests.landed_parquet import LandedFile, registered, row_count, scan

HASHES_PER_PASS: Final = 1 << 25
"""Identities compared at once: 2^25 hashes take some 800 MB while they are sorted."""


class Identity(NamedTuple):
    """What rows have in common that may tell one thing twice, in SQL that DuckDB and Spark read alike."""

    columns: tuple[str, ...]
    among: str
    """Rows that are compared."""
    alone: str = ""
    """Compared rows that are candidates even where no other row shares their identity."""


Candidates = Callable[
    [duckdb.DuckDBPyConnection, Sequence[LandedFile], Identity],
    AbstractContextManager[bool],
]
"""Within it, the view `candidate_rows` holds at least the rows of `landed_requests` whose identity occurs again.

Its value is whether there is any; without one there is no view. Used within `landed_rows`.
"""


@contextmanager
def candidates_on_duckdb(
    connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile], identity: Identity
) -> Iterator[bool]:
    """Candidates by the hash of the identity; equal hashes of different identities cost work, never correctness."""
    key = f"hash({', '.join(identity.columns)})"
    compared = scan(connection, files).filter(identity.among)
    hashes = compared.project(f"{key} AS hash")
    if identity.alone:
        hashes = hashes.union(compared.filter(identity.alone).project(f"{key} AS hash"))
    repeated = repeated_hashes(hashes, row_count(connection, files))
    if repeated.is_empty():
        yield False
        return
    with registered(connection, repeated_hashes=repeated.to_frame()):
        connection.execute(
            "CREATE OR REPLACE TEMP VIEW candidate_rows AS "
            f"SELECT * FROM landed_requests SEMI JOIN repeated_hashes ON {key} = repeated_hashes.hash"
        )
        try:
            yield True
        finally:
            connection.execute("DROP VIEW candidate_rows")


def repeated_hashes(hashes: duckdb.DuckDBPyRelation, rows: int) -> pl.Series:
    """The values of a relation's only column `hash` that occur more than once, in as many passes as memory asks for."""
    passes = max(1, -(-rows // HASHES_PER_PASS))
    return pl.concat([_repeated(hashes.filter(f"hash % {passes} = {turn}").pl()["hash"]) for turn in range(passes)])


def _repeated(hashes: pl.Series) -> pl.Series:
    ordered = hashes.sort()
    return ordered.filter(ordered == ordered.shift(1)).unique()
