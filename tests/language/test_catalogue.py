"""The examples of every component are good steps."""

import json

import pytest

from osiris.components.registry import ComponentRegistry

REGISTRY = ComponentRegistry.builtin()
EXAMPLES = [(spec, example) for spec in REGISTRY.specs() for example in spec.examples]
READ = '  - {id: extract-orders, component: filesystem.csv_extractor, mode: read, config: {path: "data/in.csv"}}\n'


@pytest.mark.parametrize(("spec", "example"), EXAMPLES, ids=lambda value: getattr(value, "name", None))
def test_an_example_has_no_errors(check, spec, example):
    before = "" if spec.modes == ("read",) else READ
    config = json.dumps(example["config"])
    step = f"  - id: x\n    component: {spec.name}\n    mode: {spec.modes[0]}\n    config: {config}\n"
    analysis = check.analyse(f"oml_version: 0.1.0\nname: orders\nsteps:\n{before}{step}")
    assert [d.message for d in analysis.diagnostics if d.code != "OML324"] == []


def test_every_component_has_an_example():
    assert {spec.name for spec, _ in EXAMPLES} == set(REGISTRY.names())
