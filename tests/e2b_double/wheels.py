"""A distribution made on the spot, for tests that install something in a sandbox."""

from __future__ import annotations

import io
import zipfile


def tiny_wheel() -> tuple[str, bytes]:
    """The file name and the bytes of a wheel with one module, ``tiny``, that needs duckdb."""
    info = "tiny-1.0.dist-info"
    files = {
        "tiny.py": "WORD = 'installed'\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\nRequires-Dist: duckdb\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return "tiny-1.0-py3-none-any.whl", data.getvalue()
