"""``osiris chat`` on a terminal: a real process at the other end of a pseudo terminal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from agent.shop import EXPECTED, GOOD, make_shop, proposes, using
from agent.silent import make_silent_shop, silent_server
from model_double import ModelDouble, Says, model_double

LOOKS = Says("Let me look.", [("describe_table", {"connection": "@sqlite.shop", "table": "orders"})])
CHOICE = Says("", [("ask_choice", {"question": "Which one?", "options": ["by customer", "by day"]})])
PROPOSES = proposes(GOOD)
LIMIT_SECONDS = 60.0


class Terminal:
    """What a user has in front of them."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self.descriptor = descriptor
        self.process = process
        self.screen = ""

    def until(self, text: str) -> str:
        """Wait for ``text``; what was on the screen up to it, and is no more."""
        assert self._shows(text, LIMIT_SECONDS), f"waited in vain for {text!r}; there is:\n{self.screen}"
        before, _, self.screen = self.screen.partition(text)
        return before + text

    def _shows(self, text: str, seconds: float) -> bool:
        """Whether ``text`` is on the screen within so many seconds."""
        limit = time.monotonic() + seconds
        while text not in self.screen:
            if not select.select([self.descriptor], [], [], max(0.0, limit - time.monotonic()))[0]:
                return False
            try:
                data = os.read(self.descriptor, 65_536)
            except OSError:
                data = b""
            assert data, f"it has ended without {text!r}; there is:\n{self.screen}"
            self.screen += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return True

    def type(self, text: str) -> None:
        """Type at the prompt and press Enter."""
        self.until("> ")
        self.keys(f"{text}\r")

    def keys(self, text: str) -> None:
        """Press keys, whatever is on the screen."""
        os.write(self.descriptor, text.encode())

    def interrupt(self, text: str) -> None:
        """Press Ctrl-C until ``text`` is there: readline misses one that comes just before it begins to wait."""
        self.insist("\x03", text)

    def insist(self, keys: str, text: str) -> None:
        """Press keys until ``text`` is there; the terminal forgets those before a Ctrl-C."""
        tries = 0
        while not tries or not self._shows(text, LIMIT_SECONDS / 10):
            self.keys(keys)
            tries += 1
            assert tries < 10, f"{keys!r} did not lead to {text!r}; there is:\n{self.screen}"
        self.until(text)

    def ended(self) -> int:
        """The exit code; what is still printed is read, so that it can end."""
        with contextlib.suppress(OSError):
            while select.select([self.descriptor], [], [], LIMIT_SECONDS)[0] and os.read(self.descriptor, 65_536):
                pass
        return self.process.wait(LIMIT_SECONDS)


@contextlib.contextmanager
def terminal(root: Path, double: ModelDouble, *arguments: str) -> Iterator[Terminal]:
    """``osiris chat`` in the project, on a terminal of its own."""
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    env |= using(double) | {"TERM": "dumb", "LC_ALL": "C.UTF-8", "INPUTRC": "/dev/null"}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "osiris", "chat", *arguments],
        cwd=root,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it
    )
    os.close(theirs)
    try:
        yield Terminal(mine, process)
    finally:
        process.kill()
        process.wait(30)
        os.close(mine)


def test_from_the_first_word_to_a_pipeline_that_has_run(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    with model_double(CHOICE, LOOKS, PROPOSES) as double, terminal(root, double) as user:
        user.until("double-1 at 127.0.0.1:")
        user.type("/save")
        user.until("There is no proposal yet.")
        user.type("Revenue")
        user.until("1. by customer\n  2. by day")
        user.type("1")
        asked = user.until("Connect to @sqlite.shop to read its tables and columns? [y/N] ")
        assert "Let me look." in asked
        user.keys("y\r")
        shown = user.until("/save writes it.")
        assert "describe_table: 3 columns of @sqlite.shop orders" in shown
        assert "pipelines/revenue.oml.yaml compiles" in shown
        assert "+      query: SELECT customer, amount FROM orders" in shown
        assert double.requests[1]["messages"][-1]["content"] == "by customer"
        user.type("/run")
        user.until("Only a saved pipeline can be run")
        assert not (root / "pipelines").exists()
        user.type("/save")
        user.until("Wrote pipelines/revenue.oml.yaml.")
        user.type("/save")
        user.until("pipelines/revenue.oml.yaml is unchanged")
        user.type("/validate")
        user.until("pipelines/revenue.oml.yaml: compiles.")
        user.type("/run")
        user.until("succeeded in")
        user.type("/quit")
        assert user.ended() == 0
    assert (root / "pipelines" / "revenue.oml.yaml").read_text() == GOOD
    assert (root / "out" / "revenue.csv").read_text() == EXPECTED


def test_ctrl_c_stops_the_answer_and_not_the_program(tmp_path: Path) -> None:
    root, pause = make_shop(tmp_path), threading.Event()
    slow = Says("one two three", pause=pause)
    with model_double(slow, LOOKS, Says("Fine.")) as double, terminal(root, double) as user:
        user.type("Slowly")
        user.until("one")
        user.keys("\x03")
        user.until("Stopped.")
        assert double.gone.wait(LIMIT_SECONDS)
        user.type("half a thought\x03")
        user.type("Look")
        user.until("[y/N] ")
        user.interrupt("Stopped.")
        user.type("And now?")
        user.until("Fine.")
        said = [m["content"] for m in double.requests[-1]["messages"] if m["role"] == "user"]
        user.until("> ")
        user.keys("\x04")
        assert user.ended() == 0
    assert said == ["Slowly", "Look", "And now?"]


def test_ctrl_c_stops_the_reading_of_a_database_and_nothing_at_all_when_nothing_goes_on(tmp_path: Path) -> None:
    far = Says("", [("list_tables", {"connection": "@mysql.slow"})])
    with silent_server() as server, model_double(far, *[Says("Fine.")] * 20) as double:
        root = make_silent_shop(tmp_path, server)
        with terminal(root, double) as user:
            user.type("Look")
            user.until("[y/N] ")
            user.keys("y\r")
            assert server.called.wait(LIMIT_SECONDS)
            user.keys("\x03")
            user.until("Stopped.")
            assert server.left.wait(LIMIT_SECONDS)
            # Whenever it comes: at the prompt, in an answer, in between.
            for number in range(60):
                if number % 20 == 10:
                    user.keys("again\r")
                os.kill(user.process.pid, signal.SIGINT)
                time.sleep(0.005 * (number % 4))
            user.insist("And now?\r", "Fine.")
            user.type("/quit")
            assert user.ended() == 0


def test_the_next_session_goes_on_where_the_last_one_was(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    with model_double(PROPOSES, Says("Of customers.")) as double:
        with terminal(root, double) as user:
            user.type("Revenue")
            user.until("/save writes it.")
            user.process.kill()
            user.process.wait(LIMIT_SECONDS)
        with terminal(root, double) as user:
            user.until("Going on with “Revenue”.")
            user.until("a proposal that compiles")
            user.type("/save")
            assert "+name: revenue" in user.until("Write this to pipelines/revenue.oml.yaml? [y/N] ")
            user.keys("n\r")
            user.until("Nothing was written.")
            assert not (root / "pipelines").exists()
            user.type("/svae")
            user.until("Did you mean /save?")
            user.type("/model anthropic/claude-x")
            user.until("There is no key for Anthropic")
            user.type("/model double-2")
            user.until("double-2 at 127.0.0.1")
            user.type("Whose?")
            user.until("Of customers.")
            assert double.requests[-1]["model"] == "double-2"
            assert next(m["content"] for m in double.requests[-1]["messages"] if m["role"] == "user") == "Revenue"
            user.type("/discover")
            user.until("1 table, 3 columns")
            user.type("/new")
            user.until("A new conversation.")
            user.type("/diff")
            user.until("There is no proposal yet.")
            user.type("/help")
            user.until("/quit")
        with terminal(root, double, "--new") as user:
            assert "Going on" not in user.until("> ")
