"""No test goes on for ever, and whoever watches a run learns at once what failed and in the end where it stood.

pytest-timeout stops a test in a friendly way, but it interrupts Python alone, tries once, and leaves the teardown of a
test that has failed without any limit. So here every part of a test has a hard limit, a minute above that of
pytest-timeout: the stacks of all threads are shown, and the process ends. Under xdist that is one failed test more.

With OSIRIS_TESTS_WITHIN the whole run has a limit, in seconds: the stacks of the processes that run tests are shown,
then the tests that failed and those that are under way are named, and the run ends with exit code 1.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

_GRACE_SECONDS = 60.0
_STACKS_SECONDS = 3.0
_MOST_LETTERS = 400
_SHOW_STACKS = signal.SIGUSR1
_limit = pytest.StashKey[float]()


class HardLimit:
    """Ends the process of a test that does not end, in whichever part of it."""

    def __init__(self) -> None:
        """Stacks go to what is standard error now, before pytest catches what tests write there."""
        self._stacks = os.dup(2)
        faulthandler.register(_SHOW_STACKS, file=self._stacks)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        item.stash[_limit] = _seconds(item)
        self._start(item)
        try:
            return (yield)
        finally:
            faulthandler.cancel_dump_traceback_later()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        self._start(item)
        return (yield)

    @pytest.hookimpl(trylast=True)
    def pytest_exception_interact(self, node: pytest.Item | pytest.Collector) -> None:
        if isinstance(node, pytest.Item):  # pytest itself has just stopped the clock, for the sake of a debugger
            self._start(node)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        self._start(item)
        return (yield)

    def _start(self, item: pytest.Item) -> None:
        seconds = item.stash.get(_limit, 0.0)
        if seconds > 0:
            faulthandler.dump_traceback_later(seconds + _GRACE_SECONDS, file=self._stacks, exit=True)


def _seconds(item: pytest.Item) -> float:
    """What pytest-timeout allows the test; 0 is no limit."""
    marker = item.get_closest_marker("timeout")
    if item.config.getoption("usepdb"):
        return 0.0
    if marker is not None and marker.args:
        return float(marker.args[0])
    option = item.config.getoption("timeout", None)
    return float(item.config.getini("timeout") or 0) if option is None else float(option)


class Watch:
    """Names each test that fails when it fails; ends the run when its time is up."""

    def __init__(self, within: float, *, workers: bool) -> None:
        """``within``: the seconds that the run may take; 0 is no limit. ``workers``: whether others run the tests."""
        self._within = within
        self._workers = workers
        self._under_way: dict[str, float] = {}
        self._ended: set[str] = set()
        self._failed: list[str] = []
        self._output = os.dup(2)

    def pytest_sessionstart(self) -> None:
        if self._within > 0:
            threading.Thread(target=self._wait, daemon=True).start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._under_way[nodeid] = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._under_way.pop(nodeid, None)
        self._ended.add(nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A run that lost its workers has not passed, whatever they had said until then."""
        missing = session.testscollected - len(self._ended)
        if self._workers and session.exitstatus == 0 and missing > 0 and not session.config.option.collectonly:
            self._say(f"\n{missing} tests were not run.\n")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.append(report.nodeid)
            crash = getattr(report.longrepr, "reprcrash", None)
            why = str(crash.message if crash is not None else report.longrepr or "")
            self._say(f"\nfailed in its {report.when}: {report.nodeid}\n    {why[:_MOST_LETTERS]}\n")

    def _wait(self) -> None:
        time.sleep(self._within)
        workers = psutil.Process().children() if self._workers else []
        started = psutil.Process().children(recursive=True)
        for worker in workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.send_signal(_SHOW_STACKS)
        if not workers:
            faulthandler.dump_traceback(file=self._output)
        time.sleep(_STACKS_SECONDS)
        now = time.monotonic()
        lines = [f"failed: {name}" for name in dict.fromkeys(self._failed)]
        lines += [f"under way for {now - since:.0f} s: {name}" for name, since in self._under_way.items()]
        lines.append(f"The tests did not end within {self._within:.0f} s.")
        self._say("\n" + "\n".join(lines) + "\n")
        for process in started:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        os._exit(1)

    def _say(self, text: str) -> None:
        os.write(self._output, text.encode("utf-8", "backslashreplace"))


def register(config: pytest.Config) -> None:
    """Set the limits; what a run is told is told by the process that starts the workers."""
    config.pluginmanager.register(HardLimit(), "osiris-hard-limit")
    if not hasattr(config, "workerinput"):
        within = float(os.environ.get("OSIRIS_TESTS_WITHIN") or 0)
        workers = config.getoption("dist", "no") != "no"
        config.pluginmanager.register(Watch(within, workers=workers), "osiris-watch")
