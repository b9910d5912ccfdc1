"""A project on disk: where it starts, what belongs to it, what the language learns from it, and what stays outside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.project import Project, read_source

OML = "oml_version: 0.1.0\nname: {name}\nsteps: []\n"


def make(root: Path, *files: str, **texts: str) -> Path:
    """Files with a pipeline named as the file, or with the given text; a name that ends in / is a folder."""
    for name in files:
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts.get(path.name, OML.format(name=path.name.split(".")[0])), "utf-8")
    return root


def names(project: Project) -> list[str]:
    return [project.relative(path) for path in project.pipelines()]


@pytest.mark.parametrize("marker", ["osiris.yaml", "osiris_connections.yaml"])
def test_the_root_is_the_nearest_folder_upwards_with_a_marker(tmp_path: Path, marker: str) -> None:
    make(tmp_path, "osiris.yaml", f"inner/{marker}", "inner/deep/deeper/p.oml")
    assert Project.find(tmp_path / "inner" / "deep" / "deeper" / "p.oml").root == tmp_path / "inner"
    assert Project.find(tmp_path / "inner").root == tmp_path / "inner"
    assert Project.find(tmp_path / "p.oml").root == tmp_path


def test_without_a_marker_the_root_is_the_workspace_else_the_own_folder(tmp_path: Path) -> None:
    make(tmp_path, "osiris.yaml", "workspace/a/p.oml")
    workspace = tmp_path / "workspace"
    assert Project.find(workspace / "a" / "p.oml", stop=workspace).root == workspace
    lonely = make(tmp_path / "workspace" / "b", "p.oml")
    assert Project.find(lonely / "p.oml", stop=lonely).root == lonely


def test_a_file_that_does_not_exist_yet_has_a_project_too(tmp_path: Path) -> None:
    make(tmp_path, "osiris.yaml")
    assert Project.find(tmp_path / "new" / "p.oml").root == tmp_path


def test_pipelines_are_found_by_ending_or_by_version(tmp_path: Path) -> None:
    make(tmp_path, "osiris.yaml", "a.oml", "x/b.oml.yaml", "x/c.oml.yml", "d.yaml", "e.yml")
    (tmp_path / "f.yaml").write_text("name: not oml\nx:\n  oml_version: 0.1.0\n")
    (tmp_path / "g.yaml").write_text('{"oml_version": "0.1.0", "name": "g"}')
    (tmp_path / "h.oml").write_bytes(b"\x00\xff")
    assert names(Project.find(tmp_path)) == [
        "a.oml",
        "d.yaml",
        "e.yml",
        "g.yaml",
        "h.oml",
        "x/b.oml.yaml",
        "x/c.oml.yml",
    ]


def test_foreign_folders_are_left_out(tmp_path: Path) -> None:
    make(
        tmp_path,
        "osiris.yaml",
        "a.oml",
        ".git/b.oml",
        ".venv/b.oml",
        "node_modules/b.oml",
        "build/x/b.oml",
        "logs/b.oml",
    )
    make(tmp_path, ".hidden.oml", "other/osiris.yaml", "other/b.oml")
    assert names(Project.find(tmp_path)) == ["a.oml"]
    assert Project.find(tmp_path).pipelines(nested=True) == [tmp_path / "a.oml", tmp_path / "other" / "b.oml"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = make(tmp_path / "outside", "secret.oml")
    root = make(tmp_path / "root", "osiris.yaml", "a.oml")
    (root / "link.oml").symlink_to(outside / "secret.oml")
    (root / "folder").symlink_to(outside)
    (root / "loop").symlink_to(root)
    assert names(Project.find(root)) == ["a.oml"]


def test_the_environment_knows_connections_severities_files_and_names(tmp_path: Path) -> None:
    make(
        tmp_path,
        *("osiris.yaml", "osiris_connections.yaml", "data/orders.csv", "a.oml", "x/a.oml", "b.oml"),
        **{
            "osiris.yaml": "diagnostics: {severity: {OML111: off}}\n",
            "osiris_connections.yaml": "connections: {mysql: {shop: {host: h}}}\n",
        },
    )
    environment = Project.find(tmp_path).environment(tmp_path / "a.oml")
    assert environment.connections is not None
    assert environment.connections.references() == ("@mysql.shop",)
    assert environment.severities == {"OML111": None}
    assert environment.file_exists("data/orders.csv") is True
    assert environment.file_exists("data/none.csv") is False
    assert environment.pipelines_named("a") == ["x/a.oml"]
    assert environment.pipelines_named("b") == ["b.oml"]


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "out/x", "a\0b", ""])
def test_nothing_is_said_about_files_outside(tmp_path: Path, path: str) -> None:
    root = make(tmp_path / "root", "osiris.yaml")
    (root / "out").symlink_to(tmp_path)
    (tmp_path / "x").write_text("")
    assert Project.find(root).environment().file_exists(path) is None


def test_without_a_connections_file_there_are_no_connections(tmp_path: Path) -> None:
    assert Project(tmp_path).environment().connections is None


def test_a_changed_file_is_seen_with_the_next_question(tmp_path: Path) -> None:
    project = Project.find(make(tmp_path, "osiris.yaml", **{"osiris.yaml": ""}))
    before = project.environment().version
    assert project.environment().version == before
    (tmp_path / "osiris_connections.yaml").write_text("connections: {mysql: {shop: {}}}\n")
    environment = project.environment()
    assert environment.version != before
    assert environment.connections is not None
    (tmp_path / "osiris_connections.yaml").unlink()
    assert project.environment().connections is None


def test_a_file_that_appears_is_seen_when_somebody_says_so(tmp_path: Path) -> None:
    project = Project(tmp_path)
    environment = project.environment()
    assert environment.file_exists("data.csv") is False
    assert environment.pipelines_named("a") == []
    make(tmp_path, "data.csv", "a.oml")
    project.invalidate()
    before, environment = environment.version, project.environment()
    assert environment.version != before
    assert environment.file_exists("data.csv") is True
    assert environment.pipelines_named("a") == ["a.oml"]


def test_what_is_open_in_an_editor_wins_over_the_file(tmp_path: Path) -> None:
    make(
        tmp_path, "osiris_connections.yaml", "a.oml", **{"osiris_connections.yaml": "connections: {mysql: {old: {}}}\n"}
    )
    project = Project.find(tmp_path)
    project.overlay(tmp_path / "osiris_connections.yaml", "connections: {mysql: {new: {}}}\n")
    project.overlay(tmp_path / "a.oml", OML.format(name="renamed"))
    environment = project.environment()
    assert environment.connections is not None
    assert environment.connections.references() == ("@mysql.new",)
    assert environment.pipelines_named("renamed") == ["a.oml"]
    project.overlay(tmp_path / "osiris_connections.yaml", None)
    project.overlay(tmp_path / "a.oml", None)
    environment = project.environment()
    assert environment.connections is not None
    assert environment.connections.references() == ("@mysql.old",)
    assert environment.pipelines_named("renamed") == []


def test_one_file_has_one_environment(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert project.environment(tmp_path / "a.oml") is project.environment(str(tmp_path / "x" / ".." / "a.oml"))
    assert project.environment(tmp_path / "a.oml") is not project.environment(tmp_path / "b.oml")


@pytest.mark.parametrize(
    ("working_folder", "path"),
    [
        (".", "shop/pipelines/a.oml"),
        ("shop", "pipelines/a.oml"),
        ("shop/pipelines", "a.oml"),
        ("shop/pipelines", "../../shop/pipelines/a.oml"),
        (".", "link/pipelines/a.oml"),
        ("link/pipelines", "a.oml"),
    ],
)
def test_a_relative_path_is_relative_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, working_folder: str, path: str
) -> None:
    root = make(tmp_path / "shop", "osiris.yaml", "pipelines/a.oml")
    (tmp_path / "link").symlink_to(root)
    monkeypatch.chdir(tmp_path / working_folder)
    for project in (Project.find(path), Project(root)):
        assert project.relative(path) == "pipelines/a.oml"
        assert project.environment(path).pipelines_named("a") == []


def test_the_working_folder_may_change_between_two_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project.find(make(tmp_path, "osiris.yaml", "a.oml", "x/a.oml"))
    monkeypatch.chdir(tmp_path)
    assert project.environment("a.oml").pipelines_named("a") == ["x/a.oml"]
    monkeypatch.chdir(tmp_path / "x")
    assert project.environment("a.oml").pipelines_named("a") == ["a.oml"]


def test_asking_again_reads_no_file_again(tmp_path: Path) -> None:
    make(tmp_path, "osiris.yaml", "osiris_connections.yaml", **{"osiris_connections.yaml": "connections: {a: {b: {}}}"})
    project = Project.find(tmp_path)
    assert project.environment().connections is project.environment().connections


def test_broken_settings_are_listed_and_do_no_harm(tmp_path: Path) -> None:
    make(tmp_path, "osiris.yaml", **{"osiris.yaml": "runs: 3\n"})
    (tmp_path / "osiris_connections.yaml").mkdir()
    project = Project.find(tmp_path)
    assert project.environment().severities == {}
    config, connections = project.settings_files()
    assert [finding.code for finding in config.diagnostics] == ["OML104"]
    assert connections.problem == "osiris_connections.yaml is a folder, not a file."


def test_a_connections_file_outside_the_project_is_not_read(tmp_path: Path) -> None:
    make(tmp_path, "osiris_connections.yaml")
    root = make(tmp_path / "root", "osiris.yaml", **{"osiris.yaml": ""})
    (root / "osiris_connections.yaml").symlink_to(tmp_path / "osiris_connections.yaml")
    project = Project.find(root)
    assert project.environment().connections is None
    assert "leads out of the project" in (project.settings_files()[1].problem or "")


def test_source_is_read_with_or_without_a_mark_and_in_utf16(tmp_path: Path) -> None:
    for number, data in enumerate(("ř\r\n".encode(), "\ufeffř\r\n".encode(), "\ufeffř\r\n".encode("utf-16-le"))):
        (tmp_path / f"{number}.oml").write_bytes(data)
        assert read_source(tmp_path / f"{number}.oml") == "ř\r\n"


def test_what_cannot_be_read_is_said_exactly(tmp_path: Path) -> None:
    (tmp_path / "folder.oml").mkdir()
    (tmp_path / "binary.oml").write_bytes(b"\x7fELF\x00\x01\x02")
    (tmp_path / "broken.oml").symlink_to("nowhere.oml")
    (tmp_path / "loop.oml").symlink_to("loop.oml")
    os.mkfifo(tmp_path / "pipe.oml")
    with (tmp_path / "large.oml").open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    for name, message in {
        "folder.oml": "folder.oml is a folder, not a file",
        "binary.oml": "Cannot read .*binary.oml: This file is not text",
        "broken.oml": "broken.oml is a link to nowhere.oml, which does not exist",
        "loop.oml": "Cannot read .*loop.oml: its symbolic links lead in a circle",
        "pipe.oml": "pipe.oml is not a regular file",
        "large.oml": "large.oml is too large \\(52 MB\\)",
        "none.oml": "There is no file .*none.oml",
        "none/p.oml": "the folder .*none does not exist",
        "binary.oml/p.oml": "a part of the path is a file",
        "a\0b": "not the name of a file",
    }.items():
        with pytest.raises(ConfigurationError, match=message):
            read_source(tmp_path / name)


def test_an_empty_file_is_an_empty_text(tmp_path: Path) -> None:
    (tmp_path / "empty.oml").write_bytes(b"")
    assert read_source(tmp_path / "empty.oml") == ""


NOBODY = """
import os, sys
from pathlib import Path
import osiris.syntax.document
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.source import read_source
if os.getuid() == 0:
    os.setuid(65534)
try:
    read_source(Path(sys.argv[1]))
except ConfigurationError as error:
    print(error)
"""


def test_a_file_that_may_not_be_read_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "p.oml").write_text("name: a\n")
    (tmp_path / "p.oml").chmod(0)
    done = subprocess.run([sys.executable, "-c", NOBODY, str(tmp_path / "p.oml")], capture_output=True, text=True)
    assert done.stdout == f"Cannot read {tmp_path / 'p.oml'}: permission denied.\n"


def test_variables_follow_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path)
    assert "OSIRIS_PARAM_DAY" not in project.variables()
    before = project.environment().version
    (tmp_path / ".env").write_text("OSIRIS_PARAM_DAY=mon\n")
    assert project.variables()["OSIRIS_PARAM_DAY"] == "mon"
    assert project.environment().version != before
    monkeypatch.setenv("OSIRIS_PARAM_DAY", "tue")
    assert project.variables()["OSIRIS_PARAM_DAY"] == "tue"


def test_one_root_serves_all_its_folders(tmp_path: Path) -> None:
    make(tmp_path, "osiris.yaml", "a/x.oml", "b/y.oml")
    assert Project.root_of(tmp_path / "a" / "x.oml") == Project.root_of(tmp_path / "b" / "y.oml") == tmp_path


def test_a_folder_lists_what_people_would_choose_and_nothing_outside(tmp_path: Path) -> None:
    root = tmp_path / "project"
    for name in ("data/orders.csv", "data/old/may.csv", "data/.hidden", "build/x.json", "osiris.yaml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("", encoding="utf-8")
    (tmp_path / "secret.csv").write_text("", encoding="utf-8")
    (root / "data/out.csv").symlink_to(tmp_path / "secret.csv")
    (root / "data/up").symlink_to(tmp_path)
    (root / "data/same.csv").symlink_to(root / "data/orders.csv")
    environment = Project.find(root).environment()

    def listed(path: str) -> list[str] | None:
        found = environment.list_folder(path)
        return None if found is None else [entry.name + "/" * entry.is_folder for entry in found]

    assert listed("") == ["data/", "osiris.yaml"]
    assert listed("data") == ["old/", "orders.csv", "same.csv"]
    assert [listed(path) for path in ("..", "data/up", "/", "data/orders.csv", "none", "a\0b")] == [None] * 6


def test_the_parameters_of_all_pipelines_are_known(tmp_path: Path) -> None:
    head = 'oml_version: "0.1.0"\nname: %s\n'
    (tmp_path / "osiris.yaml").write_text("", encoding="utf-8")
    (tmp_path / "a.oml").write_text(head % "a" + "params:\n  # days\n  day: 1\n\n  region: {type: string}\nsteps: []\n")
    (tmp_path / "b.oml").write_text(head % "b" + "params: {key: {sensitive: true}}\nsteps: []\n", encoding="utf-8")
    (tmp_path / "c.oml").write_text(head % "c" + "steps: []\n", encoding="utf-8")

    assert Project.find(tmp_path).parameters() == {"day", "region", "key"}
