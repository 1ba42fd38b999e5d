"""The policy tables: what is read, what is refused and in which words, and what is merely told."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from warehouse.schemas import CATALOGUE
from warehouse.sources.policy.faults import PolicyError
from warehouse.sources.policy.files import columns_in_file
from warehouse.sources.policy.hints import policy_findings
from warehouse.sources.policy.policy import TABLES, built_in_api_prices, built_in_instances, read_policy

MODELS = (
    "model_id,aliases,family,base_model_id,teacher_model_id,origin,params,active_params,training_tokens,"
    "released_on,retires_on,owner\n"
)
RULES = "priority,source,field,pattern,target,target_id,phase,team,valid_from,valid_to\n"
DEPLOYMENTS = "deployment_id,model_id,pool_id,gpu_count,valid_from,valid_to\n"
RATES = "pool_id,usd_per_gpu_hour,valid_from,valid_to,opening_usd,closing_usd\n"
ATLAS = "atlas,vendor/Atlas;atlas one,atlas,,,own,7e9,7e9,2e12,2026-03-01,,core\n"
GOOD = {"models": MODELS + ATLAS, "attribution": RULES + "10,*,tag:model,atlas,model,atlas,pretraining,core,,\n"}

Project = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose policy files are the good ones, overlaid with the given texts."""

    def write(files: Mapping[str, str]) -> Path:
        (tmp_path / "policy").mkdir(exist_ok=True)
        for name, content in (GOOD | dict(files)).items():
            (tmp_path / "policy" / f"{name}.csv").write_bytes(content.encode())
        return tmp_path

    return write


def faults(project: Path) -> list[str]:
    with pytest.raises(PolicyError) as raised:
        read_policy(project)
    return str(raised.value).split("\n")


def test_every_table_of_a_read_policy_satisfies_its_schema(project: Project) -> None:
    tables = read_policy(project({"rates": "pool_id,usd_per_gpu_hour,valid_from,valid_to\nown,2.10,2026-01-01,\n"}))
    assert set(tables) == set(TABLES)
    for name, rows in tables.items():
        CATALOGUE[name].validation().validate(rows)
    assert tables["rates"]["usd_per_gpu_hour"].to_list() == [Decimal("2.100000000000")]


def test_a_table_without_a_file_is_empty_and_instances_keep_the_built_in_ones(project: Project) -> None:
    tables = read_policy(project({}))
    assert tables["fx"].is_empty()
    assert tables["fx"].columns == ["month", "currency", "rate"]
    assert tables["instances"].height == built_in_instances().rows.height > 200


def test_the_built_in_instances_are_sound_and_name_each_type_once() -> None:
    sheet = built_in_instances()
    assert sheet.faults == ()
    assert sheet.rows["pattern"].is_unique().all()
    assert sheet.rows.filter(sheet.rows["pattern"] == "*p5.48xlarge").row(0)[2:4] == ("H100", 8.0)


def test_the_built_in_prices_are_sound_and_none_names_an_own_model() -> None:
    sheet = built_in_api_prices()
    assert sheet.faults == ()
    assert sheet.rows.height > 100
    assert sheet.rows["model_id"].null_count() == sheet.rows.height
    assert sheet.rows["reference"].str.starts_with("https://").all()
    assert sheet.rows.select("provider", "api_model").is_unique().all()


def test_api_prices_of_the_company_come_before_the_built_in_ones(project: Project) -> None:
    header = ",".join(columns_in_file(TABLES["api_prices"]))
    tables = read_policy(project({"api_prices": f"{header}\n,us,our-70b,1,,2,2026-01-01,,,\n"}))
    assert tables["api_prices"].row(0)[1:3] == ("us", "our-70b")
    assert tables["api_prices"].height == built_in_api_prices().rows.height + 1


def test_instances_of_the_company_come_before_the_built_in_ones(project: Project) -> None:
    tables = read_policy(project({"instances": "pattern,gpu_model,gpus,valid_from,valid_to\n*p5.48xlarge,H100,4,,\n"}))
    assert tables["instances"].row(0)[:4] == (1, "*p5.48xlarge", "H100", 4.0)
    assert tables["instances"]["position"].to_list() == list(range(1, tables["instances"].height + 1))


def test_a_byte_order_mark_crlf_blank_lines_and_padding_cells_change_nothing(project: Project) -> None:
    plain = read_policy(project({}))["models"]
    dressed = "\ufeff" + MODELS.replace("\n", "\r\n") + "\r\n" + ATLAS.replace("\n", ",,\r\n") + ",,,,,,,,,,,\r\n"
    assert read_policy(project({"models": dressed}))["models"].equals(plain)


def test_columns_are_found_by_name_and_notes_are_not_read(project: Project) -> None:
    text = "#why,PHASE,target_id,target,pattern,field,source,priority,team,valid_from,valid_to\n"
    text += "because,inference,atlas,model,x,tag:m,*,5,,,\n"
    rule = read_policy(project({"attribution": text}))["attribution"].row(0, named=True)
    assert (rule["priority"], rule["phase"], rule["target_id"], rule["line"]) == (5, "inference", "atlas", 2)


def test_rules_are_sorted_by_priority_then_by_their_order_in_the_file(project: Project) -> None:
    lines = "20,*,region,b,shared,,,,,\n10,*,region,c,shared,,,,,\n20,*,region,a,shared,,,,,\n"
    rules = read_policy(project({"attribution": RULES + lines}))["attribution"]
    assert rules.select("position", "line", "pattern").rows() == [(1, 3, "c"), (2, 2, "b"), (3, 4, "a")]


def test_fields_of_rules_are_written_in_any_case_and_keys_of_tags_as_they_are(project: Project) -> None:
    lines = "1,*,TAG:Team,a,shared,,,,,\n2,*,Region,a,shared,,,,,\n"
    rules = read_policy(project({"attribution": RULES + lines}))["attribution"]
    assert rules["field"].to_list() == ["tag:Team", "region"]


def test_aliases_numbers_and_months_are_typed(project: Project) -> None:
    tables = read_policy(project({"budgets": "month,model_id,phase,usd\n2025-04,*,*,1200.50\n"}))
    model = tables["models"].row(0, named=True)
    assert model["aliases"] == ["vendor/Atlas", "atlas one"]
    assert model["params"] == 7e9
    assert tables["budgets"].row(0) == (date(2025, 4, 1), "*", "*", Decimal("1200.500000000000"))


def test_deployments_may_start_within_a_day_and_in_any_zone(project: Project) -> None:
    text = DEPLOYMENTS + "d,Atlas One,,8,2026-01-01T12:30:00+02:00,2026-02-01\n"
    row = read_policy(project({"deployments": text}))["deployments"].row(0, named=True)
    assert row["valid_from"] == datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
    assert row["valid_to"] == datetime(2026, 2, 1, tzinfo=UTC)
    assert row["model_id"] == "atlas"


def test_token_weights_become_whole_thousandths_half_up(project: Project) -> None:
    text = "deployment_id,input,cached_input,output,valid_from,valid_to\n*,1,0.1,4.0005,,\n"
    row = read_policy(project({"token_weights": text}))["token_weights"].row(0)
    assert row[1:4] == (1000, 100, 4001)


def test_names_that_are_code_elsewhere_are_plain_text_here(project: Project) -> None:
    hostile = ["=1+1", "{{7*7}}", "<img src=x>", "'; drop table x; --", "${7*7}"]
    models = MODELS + ATLAS + "".join(f'"{name}",,f,,,own,1e9,,,,,\n' for name in hostile)
    assert read_policy(project({"models": models}))["models"]["model_id"].to_list() == ["atlas", *hostile]


@pytest.mark.parametrize(
    ("table", "text", "expected"),
    [
        ("models", MODELS.replace("owner", "boss") + ATLAS, "policy/models.csv:1: unknown column: 'boss'"),
        ("models", MODELS.replace(",owner", "") + ATLAS[:-6] + "\n", "policy/models.csv:1: missing column: 'owner'"),
        ("models", MODELS.replace("owner", "family") + ATLAS, "policy/models.csv:1: column stands twice: 'family'"),
        ("models", MODELS + ATLAS.replace("own", "rented"), "policy/models.csv:2: origin: unknown word: 'rented'"),
        ("models", MODELS + ATLAS.replace("7e9", "NaN", 1), "policy/models.csv:2: params: no number: 'NaN'"),
        ("models", MODELS + ATLAS.replace("7e9", "7e999", 1), "policy/models.csv:2: params: number too large: '7e999'"),
        ("models", MODELS + ATLAS.replace("7e9", "0", 1), "policy/models.csv:2: params: not above zero: '0.0'"),
        ("models", MODELS + ATLAS.replace("2026-03-01", "2026-02-30"), "released_on: impossible date: '2026-02-30'"),
        ("models", MODELS + ATLAS.replace("2026-03-01", "01/03/2026"), "released_on: no date: '01/03/2026'"),
        (
            "models",
            MODELS + ATLAS + "b,ATLAS ONE,,,,own,,,,,,\n",
            "policy/models.csv:3: name of a model stands in line 2",
        ),
        (
            "models",
            MODELS + ATLAS + "ATLAS\u200b,,,,,own,,,,,,\n",
            "policy/models.csv:3: name of a model stands in line",
        ),
        ("models", MODELS + ATLAS + "b,,,atlsa,,own,,,,,,\n", "base_model_id: unknown model: 'atlsa'"),
        ("models", MODELS + ATLAS + "short,row\n", "policy/models.csv:3: 2 cells under 12 columns"),
        ("models", MODELS + ATLAS.replace("core", "co\x00re"), "policy/models.csv:2: owner: control character"),
        ("attribution", RULES + "10,*,region,x,pool,,,,,\n", "policy/attribution.csv:2: target_id: empty cell: 'pool'"),
        ("attribution", RULES + "10,*,region,x,,,,,,\n", "policy/attribution.csv:2: target: empty cell"),
        ("attribution", RULES + "10,*,region,x,model,atlas,,,,\n", "phase: empty cell under target model: 'atlas'"),
        ("attribution", RULES + "10,*,region,x,model,atlas,training,,,\n", "phase: unknown word: 'training'"),
        ("attribution", RULES + "1.5,*,region,x,shared,,,,,\n", "priority: no whole number: '1.5'"),
        (
            "attribution",
            RULES + "10,*,region,x,shared,,,,2026-02-01,2026-01-01\n",
            "policy/attribution.csv:2: valid_to before valid_from: '2026-01-01'; write a day after 2026-02-01",
        ),
        ("deployments", DEPLOYMENTS + "d,birch,,8,,\n", "model_id: unknown model: 'birch'"),
        ("deployments", DEPLOYMENTS + "d,atlas,,-8,,\n", "gpu_count: number too small: '-8'; write 0 or more"),
        ("deployments", DEPLOYMENTS + "d,atlas,,8,,\nd,atlas,,8,2026-01-01,\n", "overlap with line 2: 'd, atlas'"),
        (
            "pools",
            "pool_id,gpu_model,gpu_count,valid_from,valid_to\np,,8,,2026-02-01\np,,9,2026-01-31,\n",
            "line 2: 'p'",
        ),
        (
            "rates",
            "pool_id,usd_per_gpu_hour,valid_from,valid_to\np,2,,\np,3,,\n",
            "policy/rates.csv:3: overlap with line",
        ),
        ("rates", "pool_id,usd_per_gpu_hour,valid_from,valid_to\np,-2,,\n", "usd_per_gpu_hour: negative amount: '-2'"),
        ("rates", "pool_id,usd_per_gpu_hour,valid_from,valid_to\np,1e-13,,\n", "more than 12 decimals: '1e-13'"),
        ("rates", RATES + "p,,,,,\n", "policy/rates.csv:2: usd_per_gpu_hour: empty cell: 'p'; write a price"),
        ("rates", RATES + "p,,2026-01-01,2026-02-01,9,\n", "closing_usd: empty cell beside a value: 'p'"),
        ("rates", RATES + "p,1,2026-01-01,2026-02-01,,9\n", "opening_usd: empty cell beside a value: 'p'"),
        ("rates", RATES + "p,,2026-01-01,2026-02-01,8,9\n", "closing_usd above opening_usd: '9'; write at most 8"),
        ("rates", RATES + "p,,2026-01-01,,9,8\n", "loss of value without days: 'p'; write valid_from and a later"),
        ("rates", RATES + "p,,2026-01-01,2026-01-01,9,8\n", "loss of value without days: 'p'"),
        ("rates", RATES + "p,,2026-01-01,2026-02-01,9,-8\n", "closing_usd: negative amount: '-8'"),
        ("rates", RATES + "p,,2026-01-01,2026-02-01,9,8\n", "the pool has no GPUs from 2026-01-01 on: 'p'"),
        ("fx", "month,currency,rate\n2026-01,EUR,1.1\n2026-01,EUR,1.2\n", "policy/fx.csv:3: repeats line 2"),
        ("fx", "month,currency,rate\n2026-01,XXX,1.1\n", "policy/fx.csv:2: currency: no currency in use: 'XXX'"),
        ("fx", "month,currency,rate\n2026-01,EUR,0\n", "policy/fx.csv:2: rate: not above zero"),
        ("fx", "month,currency,rate\n2026-13,EUR,1\n", "policy/fx.csv:2: month: impossible date"),
        (
            "token_weights",
            "deployment_id,input,cached_input,output,valid_from,valid_to\n*,nan,1,1,,\n",
            "policy/token_weights.csv:2: input: no number: 'nan'",
        ),
        (
            "lives",
            "model_id,method,months,expected_tokens,valid_from\n*,straight_line,,,\n",
            "months: empty cell under",
        ),
        (
            "lives",
            "model_id,method,months,expected_tokens,valid_from\nbirch,straight_line,9,,\n",
            "unknown model: 'birch'",
        ),
        ("budgets", "month,model_id,phase,usd\n2026-01,atlas,serving,1\n", "phase: unknown word: 'serving'"),
        ("budgets", 'month,model_id,phase,usd\n2026-01,*,*,"1,000"\n', "policy/budgets.csv:2: usd: no number: '1,000'"),
    ],
)
def test_each_fault_is_named_with_its_line_and_value(project: Project, table: str, text: str, expected: str) -> None:
    assert any(expected in fault for fault in faults(project({table: text})))


def test_a_needed_table_without_a_file_is_asked_for(project: Project) -> None:
    path = project({})
    (path / "policy" / "models.csv").unlink()
    assert faults(path)[0].startswith("policy/models.csv: missing policy table: 'models'; create it with the header")


def test_a_file_that_is_not_utf_8_is_unreadable(project: Project) -> None:
    path = project({})
    (path / "policy" / "fx.csv").write_bytes("month,currency,rate\n".encode("utf-16"))
    assert faults(path)[0].startswith("policy/fx.csv:1: unreadable file")


def test_a_circle_of_lineage_is_refused_by_name(project: Project) -> None:
    models = MODELS + "a,,,c,,own,,,,,,\nb,,,a,,own,,,,,,\nc,,,b,,own,,,,,,\nd,,,a,,own,,,,,,\n"
    assert faults(project({"models": models, "attribution": RULES})) == [
        "policy/models.csv:2: circle in base_model_id: 'a → c → b → a'; clear one of them"
    ]


def test_rows_of_one_deployment_valid_together_must_agree_on_pool_and_gpus(project: Project) -> None:
    models = MODELS + ATLAS + "birch,,,,,own,,,,,,\n"
    text = DEPLOYMENTS + "d,atlas,p,8,2026-01-01,2026-03-01\nd,birch,p,16,2026-02-01,\n"
    assert faults(project({"models": models, "deployments": text})) == [
        (
            "policy/deployments.csv:3: gpu_count: another than in line 2 at the same time: 'd: 16.0, 8.0'; "
            "one deployment holds one set of GPUs: make them equal"
        )
    ]


def test_a_deployment_may_grow_where_its_earlier_row_ends(project: Project) -> None:
    text = DEPLOYMENTS + "d,atlas,p,8,2026-01-01,2026-03-01\nd,atlas,p,16,2026-03-01,\n"
    assert read_policy(project({"deployments": text}))["deployments"].height == 2


def test_all_faults_of_all_files_are_told_at_once(project: Project) -> None:
    told = faults(project({"attribution": RULES + "x,*,region,x,pool,,,,,\n", "fx": "month,currency\n"}))
    assert [fault.split(":")[0] for fault in told] == ["policy/attribution.csv", "policy/fx.csv"]


def test_a_name_that_is_nearly_known_is_suggested(project: Project) -> None:
    assert "did you mean 'atlas'?" in faults(project({"deployments": DEPLOYMENTS + "d,atlsa,,8,,\n"}))[0]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"fx": "month,currency,rate\n2026-11,EUR,1.1\n2026-11,eur,1.2\n"}, "fx.csv:3: repeats line 2"),
        (
            {"budgets": "month,model_id,phase,usd\n2026-11,atlas,inference,5\n2026-11,Atlas One,inference,7\n"},
            "budgets.csv:3: repeats line 2",
        ),
        (
            {
                "lives": "model_id,method,months,expected_tokens,valid_from\n"
                "atlas,straight_line,9,,\nATLAS,straight_line,8,,\n"
            },
            "lives.csv:3: repeats line 2",
        ),
        (
            {"deployments": DEPLOYMENTS + "d,atlas,p,8,2026-01-01,\nd,vendor/atlas,p,8,2026-02-01,\n"},
            "deployments.csv:3: overlap with line 2: 'd, atlas'",
        ),
    ],
)
def test_two_spellings_of_one_name_are_one_name(project: Project, files: Mapping[str, str], expected: str) -> None:
    assert any(expected in fault for fault in faults(project(files)))


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (ATLAS + "b,,,,b,own,,,,,,\n", "models.csv:3: circle in teacher_model_id: 'b → b'"),
        ("a,,,b,,own,,,,,,\nb,bee,,A ,,own,,,,,,\n", "circle in base_model_id: 'a → b → a'"),
        ("a,al,,bee,,own,,,,,,\nb,bee,,AL,,own,,,,,,\n", "circle in base_model_id: 'a → b → a'"),
        (ATLAS.replace("7e9,7e9", "7e9,8e9"), "models.csv:2: active_params above params: '8e+09 of 7e+09'"),
        (ATLAS.replace("7e9,7e9", "1e300,7e9"), "params: number too large: '1e300'; write less than 1e+20"),
        (
            ATLAS + "b," + "x" * 200_000 + ",,,,own,,,,,,\n",
            "models.csv:3: unreadable file: 'a cell of more than 100,000",
        ),
        (ATLAS + '"b,,,,,own,,,,,,\n', "models.csv:3: unreadable file: 'unexpected end"),
    ],
)
def test_what_no_model_can_be_is_refused(project: Project, models: str, expected: str) -> None:
    assert any(expected in fault for fault in faults(project({"models": MODELS + models})))


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_sheet_with_another_separator_is_told_in_one_sentence(project: Project, separator: str) -> None:
    told = faults(project({"models": (MODELS + ATLAS).replace(",", separator)}))

    assert [fault.partition(": 'model_id")[0] for fault in told] == [
        "policy/models.csv:1: cells are not separated by commas"
    ]


def test_text_that_is_no_utf_8_is_told_with_its_line(project: Project) -> None:
    path = project({})
    (path / "policy" / "models.csv").write_bytes((MODELS + ATLAS + "mé,,,,,own,,,,,,\n").encode("latin-1"))

    assert faults(path)[0].startswith("policy/models.csv:3: unreadable file: ")


def test_what_is_no_file_is_not_waited_for(project: Project) -> None:
    path = project({})
    os.mkfifo(path / "policy" / "fx.csv")

    assert faults(path) == ["policy/fx.csv: no regular file: 'fx.csv'; put a CSV file there"]


def test_a_long_value_is_cut_in_the_message(project: Project) -> None:
    told = faults(project({"models": MODELS + ATLAS.replace("7e9", "x" * 5000, 1)}))[0]
    assert len(told) < 300


def test_sound_policy_has_no_findings(project: Project) -> None:
    path = project({})
    assert policy_findings(path, read_policy(path), ["cloud"]) == ()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"attribution": GOOD["attribution"] + "20,*,TAG:model,ATLAS,shared,,,,,\n"},
            "policy/attribution.csv:3: rule can never match: line 2 takes all of it",
        ),
        ({"attribution": GOOD["attribution"] + "20,*,tag: Model ,atlas,shared,,,,,\n"}, "line 2 takes all of it"),
        ({"attribution": GOOD["attribution"] + "5,*,tag:model,*,shared,,,,,\n"}, "attribution.csv:2: rule can never"),
        ({"attribution": GOOD["attribution"] + "20,*,colour,x,shared,,,,,\n"}, "no record has this field: 'colour'"),
        (
            {"attribution": GOOD["attribution"] + "20,*,region,x,shared,,,,2026-01-01,2026-01-01\n"},
            "rule is never open",
        ),
        ({"attribution": GOOD["attribution"] + "20,*,region,x,deployment,d9,,,,\n"}, "unknown deployment: 'd9'"),
        ({"attribution": GOOD["attribution"] + "20,*,region,x,model,m9,inference,,,\n"}, "unknown model: 'm9'"),
        ({"models": MODELS + ATLAS + "lost,,,,,own,,,,,,\n"}, "no rule and no deployment names this model: 'lost'"),
        (
            {"attribution": RULES + "1,clowd,region,x,shared,,,,,\n"},
            "no source has this name: 'clowd'; write * or one of cloud",
        ),
        ({"attribution": RULES + "1,*,tag: ,x,shared,,,,,\n"}, "no record has this field: 'tag:'"),
        (
            {"models": MODELS + ATLAS + "аtlas,,,,,own,,,,,,\n"},
            r"looks like 'atlas', but is another model: '\\u0430tlas'",
        ),
        ({"models": MODELS + ATLAS + "ａtlas,,,,,own,,,,,,\n"}, "looks like 'atlas', but is another model"),
        ({"deployment": DEPLOYMENTS}, "policy/deployment.csv: not a policy table, not read"),
        ({"rates": "pool_id,usd_per_gpu_hour,valid_from,valid_to\np,2,,\n"}, "a rate accrues nothing"),
    ],
)
def test_each_finding_is_told_and_stops_nothing(project: Project, files: Mapping[str, str], expected: str) -> None:
    path = project(files)
    assert any(expected in str(finding) for finding in policy_findings(path, read_policy(path), ["cloud"]))


@pytest.mark.parametrize("field", ["cluster", "namespace", "pod", "label:app"])
def test_a_run_or_workload_may_have_a_pool_and_a_model_by_one_pattern(project: Project, field: str) -> None:
    rules = RULES + f"10,*,{field},c1,pool,p,,,,\n20,*,{field},c1,model,atlas,pretraining,,,\n"
    path = project({"attribution": rules})
    assert policy_findings(path, read_policy(path), ["cloud"]) == ()


def test_the_columns_of_the_files_are_those_of_the_schemas() -> None:
    assert list(columns_in_file(TABLES["token_weights"])) == [
        "deployment_id", "input", "cached_input", "output", "valid_from", "valid_to",
    ]  # fmt: skip
    assert "line" not in columns_in_file(TABLES["attribution"])


def test_a_rate_needs_a_first_day_of_its_own_or_of_its_pool(project: Project) -> None:
    rates = "pool_id,usd_per_gpu_hour,valid_from,valid_to\nown,2.10,,\n"
    pools = "pool_id,gpu_model,gpu_count,valid_from,valid_to\nown,H100,8,{first},\n"

    (fault,) = faults(project({"rates": rates, "pools": pools.format(first="")}))

    assert fault.startswith("policy/rates.csv:2: neither the rate nor its pool has a first day: 'own'; give the rate")
    assert read_policy(project({"rates": rates, "pools": pools.format(first="2026-01-01")}))["rates"].height == 1


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["own,H100,8,2026-01-01,"], None),
        (["own,H100,8,,2026-03-01", "own,H100,9,2026-03-01,2027-01-01"], None),
        (["own,H100,8,2026-01-01,2026-12-31"], "2026-12-31"),
        (["own,H100,8,2026-01-02,"], "2026-01-01"),
        (["own,H100,9,2026-06-01,", "own,H100,8,2026-01-01,2026-05-31"], "2026-05-31"),
        (["another,H100,8,,"], "2026-01-01"),
    ],
)
def test_a_loss_of_value_needs_gpus_on_every_day_of_its_life(
    project: Project, rows: list[str], expected: str | None
) -> None:
    pools = "\n".join(["pool_id,gpu_model,gpu_count,valid_from,valid_to", *rows, ""])
    path = project({"rates": RATES + "own,,2026-01-01,2027-01-01,900,100\n", "pools": pools})
    if expected is None:
        assert read_policy(path)["rates"].select("opening_usd", "closing_usd").row(0) == (900, 100)
    else:
        (fault,) = faults(path)
        assert fault.startswith(f"policy/rates.csv:2: the pool has no GPUs from {expected} on: 'own'; give the pool")


def test_a_metric_of_unknown_direction_is_asked_about_by_its_row(project: Project) -> None:
    header = "task,student_model_id,quality_metric,better,teacher_quality,student_quality,measured_on"
    rows = {"workloads": f"{header}\nchat,m,zing,,0.7,0.0,2026-10-01\n", "models": "", "attribution": ""}
    given = {name: text for name, text in rows.items() if text}
    with pytest.raises(PolicyError, match=r"workloads\.csv:2: better: empty cell, and the metric is in no list: .zing"):
        read_policy(project(given))
