"""VS Code in the browser: builds the extension's package and runs code-server with it, on loopback, in own folders."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import quote

import setup_editors

if TYPE_CHECKING:
    import psutil

VSIX = setup_editors.EXTENSION / "osiris.vsix"
EXAMPLE = setup_editors.REPOSITORY / "examples" / "shop"

# What the example's own runs and compiles leave behind has no place in a fresh copy.
_LEFTOVERS = shutil.ignore_patterns("build", "logs", "out", ".osiris", "__pycache__")

# Everything that asks, downloads, or moves by itself is off; the page shows the editor and nothing else.
_SETTINGS: dict[str, object] = {
    "workbench.startupEditor": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.tips.enabled": False,
    "workbench.reduceMotion": "on",
    "telemetry.telemetryLevel": "off",
    "extensions.autoCheckUpdates": False,
    "extensions.autoUpdate": False,
    "extensions.ignoreRecommendations": True,
    "files.autoSave": "off",
    "chat.disableAIFeatures": True,
    "git.enabled": False,
    "osiris.discovery.automatic": False,
    "editor.minimap.enabled": False,
    # Whatever listens on a port of this machine is no news.
    "remote.autoForwardPorts": False,
}


_TRUSTED: dict[str, object] = {"security.workspace.trust.enabled": False}
_RESTRICTED: dict[str, object] = {
    "security.workspace.trust.enabled": True,
    "security.workspace.trust.startupPrompt": "never",
}


_VSX = "http://schemas.microsoft.com/developer/vsx-schema/2011"


class EditorError(Exception):
    """The editor could not be built or started; the text says why."""


def build_vsix() -> Path:
    """Build ``osiris.vsix`` if a file it is made of is newer. Raises EditorError when npm fails."""
    if VSIX.is_file() and VSIX.stat().st_mtime >= _newest_source():
        return VSIX
    try:
        setup_editors.npm(["run", "--silent", "package"], cwd=setup_editors.EXTENSION, log="package")
    except setup_editors.SetupError as error:
        raise EditorError(f"The extension could not be built: {error}") from error
    return VSIX


def pack_extension(folder: Path, to: Path) -> Path:
    """A package of an extension that needs no build, to install."""
    known = json.loads((folder / "package.json").read_text())
    identity = f'Language="en-US" Id="{known["name"]}" Version="{known["version"]}" Publisher="{known["publisher"]}"'
    manifest = (
        f'<PackageManifest Version="2.0.0" xmlns="{_VSX}"><Metadata><Identity {identity}/></Metadata></PackageManifest>'
    )
    with zipfile.ZipFile(to, "w") as package:
        package.writestr("extension.vsixmanifest", manifest)
        for file in folder.iterdir():
            package.write(file, f"extension/{file.name}")
    return to


def copy_example(to: Path) -> Path:
    """A fresh copy of the example shop, with its data."""
    shutil.copytree(EXAMPLE, to, ignore=_LEFTOVERS)
    subprocess.run([sys.executable, str(to / "make_data.py")], cwd=to, check=True, stdout=subprocess.DEVNULL)
    return to


class CodeServer:
    """A code-server process group on a free port of 127.0.0.1, with the extension installed. Use it in ``with``."""

    def __init__(
        self,
        scratch: Path,
        *,
        settings: Mapping[str, object] | None = None,
        restricted: bool = False,
        variables: Mapping[str, str] | None = None,
        extensions: Sequence[Path] = (),
    ) -> None:
        """Prepare it.

        ``scratch`` is an empty folder for its data, ``settings`` come on top of the quiet defaults, and ``restricted``
        opens folders in Restricted Mode, as VS Code does with folders that the user has not trusted. ``variables`` are
        set in its environment, ``extensions`` are packages of further extensions.
        """
        self.scratch = scratch
        self.port = _free_port()
        self.log = scratch / "code-server.log"
        self._restricted = restricted
        self._variables = variables or {}
        self._extensions = extensions
        trust = _RESTRICTED if restricted else _TRUSTED
        self._settings = {**_SETTINGS, **trust, "osiris.server.interpreter": sys.executable, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, folder: Path, file: str | None = None) -> str:
        """The address that opens ``folder``, and in it a file."""
        address = f"http://127.0.0.1:{self.port}/?folder={quote(str(folder))}"
        if file is None:
            return address
        remote = f"vscode-remote://127.0.0.1:{self.port}{folder / file}"
        return f"{address}&payload={quote(json.dumps([['openFile', remote]]))}"

    def start(self) -> None:
        """Install the extension and start serving. Raises EditorError when either fails or takes over a minute."""
        # Settings with machine scope (which program to start) count only in the settings of the machine that serves.
        for scope in ("User", "Machine"):
            folder = self.scratch / "user-data" / scope
            folder.mkdir(parents=True)
            (folder / "settings.json").write_text(json.dumps(self._settings, indent=2), encoding="utf-8")
        self._install(build_vsix(), *self._extensions)
        listen = ["--auth", "none", "--bind-addr", f"127.0.0.1:{self.port}"]
        if not self._restricted:
            listen.append("--disable-workspace-trust")
        # What serves a closed window ends soon, instead of waiting three hours for it to come back.
        listen += ["--reconnection-grace-time", "5"]
        quiet = ["--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command(), *listen, *quiet],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                start_new_session=True,  # a group of its own, so that stop() ends all of it and nothing else
            )
        self._wait_until_ready()

    def change_settings(self, changes: Mapping[str, object]) -> None:
        """Change settings of its user, as with an editor of their own; windows see it soon."""
        for scope in ("User", "Machine"):
            file = self.scratch / "user-data" / scope / "settings.json"
            known = json.loads(file.read_text(encoding="utf-8"))
            file.write_text(json.dumps({**known, **changes}, indent=2), encoding="utf-8")

    def language_servers(self) -> list[psutil.Process]:
        """The processes of ``osiris lsp`` that serve its windows."""
        import psutil

        assert self._process is not None
        started = psutil.Process(self._process.pid).children(recursive=True)
        found = []
        for process in started:
            with contextlib.suppress(psutil.NoSuchProcess):  # it has ended in the meantime
                if {"osiris", "lsp"} <= set(process.cmdline()):
                    found.append(process)
        return found

    def stop(self) -> None:
        """End the whole process group: server, extension hosts, language servers."""
        if self._process is None:
            return
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, how)
                self._process.wait(timeout=5)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self._process.wait()
        self._process = None

    def __enter__(self) -> CodeServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _install(self, *packages: Path) -> None:
        wanted = [part for package in packages for part in ("--install-extension", str(package))]
        done = subprocess.run(
            [*self._command(), *wanted],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self._environment(),
        )
        if done.returncode != 0:
            raise EditorError(f"code-server did not take the extension: {(done.stdout + done.stderr).strip()}")

    def _command(self) -> list[str]:
        folders = [
            "--user-data-dir",
            str(self.scratch / "user-data"),
            "--extensions-dir",
            str(self.scratch / "extensions"),
        ]
        # A configuration file of the user's own must not change the port or ask for a password.
        config = ["--config", str(self.scratch / "config.yaml")]
        return [str(setup_editors.node()), str(setup_editors.CODE_SERVER_ENTRY), *config, *folders]

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("VSCODE_", "ELECTRON_", "CODE_SERVER_"))}
        # Without a gallery of its own it would ask the public one; nothing listens on the discard port.
        gallery = '{"serviceUrl": "http://127.0.0.1:9/none"}'
        # What the user has agreed to, and what is known of databases, is neither found nor left behind.
        own = {"EXTENSIONS_GALLERY": gallery, "PORT": str(self.port), "OSIRIS_STATE_DIR": str(self.scratch / "state")}
        own["OSIRIS_CONFIG_DIR"] = str(self.scratch / "config")
        return {**kept, **own, **self._variables}

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2):
                    return
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                time.sleep(0.1)
        self.stop()
        raise EditorError(f"code-server did not start: {self.log.read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _newest_source() -> float:
    repository, extension = setup_editors.REPOSITORY, setup_editors.EXTENSION
    folders = [repository / "server", *(extension / name for name in ("src", "syntaxes", "images", "scripts"))]
    files = [file for folder in folders for file in folder.rglob("*") if "__pycache__" not in file.parts]
    files += [file for file in extension.iterdir() if file != VSIX]
    files += [repository / name for name in ("pyproject.toml", "README.md", "docs/diagnostics.md")]
    return max(file.stat().st_mtime for file in files if file.is_file())
