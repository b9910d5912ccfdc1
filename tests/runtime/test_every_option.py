"""No option of a component that works with files can be forgotten: each is named in the tests of its family."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from osiris.components.registry import ComponentRegistry

HERE = Path(__file__).parent
FAMILIES = ("filesystem", "sqlite", "duckdb")
NAMES = [name for name in ComponentRegistry(plugins=False).names() if name.partition(".")[0] in FAMILIES]


@pytest.mark.parametrize("name", NAMES)
def test_each_option_has_a_test(name: str) -> None:
    family, _, rest = name.partition(".")
    file = HERE / f"test_{rest.partition('_')[0] if family == 'filesystem' else family}_options.py"
    spec = ComponentRegistry(plugins=False).get(name)
    assert spec is not None

    tested = file.read_text()

    assert [option for option in spec.properties if not re.search(rf"\b{option}\b", tested)] == []
