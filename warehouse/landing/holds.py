"""What of the input no night can be published with, beside rejected files and too many refused rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import duckdb

from warehouse.landing.requests.counter_growth import Growth
from warehouse.schemas.raw import Files

_UNCOUNTED: Final = f"""
    SELECT source, sum(accepted)::BIGINT, arg_max(file, accepted), count(*) FROM {Files.qualified()}
    GROUP BY source HAVING sum(accepted) > 0 AND sum(counted) = 0 ORDER BY source
"""


@dataclass(frozen=True)
class Hold:
    """One reason to hold the night: a night reason of the closed list, the source, and what was found."""

    reason: str
    source: str
    detail: str


def uncounted_sources(connection: duckdb.DuckDBPyConnection) -> list[Hold]:
    """Sources with accepted records of which none became a charge, a run or a request."""
    return [
        Hold(
            "nothing_counted",
            source,
            f"{accepted:,} records in {files} files were accepted and none of them counts, most of them in {file}; "
            "name what they are under [source.columns] or [source.constants], or take the source out of trisect.toml",
        )
        for source, accepted, file, files in connection.execute(_UNCOUNTED).fetchall()
    ]


def silent_counters(growth: Growth) -> list[Hold]:
    """Sources of counters of which nothing can be told apart from what was served before the first scrape."""
    return [
        Hold(
            "nothing_counted",
            source,
            "its counters grew between no two scrapes: deliver at least two scrapes of each server, under names that "
            "differ in nothing but the time, and take the source out of trisect.toml until then",
        )
        for source in growth.without_growth
    ]
