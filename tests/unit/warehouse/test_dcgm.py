"""Activity of GPUs: scrapes of DCGM's exporter, instances of a GPU, tables of hours, and what is no measurement."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from warehouse.schemas.raw import GpuSamples
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.registry import FORMATS
from warehouse.sources.source import Source

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
SOURCE = Source("dcgm", "gpu_activity", "dcgm", "inbox/dcgm/*")
SCRAPE = """\
# HELP DCGM_FI_DEV_SM_CLOCK SM clock frequency (in MHz).
# TYPE DCGM_FI_DEV_SM_CLOCK gauge
DCGM_FI_DEV_SM_CLOCK{gpu="0",UUID="GPU-a",device="nvidia0",modelName="NVIDIA H100 80GB HBM3",Hostname="gpu-01"} 1980
# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",modelName="NVIDIA H100 80GB HBM3",Hostname="gpu-01",pod="chat-0"} 98
DCGM_FI_DEV_FB_USED{gpu="0",UUID="GPU-a",modelName="NVIDIA H100 80GB HBM3",Hostname="gpu-01",pod="chat-0"} 71303
# TYPE DCGM_FI_PROF_GR_ENGINE_ACTIVE gauge
DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu="0",UUID="GPU-a",Hostname="gpu-01",namespace="llm",pod="chat-0"} 0.412345
DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu="1",UUID="GPU-b",GPU_I_ID="3",GPU_I_PROFILE="1g.10gb",Hostname="gpu-01"} 1.0000001
"""


def read(folder: Path, text: str, file: str = "inbox/dcgm/gpu-01_2026-11-20T10:00:00Z.prom") -> Reading:
    content = folder / "content"
    content.write_bytes(text.encode())
    return FORMATS["gpu_activity", "dcgm"].read(Delivered(file, "0" * 64, 1, content, NIGHT), SOURCE)


def test_a_scrape_tells_of_activity_and_memory_of_each_gpu_and_the_rest_is_foreign(tmp_path: Path) -> None:
    found = read(tmp_path, SCRAPE)
    rows = found.frames["gpu_samples"]
    GpuSamples.validation().validate(rows)

    assert (found.rows, found.foreign_lines, found.refused.height) == (4, 5, 0)
    assert rows.select("gpu", "metric", "value", "gpus").rows() == [
        ("GPU-a", "utilization", 0.98, 1.0),
        ("GPU-a", "memory_used", 71303.0, 1.0),
        ("GPU-a", "engine_activity", 0.412345, 1.0),
        ("GPU-b/3", "engine_activity", 1.0, pytest.approx(1 / 7)),  # an instance of a GPU is a part of it
    ]
    assert rows["sampled_at"].unique().to_list() == [datetime(2026, 11, 20, 10, tzinfo=UTC)]
    assert rows.row(2, named=True)["host"] == "gpu-01"


def test_the_pod_is_the_workloads_and_not_the_exporters(tmp_path: Path) -> None:
    line = 'DCGM_FI_DEV_GPU_UTIL{UUID="GPU-a",pod="dcgm-exporter-x",exported_pod="chat-0"} 5\n'

    assert read(tmp_path, line).frames["gpu_samples"]["pod"].to_list() == ["chat-0"]


@pytest.mark.parametrize("value", ["NaN", "9223372036854775794", "-1", "103", "+Inf"])
def test_what_is_no_share_of_the_time_is_refused_and_no_zero(tmp_path: Path, value: str) -> None:
    found = read(tmp_path, f'DCGM_FI_DEV_GPU_UTIL{{UUID="GPU-a"}} {value}\n')

    assert (found.rows, found.refused["reason"].to_list()) == (1, ["bad_count"])


def test_a_name_without_a_time_is_refused_unless_the_samples_have_one(tmp_path: Path) -> None:
    with pytest.raises(RejectedFile, match=r"<host>_<time>\.prom"):
        read(tmp_path, SCRAPE, "inbox/dcgm/gpu-01.prom")
    stamped = 'DCGM_FI_DEV_GPU_UTIL{UUID="GPU-a"} 5 1795168800000\n'
    moment = datetime.fromtimestamp(1795168800, UTC)
    assert read(tmp_path, stamped, "inbox/dcgm/x.prom").frames["gpu_samples"]["sampled_at"].to_list() == [moment]


def test_a_table_states_the_means_of_hours(tmp_path: Path) -> None:
    table = (
        "hour,UUID,Hostname,pod,activity,DCGM_FI_DEV_FB_USED\n"
        "2026-11-20T10:00:00Z,GPU-a,gpu-01,chat-0,0.25,1000\n"
        "2026-11-20T11:00:00Z,GPU-a,gpu-01,chat-0,,2000\n"
        "2026-11-20T12:00:00Z,GPU-a,gpu-01,chat-0,1.5,3000\n"
        "2026-11-20T13:00:00Z,,gpu-01,chat-0,0.5,4000\n"
    )
    found = read(tmp_path, table, "inbox/dcgm/hours.csv")
    rows = found.frames["gpu_samples"].sort("sampled_at", "metric")

    assert (found.rows, found.counted) == (4, 2)
    assert found.refused.select("location", "reason").rows() == [("line 4", "bad_count"), ("line 5", "missing_key")]
    assert rows.select("metric", "value", "is_hourly").rows() == [
        ("engine_activity", 0.25, True), ("memory_used", 1000.0, True), ("memory_used", 2000.0, True),
    ]  # fmt: skip


def test_a_table_without_a_measurement_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RejectedFile, match="activity"):
        read(tmp_path, "hour,UUID\n2026-11-20T10:00:00Z,GPU-a\n", "inbox/dcgm/hours.csv")


def test_a_row_of_a_scrape_after_the_night_waits_for_its_night(tmp_path: Path) -> None:
    found = read(tmp_path, SCRAPE, "inbox/dcgm/gpu-01_2026-12-20T10:00:00Z.prom")

    assert found.refused["reason"].unique().to_list() == ["date_out_of_range"]
    assert found.frames["gpu_samples"].is_empty()
    assert isinstance(found.frames["gpu_samples"], pl.DataFrame)


def test_the_same_bytes_under_the_name_of_another_time_are_a_measurement_of_that_time(tmp_path: Path) -> None:
    text = 'DCGM_FI_DEV_GPU_UTIL{UUID="GPU-a",Hostname="gpu-01"} 0\n'
    content = tmp_path / "content"
    content.write_text(text)
    names = [f"inbox/dcgm/gpu-01_2026-11-20T{hour}:00:00Z.prom" for hour in (10, 11, 12)]
    delivered = Delivered(names[0], "0" * 64, 1, content, NIGHT, copies=(names[1], names[2]))
    found = FORMATS["gpu_activity", "dcgm"].read(delivered, SOURCE)

    assert found.rows == 1  # each path has a row of its own, those of the others are counted as duplicates there
    assert found.frames["gpu_samples"]["sampled_at"].dt.hour().to_list() == [10, 11, 12]
