"""A package of somebody else, laid out as pip does: one component, which fails, waits or prints as its step says."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

SPEC = """\
name: odd.source
version: 1.0.0
description: Yields rows, after as many failures and as much waiting as it is told.
modes: [read]
configSchema:
  type: object
  additionalProperties: false
  properties:
    rows: {type: integer, minimum: 0, default: 3, description: How many rows.}
    failures: {type: integer, minimum: 0, default: 0, description: How many attempts fail.}
    seconds: {type: number, minimum: 0, default: 0, description: How long it waits first.}
    say: {type: string, default: "", description: What it prints.}
x-runtime:
  driver: odd_osiris.driver:OddSource
  requirements: {imports: [pyarrow], packages: [pyarrow]}
"""

WHEEL = """\
Wheel-Version: 1.0
Generator: tests
Root-Is-Purelib: true
Tag: py3-none-any
"""

DRIVER = '''\
"""What the component does when it runs."""

import time

import pyarrow as pa

_attempts = {}


class OddSource:
    """Yields rows."""

    def run(self, step_id, config, inputs, ctx):
        """Wait, fail or return an Arrow table."""
        attempt = _attempts[step_id] = _attempts.get(step_id, 0) + 1
        if config["say"]:
            print(config["say"])
        end = time.monotonic() + config["seconds"]
        while time.monotonic() < end:
            time.sleep(0.02)
            ctx.checkpoint()
        if attempt <= config["failures"]:
            raise ConnectionError(f"attempt {attempt} failed")
        ctx.log_event("odd_words", {"step_id": step_id, "words": "Žluťoučký kůň"})
        ctx.log_metric("odd_rows", config["rows"], unit="rows")
        return {"df": pa.table({"n": list(range(config["rows"]))})}
'''


def install(site: Path) -> Path:
    """Lay the package into the folder ``site``, which belongs on the import path; the folder."""
    files = {
        "odd_osiris/__init__.py": "",
        "odd_osiris/driver.py": DRIVER,
        "odd_osiris/odd.source.yaml": SPEC,
        "odd_osiris-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: odd-osiris\nVersion: 1.0\n",
        "odd_osiris-1.0.dist-info/INSTALLER": "pip\n",
        "odd_osiris-1.0.dist-info/WHEEL": WHEEL,
        "odd_osiris-1.0.dist-info/entry_points.txt": "[osiris.components]\nodd.source = odd_osiris\n",
    }
    lines = []
    for name, text in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(text.encode())}\n")
    record = "odd_osiris-1.0.dist-info/RECORD"
    (site / record).write_text("".join([*lines, f"{record},,\n"]))
    return site
