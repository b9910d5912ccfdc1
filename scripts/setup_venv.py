"""Make ``.venv`` ready: ``python scripts/setup_venv.py run`` (what users get) or ``dev`` (tests and checks as well).

Needs nothing but Python's standard library. What is ready already is left alone: a stamp in the environment holds the
digest of the dependency lists in pyproject.toml and of the interpreter.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
VENV = REPOSITORY / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def main(arguments: list[str]) -> int:
    """Bring the environment to the named level; returns the exit code."""
    if len(arguments) != 1 or arguments[0] not in ("run", "dev"):
        print("usage: setup_venv.py run|dev", file=sys.stderr)
        return 2
    level = arguments[0]
    if is_ready(level):
        return 0
    started = time.monotonic()
    print(f"Setting up .venv with Python {sys.version.split()[0]} ...", flush=True)
    try:
        make_environment()
        install(level)
    except SetupError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    stamp(level).write_text(digest(level), encoding="utf-8")
    print(f"Ready after {time.monotonic() - started:.0f} s.", flush=True)
    return 0


class SetupError(Exception):
    """The environment could not be made ready; the text is for the user."""


def is_ready(level: str) -> bool:
    """Whether this level, or a higher one, is installed for the present pyproject.toml."""
    levels = ("run", "dev") if level == "run" else ("dev",)
    return PYTHON.exists() and any(
        stamp(name).is_file() and stamp(name).read_text(encoding="utf-8") == digest(name) for name in levels
    )


def stamp(level: str) -> Path:
    """The file that says which dependency lists are installed."""
    return VENV / f".osiris-{level}"


def digest(level: str) -> str:
    """SHA-256 over everything that decides what gets installed."""
    project, development = dependency_lists()
    deciding = [project.get("dependencies"), project.get("optional-dependencies"), project.get("scripts")]
    if level == "dev":
        deciding.append(development)
    return hashlib.sha256(json.dumps([str(REPOSITORY), deciding], sort_keys=True).encode()).hexdigest()


def dependency_lists() -> tuple[dict[str, object], list[str]]:
    """The ``project`` table of pyproject.toml, and its development dependencies."""
    data = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return data["project"], data["dependency-groups"]["dev"]


def make_environment() -> None:
    """Create ``.venv`` unless it holds a working interpreter; one without pip gets it."""
    if works([str(PYTHON), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]):
        if not works([str(PYTHON), "-c", "import pip"]) and not works([str(PYTHON), "-m", "ensurepip"]):
            raise SetupError(f"{VENV} has no pip, and it cannot be added. Remove that folder, then try again.")
        return
    shutil.rmtree(VENV, ignore_errors=True)
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
    if done.returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if not works([sys.executable, "-c", "import ensurepip"]):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetupError(
            f"{sys.executable} cannot make virtual environments, since its module ensurepip is missing. "
            f"On Debian and Ubuntu: apt install python{version}-venv. Or use another Python: make PYTHON=..."
        )
    reason = (done.stderr or done.stdout).strip().splitlines()
    raise SetupError(f"cannot create {VENV}: {reason[-1] if reason else 'python -m venv failed'}")


def install(level: str) -> None:
    """Install Osiris in place with what runs need, and at level ``dev`` what tests and checks need."""
    wanted = ["--editable", f"{REPOSITORY}[{'all' if level == 'dev' else 'run'}]"]
    if level == "dev":
        wanted += dependency_lists()[1]
    # -qq: errors only. Twice, since pip warns about every index that does not answer.
    pip = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run([*pip, *wanted], cwd=REPOSITORY)
    if done.returncode != 0:
        raise SetupError("pip could not install what Osiris needs; its own message stands above.")


def works(command: list[str]) -> bool:
    """Whether a command can be started and ends with exit code 0."""
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
