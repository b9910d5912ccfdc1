"""The links of a document: what is marked ``«...»`` leads to the files below it."""

from __future__ import annotations

from textwrap import dedent

from places import lines_with

from osiris.ide.navigation.document_links import document_links
from osiris.language.analysis import analyse
from osiris.language.connections import parse_connections
from osiris.language.environment import StaticEnvironment

CONNECTIONS = """\
connections:
  filesystem:
    data: {base_dir: data}
    away: {base_dir: /mnt/away}
"""


def links(marked: str, *files: str) -> tuple[list[str], list[str]]:
    """The lines with links, and what they lead to, in a project that holds these files."""
    text = dedent(marked.lstrip("\n"))
    env = StaticEnvironment(connections=parse_connections(CONNECTIONS), files=frozenset(files))
    found = document_links(analyse(text, env), env)
    return lines_with(text, [link.span for link in found]), [
        link.path if link.place is None else f"{link.path}:{link.place[0] + 1}:{link.place[1] + 1}" for link in found
    ]


def test_files_that_are_read_and_written_when_they_are_there() -> None:
    assert links(
        """
        steps:
          - id: a
            component: filesystem.csv_extractor
            mode: read
            config: {path: "data/./in.csv"}
          - id: b
            component: filesystem.csv_writer
            mode: write
            config: {path: out/there.csv}
          - id: c
            component: filesystem.csv_writer
            mode: write
            config: {path: out/not-yet.csv}
        """,
        "data/in.csv",
        "out/there.csv",
    ) == (
        ['config: {path: "«data/./in.csv»"}', "config: {path: «out/there.csv»}"],
        ["data/in.csv", "out/there.csv"],
    )


def test_a_path_starts_in_the_folder_of_the_connection_which_is_linked_as_well() -> None:
    assert links(
        """
        steps:
          - id: a
            component: filesystem.csv_extractor
            mode: read
            config:
              connection: "@filesystem.data"
              path: in.csv
        """,
        "data/in.csv",
    ) == (
        ['connection: "«@filesystem.data»"', "path: «in.csv»"],
        ["osiris_connections.yaml:3:5", "data/in.csv"],
    )


def test_a_parameter_in_a_path_has_the_value_that_counts() -> None:
    assert links(
        """
        params: {day: monday}
        steps:
          - id: a
            component: filesystem.csv_extractor
            mode: read
            config: {path: "${params.day}.csv"}
        """,
        "monday.csv",
    ) == (['config: {path: "«${params.day}.csv»"}'], ["monday.csv"])


def test_nothing_outside_the_project_is_linked_to() -> None:
    def step(path: str, connection: str = "data") -> str:
        return f"""
            steps:
              - id: a
                component: filesystem.csv_extractor
                mode: read
                config: {{connection: "@filesystem.{connection}", path: {path}}}
            """

    for text in (step("/etc/passwd"), step("../../up.csv"), step("in.csv", "away"), step("https://x.org/a.csv")):
        _, targets = links(text, "/etc/passwd", "../up.csv", "/mnt/away/in.csv", "in.csv", "https://x.org/a.csv")
        assert all(target.startswith("osiris_connections.yaml:") for target in targets)


def test_an_unknown_connection_is_no_link() -> None:
    assert links("steps:\n  - {component: sqlite.extractor, config: {connection: '@sqlite.nowhere'}}\n") == ([], [])
