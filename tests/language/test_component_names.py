"""What a name means that is no component: by its spelling, or by the words that it shares with one."""

import pytest

from osiris.components.registry import ComponentRegistry
from osiris.language.component_names import Meant, meant_component


@pytest.mark.parametrize(
    ("name", "mode", "meant"),
    [
        ("filesystem.csv_extracter", "read", "filesystem.csv_extractor"),
        ("csv.extractor", "read", "filesystem.csv_extractor"),
        ("csv.extractor", None, "filesystem.csv_extractor"),
        ("csv_writer", "write", "filesystem.csv_writer"),
        ("csv_writer", "read", "filesystem.csv_writer"),
        ("parquet_writer", "write", "filesystem.parquet_writer"),
        ("csv", "read", "filesystem.csv_extractor"),
        ("CSV-Reader", "read", "filesystem.csv_extractor"),
        ("cvs", "write", "filesystem.csv_writer"),
        ("sql", "transform", "duckdb.processor"),
        ("duckdb", "transform", "duckdb.processor"),
        ("sqlite", "write", "sqlite.writer"),
    ],
)
def test_one_component_is_meant(name, mode, meant):
    assert meant_component(name, mode, ComponentRegistry.builtin()) == Meant((meant,), certain=True)


@pytest.mark.parametrize(
    ("name", "mode", "meant"),
    [
        ("csv", None, ("filesystem.csv_extractor", "filesystem.csv_writer")),
        (
            "filesystem",
            "read",
            ("filesystem.csv_extractor", "filesystem.json_extractor", "filesystem.parquet_extractor"),
        ),
        ("sql", "read", ("mysql.extractor", "sqlite.extractor")),
        ("acme.reader", "read", ()),
        ("reader", "read", ()),
        ("", "read", ()),
    ],
)
def test_several_components_or_none_are_possible(name, mode, meant):
    assert meant_component(name, mode, ComponentRegistry.builtin()) == Meant(meant)


def test_each_possible_component_has_a_fix(mend):
    text = (
        "oml_version: 0.1.0\nname: orders\nsteps:\n  - {id: a, component: filesystem, mode: read, config: {path: a}}\n"
    )
    mended = mend(text, "OML124", "Replace by `filesystem.parquet_extractor`")
    assert mended == text.replace("filesystem", "filesystem.parquet_extractor")


def test_where_no_component_is_near_those_of_the_mode_are_named(check):
    analysis = check.steps("- id: a\n  component: «OML124 oracle.reader»\n  mode: read\n")
    (found,) = analysis.diagnostics
    assert "Those that read are `duckdb.extractor`, `filesystem.csv_extractor`" in found.message
    assert not found.fixes
