"""Configuration: precedence, tolerance, positions of what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from osiris.core.config import Config, ConnectionConfig
from osiris.core.config_file import parse_config
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.settings import SETTINGS, json_schema, parse_size
from osiris.syntax.diagnostic import Severity
from osiris.syntax.text import LineIndex


def project(folder: Path, text: str) -> Path:
    (folder / "osiris.yaml").write_text(text, "utf-8")
    return folder


def places(text: str) -> list[tuple[str, int, int]]:
    lines = LineIndex(text)
    return [(d.code, *lines.line_column(d.span.start)) for d in parse_config(text).diagnostics]


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    config = Config.load(tmp_path, environ={})
    assert config.values == {setting.key: setting.default for setting in SETTINGS}
    assert config.source("runs.logs_dir") == "default"
    assert config.logs_dir == tmp_path / "logs"


def test_the_command_line_beats_the_environment_beats_the_file_beats_the_default(tmp_path: Path) -> None:
    project(tmp_path, "runs: {logs_dir: a, keep_days: 1, max_parallel: 1}\n")
    environ = {"OSIRIS_LOGS_DIR": "b", "OSIRIS_KEEP_DAYS": "2"}
    config = Config.load(tmp_path, {"runs.logs_dir": "c", "runs.keep_gb": None}, environ)
    assert (config.runtime.logs_dir, config.source("runs.logs_dir")) == ("c", "command line")
    assert (config.runtime.keep_days, config.source("runs.keep_days")) == (2, "OSIRIS_KEEP_DAYS")
    assert (config.runtime.max_parallel, config.source("runs.max_parallel")) == (1, "osiris.yaml")
    assert (config.runtime.keep_gb, config.source("runs.keep_gb")) == (5, "default")


def test_every_setting_can_be_written(tmp_path: Path) -> None:
    project(
        tmp_path,
        "version: '1'\n"
        "on_failure: stop\n"
        "runs: {logs_dir: l, max_parallel: 3, keep_days: 4, keep_gb: 0.5, memory_limit: 2GB}\n"
        "compile: {on_save: false}\n"
        "ai: {enabled: false, providers: [openai], allow_rows: true}\n"
        "discovery: {max_age_hours: 1.5}\n"
        "diagnostics: {severity: {OML111: off, OML405: warning, OML144: info}}\n",
    )
    config = Config.load(tmp_path, environ={})
    assert config.runtime.on_failure == "stop"
    assert config.runtime.memory_bytes == 2_000_000_000
    assert (config.runtime.max_parallel, config.runtime.keep_gb, config.compile_on_save) == (3, 0.5, False)
    assert (config.ai.enabled, config.ai.providers, config.ai.allow_rows) == (False, ("openai",), True)
    assert config.discovery_max_age_hours == 1.5
    assert config.severities == {"OML111": None, "OML405": Severity.WARNING, "OML144": Severity.INFORMATION}


def test_env_file_does_not_change_settings(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OSIRIS_LOGS_DIR=elsewhere\n")
    assert Config.load(tmp_path, environ={}).runtime.logs_dir == "logs"


def test_the_environment_cannot_raise_what_the_project_allows_to_ai(tmp_path: Path) -> None:
    project(tmp_path, "ai: {enabled: false}\n")
    assert not Config.load(tmp_path, environ={"OSIRIS_AI_ENABLED": "true"}).ai.enabled


def test_a_file_of_another_layout_is_read_with_warnings(tmp_path: Path) -> None:
    text = 'version: "2.0"\nfilesystem:\n  base_path: "."\n  build_dir: build\nlogging: {level: INFO}\nx-own: 1\n'
    config = Config.load(project(tmp_path, text), environ={})
    assert config.values["version"] == "2.0"
    assert places(text) == [("OML107", 1, 0), ("OML107", 4, 0)]
    assert "filesystem is not a setting of osiris.yaml. It is ignored." in parse_config(text).diagnostics[0].message


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "message"),
    [
        ("runs:\n  max_parallel: many\n", "OML104", 1, 16, "a whole number of 1 or more"),
        ("runs:\n  max_parallel: 0\n", "OML104", 1, 16, "a whole number of 1 or more"),
        ("runs:\n  keep_gb: .nan\n", "OML104", 1, 11, "a number of 0 or more"),
        ("runs:\n  memory_limit: lots\n", "OML104", 1, 16, "a size such as"),
        ("runs: 3\n", "OML104", 0, 6, "runs is a map"),
        ("on_failure: explode\n", "OML104", 0, 12, "one of continue, stop"),
        ("ai: {providers: openai}\n", "OML104", 0, 16, "a list of texts"),
        ("compile: {on_save: maybe}\n", "OML104", 0, 19, "true or false"),
        ("diagnostics: {severity: {OML111: loud}}\n", "OML104", 0, 33, "one of error, warning"),
        ("- a\n", "OML102", 0, 0, "a map of settings"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, text: str, code: str, line: int, column: int, message: str
) -> None:
    assert places(text) == [(code, line, column)]
    with pytest.raises(ConfigurationError) as raised:
        Config.load(project(tmp_path, text), environ={})
    assert f"osiris.yaml:{line + 1}:{column + 1}: " in str(raised.value)
    assert message in str(raised.value)


@pytest.mark.parametrize("text", ["", "# nothing\n", "runs:\n", "runs: {logs_dir: }\n", "diagnostics:\n"])
def test_what_is_not_said_has_its_default(tmp_path: Path, text: str) -> None:
    assert Config.load(project(tmp_path, text), environ={}).runtime.logs_dir == "logs"


def test_a_misspelt_setting_gets_a_proposal() -> None:
    (finding,) = parse_config("runs: {log_dir: x}\n").diagnostics
    assert finding.message == "log_dir is not a setting of runs. Did you mean logs_dir?"


def test_a_code_that_cannot_be_configured_is_named() -> None:
    (finding,) = parse_config("diagnostics: {severity: {OML303: off}}\n").diagnostics
    assert (finding.severity, "always an error" in finding.message) == (Severity.WARNING, True)


def test_broken_yaml_is_an_error_with_a_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"osiris\.yaml:2:\d+: "):
        Config.load(project(tmp_path, 'runs:\n  logs_dir: "x\n'), environ={})


def test_a_variable_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="The environment variable OSIRIS_KEEP_DAYS cannot be used"):
        Config.load(tmp_path, environ={"OSIRIS_KEEP_DAYS": "soon"})


def test_an_unknown_override_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no setting runs\.log_dir"):
        Config.load(tmp_path, {"runs.log_dir": "x"}, {})


@pytest.mark.parametrize(
    ("text", "size"), [("10", 10), ("1.5 KB", 1500), ("2GB", 2 * 10**9), ("2GiB", 2**31), ("512 mib", 2**29)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_a_connection_is_resolved_from_the_environment_and_its_secrets_are_known(tmp_path: Path) -> None:
    (tmp_path / "osiris_connections.yaml").write_text(
        "connections:\n"
        "  mysql:\n"
        "    shop:\n"
        "      host: ${DB_HOST:-localhost}\n"
        "      password: ${DB_PW}\n"
        "      options: {ssl: ['${CA}']}\n"
        "      default: true\n"
    )
    (tmp_path / ".env").write_text("DB_PW=from file\n")
    config = Config.load(tmp_path, environ={"CA": "ca.pem"})
    connection = config.connection("@mysql")
    assert (connection.reference, connection.variables()) == ("@mysql.shop", ["CA", "DB_HOST", "DB_PW"])
    resolved = connection.resolve(config.env)
    assert resolved.fields == {"host": "localhost", "password": "from file", "options": {"ssl": ["ca.pem"]}}
    assert resolved.secrets == ("from file",)
    assert "from file" not in repr(resolved)


def test_a_password_inside_an_address_is_known_as_a_secret() -> None:
    connection = ConnectionConfig("postgres", "a", {"dsn": "postgres://ann:${PW}@h/db"})
    assert "s3cr3t-pw" in connection.resolve({"PW": "s3cr3t-pw"}).secrets


def test_a_secret_deep_inside_a_connection_is_known() -> None:
    connection = ConnectionConfig("graphql", "a", {"headers": {"Authorization": "${TOKEN}", "Accept": "json"}})
    assert connection.resolve({"TOKEN": "abc123"}).secrets == ("abc123",)


def test_a_missing_variable_is_named_with_field_alias_and_file() -> None:
    connection = ConnectionConfig("mysql", "shop", {"password": "${DB_PW}"})
    with pytest.raises(
        ConfigurationError, match=r"DB_PW is not set, .* password of mysql\.shop in osiris_connections\.yaml"
    ):
        connection.resolve({})


def test_text_of_a_variable_becomes_what_the_component_wants() -> None:
    from osiris.components.registry import ComponentRegistry

    spec = ComponentRegistry.builtin().get("mysql.extractor")
    connection = ConnectionConfig("mysql", "shop", {"host": "h", "port": "${PORT}"})
    assert connection.resolve({"PORT": "3307"}, spec).fields["port"] == 3307
    assert ConnectionConfig("mysql", "shop", {"host": "h"}).resolve({}, spec).fields["port"] == 3306
    with pytest.raises(ConfigurationError, match=r"port of mysql\.shop .* must be a whole number, .* PORT is not"):
        connection.resolve({"PORT": "x"}, spec)


@pytest.mark.parametrize("reference", ["@mysql.nope", "@nope.shop"])
def test_a_connection_that_is_not_there_is_named(tmp_path: Path, reference: str) -> None:
    (tmp_path / "osiris_connections.yaml").write_text("connections: {mysql: {shop: {host: h}}}\n")
    with pytest.raises(ConfigurationError, match="nope"):
        Config.load(tmp_path, environ={}).connection(reference)


def test_without_a_connections_file_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no osiris_connections\.yaml"):
        Config.load(tmp_path, environ={}).connection("@mysql.shop")


def test_the_schema_knows_every_setting() -> None:
    properties = json_schema()["properties"]
    for setting in SETTINGS:
        section, _, key = setting.key.rpartition(".")
        assert key in (properties[section]["properties"] if section else properties)


def test_importing_the_configuration_loads_nothing_heavy() -> None:
    heavy = "{'pydantic', 'jsonschema', 'jsonschema_rs', 'duckdb', 'sqlglot', 'rich'}"
    code = f"import sys, osiris.core.config, osiris.core.config_file; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("runs:\n  log_dir: x\n", "runs:\n  logs_dir: x\n"),
        ("on_failure: stopp\n", "on_failure: stop\n"),
        ("diagnostics:\n  severity:\n    OML111: of\n", "diagnostics:\n  severity:\n    OML111: off\n"),
        ("diagnostics:\n  severity:\n    OML1111: off\n", "diagnostics:\n  severity:\n    OML111: off\n"),
    ],
)
def test_what_is_misspelt_can_be_mended(before: str, after: str) -> None:
    [found] = parse_config(before).diagnostics
    [edit] = found.fixes[0].edits

    assert before[: edit.span.start] + edit.new_text + before[edit.span.end :] == after
