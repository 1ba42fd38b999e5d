"""The lines that `trisect check` proposes fit the files of the project, whatever columns and order these have."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from orchestration.check_output import HEADERS, in_columns, to_paste
from orchestration.settings import load
from transforms.rule_suggestions import SCHEMA
from warehouse.sample import write_empty
from warehouse.sources.policy.policy import read_policy

LINES = {
    "attribution.csv": '100,cloud,charge_description,"a, ""b""",pool,core,,,,',
    "deployments.csv": "chat,kestrel,core,8,2026-11-18,",
    "models.csv": "kestrel,,,,,own,,,,2026-11-18,,",
}


def suggestions(*files: str) -> pl.DataFrame:
    rows = [("cloud", file, LINES[file], 10.0, "USD", 8.0) for file in files]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def pasted(folder: Path, *files: str) -> list[str]:
    project = load(folder)
    return list(to_paste(project, in_columns(project, suggestions(*files))))


def test_lines_are_pasted_below_the_headers_that_init_writes_and_are_read_without_a_fault(tmp_path: Path) -> None:
    write_empty(tmp_path)
    for file in LINES:
        said = pasted(tmp_path, file)
        assert said[1] == "   1 cloud: 10.00 USD, 8 GPU-hours"
        with (tmp_path / "policy" / file).open("a", encoding="utf-8") as text:
            text.write(said[-1] + "\n")

    assert read_policy(tmp_path)  # raises where a file has a fault


def test_columns_in_another_order_and_notes_are_kept_apart(tmp_path: Path) -> None:
    write_empty(tmp_path)
    (tmp_path / "policy/deployments.csv").write_text(
        "# why,pool_id,model_id,deployment_id,gpu_count,valid_from,valid_to\n"
    )

    assert pasted(tmp_path, "deployments.csv")[-1] == ",core,kestrel,chat,8,2026-11-18,"


@pytest.mark.parametrize("file", LINES)
def test_a_file_that_is_not_there_is_its_header_and_the_lines(tmp_path: Path, file: str) -> None:
    write_empty(tmp_path)
    (tmp_path / "policy" / file).unlink()

    assert pasted(tmp_path, file)[-2:] == [HEADERS[file], LINES[file]]
