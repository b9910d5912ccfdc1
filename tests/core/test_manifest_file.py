"""Reading a manifest back: only what the compiler wrote is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from osiris.core.compiler_v0 import compile_oml
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.manifest import manifest_bytes, read_manifest

PIPELINE = """\
oml_version: "0.1.0"
name: a
steps:
  - {id: r, component: filesystem.csv_extractor, mode: read, config: {path: a.csv}}
"""


def test_a_manifest_reads_back_as_it_was(tmp_path: Path) -> None:
    manifest = compile_oml(PIPELINE, environ={})
    (tmp_path / "manifest.json").write_bytes(manifest_bytes(manifest))
    assert read_manifest(tmp_path / "manifest.json") == manifest


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not valid JSON"),
        (b"\xff\x00", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "has no manifest_version"),
        (b'{"a": 1}', "has no manifest_version"),
        (b'{"manifest_version": "2"}', "has manifest_version '2'"),
        (b'{"manifest_version": "1"}', "it has no compiler, fingerprint"),
    ],
)
def test_what_is_no_manifest_is_said_plainly(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "manifest.json").write_bytes(data)
    with pytest.raises(ConfigurationError, match=message):
        read_manifest(tmp_path / "manifest.json")


@pytest.mark.parametrize("change", [{"steps": []}, {"profile": "x"}, {"fingerprint": "0"}])
def test_a_manifest_that_was_edited_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    (tmp_path / "manifest.json").write_bytes(manifest_bytes({**compile_oml(PIPELINE, environ={}), **change}))
    with pytest.raises(ConfigurationError, match="was changed after it was compiled"):
        read_manifest(tmp_path / "manifest.json")


def test_a_missing_manifest_and_a_folder_are_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file or folder"):
        read_manifest(tmp_path / "none.json")
    with pytest.raises(ConfigurationError, match="it is a folder"):
        read_manifest(tmp_path)


EVERYTHING = """\
oml_version: "0.1.0"
name: a
description: every key that a manifest may have
params: {pw: {type: string, sensitive: true}, n: {type: integer, minimum: 1}, day: mon}
profiles: {prod: {params: {day: tue}}}
steps:
  - {id: r, component: filesystem.csv_extractor, mode: read, config: {connection: "@filesystem.x", path: a.csv}}
  - id: t
    component: duckdb.processor
    mode: transform
    retry: {attempts: 2, delay: 500ms}
    timeout: 90
    config: {query: "SELECT '${params.pw}', ${params.n} FROM df_r"}
"""


def test_a_manifest_fits_its_published_schema() -> None:
    import jsonschema

    from osiris.core.schemas import schema

    manifest = compile_oml(EVERYTHING, profile="prod", environ={})
    assert {"connection"} <= manifest["steps"][0].keys()
    assert {"retry", "timeout", "unresolved"} <= manifest["steps"][1].keys()
    jsonschema.Draft202012Validator(schema("manifest")).validate(manifest)
