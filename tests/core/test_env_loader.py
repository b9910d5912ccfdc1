"""`.env` files and `${VAR}` references."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from osiris.core.env_loader import load_env, parse_dotenv, resolve_value
from osiris.core.error_taxonomy import ConfigurationError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=1", "1"),
        ("export A=1", "1"),
        ("  A = 1  ", "1"),
        ("A=", ""),
        ("A=one two", "one two"),
        ("A=x # comment", "x"),
        ("A=# comment", ""),
        ("A=x#y", "x#y"),
        ("A='x # y'", "x # y"),
        ("A='x' # y", "x"),
        ("A='a\\nb $HOME `id`'", "a\\nb $HOME `id`"),
        ('A="a\\nb \\"c\\" \\\\ \\$ \\q"', 'a\nb "c" \\ $ \\q'),
        ("A=$(touch /tmp/x) ${HOME} $HOME", "$(touch /tmp/x) ${HOME} $HOME"),
        ("A='first\nsecond'\n", "first\nsecond"),
        ("A=1\r\nB=2\r\n", "1"),
        ("A=old\nA=new", "new"),
        ("# A=0\n\nA=postgres://u:p=w@h/db?x=1", "postgres://u:p=w@h/db?x=1"),
    ],
)
def test_a_line_gives_its_variable(text: str, value: str) -> None:
    values, problems = parse_dotenv(text)
    assert values["A"] == value
    assert problems == []


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("A=1\nhello\n", 2, "no ="),
        ("1A=2", 1, "not the name of a variable"),
        ("A B=2", 1, "not the name of a variable"),
        ('A="1\nB=2', 1, "double quote of A is never closed"),
        ("A='1' 2", 1, "behind the closing quote of A"),
        ("A='1\n2'\noops", 3, "no ="),
    ],
)
def test_an_unusable_line_is_reported_with_its_number(text: str, line: int, message: str) -> None:
    _, problems = parse_dotenv(text)
    assert problems[0].line == line
    assert message in problems[0].message


def test_an_unusable_line_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nhello\nB=2\n")
    env = load_env(tmp_path, {})
    assert dict(env) == {"A": "1", "B": "2"}


def test_the_real_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\n")
    env = load_env(tmp_path, {"A": "real"})
    assert (env["A"], env.origin("A")) == ("real", "environment")
    assert (env["B"], env.origin("B")) == ("file", ".env")
    assert env.origin("C") is None


def test_no_value_stands_in_a_representation(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=s3cr3t\n")
    assert "s3cr3t" not in repr(load_env(tmp_path, {"B": "s3cr3t"}))


def test_the_process_environment_is_never_changed(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OSIRIS_TEST_ONLY_IN_FILE=1\n")
    before = dict(os.environ)
    assert load_env(tmp_path)["OSIRIS_TEST_ONLY_IN_FILE"] == "1"
    assert dict(os.environ) == before


def test_a_folder_called_env_is_a_virtual_environment_not_a_file(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert dict(load_env(tmp_path, {})) == {}


def test_an_env_file_outside_the_project_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "credentials").write_text("KEY=of-somebody-else\n")
    (tmp_path / "project" / ".env").symlink_to(tmp_path / "credentials")
    with pytest.raises(ConfigurationError, match=r"\.env is a link that leads out of the project, and is not read"):
        load_env(tmp_path / "project", {})


def test_a_link_within_the_project_is_followed(tmp_path: Path) -> None:
    (tmp_path / "local.env").write_text("A=1\n")
    (tmp_path / ".env").symlink_to("local.env")
    assert load_env(tmp_path, {})["A"] == "1"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    with pytest.raises(ConfigurationError, match=r"\.env is not a regular file"):
        load_env(tmp_path, {})


def test_a_binary_env_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ConfigurationError, match=r"\.env is not a text file in UTF-8"):
        load_env(tmp_path, {})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${HOST}", "db"),
        ("mysql://${USER}:${PW}@${HOST}:${PORT:-3306}/x", "mysql://ann:p$w@db:3306/x"),
        ("${NOPE:-}", ""),
        ("${EMPTY:-fallback}", "fallback"),
        ("${HOST:-other}", "db"),
        ("${NESTED}", "${HOST}"),
        ("$HOST", "$HOST"),
        ("plain", "plain"),
    ],
)
def test_references_are_replaced_once(text: str, value: str) -> None:
    env = {"HOST": "db", "USER": "ann", "PW": "p$w", "EMPTY": "", "NESTED": "${HOST}"}
    assert resolve_value(text, env) == value


def test_a_variable_that_is_not_set_is_named_with_its_place() -> None:
    with pytest.raises(ConfigurationError) as raised:
        resolve_value("${DB_PW}", {}, field="password", where="mysql.shop", file="osiris_connections.yaml")
    message = str(raised.value)
    assert "DB_PW is not set, but it is needed for password of mysql.shop in osiris_connections.yaml" in message


def test_a_line_of_the_file_that_cannot_be_read_is_part_of_the_answer(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DB_PW: secret\n")
    with pytest.raises(ConfigurationError) as raised:
        resolve_value("${DB_PW}", load_env(tmp_path, {}))
    assert "Line 1 of .env cannot be read: There is no =" in (raised.value.hint or "")


def test_a_variable_that_is_empty_is_told_from_one_that_is_not_set() -> None:
    with pytest.raises(ConfigurationError, match="DB_PW is empty"):
        resolve_value("${DB_PW}", {"DB_PW": ""})


@pytest.mark.parametrize("text", ["${MY VAR}", "${}", "${1A}", "${A:?message}"])
def test_a_malformed_reference_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not a reference to a variable"):
        resolve_value(text, {"A": "1"})


def test_a_reference_without_its_brace_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"for password of mysql\.shop is not closed"):
        resolve_value("${DB_PW", {"DB_PW": "1"}, field="password", where="mysql.shop")
