"""Some Pythons have PyYAML without libyaml; there its reader in Python stands in."""

from __future__ import annotations

import subprocess
import sys

import pytest

from osiris.syntax.document import parse

# Makes the import of the extension module fail, as it does where PyYAML was built without libyaml.
READ = """
import sys
sys.modules["yaml._yaml"] = None
import yaml
from osiris.syntax.document import parse
assert not yaml.__with_libyaml__
document = parse(sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(repr((document.root(), document.diagnostics)).encode())
"""

TEXTS = {
    "valid": """\
name: 😀 x
d: &d {a: 1}
steps:
  - <<: *d
    id: a
    q: |
      SELECT 1\u2028

      x
  - ? k
    : v
""",
    "broken": 'name: x\nsteps:\n  - id: a\n    comp\n  - id: "b\n  - id: c\n    needs: [a\n\tmode: read\n',
    "spanning parts": 'steps:\n  - id: a\n    x: "multi\n  - not a step\n  "\n  - id: b\nz: [\na,\nb\n]\n',
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_tree_and_the_findings_are_the_same_without_libyaml(name: str) -> None:
    text = TEXTS[name]
    run = subprocess.run([sys.executable, "-c", READ], input=text.encode(), capture_output=True, check=True)
    document = parse(text)

    assert run.stdout.decode() == repr((document.root(), document.diagnostics))


def test_too_large_a_file_is_refused_sooner_without_libyaml() -> None:
    text = "name: x\n" + "#" * 1_000_000
    run = subprocess.run([sys.executable, "-c", READ], input=text.encode(), capture_output=True, check=True)

    assert "OML010" in run.stdout.decode()
    assert parse(text).diagnostics == ()
