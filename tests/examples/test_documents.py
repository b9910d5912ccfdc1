"""What the documentation shows is true: its pipelines are right, or wrong where it says so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from osiris.language.analysis import analyse

REPOSITORY = Path(__file__).parents[2]


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
