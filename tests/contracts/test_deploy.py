"""What deploy/ starts is what the command takes, with the codes, user and version that the code has."""

from __future__ import annotations

import re
import shlex
from configparser import ConfigParser
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from orchestration.cli import trisect
from orchestration.exit_codes import Exit

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
TIMERS = sorted((DEPLOY / "systemd").glob("*.timer"))
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()


def unit(path: Path) -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text())
    return parser


def yaml_of(name: str) -> dict[str, Any]:
    document = yaml.safe_load((DEPLOY / name).read_text())
    assert isinstance(document, dict)
    return document


def taken(words: list[str]) -> str:
    """The command of these words; one that it does not have, or an unknown option of it, is an error."""
    command = trisect.commands[words[0]]
    context = click.Context(command)
    command.make_parser(context).parse_args(words[1:])
    return words[0]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_that_there_is_and_writes_below_var_only_or_fetches(path: Path) -> None:
    service = unit(path)["Service"]
    program, *words = shlex.split(service["ExecStart"])

    assert Path(program).name == "trisect"
    command, project = taken(words), words[words.index("--project") + 1]
    assert command in {"run", "ui", "status", "fetch"}
    inbox = [f"{project}/inbox"] if command == "fetch" else []
    assert service["ReadWritePaths"].split() == [f"{project}/var", *inbox]
    assert service["ExecStartPre"].split()[-1] == f"{project}/var"  # `trisect init` makes no var/
    assert service["ProtectSystem"] == "strict"
    assert service["UMask"] == "0077"


def test_the_codes_that_no_unit_calls_a_failure_are_those_of_the_contract() -> None:
    codes = {path.name: unit(path)["Service"].get("SuccessExitStatus") for path in UNITS}

    assert codes["trisect-night.service"] == str(int(Exit.PUBLISHED_WITH_QUARANTINE))
    assert codes["trisect-watch.service"] == str(int(Exit.NIGHT_MISSING))
    assert codes["trisect-fetch.service"] == str(int(Exit.BUSY))


@pytest.mark.parametrize("path", TIMERS, ids=lambda path: path.name)
def test_a_timer_has_its_service_and_makes_up_what_it_missed(path: Path) -> None:
    assert path.with_suffix(".service") in UNITS
    assert unit(path)["Timer"]["Persistent"] == "yes"
    assert unit(path)["Install"]["WantedBy"] == "timers.target"


def test_the_compose_file_serves_the_pages_to_the_proxy_alone() -> None:
    services = yaml_of("compose.yaml")["services"]

    assert taken(services["trisect"]["command"]) == "ui"
    assert services["trisect"]["network_mode"] == "service:proxy"
    assert "ports" not in services["trisect"]
    assert services["trisect"]["read_only"]
    assert services["trisect"]["cap_drop"] == ["ALL"]
    assert services["proxy"]["ports"] == ["443:443"]


def test_the_values_for_kubernetes_start_one_writer_of_this_version_as_the_user_of_the_image() -> None:
    values = yaml_of("helm-values.yaml")
    controller = values["controllers"]["trisect"]
    container = controller["containers"]["trisect"]
    user = int(re.findall(r"--uid (\d+)", CONTAINERFILE)[0])

    assert taken(container["args"]) == "ui"
    assert (controller["replicas"], controller["strategy"]) == (1, "Recreate")
    assert container["image"]["tag"] == version("trisect")
    assert values["defaultPodOptions"]["securityContext"]["runAsUser"] == user
    assert f"USER {user}" in CONTAINERFILE
    assert values["persistence"]["project"]["advancedMounts"]["trisect"]["trisect"] == [{"path": "/project"}]
    assert values["service"]["proxy"]["ports"]["https"]["targetPort"] != 3000


def test_the_image_has_every_package_of_the_wheel() -> None:
    project = (DEPLOY.parent / "pyproject.toml").read_text()
    packages = re.findall(r'"(\w+)"', re.findall(r"^packages = \[(.*)\]$", project, re.MULTILINE)[0])

    assert packages
    assert all(f"COPY {package} {package}\n" in CONTAINERFILE for package in packages)


def test_the_proxy_hands_on_to_the_port_that_the_pages_have() -> None:
    assert "reverse_proxy 127.0.0.1:3000" in (DEPLOY / "Caddyfile").read_text()
    port = next(option for option in trisect.commands["ui"].params if option.name == "port")
    assert port.default == 3000
