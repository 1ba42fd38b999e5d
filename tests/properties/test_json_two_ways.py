"""Lines of JSON mean the same split over columns and read one by one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from warehouse.sources.decode import json_records
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.json_records import json_sheets

numbers = st.sampled_from(
    ["1", "-0", "01", "1.50", "9007199254740993.000000000001", "1e5", "1E-7", "1.", "-", "+1", "NaN", "1-2"]
)
words = st.sampled_from(["null", "true", "false", "nul", "[]", '{"a":1}', "{}", '{"a":1,"a":2}'])
texts = st.text('ab é",\\\n\t😀:{}', max_size=6).map(lambda text: json.dumps(text, ensure_ascii=False))
raw_texts = st.sampled_from(['"a\tb"', '"a\\u0041"', '"\\ud800"', '"open', "'x'", '""'])
keys = st.sampled_from(["a", "b", "c d", 'q"', "A", "é", "\t"])
marks = st.sampled_from([(", ", ": "), (",", ":"), (" , ", " : ")])


@st.composite
def lines(draw: st.DrawFn) -> str:
    names = draw(st.lists(keys, max_size=4))
    comma, colon = draw(marks)
    values = [draw(st.one_of(numbers, words, texts, raw_texts)) for _ in names]
    members = comma.join(f"{json.dumps(name)}{colon}{value}" for name, value in zip(names, values, strict=True))
    return draw(st.sampled_from(["{%s}", " { %s }", "{%s", "%s", "{%s}}"])) % members


@st.composite
def alike(draw: st.DrawFn) -> list[str]:
    """Lines of the same keys whose inner JSON has the same keys too, or nearly."""
    comma, colon = draw(marks)
    leaves = st.one_of(numbers, words, texts, raw_texts)
    inner = f'{{"n"{colon}%s{comma}"m"{colon}[%s{comma}%s]{comma}"o"{colon}{{ "p"{colon}%s}}}}'
    rows = draw(st.lists(st.tuples(*[leaves] * 6), min_size=1, max_size=6))
    line = f'{{"a"{colon}%s{comma}"b"{colon}{inner}{comma}"c"{colon}%s}}'
    return [line % row for row in rows]


def seen(path: Path) -> list[object]:
    layout = Layout({"a": ("a",)}, unmapped="kept")
    try:
        sheets = list(json_sheets(path, layout))
    except Exception as rejected:  # noqa: BLE001 - both ways must fail alike
        return [str(rejected)]
    cells = [
        (at, {name: cell for name, cell in row.items() if cell is not None})
        for sheet in sheets
        for at, row in zip(sheet.location, sheet.cells.to_dicts() or [{}] * len(sheet.location), strict=True)
    ]
    refused = sorted(row for sheet in sheets for row in sheet.refused.select("location", "reason").rows())
    return [cells, refused, sum(sheet.blank for sheet in sheets)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400)
@given(st.one_of(st.lists(lines(), min_size=1, max_size=8), alike()), st.booleans())
@example(written=['{"a": 1, "A": 1.}'], repeats_the_first=False)  # looks like an object and is none: it has no columns
def test_both_ways_see_the_same(tmp_path: Path, written: list[str], repeats_the_first: bool) -> None:  # noqa: FBT001
    path = tmp_path / "lines.jsonl"
    text = "\n".join([*written, *([written[0]] * 3 if repeats_the_first else [])])
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    over_columns = seen(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_records, "shape", lambda _: None)
        one_by_one = seen(path)
    assert over_columns == one_by_one
