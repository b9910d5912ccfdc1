"""Fixtures of the editor tests: real editors, fresh copies of the example shop, and what to do where one is missing."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

# The modules beside this file are scripts and what scripts share: they import each other by their plain names.
sys.path.insert(0, str(Path(__file__).parent))

import code_server
import setup_editors
from editor_page import EditorPage, launch_browser
from requirement import require

from e2b_double import E2BDouble

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PICTURES = Path(__file__).parent / "pictures"
_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember failures, so that the editor can be photographed as the test left it."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def nvim() -> Path:
    """The Neovim program."""
    found = shutil.which("nvim")
    require(found is not None, "Neovim")
    assert found is not None
    return Path(found)


@pytest.fixture(scope="session")
def yaml_language_server() -> Path:
    """The program of yaml-language-server."""
    require(setup_editors.YAML_LANGUAGE_SERVER_PROGRAM.exists(), "yaml-language-server")
    return setup_editors.YAML_LANGUAGE_SERVER_PROGRAM


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A fresh copy of the example shop."""
    return code_server.copy_example(tmp_path / "shop")


@pytest.fixture(scope="session")
def sandboxes() -> Iterator[E2BDouble]:
    """A double of the service that has sandboxes."""
    with E2BDouble() as double:
        yield double


@pytest.fixture(scope="session")
def vscode(tmp_path_factory: pytest.TempPathFactory, sandboxes: E2BDouble) -> Iterator[code_server.CodeServer]:
    """A running code-server with the packaged extension; it trusts every folder. Its user has a key for sandboxes."""
    require(setup_editors.code_server_ready(), "code-server")
    require(setup_editors.extension_ready(), "the npm packages of the extension")
    with code_server.CodeServer(tmp_path_factory.mktemp("code-server"), variables=sandboxes.settings) as server:
        yield server


@pytest.fixture
def restricted_vscode(vscode: code_server.CodeServer, tmp_path: Path) -> Iterator[code_server.CodeServer]:
    """Another one, which trusts no folder."""
    scratch = tmp_path / "restricted"
    scratch.mkdir()
    with code_server.CodeServer(scratch, restricted=True) as server:
        yield server


@pytest.fixture
def bare_vscode(vscode: code_server.CodeServer, tmp_path: Path) -> Iterator[code_server.CodeServer]:
    """Another one, which is told of no language server, and whose extension has made no environment yet."""
    scratch = tmp_path / "bare code-server"
    scratch.mkdir()
    with code_server.CodeServer(scratch, settings={"osiris.server.interpreter": ""}) as server:
        yield server


@pytest.fixture
def frugal_vscode(vscode: code_server.CodeServer, tmp_path: Path) -> Iterator[code_server.CodeServer]:
    """Such a one whose user wants no environment made; on its PATH there is no Osiris."""
    scratch = tmp_path / "frugal"
    scratch.mkdir()
    settings = {"osiris.server.interpreter": "", "osiris.server.createEnvironment": False}
    variables = {"PATH": os.pathsep.join(("/usr/bin", "/bin")), "PYTHONPATH": ""}
    with code_server.CodeServer(scratch, settings=settings, variables=variables) as server:
        yield server


@pytest.fixture
def bare_restricted_vscode(vscode: code_server.CodeServer, tmp_path: Path) -> Iterator[code_server.CodeServer]:
    """Such a one that trusts no folder, started from a terminal whose Python looks into the folder ``shop`` first."""
    scratch = tmp_path / "bare restricted"
    scratch.mkdir()
    shop = tmp_path / "shop"
    variables = {"PYTHONPATH": str(shop), "PATH": f"{shop / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"}
    settings = {"osiris.server.interpreter": ""}
    with code_server.CodeServer(scratch, settings=settings, restricted=True, variables=variables) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    require(setup_editors.chromium() is not None, "Chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        found = launch_browser(started)
        yield found
        found.close()


@pytest.fixture(scope="session")
def profile(browser: Browser) -> BrowserContext:
    """One browser profile for all tests: VS Code is loaded once and then comes from the cache."""
    return browser.new_context(viewport={"width": 1280, "height": 800})


@contextlib.contextmanager
def watched_page(profile: BrowserContext) -> Iterator[tuple[Page, set[str]]]:
    """An empty browser page, and the other machines that it has asked."""
    page = profile.new_page()
    foreign: set[str] = set()

    def note(address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in ("127.0.0.1", "localhost"):
            foreign.add(parts.netloc)

    page.on("request", lambda request: note(request.url))
    page.on("websocket", lambda socket: note(socket.url))
    yield page, foreign
    page.close()


def photograph_failure(page: Page, request: pytest.FixtureRequest) -> bool:
    """Whether the test has failed; then there is a picture of the page as it left it."""
    failed = request.node.stash.get(_FAILED, False)
    if failed:
        name = re.sub(r"\W+", "-", request.node.name)
        page.screenshot(path=str(PICTURES / f"failed-{name}.png"))
    return failed


@pytest.fixture
def photograph(request: pytest.FixtureRequest) -> Callable[[Page], object]:
    """Takes a picture of a page if the test has failed; for windows that several tests share."""
    return lambda page: photograph_failure(page, request)


@pytest.fixture
def page(profile: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty browser page, which must ask nobody but this machine. A test that fails leaves a picture."""
    with watched_page(profile) as (page, foreign):
        yield page
        photograph_failure(page, request)
    assert not foreign, f"the editor asked foreign hosts: {sorted(foreign)}"


@pytest.fixture
def open_editor(vscode: code_server.CodeServer, page: Page) -> Callable[[Path], EditorPage]:
    """Opens a folder in VS Code."""

    def open_folder(folder: Path) -> EditorPage:
        return EditorPage(page, vscode, folder)

    return open_folder


@pytest.fixture
def own_editor(open_editor: Callable[[Path], EditorPage], shop: Path) -> EditorPage:
    """VS Code on a fresh copy of the example shop, in a window of its own."""
    return open_editor(shop)


@pytest.fixture
def editor(own_editor: EditorPage) -> EditorPage:
    """VS Code on a fresh copy of the example shop."""
    return own_editor


class Window:
    """A window of VS Code that is shown again and again; each time there is one more project in its folder."""

    def __init__(self, vscode: code_server.CodeServer, profile: BrowserContext, folder: Path) -> None:
        self._vscode = vscode
        self._profile = profile
        self._folder = folder
        self._numbers = itertools.count(1)
        self._opened = contextlib.ExitStack()
        self._editor: EditorPage | None = None
        self.foreign: set[str] = set()

    def editor(self) -> EditorPage:
        """The window with a fresh copy of the example shop in which no file is open."""
        project = code_server.copy_example(self._folder / f"shop-{next(self._numbers):02}")
        if self._editor is None:
            page, self.foreign = self._opened.enter_context(watched_page(self._profile))
            self._editor = EditorPage(page, self._vscode, self._folder)
        self._editor.begin_again(project)
        return self._editor

    def close(self) -> None:
        """Close it; the next test gets a new one."""
        self._editor = None
        self._opened.close()


@pytest.fixture(scope="module")
def window(
    vscode: code_server.CodeServer, profile: BrowserContext, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Window]:
    """One window for the tests of a module."""
    window = Window(vscode, profile, tmp_path_factory.mktemp("projects"))
    yield window
    window.close()


@pytest.fixture
def shared_editor(window: Window, request: pytest.FixtureRequest) -> Iterator[EditorPage]:
    """VS Code on a fresh copy of the example shop, in a window that other tests had open before.

    For what happens in the text of a file. To load a window takes longer than most tests.
    """
    editor = window.editor()
    yield editor
    if photograph_failure(editor.page, request):
        window.close()
    assert not window.foreign, f"the editor asked foreign hosts: {sorted(window.foreign)}"


@pytest.fixture
def pictures() -> Path:
    """Where the tests leave pictures to look at."""
    return PICTURES
