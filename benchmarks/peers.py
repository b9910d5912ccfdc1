"""Installs the peers that are no Python packages, into the git-ignored .tools folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
YAML_LANGUAGE_SERVER = REPOSITORY / ".tools/yaml-language-server/node_modules/.bin/yaml-language-server"


def install() -> str | None:
    """Bring in yaml-language-server unless it is there. Returns one line that says why it is missing, or None."""
    script = REPOSITORY / "tests/editors/setup_editors.py"
    done = subprocess.run([sys.executable, script, "yaml-language-server"], capture_output=True, text=True, check=False)
    if YAML_LANGUAGE_SERVER.exists():
        return None
    return f"yaml-language-server is not measured: {done.stderr.strip() or 'it could not be installed'}"
