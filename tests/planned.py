"""A component that can be checked and compiled, but not run yet: a plug-in brings its spec, and no driver."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from osiris.components.registry import ComponentRegistry, read_spec

NAME = "acme.writer"
SPEC = """\
name: acme.writer
version: 1.0.0
description: Writes into Acme.
modes: [write]
configSchema:
  type: object
  required: [table]
  additionalProperties: false
  properties:
    table: {type: string, description: The table to write to.}
"""


def install(site: Path) -> None:
    """Lay the plug-in into ``site``, a folder of the import path, as an installer would."""
    (site / "acme_osiris").mkdir(parents=True)
    (site / "acme_osiris" / f"{NAME}.yaml").write_text(SPEC)
    info = site / "acme_osiris-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-osiris\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[osiris.components]\n{NAME} = acme_osiris\n")


@cache
def registry() -> ComponentRegistry:
    """The components of this installation, and this one."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{NAME}.yaml")
        path.write_text(SPEC)
        return ComponentRegistry.of(*ComponentRegistry(plugins=False).specs(), read_spec(path))
