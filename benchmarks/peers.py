"""Installs the peers that are no Python packages, into the git-ignored .tools folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent / ".tools"
YAML_LANGUAGE_SERVER = TOOLS / "yaml-language-server" / "node_modules" / ".bin" / "yaml-language-server"
_VERSION = "1.25.0"


def install() -> str | None:
    """Bring in yaml-language-server unless it is there. Returns one line that says why it is missing, or None."""
    if YAML_LANGUAGE_SERVER.exists():
        return None
    npm = shutil.which("npm", path=f"{TOOLS / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")
    if npm is None:
        return "yaml-language-server is not measured: npm is not installed"
    folder = YAML_LANGUAGE_SERVER.parent.parent.parent
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    command = [npm, "install", f"yaml-language-server@{_VERSION}", "--no-audit", "--no-fund", "--silent"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"yaml-language-server is not measured: npm install failed ({done.stderr.strip()[-300:]})"
    return None
