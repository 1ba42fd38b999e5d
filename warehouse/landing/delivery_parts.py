"""Which files of a bill are parts of one delivery: numbered names of one folder that share no charge."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import duckdb
import polars as pl

from warehouse.schemas.raw import BillDeliveries, ChargeRows
from warehouse.sources.source import Source

_NUMBER: Final = re.compile(r"\d+")
_NUMBERED: Final = "*"
# Folders that an exporter makes anew for every run of one export: random ids, and moments to the second.
_RUN_FOLDER: Final = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\d{8}T\d{6}Z?|\d{14}|[0-9a-f]{32}", re.IGNORECASE
)
SUBJECT: Final = """hash(sub_account_id, service_name, sku_id, resource_id, region, charge_start, charge_end,
    charge_category, charge_class, commitment_discount_id, allocated_method_id, resource_name)"""
"""What a charge is about, whatever its tags and costs: a bill that is exported anew says it again."""
VERSIONS: Final = 0.5
"""Files of which one repeats this part of its charges from another are versions of one bill, not parts of it."""

# Of each file and unit the part of its charges that others of its siblings repeat; equal in all but costs: any.
_SHARED: Final = f"""
    WITH held AS (
        SELECT DISTINCT sibling, coalesce(billing_account_id, '') AS account, billing_period_start AS period,
            file_sha256, {SUBJECT} AS subject
        FROM {ChargeRows.qualified()} JOIN siblings USING (file_sha256) WHERE source = $source
    ), shared AS (
        SELECT sibling, account, period, subject FROM held GROUP BY ALL HAVING min(file_sha256) <> max(file_sha256)
    ), versions AS (
        SELECT sibling, account, period FROM held LEFT JOIN (SELECT *, 1 AS is_shared FROM shared)
            USING (sibling, account, period, subject)
        GROUP BY sibling, account, period, file_sha256 HAVING count(is_shared) >= {VERSIONS} * count(*)
    ), equals AS (
        SELECT sibling, account, period FROM (
            SELECT sibling, coalesce(billing_account_id, '') AS account, billing_period_start AS period, file_sha256,
                {SUBJECT} AS subject, dimension_hash
            FROM {ChargeRows.qualified()} JOIN siblings USING (file_sha256) WHERE source = $source
        ) SEMI JOIN shared USING (sibling, account, period, subject)
        GROUP BY sibling, account, period, dimension_hash HAVING min(file_sha256) <> max(file_sha256)
    )
    SELECT * FROM versions UNION SELECT * FROM equals
"""


@dataclass(frozen=True)
class Siblings:
    """Numbered files of one folder by what their names have in common, and the units in which they share charges."""

    groups: Mapping[str, Sequence[str]]
    shared: frozenset[tuple[str, str, date]]

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, source: Source, contents: Mapping[str, str]) -> Siblings:
        """The siblings among the files of a source (`contents`: path -> digest)."""
        groups = numbered(contents)
        decided = _decided(connection, source, contents)
        fresh = {sibling: files for sibling, files in groups.items() if not decided.keys() >= set(files)}
        shared = {
            (sibling, *unit)
            for sibling, files in groups.items()
            if sibling not in fresh
            for unit in set().union(*(decided[file] for file in files))
            if len({decided[file][unit] for file in files if unit in decided[file]}) > 1
        }
        rows = sorted({(sibling, contents[file]) for sibling, files in fresh.items() for file in files})
        listed = pl.DataFrame(rows, schema={"sibling": pl.String(), "file_sha256": pl.String()}, orient="row")
        if listed.is_empty():
            return cls(groups, frozenset(shared))
        connection.register("siblings", listed.to_arrow())
        pairs = connection.execute(_SHARED, {"source": source.name}).fetchall()
        connection.unregister("siblings")
        return cls(groups, frozenset(shared | set(pairs)))

    def parts_of(self, account: str, period: date, files: Iterable[str]) -> dict[str, str]:
        """The delivery of each file of a unit: the files themselves, joined where they are parts of one."""
        standing = set(files)
        names = {file: file for file in sorted(standing)}
        for sibling, members in self.groups.items():
            ours = [file for file in members if file in standing]
            if len(ours) > 1 and (sibling, account, period) not in self.shared:
                joined = {names[file] for file in ours}
                names.update({file: sibling for file, name in names.items() if name in joined})
        return names


def _decided(
    connection: duckdb.DuckDBPyConnection, source: Source, contents: Mapping[str, str]
) -> dict[str, dict[tuple[str, date], str]]:
    """The delivery of each file in each of its units, as the last night decided it of the same content."""
    query = f"""
        SELECT file, file_sha256, billing_account_id, billing_period_start, delivery
        FROM {BillDeliveries.qualified()} WHERE source = ?
    """
    decided: dict[str, dict[tuple[str, date], str]] = defaultdict(dict)
    for file, sha256, account, period, delivery in connection.execute(query, [source.name]).fetchall():
        if contents.get(file) == sha256:
            decided[file][account, period] = delivery
    return decided


def numbered(files: Iterable[str]) -> dict[str, list[str]]:
    """Files of one folder whose names differ in one number only, of whatever length, by what they have in common."""
    groups: dict[str, list[str]] = defaultdict(list)
    for file in sorted(files):
        folder, _, name = file.rpartition("/")
        for number in _NUMBER.finditer(name):
            groups[f"{folder}/{name[: number.start()]}{_NUMBERED}{name[number.end() :]}"].append(file)
    return {group: members for group, members in groups.items() if len(members) > 1}


def export_folder(file: str) -> str:
    """The folder of a file without the folders that an exporter makes anew for every run."""
    return "/".join(part for part in file.split("/")[:-1] if not _RUN_FOLDER.fullmatch(part))
