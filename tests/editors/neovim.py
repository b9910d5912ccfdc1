"""Neovim, headless, as a user has it: with the snippet of docs/neovim.md and nothing else."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

OSIRIS = Path(sys.executable).with_name("osiris")
NODE = Path(__file__).parents[2] / ".tools" / "bin"
SNIPPET = Path(__file__).parents[2] / "docs" / "neovim.md"
PIPELINE = """\
oml_version: "0.1.0"
name: totals
steps:
  - id: numbers
    component: filesystem.csv_extractor
    mode: raed
    config:
      path: numbers.csv
  - id: large
    component: duckdb.processor
    mode: transform
    needs: [numbers]
    config:
      query: SELECT n FROM df_numbers WHERE n > 1
  - id: write
    component: filesystem.csv_writer
    mode: write
    config:
      path: large.csv
"""

PRELUDE = """
local function report(value) io.stdout:write('REPORT ' .. vim.json.encode(value) .. '\\n') end
local function wait(what, condition)
  if not vim.wait(20000, condition, 20) then error('waited in vain for ' .. what) end
end
local function place(line, character)
  return { textDocument = vim.lsp.util.make_text_document_params(), position = { line = line, character = character } }
end
local function ask(method, params)
  for _, answer in pairs(vim.lsp.buf_request_sync(0, method, params, 20000)) do
    if answer.error then error(vim.inspect(answer.error)) end
    return answer.result
  end
end
local function ready()
  for _, client in pairs(vim.lsp.buf_get_clients(0)) do if client.initialized then return true end end
end
local function errors()
  return vim.diagnostic.get(0, { severity = vim.diagnostic.severity.ERROR })
end
"""


def snippets() -> list[str]:
    """What docs/neovim.md says is to be put into ``init.lua``; the first one is for the Neovim that is tested."""
    return re.findall(r"```lua\n(.*?)```", SNIPPET.read_text(), re.DOTALL)


def drive(nvim: Path, folder: Path, script: str, *, before: str = "") -> list[Any]:
    """Open the pipeline in Neovim with the documented snippet, run Lua, return what it reported.

    ``before`` stands in front of the snippet: what else the user has.
    """
    snippet = before + snippets()[0]
    driver = folder / "driver.lua"
    body = f"vim.cmd('edit totals.oml.yaml')\n{PRELUDE}\n{script}"
    (folder / "init.lua").write_text(snippet)
    driver.write_text(
        f"local ok, problem = pcall(function()\n{body}\nend)\n"
        "if not ok then io.stdout:write('PROBLEM ' .. tostring(problem) .. '\\n') end\n"
        "vim.lsp.stop_client(vim.lsp.get_active_clients())\nvim.cmd('qall!')\n"
    )
    done = subprocess.run(
        [nvim, "--headless", "-u", "init.lua", "-i", "NONE", "-n", "-S", str(driver)],
        cwd=folder,
        env={**os.environ, "PATH": f"{OSIRIS.parent}{os.pathsep}{NODE}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "PROBLEM" not in done.stdout, done.stdout + done.stderr
    return [json.loads(line.removeprefix("REPORT ")) for line in done.stdout.splitlines() if line.startswith("REPORT ")]


@contextlib.contextmanager
def typed(command: list[str], folder: Path) -> Iterator[Callable[[str], None]]:
    """A program on a terminal of its own; what is called presses keys there."""
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    env = {**os.environ, "PATH": f"{OSIRIS.parent}{os.pathsep}{os.environ['PATH']}", "TERM": "xterm"}
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)

    def press(keys: str) -> None:
        os.write(mine, keys.encode())

    def read() -> None:
        with contextlib.suppress(OSError):
            while os.read(mine, 65_536):
                pass

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield press
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        reader.join(10)
        os.close(mine)


def wait_until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.05)
