"""What of the input no night can be published with, beside rejected files and too many refused rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import duckdb

from warehouse.landing.requests.counter_growth import Growth
from warehouse.schemas.raw import Files
from warehouse.sources.requests.usage_pages import GROUPED_BY

_UNCOUNTED: Final = f"""
    SELECT source, sum(accepted)::BIGINT, arg_max(file, accepted), count(*) FROM {Files.qualified()}
    GROUP BY source HAVING sum(accepted) > 0 AND sum(counted) = 0 ORDER BY source
"""

_GROUPINGS: Final = f"""
    SELECT source, arg_min(file, flag || ' ' || file), arg_max(file, flag || ' ' || file), min(flag), max(flag)
    FROM (SELECT source, file, unnest(flags) AS flag FROM {Files.qualified()} WHERE accepted > 0)
    WHERE starts_with(flag, '{GROUPED_BY}') GROUP BY source HAVING count(DISTINCT flag) > 1 ORDER BY source
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


def usage_in_two_groupings(connection: duckdb.DuckDBPyConnection) -> list[Hold]:
    """Sources whose pages of usage are grouped in two ways: each would count all of the usage."""
    return [
        Hold(
            "same_usage",
            source,
            f"{first} has usage by {_fields(grouping)} and {other} by {_fields(another)}; the same usage would count "
            "twice: save all pages of a source with one grouping, and take the others out of the inbox",
        )
        for source, first, other, grouping, another in connection.execute(_GROUPINGS).fetchall()
    ]


def _fields(grouping: str) -> str:
    return ", ".join(grouping.split("-")[1:]) or "nothing"


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
