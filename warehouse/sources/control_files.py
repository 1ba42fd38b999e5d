"""Control files: what an exporter says it delivered, the only proof that a plain file is whole."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Final

import msgspec

from warehouse.sources.casts.exact_sums import EXACT
from warehouse.sources.reader_protocol import Reading, RejectedFile

LARGEST: Final = Decimal(10**26)


class Promise(msgspec.Struct, frozen=True):
    """One delivered file as the exporter describes it; `billed_cost` is the sum of all its rows."""

    name: str
    bytes: int
    sha256: str
    rows: int | None = None
    billed_cost: Decimal | None = None

    def check_bytes(self, size: int, sha256: str) -> None:
        """Compare the file as it lies there.

        Raises:
            RejectedFile: control_mismatch.
        """
        if (size, sha256) != (self.bytes, self.sha256.lower()):
            raise RejectedFile(
                "control_mismatch",
                f"{size} bytes with digest {sha256[:12]}…, where the control file says {self.bytes} bytes with "
                f"{self.sha256[:12]}…; deliver both again",
            )

    def check_rows(self, read: Reading) -> None:
        """Compare what was read: every row that is not blank, and the money in it, also where a row was refused.

        Raises:
            RejectedFile: control_mismatch.
        """
        rows = read.rows - read.blank
        if self.rows is not None and self.rows != rows:
            raise RejectedFile("control_mismatch", f"{rows} rows, where the control file says {self.rows}")
        billed = _billed(read)
        if self.billed_cost is not None and self.billed_cost != billed:
            raise RejectedFile("control_mismatch", f"billed {billed:f}, where the control file says {self.billed_cost}")


class Invoice(msgspec.Struct, frozen=True):
    """The total of one invoice as it is stated."""

    invoice_id: str
    currency: str
    billed_cost: Decimal


class Control(msgspec.Struct, frozen=True):
    """One control file."""

    files: tuple[Promise, ...]
    invoices: tuple[Invoice, ...] = ()
    exported_at: datetime | None = None


def control(text: bytes) -> Control:
    """What a control file says.

    Raises:
        RejectedFile: unreadable.
    """
    try:
        document = msgspec.json.decode(text, type=Control)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise RejectedFile("unreadable", f"no control file: {error}") from error
    costs = [promise.billed_cost for promise in document.files] + [invoice.billed_cost for invoice in document.invoices]
    if not all(cost is None or cost.copy_abs() < LARGEST for cost in costs):
        raise RejectedFile("unreadable", "no control file: a billed cost is no amount that a bill can have")
    return document


def promised_path(control_file: str, name: str) -> str:
    """Where a file that a control file names must lie: beside it or below.

    Raises:
        RejectedFile: unsafe_path, for an address, an absolute path or one that leads upwards.
    """
    path = PurePosixPath(name)
    is_upright = bool(path.parts) and ".." not in path.parts and not path.is_absolute()
    if not is_upright or ":" in path.parts[0] or "\\" in name or "\0" in name:
        raise RejectedFile("unsafe_path", f"it names {name!r}, which is no file beside it")
    return str(PurePosixPath(control_file).parent / path)


def _billed(read: Reading) -> Decimal:
    total = Decimal(0)
    for cost in (*(billed for billed, _ in read.totals.values()), *read.refused["billed_cost"].drop_nulls()):
        total = EXACT.add(total, cost)
    return total
