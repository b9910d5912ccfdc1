"""Suggestions, hovers and outlines in osiris_connections.yaml, osiris.yaml and ``.env``; ``<|>`` is the cursor."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marked import accept, expanded, split

from osiris.ide.completion.suggestion import Completions
from osiris.ide.navigation.document_symbols import Symbol
from osiris.ide.project_files.files import (
    FileKind,
    ProjectFile,
    complete_file,
    documentation_of_file,
    hover_file,
    symbols_of_file,
)
from osiris.language.connections import parse_connections
from osiris.language.environment import StaticEnvironment
from osiris.syntax.document import parse

CONNECTIONS = """\
connections:
  mysql:
    crm:
      host: ${CRM_HOST:-localhost}
      database: crm
      user: app
      password: ${CRM_PASSWORD}
      default: true
  sqlite:
    shop: {path: data/shop.db}
"""
ENVIRONMENT = StaticEnvironment(
    connections=parse_connections(CONNECTIONS),
    files=frozenset(["data/shop.db", "data/orders.csv", "out/x.csv"]),
    variables={"CRM_HOST": "environment", "CRM_PASSWORD": ".env", "OSIRIS_KEEP_DAYS": "environment"},
)


def file(kind: FileKind, text: str) -> ProjectFile:
    names = ("CRM_PASSWORD", "OLD_PASSWORD", "CRM_HOST")
    return ProjectFile(kind, text, ENVIRONMENT, dotenv_names=names, params=frozenset(["region", "least-orders"]))


def found(kind: FileKind, marked: str) -> Completions | None:
    text, offset = split(marked)
    return complete_file(file(kind, text), offset)


def labels(kind: FileKind, marked: str) -> list[str]:
    suggested = found(kind, marked)
    return [item.label for item in suggested.items] if suggested else []


def take(kind: FileKind, marked: str, label: str, *, snippet: bool = False) -> str:
    suggested = found(kind, marked)
    assert suggested is not None, "nothing is suggested"
    [item] = [item for item in suggested.items if item.label == label]
    return accept(split(marked)[0], suggested, item, snippet=snippet)


def hovered(kind: FileKind, marked: str) -> str | None:
    text, offset = split(marked)
    told = hover_file(file(kind, text), offset)
    return f"[{text[told.span.start : told.span.end]}]\n{told.markdown}" if told else None


def doc(text: str) -> str:
    return dedent(text.lstrip("\n"))


# -- osiris_connections.yaml


def test_a_family_brings_a_connection_with_its_required_fields_secrets_as_variables() -> None:
    assert labels(FileKind.CONNECTIONS, "connections:\n  <|>\n  sqlite:\n    a: {}\n") == [
        "duckdb",
        "filesystem",
        "graphql",
        "mysql",
        "postgres",
        "posthog",
        "supabase",
    ]
    assert take(FileKind.CONNECTIONS, "connections:\n  <|>", "mysql", snippet=True) == doc("""
        connections:
          mysql:
            <1:main>:
              host: <2>
              database: <3>
              user: <4>
              password: ${MYSQL_MAIN_PASSWORD}""")


def test_a_further_connection_of_a_family() -> None:
    assert take(FileKind.CONNECTIONS, "connections:\n  sqlite:\n    <|>", "connection", snippet=True) == doc("""
        connections:
          sqlite:
            <1:main>:
              path: <2>""")


def test_fields_come_with_the_required_first_and_a_secret_as_a_variable() -> None:
    place = "connections:\n  mysql:\n    crm-2:\n      host: x\n      <|>"

    fields = labels(FileKind.CONNECTIONS, place)
    assert (fields[:5], fields[-1]) == (["database", "user", "password", "port", "schema"], "default")
    assert take(FileKind.CONNECTIONS, place, "password").endswith("      password: ${MYSQL_CRM_2_PASSWORD}")
    assert take(FileKind.CONNECTIONS, "connections: {mysql: {crm: {<|>}}}", "password") == (
        'connections: {mysql: {crm: {password: "${MYSQL_CRM_PASSWORD}"}}}'
    )


def test_variables_are_those_of_the_env_file_and_of_this_one() -> None:
    place = "connections:\n  mysql:\n    a:\n      user: ${DB_USER}\n      password: ${<|>}"

    assert labels(FileKind.CONNECTIONS, place) == [
        "MYSQL_A_PASSWORD",
        "CRM_PASSWORD",
        "OLD_PASSWORD",
        "CRM_HOST",
        "DB_USER",
    ]
    assert take(FileKind.CONNECTIONS, place, "CRM_PASSWORD").endswith("password: ${CRM_PASSWORD}")
    assert take(FileKind.CONNECTIONS, place.replace("${<|>}", "'x${CRM<|>'"), "CRM_HOST").endswith("'x${CRM_HOST}'")
    assert take(FileKind.CONNECTIONS, place.replace("${<|>}", "${<|>:-x}"), "CRM_HOST").endswith("${CRM_HOST:-x}")


def test_values_of_fields() -> None:
    start = "connections:\n  mysql:\n    a:\n      "

    assert labels(FileKind.CONNECTIONS, start + "default: <|>") == ["true", "false"]
    assert labels(FileKind.CONNECTIONS, start + "port: <|>")[0] == "3306"
    assert "${CRM_PASSWORD}" in labels(FileKind.CONNECTIONS, start + "password: <|>")


def test_paths_of_a_connection() -> None:
    sqlite = "connections:\n  sqlite:\n    a:\n      path: data/<|>"
    folder = "connections:\n  filesystem:\n    a:\n      base_dir: <|>"

    assert labels(FileKind.CONNECTIONS, sqlite)[:2] == ["data/shop.db", "data/orders.csv"]
    assert labels(FileKind.CONNECTIONS, folder)[:2] == ["data/", "out/"]


def test_the_hover_of_a_connection_and_of_its_fields() -> None:
    assert hovered(FileKind.CONNECTIONS, CONNECTIONS.replace("crm:", "c<|>rm:", 1)) == doc("""
        [crm]
        **@mysql.crm** · default

        - `host`: `${CRM_HOST:-localhost}`
        - `database`: `crm`
        - `user`: `app`
        - `password`: `***`

        Variables: `CRM_HOST` (set in the environment), `CRM_PASSWORD` (set in `.env`)""")
    password = hovered(FileKind.CONNECTIONS, CONNECTIONS.replace("password:", "pass<|>word:"))
    assert password is not None
    assert password.startswith("[password]\n**password** · text · required\n")
    assert "This is a secret" in password
    assert (hovered(FileKind.CONNECTIONS, CONNECTIONS.replace("mysql", "my<|>sql")) or "").startswith(
        "[mysql]\n**mysql** · map"
    )


def test_the_hover_of_a_variable_says_where_it_is_set() -> None:
    assert hovered(FileKind.CONNECTIONS, CONNECTIONS.replace("${CRM_P", "${CR<|>M_P")) == (
        "[${CRM_PASSWORD}]\n**${CRM_PASSWORD}** · set in `.env`"
    )
    assert hovered(FileKind.CONNECTIONS, CONNECTIONS.replace("${CRM_H", "${CR<|>M_H")) == doc("""
        [${CRM_HOST:-localhost}]
        **${CRM_HOST}** · set in the environment

        `.env` sets it as well; the environment wins.

        What stands behind `:-` is taken where it is not set, or empty.""")


def test_the_outline_of_the_connections() -> None:
    assert outline(symbols_of_file(file(FileKind.CONNECTIONS, CONNECTIONS))) == doc("""
        mysql
          crm · default
        sqlite
          shop
        """)


# -- osiris.yaml


def test_settings_and_their_values() -> None:
    assert labels(FileKind.SETTINGS, "runs: {}\n<|>") == [
        "paths",
        "compile",
        "ai",
        "discovery",
        "version",
        "on_failure",
        "deterministic",
        "diagnostics",
    ]
    assert labels(FileKind.SETTINGS, "on_failure: <|>") == ["continue", "stop"]
    assert labels(FileKind.SETTINGS, "compile:\n  on_save: <|>") == ["true", "false"]
    assert labels(FileKind.SETTINGS, "runs:\n  keep_days: <|>") == ["30"]
    assert take(FileKind.SETTINGS, "<|>", "runs") == "runs:\n  "


def test_codes_and_their_severities() -> None:
    place = "diagnostics:\n  severity:\n    <|>"

    assert "OML111" in labels(FileKind.SETTINGS, place)
    assert "OML303" not in labels(FileKind.SETTINGS, place), "it is always an error"
    assert take(FileKind.SETTINGS, place.replace("<|>", "OML1<|>"), "OML111").endswith("    OML111: ")
    assert labels(FileKind.SETTINGS, place.replace("<|>", "OML111: <|>")) == [
        "error",
        "warning",
        "information",
        "hint",
        "off",
    ]
    assert take(FileKind.SETTINGS, place.replace("<|>", "OML111: <|>"), "off").endswith('OML111: "off"')


def test_the_hover_of_a_setting_and_of_a_code() -> None:
    assert hovered(FileKind.SETTINGS, "on_fai<|>lure: stop") == doc("""
        [on_failure]
        **on_failure**

        After a failed step: finish what does not depend on it, or stop.

        Default: `continue`

        Allowed: `continue`, `stop`

        The environment variable `OSIRIS_ON_FAILURE` goes before this file.""")
    assert (hovered(FileKind.SETTINGS, "runs:\n  keep_<|>days: 3") or "").endswith("goes before this file, and is set.")
    assert (hovered(FileKind.SETTINGS, "diagnostics:\n  severity:\n    OML<|>111: off") or "").startswith(
        "[OML111]\n**OML111** · hint: Name is not kebab-case"
    )


def test_the_outline_of_the_settings() -> None:
    assert outline(symbols_of_file(file(FileKind.SETTINGS, "on_failure: stop\nruns:\n  keep_days: 3\n"))) == doc("""
        on_failure · stop
        runs
          keep_days · 3
        """)


# -- .env


def test_variables_that_somebody_asks_for() -> None:
    assert labels(FileKind.DOTENV, "CRM_HOST=x\n<|>") == [
        "CRM_PASSWORD",
        "OSIRIS_PARAM_LEAST_ORDERS",
        "OSIRIS_PARAM_REGION",
    ]
    assert take(FileKind.DOTENV, "A=1\nCRM<|>", "CRM_PASSWORD") == "A=1\nCRM_PASSWORD="
    assert take(FileKind.DOTENV, "export C<|>R=1\n", "CRM_HOST") == "export CRM_HOST=1\n"


@pytest.mark.parametrize("place", ["A=<|>", "A=C<|>", "# <|>", "A='\n<|>'", "A='1' <|>"])
def test_nothing_is_suggested_for_values(place: str) -> None:
    assert labels(FileKind.DOTENV, place) == []


def test_the_hover_of_a_variable_says_who_asks_for_it_and_never_its_value() -> None:
    assert hovered(FileKind.DOTENV, "CRM_<|>PASSWORD=hunter2") == (
        "[CRM_PASSWORD]\n**CRM_PASSWORD**\n\nAsked for by: `@mysql.crm` (password)"
    )
    assert hovered(FileKind.DOTENV, "CRM_<|>HOST=h") == doc("""
        [CRM_HOST]
        **CRM_HOST**

        Asked for by: `@mysql.crm` (host)

        The process environment sets it as well, and wins: what stands here does not count.""")
    assert (hovered(FileKind.DOTENV, "OSIRIS_PARAM_REG<|>ION=EU") or "").endswith(
        "Gives the parameter `region` its value, in every pipeline that has it."
    )
    assert (hovered(FileKind.DOTENV, "OTH<|>ER=x") or "").endswith("No connection of the project asks for it.")
    assert hovered(FileKind.DOTENV, "OTHER=hun<|>ter2") is None


def test_the_outline_of_the_variables() -> None:
    assert outline(symbols_of_file(file(FileKind.DOTENV, "A=1\n# B=2\nexport C='3\n4'\n"))) == "A\nC\n"


# -- all of them


TEXTS = {
    FileKind.CONNECTIONS: CONNECTIONS,
    FileKind.SETTINGS: "on_failure: stop\nruns:\n  keep_days: 3\n\ndiagnostics:\n  severity:\n    OML111: off\n",
    FileKind.DOTENV: "# mine\nCRM_HOST=x\nexport A='b\nc'\n\nOSIRIS_PARAM_REGION=EU\n",
}


@pytest.mark.parametrize("kind", [FileKind.CONNECTIONS, FileKind.SETTINGS])
def test_whatever_is_taken_leaves_a_file_that_can_be_read(kind: FileKind) -> None:
    text = TEXTS[kind]
    versions = [(text, offset) for offset in range(len(text) + 1)]
    versions += [(text[:end], end) for end in range(len(text) + 1)]
    for version, offset in versions:
        suggested = complete_file(file(kind, version), offset)
        before = len(parse(version).diagnostics)
        for item in suggested.items if suggested else ():
            for new_text in {item.text, expanded(item.snippet or item.text)}:
                taken = accept(version, suggested, item, new_text=new_text)
                assert len(parse(taken).diagnostics) <= before, f"{item.label!r} at {offset}: {taken!r}"


@given(
    kind=st.sampled_from(list(FileKind)),
    pieces=st.lists(
        st.sampled_from([*"\n :-#'\"[]{}=$", "  ", "connections:", "mysql", "a", "${", "A=", "\r\n", "\0"])
    ),
    data=st.data(),
)
def test_no_text_is_too_much(kind: FileKind, pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    version = file(kind, text)
    offset = data.draw(st.integers(0, len(text)))

    suggested = complete_file(version, offset)
    for item in suggested.items if suggested else ():
        if item.topic is not None:
            documentation_of_file(version, item.topic)
    hover_file(version, offset)
    symbols_of_file(version)


def outline(symbols: tuple[Symbol, ...], depth: int = 0) -> str:
    lines = ""
    for symbol in symbols:
        assert symbol.span.start <= symbol.name_span.start <= symbol.name_span.end <= symbol.span.end
        lines += "  " * depth + symbol.name + (f" · {symbol.detail}" if symbol.detail else "") + "\n"
        lines += outline(symbol.children, depth + 1)
    return lines
