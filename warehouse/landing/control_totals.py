"""The control files of a source: what they promise of each file, and the invoices they state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from warehouse.landing.export_manifests import Export, exports
from warehouse.landing.inbox import controls
from warehouse.sources.control_files import Control, Invoice, Promise, control, promised_path
from warehouse.sources.decode.staging_copy import contents, spooled
from warehouse.sources.reader_protocol import RejectedFile
from warehouse.sources.source import Source

LARGEST: Final = 16 << 20


@dataclass
class Stated:
    """What the control files of one source say: by path what is promised, and by control file its invoices.

    `rejected` are control files that cannot be believed; `exports` say of a file which run of an export wrote it.
    """

    promises: dict[str, tuple[Promise, ...]] = field(default_factory=dict)
    invoices: dict[str, tuple[Invoice, ...]] = field(default_factory=dict)
    rejected: dict[str, RejectedFile] = field(default_factory=dict)
    exports: dict[str, Export] = field(default_factory=dict)

    def add(self, file: str, control_file: Control) -> None:
        """Take over what one control file says."""
        for promise in control_file.files:
            path = promised_path(file, promise.name)
            self.promises[path] = (*self.promises.get(path, ()), promise)
            self.exports[path] = Export(file, control_file.exported_at, promise.rows)
        self.invoices[file] = control_file.invoices


def stated(project: Path, source: Source, files: Sequence[str]) -> Stated:
    """What the control files beside the source's files say; files they name beyond the pattern are checked at once."""
    totals = Stated()
    if source.kind == "gpu_billing":
        totals.exports = exports(project, source.files, files)
    for file in controls(project, source.files):
        try:
            totals.add(file, control(contents(project, file, LARGEST)))
            _check_others(project, totals, set(files))
        except RejectedFile as rejected:
            totals.rejected[file] = rejected
    return totals


def _check_others(project: Path, totals: Stated, files: set[str]) -> None:
    for path in totals.promises.keys() - files:
        if not (project / path).is_symlink() and not (project / path).exists():
            raise RejectedFile("missing_part", f"{path} is named and is not there; deliver it")
        other = spooled(project, path)
        for promise in totals.promises[path]:
            promise.check_bytes(other.bytes, other.sha256)
