"""Where an MLPerf result stands, and the description of the system it ran on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from warehouse.sources.decode.json_text import BadLine
from warehouse.sources.training.chips import chip

_COMPRESSED: Final = (".gz", ".zst")
_DEPTH: Final = 5  # org / results / system / benchmark / result_n.txt
_NUMBERS: Final = ("number_of_nodes", "accelerators_per_node")
_LONGEST_COUNT: Final = 7


@dataclass(frozen=True)
class ResultPath:
    """The parts of `<org>/results/<system>/<benchmark>/result_<n>.txt`."""

    above: PurePosixPath
    system: str
    benchmark: str
    file_stem: str

    @property
    def cluster(self) -> str:
        """`<org>/<system>`."""
        return f"{self.above.name}/{self.system}"

    @property
    def run_id(self) -> str:
        """`<org>/<system>/<benchmark>/result_<n>`."""
        return f"{self.cluster}/{self.benchmark}/{self.file_stem}"

    @property
    def description(self) -> str:
        """Where the description of the system is expected."""
        return str(self.above / "systems" / f"{self.system}.json")


@dataclass(frozen=True)
class System:
    """What a run holds: how many accelerators, of which chip."""

    gpu_count: float
    gpu_model: str | None


def plain_name(file: str) -> str:
    """The last part of a path, without the ending that names a compression."""
    name = PurePosixPath(file).name
    return name.rsplit(".", 1)[0] if name.endswith(_COMPRESSED) else name


def result_path(file: str) -> ResultPath | None:
    """Where a result file stands, or None if it stands elsewhere."""
    path = PurePosixPath(file)
    if len(path.parts) < _DEPTH or path.parts[-4] != "results":
        return None
    return ResultPath(path.parents[3], path.parts[-3], path.parts[-2], plain_name(file).removesuffix(".txt"))


def read_description(content: Path) -> System:
    """The accelerators of a system: nodes × accelerators per node, never what its name says.

    Submitters repeat keys in these files; that matters only where two values of a key that is read disagree.

    Raises:
        BadLine: bad_json, or missing_key or bad_count for a number that is absent or none.
    """
    fields = _fields(content.read_bytes())
    nodes, per_node = (_count(fields, name) for name in _NUMBERS)
    model = fields.get("accelerator_model_name")
    return System(nodes * per_node, chip(model) if isinstance(model, str) else None)


def _fields(text: bytes) -> dict[str, object]:
    try:
        fields = json.loads(text, object_pairs_hook=_agreeing)
    except (ValueError, RecursionError) as error:
        raise BadLine("bad_json", str(error).partition(":")[0]) from error
    if not isinstance(fields, dict):
        raise BadLine("bad_json", f"a JSON {type(fields).__name__}, not an object")
    return fields


def _agreeing(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    for name, value in pairs:
        if name in _NUMBERS and value != fields[name]:
            raise ValueError(f"two values of {name}")
    return fields


def _count(fields: dict[str, object], name: str) -> float:
    stated = str(fields.get(name) or "").strip()
    if not stated:
        raise BadLine("missing_key", f"{name} is absent or empty")
    if not stated.isascii() or not stated.isdigit():
        raise BadLine("bad_count", f"{name} is no whole number")
    if len(stated) > _LONGEST_COUNT:
        raise BadLine("bad_count", f"{name} has {len(stated)} digits: no system is that large")
    return float(stated)
