"""Exports of which a part has not come: their manifest lists files that are not there, or more rows than there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from warehouse.landing.export_manifests import Export
from warehouse.landing.inbox import CONTROL
from warehouse.landing.supersession import BillFile, DeliveredUnit, Fallen
from warehouse.sources.source import Source


def incomplete(
    units: Iterable[DeliveredUnit], source: Source, exports: Mapping[str, Export], rows: Mapping[str, int]
) -> list[Fallen]:
    """The exports that count and are not whole; `rows` are how many each content holds, blank lines aside.

    An export of which no listed file is there is no delivery yet. One that is replaced need not be whole any more.
    """
    of_manifest: dict[str, dict[str, BillFile]] = defaultdict(dict)
    for at in _counting(units, source):
        if at.file in exports and not exports[at.file].manifest.endswith(CONTROL):
            of_manifest[exports[at.file].manifest][at.file] = at
    fallen = []
    for manifest, files in sorted(of_manifest.items()):
        export = exports[next(iter(files))]
        listed = [file for file, each in exports.items() if each.manifest == manifest]
        if fault := _fault(export, files, listed, rows):
            fallen.append(Fallen(frozenset(at.sha256 for at in files.values()), sorted(files), *fault))
    return fallen


def _counting(units: Iterable[DeliveredUnit], source: Source) -> Iterator[BillFile]:
    for unit in units:
        deliveries = (unit.newest, *(unit.older if source.delivery == "append" else ()))
        yield from (held.at for delivery in deliveries for held in delivery.held)


def _fault(
    export: Export, files: Mapping[str, BillFile], listed: Sequence[str], rows: Mapping[str, int]
) -> tuple[str, str] | None:
    if export.missing:
        more = f" and {len(export.missing) - 1} more, which are" if len(export.missing) > 1 else ", which is"
        return "missing_part", f"{export.manifest} lists {export.missing[0]}{more} not there; deliver the export whole"
    there = sum(rows.get(at.sha256, 0) for at in files.values())
    if export.rows is not None and there < export.rows and files.keys() == set(listed):
        return "control_mismatch", f"{there} rows, where {export.manifest} says {export.rows}; deliver the export whole"
    return None
