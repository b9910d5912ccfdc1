"""``make editor``: VS Code on the example shop, until Ctrl-C or the end of the terminal."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
import setup_editors
from requirement import require

SCRIPT = Path(__file__).parent / "open_editor.py"


@pytest.mark.editor
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGHUP], ids=["Ctrl-C", "closed terminal"])
def test_it_serves_a_copy_of_the_example_and_leaves_nothing_behind(end: signal.Signals) -> None:
    require(setup_editors.code_server_ready() and setup_editors.extension_ready(), "code-server")
    process = subprocess.Popen([sys.executable, str(SCRIPT)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        address = next(
            found.group() for line in process.stdout if (found := re.search(r"http://127\.0\.0\.1\S+", line))
        )
        folder = Path(parse_qs(urlsplit(address).query)["folder"][0])
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert "code-server" in answer.read().decode()
        assert (folder / "pipelines" / "broken-orders.oml.yaml").is_file()
        started = psutil.Process(process.pid).children(recursive=True)
    finally:
        process.send_signal(end)
        rest, _ = process.communicate(timeout=30)

    assert process.returncode == 0
    assert rest.endswith("Ended.\n")
    assert not folder.exists()
    assert [child for child in started if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
