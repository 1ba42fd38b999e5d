"""trisect.toml: what it may say, and what an error tells."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.settings import SettingsError, load
from orchestration.settings_tables import settings_table
from warehouse.sample import write_empty

SERVER = '[delivery]\nhost = "smtp.example.com"\nsender = "trisect@example.com"\n'
READERS = '[[delivery.audience]]\nname = "all"\nto = ["a@example.com"]\n'
COMPANY = '[company]\nname = "Example AI"\n'
SOURCE = '[[source]]\nname = "a"\nkind = "gpu_billing"\nformat = "focus"\nfiles = "inbox/a/*"\n'


def project(folder: Path, text: str) -> Path:
    (folder / "trisect.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_company_with_a_name_is_enough(tmp_path: Path) -> None:
    settings = load(project(tmp_path, COMPANY)).settings

    assert settings.company.currency == "USD"
    assert settings.thirds.dead_band == 0.10
    assert settings.machine().max_rejected_files == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            COMPANY + '[limits]\nmemmory = "4GB"\n',
            r"trisect.toml, line 4: unknown key 'memmory' in limits.*mean 'memory'",
        ),
        (
            COMPANY + "[limits]\nmemory = 4\n",
            r"line 4: memory = 4: Input should be a valid string; write it like '4GB'",
        ),
        (COMPANY + "[thirds]\ntarget = { pretraining = 0 }\n", r"pretraining = 0: Input should be greater than 0"),
        (COMPANY + SOURCE + SOURCE, r"two sources are named 'a'"),
        (COMPANY + SOURCE.replace("inbox", "../inbox"), r"line 7: files = .* leaves the inbox; begin it with inbox/"),
        (COMPANY + SOURCE.replace("inbox/a/*", "policy/*"), r"line 7: files = 'policy/\*' leaves the inbox"),
        (COMPANY + SOURCE.replace("inbox/a/*", "/etc/*"), r"line 7: files = '/etc/\*' leaves the inbox"),
        (COMPANY + SOURCE.replace("inbox/a/*", "."), r"line 7: files = '.' leaves the inbox"),
        (COMPANY + SOURCE + SOURCE.replace('"a"', '""'), r"line 9: name = '': String should have at least 1 character"),
        (
            COMPANY + SOURCE + SOURCE.replace('"a"', '"accrual"'),
            r"line 9: name 'accrual' is taken by what policy/rates",
        ),
        (COMPANY + SOURCE.replace('"a"', '"../../b"'), r"line 4: name = '../../b' is no plain name"),
        (COMPANY + SOURCE.replace('"a"', '"a\\u0000"'), r"line 4: name = 'a.x00' is no plain name"),
        (
            COMPANY + SOURCE.replace('"gpu_billing"', '"bill"'),
            r"line 5: kind = 'bill': .*; write one of gpu_billing, tr",
        ),
        (COMPANY + SOURCE + '[source.options]\ntime_unit = "h"\n', r"line 9: time_unit = 'h': Input should be 'iso', "),
        (
            COMPANY + SOURCE + '[source.options]\ntime_origin = "x"\n',
            r"line 9: time_origin = 'x' is no time; write it as",
        ),
        (COMPANY + SOURCE + '[source.options]\ntimzone = "UTC"\n', r"line 9: unknown key 'timzone' .*mean 'timezone'"),
        (
            COMPANY + SOURCE + '[source.columns]\ncurency = "c"\n',
            r"line 9: 'curency' is no canonical col.*mean 'currency'",
        ),
        (
            COMPANY + SOURCE.replace("focus", "opencost") + '[source.constants]\nx = "c"\n',
            r"columns of opencost are none",
        ),
        (
            COMPANY + '[report]\npaper = "A3"\n',
            r"line 4: paper = 'A3': Input should be 'A4' or 'letter'; write one of A4, letter",
        ),
        (
            COMPANY + "[thirds]\ntarget = { pretraining = inf }\n",
            r"line 4: pretraining = inf: Input should be less than or equal to 1000000000",
        ),
        (COMPANY + 'currency = "XXX"\n', r"line 3: currency = 'XXX' is no currency in use; write its ISO 4217 code"),
        (COMPANY + SOURCE.replace('files = "inbox/a/*"\n', ""), r"line 3: the key 'files' is missing"),
        (COMPANY + SOURCE.replace('"focus"', '"fokus"'), r"has format 'fokus'; gpu_billing has .*focus"),
        (COMPANY + SOURCE + '[source.options]\ntimezone = "Mars/Base"\n', r"timezone 'Mars/Base' is unknown"),
        ("[company\n", r"trisect.toml is no TOML"),
        (COMPANY + '[engine]\ntelemetry = "spark"\n', r"names no cluster; write its address, as spark://host:7077"),
        (COMPANY + READERS, r"\[\[delivery.audience\]\] without a mail server; name its host"),
        (COMPANY + SERVER, r"line 4: nobody is to get an e-mail; add a \[\[delivery.audience\]\]"),
        (COMPANY + SERVER + 'password = "s3cret"\n', r"line 6: unknown key 'password' in delivery"),
        (COMPANY + SERVER + 'username = "t"\n' + READERS, r"line 6: a username needs its password; name one of"),
        (COMPANY + SERVER + 'password_file = "p"\n' + READERS, r"a password without a username"),
        (
            COMPANY + SERVER + 'username = "t"\npassword_file = "p"\nsecurity = "none"\n' + READERS,
            r"line 8: security 'none' would send the password in clear",
        ),
        (COMPANY + SERVER.replace("trisect@", "trisect\\n@") + READERS, r"line 5: sender .* is no e-mail address"),
        (COMPANY + SERVER + READERS.replace("a@", "a b@"), r"line 8: 'a b@example.com' is no e-mail address"),
        (COMPANY + SERVER + READERS + 'form = "link"\n', r"say in published_url where published/ is served"),
        (COMPANY + SERVER + READERS + 'edition = "board"\n', r"line 9: edition 'board' is unknown; use leadership"),
        (COMPANY + SERVER + READERS + 'edition = "finance"\n', r"is not made; add 'finance' to editions in"),
        (COMPANY + SERVER + READERS + 'edition = "owner:Ann"\n', r"is not made; add 'owners' to editions in"),
        (COMPANY + SERVER + READERS + READERS, r"two audiences are named 'all'; give each a name of its own"),
        (COMPANY + SERVER + READERS.replace('"all"', '"All of us"'), r"needs a name of a-z, 0-9 and -"),
    ],
)
def test_an_error_names_file_line_value_and_remedy(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load(project(tmp_path, text))


def test_a_password_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        load(project(tmp_path, COMPANY + SERVER + 'password = "s3cret"\n'))

    assert "s3cret" not in str(error.value)


def test_delivery_uses_the_usual_port_of_its_security(tmp_path: Path) -> None:
    sent = load(project(tmp_path, COMPANY + SERVER + READERS)).settings.delivery

    assert (sent.security, sent.real_port, sent.days) == ("starttls", 587, 7)
    assert not load(project(tmp_path, COMPANY)).settings.delivery.is_wanted


def test_a_folder_without_settings_says_how_to_get_some(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="run `trisect init"):
        load(tmp_path)


def test_the_environment_overrides_scalars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRISECT_LIMITS_MAX_REJECTED_FILES", "3")
    monkeypatch.setenv("TRISECT_LIMITS_MEMORY", "1GB")
    monkeypatch.setenv("TRISECT_COMPANY_NAME", "42")

    settings = load(project(tmp_path, COMPANY)).settings

    assert settings.limits.max_rejected_files == 3
    assert settings.limits.memory == "1GB"
    assert settings.company.name == "42"


def test_a_wrong_value_of_the_environment_names_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRISECT_LIMITS_THREADS", "many")

    with pytest.raises(
        SettingsError,
        match=r"environment variable TRISECT_LIMITS_THREADS: threads = 'many': Input should be a valid integer",
    ):
        load(project(tmp_path, COMPANY))


def test_the_columns_and_options_of_a_table_are_those_that_its_reader_knows(tmp_path: Path) -> None:
    columns = '[source.columns]\n"tag:team" = "squad"\ncharge_start = "day"\n[source.constants]\ncurrency = "USD"\n'
    options = '[source.options]\ntime_unit = "s"\ntime_origin = "2020-01-01T00:00:00Z"\n'

    [source] = load(
        project(tmp_path, COMPANY + SOURCE.replace("focus", "table") + columns + options)
    ).settings.sources()

    assert source.columns == {"tag:team": "squad", "charge_start": "day"}
    assert source.options == {"final_newline": "required", "time_unit": "s", "time_origin": "2020-01-01T00:00:00Z"}


def test_the_night_is_one_row_that_covers_one_day(tmp_path: Path) -> None:
    now = datetime(2026, 11, 22, 6, tzinfo=UTC)

    row = settings_table(load(project(tmp_path, COMPANY)).settings, date(2026, 11, 21), now).row(0, named=True)

    assert row["night_start"] == datetime(2026, 11, 21, tzinfo=UTC)
    assert row["night_end"] == datetime(2026, 11, 22, tzinfo=UTC)
    assert row["materiality_usd"] == Decimal(1000)


def test_the_delivery_that_the_operations_page_shows_is_accepted(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    shown = page.partition("```toml\n[delivery]")[2].partition("```")[0].replace("\n# ", "\n")

    assert [one.name for one in load(project(tmp_path, f"{COMPANY}[delivery]{shown}")).settings.delivery.audience] == [
        "leadership",
        "operations",
    ]


def test_the_delivery_that_a_new_project_shows_is_accepted(tmp_path: Path) -> None:
    write_empty(tmp_path)
    text = (tmp_path / "trisect.toml").read_text(encoding="utf-8")
    head, _, rest = text.partition("# [delivery]\n")
    section, _, tail = rest.partition("\n\n")
    plain = "\n".join(line.removeprefix("#").removeprefix(" ") for line in section.splitlines())
    (tmp_path / "trisect.toml").write_text(f"{head}[delivery]\n{plain}\n\n{tail}", encoding="utf-8")

    assert load(tmp_path).settings.delivery.real_port == 587
