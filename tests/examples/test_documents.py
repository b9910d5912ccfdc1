"""What the documentation shows is true: its pipelines are right, or wrong where it says so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from osiris.language.analysis import analyse

REPOSITORY = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "vscode-extension/README.md",
    *(f"docs/{p.name}" for p in (REPOSITORY / "docs").glob("*.md")),
]
EXTENSION = json.loads((REPOSITORY / "vscode-extension/package.json").read_text(encoding="utf-8"))["contributes"]


def yaml_blocks(page: str) -> list[str]:
    """The YAML blocks of a page, in order."""
    return re.findall(r"```yaml\n(.*?)```", (REPOSITORY / page).read_text(encoding="utf-8"), re.DOTALL)


def osiris(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "osiris", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_pipeline_of_the_language_page_runs_with_its_connections(tmp_path: Path) -> None:
    pipeline, connections = yaml_blocks("docs/oml.md")
    (tmp_path / "big.oml.yaml").write_text(pipeline, encoding="utf-8")
    (tmp_path / "osiris_connections.yaml").write_text(connections, encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/orders.csv").write_text("id,amount\n1,50\n2,700\n", encoding="utf-8")

    checked = osiris(tmp_path, "validate")
    assert (checked.returncode, checked.stderr) == (0, "")
    ran = osiris(tmp_path, "run", "big.oml.yaml", "--profile", "strict")
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "out/big.csv").read_text() == "id,amount\n2,700\n"


def test_the_pipeline_of_the_readme_has_the_mistakes_of_its_picture() -> None:
    (pipeline,) = yaml_blocks("README.md")

    found = [(d.code, pipeline[d.span.start : d.span.end]) for d in analyse(pipeline).diagnostics if d.severity == 1]

    assert found == [("OML202", "delimeter"), ("OML301", "extract-refund"), ("OML311", "min_amont")]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_is_there(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    folder = (REPOSITORY / page).parent

    links = {link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link}

    assert [link for link in sorted(links) if link and not (folder / link).exists()] == []


def test_the_pictures_of_the_features_are_small_and_each_is_shown() -> None:
    shown = set(re.findall(r"!\[[^]]+\]\(pictures/([^)]+)\)", (REPOSITORY / "docs/editor-features.md").read_text()))
    pictures = {picture.name: picture.stat().st_size for picture in (REPOSITORY / "docs/pictures").iterdir()}

    assert shown == set(pictures)
    assert {name for name, size in pictures.items() if size > 60_000} <= {"vscode-error.png"}


def test_the_settings_of_the_features_are_those_of_the_extension() -> None:
    text = (REPOSITORY / "docs/editor-features.md").read_text(encoding="utf-8")
    settings = EXTENSION["configuration"]["properties"]

    rows = re.findall(r"^\| `(osiris\.[\w.]+)` \| (?:`([^`]*)`)? ?\|", text, re.MULTILINE)

    assert dict(rows) == {
        name: value["default"] if isinstance(value["default"], str) else json.dumps(value["default"])
        for name, value in settings.items()
    }


@pytest.mark.parametrize("page", ["README.md", "docs/editor-features.md", "vscode-extension/README.md"])
def test_settings_and_commands_that_a_page_names_are_those_of_the_extension(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    titles = {f"{command['category']}: {command['title']}" for command in EXTENSION["commands"]}

    assert set(re.findall(r"`(osiris\.(?!yaml|schema)[\w.]+)`", text)) <= set(EXTENSION["configuration"]["properties"])
    assert set(re.findall(r"`(Osiris: [^`]+)`", text)) <= titles


def test_the_formatting_example_is_what_the_formatter_makes(tmp_path: Path) -> None:
    before, after = yaml_blocks("docs/editor-features.md")[-2:]
    (tmp_path / "messy.oml").write_text(before, encoding="utf-8")

    done = osiris(tmp_path, "fmt", "messy.oml")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "messy.oml").read_text(encoding="utf-8") == after
