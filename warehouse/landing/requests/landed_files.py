"""The landed requests of the night, and where policy cuts an hour of them in two."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb

from warehouse.landing.requests import landed_digests
from warehouse.landing.requests.counter_growth import growth_files
from warehouse.landing.requests.landed_parquet import LandedFile, landed_path
from warehouse.schemas.policy import Deployments, TokenWeights
from warehouse.schemas.raw import Files

_FILES: Final = f"""
    SELECT source, min(file) AS file, sha256, reader_digest FROM {Files.qualified()}
    WHERE kind = 'request_telemetry' AND accepted + duplicates > 0
    GROUP BY source, sha256, reader_digest ORDER BY source, file
"""
_CHANGES: Final = " UNION ".join(
    f"SELECT {column} AS change FROM {table.qualified()}"
    for table in (Deployments, TokenWeights)
    for column in ("valid_from", "valid_to")
)


def landed_requests(connection: duckdb.DuckDBPyConnection, var: Path) -> list[LandedFile]:
    """Where the requests of each content landed, in the order of delivery, which is path order."""
    folder = var / "landed" / "requests"
    rows = connection.execute(_FILES).fetchall()
    landed = [
        LandedFile(f"{source}:{file}", landed_path(folder, source, sha, digest)) for source, file, sha, digest in rows
    ]
    recorded = landed_digests.recorded(connection)
    return [file for file in (*landed, *growth_files(connection, var)) if file.path.name in recorded]


def landed_names(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Names of the landed files that a content of the inbox has, as the present readers read it, and of counters."""
    query = f"SELECT DISTINCT source, sha256, reader_digest FROM {Files.qualified()} WHERE kind = 'request_telemetry'"
    rows = connection.execute(query).fetchall()
    growth = {file.path.name for file in growth_files(connection, Path())}
    return growth | {landed_path(Path(), source, sha, digest).name for source, sha, digest in rows}


def policy_changes_within_hours(connection: duckdb.DuckDBPyConnection) -> list[datetime]:
    """Instants, not on the hour, at which a deployment or a weight begins or ends."""
    query = f"SELECT change FROM ({_CHANGES}) WHERE change <> date_trunc('hour', change) ORDER BY change"
    return [change for (change,) in connection.execute(query).fetchall()]
