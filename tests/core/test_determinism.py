"""The same pipeline gives the same bytes in another process, folder, time zone and language."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import osiris.components
from osiris.components.registry import ComponentRegistry
from osiris.core.compiler_v0 import compile_oml
from osiris.core.manifest import manifest_bytes
from osiris.core.project import Project

COMPILE = """
import sys
from pathlib import Path
from osiris.core.compiler_v0 import compile_file
sys.stdout.buffer.write(compile_file(Path(sys.argv[1]), profile="prod").data)
"""

PIPELINE = """\
oml_version: "0.1.0"
name: příklad
metadata: {owner: ann, started: 2024-01-01, tags: [b, a], ratio: 0.1}
params: {limit: 3, share: 1e-7, names: {type: list, default: [ž, a]}}
profiles: {prod: {params: {limit: 12345678901234567890}}}
steps:
  - {id: c, component: filesystem.csv_extractor, mode: read, needs: [], config: {path: c.csv, limit: 9}}
  - {id: b, component: filesystem.csv_extractor, mode: read, needs: [], config: {path: b.csv}}
  - {id: a, component: duckdb.processor, mode: transform, needs: [c, b],
     config: {query: "SELECT * FROM df_b, df_c WHERE x IN ${params.names} LIMIT ${params.limit}"}}
  - {id: w, component: filesystem.csv_writer, mode: write, config: {path: out.csv}}
"""

SURROUNDINGS = [
    {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "4242", "TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"},
    {"PYTHONHASHSEED": "random", "TZ": "America/St_Johns", "LANG": "tr_TR.UTF-8", "HOME": "/nonexistent"},
]


def test_the_bytes_are_the_same_in_other_surroundings(tmp_path: Path) -> None:
    manifests = set()
    for number, surroundings in enumerate(SURROUNDINGS):
        project = tmp_path / f"somewhere {number}" / ("x" * number) / "project"
        (project / "pipelines").mkdir(parents=True)
        (project / "osiris.yaml").write_text("")
        (project / "pipelines" / "p.oml").write_text(PIPELINE, "utf-8")
        done = subprocess.run(
            [sys.executable, "-P", "-c", COMPILE, str(project / "pipelines" / "p.oml")],
            cwd=project if number % 2 else tmp_path,
            env={"PATH": os.environ.get("PATH", ""), **surroundings},
            capture_output=True,
            check=True,
        )
        manifests.add(done.stdout)
        assert str(tmp_path).encode() not in done.stdout
        assert (project / "build" / "příklad" / "prod" / "manifest.json").read_bytes() == done.stdout
    assert len(manifests) == 1


KEYS = ["delimiter", "encoding", "header", "skip_rows", "limit", "skip_blank_lines"]
VALUES = {
    "delimiter": "';'",
    "encoding": "utf-8",
    "header": "false",
    "skip_rows": "2",
    "limit": "7",
    "skip_blank_lines": "true",
}


@given(st.permutations(KEYS))
@settings(max_examples=25)
def test_the_order_of_keys_never_matters(keys: list[str]) -> None:
    def manifest(order: list[str]) -> bytes:
        config = "".join(f"      {key}: {VALUES[key]}\n" for key in order)
        text = (
            "oml_version: 0.1.0\nname: a\nsteps:\n  - id: x\n    component: filesystem.csv_extractor\n"
            f"    mode: read\n    config:\n      path: a.csv\n{config}"
        )
        return manifest_bytes(compile_oml(text, environ={}))

    assert manifest(keys) == manifest(KEYS)


WRITER = """\
oml_version: 0.1.0
name: a
steps:
  - {id: r, component: filesystem.csv_extractor, mode: read, config: {path: a.csv}}
  - {id: w, component: filesystem.csv_writer, mode: write, config: {path: b.csv}}
"""


def with_specs(folder: Path, before: str = "", after: str = "") -> dict[str, str]:
    """The fingerprints of WRITER under the built-in specs, with one text of the writer's spec replaced."""
    folder.mkdir()
    for spec in (Path(osiris.components.__file__).parent / "specs").glob("filesystem.csv_*.yaml"):
        text = spec.read_text("utf-8")
        if spec.name == "filesystem.csv_writer.yaml":
            assert before in text
            text = text.replace(before, after)
        (folder / spec.name).write_text(text, "utf-8")
    project = Project(folder, ComponentRegistry(folder, plugins=False))
    manifest = compile_oml(WRITER, project=project, environ={})
    return {**manifest["fingerprints"], "all": manifest["fingerprint"]}


def test_a_changed_component_spec_changes_the_manifest(tmp_path: Path) -> None:
    before = with_specs(tmp_path / "before")
    after = with_specs(tmp_path / "after", "default: lf", "default: crlf")
    assert after["components"] != before["components"]
    assert after["all"] != before["all"]
    assert after["oml"] == before["oml"]


def test_a_reworded_component_spec_does_not_change_the_manifest(tmp_path: Path) -> None:
    reworded = with_specs(tmp_path / "after", "title: CSV file writer", "title: Writes CSV")
    assert reworded == with_specs(tmp_path / "before")
