"""The record of a run: event format, masking, private folder, several writers, a full disk."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from osiris.core.error_taxonomy import ExecutionError
from osiris.core.execution_adapter import ExecutionContext
from osiris.core.session_logging import EventLogger, MetricsCollector, SessionLogger

RUN = "run_01JD0000000000000000000000"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def test_an_event_has_time_session_name_and_data_in_this_order(tmp_path: Path) -> None:
    with SessionLogger(tmp_path / RUN, RUN) as log:
        log.log_event("step_start", {"step_id": "extract_data", "driver": "mysql.extractor"})
    (event,) = lines(tmp_path / RUN / "events.jsonl")
    assert list(event) == ["ts", "session", "event", "step_id", "driver"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event.pop("ts"))
    assert event == {"session": RUN, "event": "step_start", "step_id": "extract_data", "driver": "mysql.extractor"}


def test_a_metric_has_time_session_name_value_unit_and_tags(tmp_path: Path) -> None:
    with SessionLogger(tmp_path / RUN, RUN) as log:
        log.log_metric("rows_read", 3, "rows", step_id="a")
        assert log.metrics.latest == {"rows_read": 3}
    (metric,) = lines(tmp_path / RUN / "metrics.jsonl")
    del metric["ts"]
    assert metric == {"session": RUN, "metric": "rows_read", "value": 3, "unit": "rows", "step_id": "a"}


def test_events_and_metrics_stand_alone_too(tmp_path: Path) -> None:
    EventLogger(tmp_path / "e.jsonl", RUN).emit("run_start", steps=2)
    MetricsCollector(tmp_path / "m.jsonl", RUN).record("seconds", 0.5)
    assert lines(tmp_path / "e.jsonl")[0]["steps"] == 2
    assert lines(tmp_path / "m.jsonl")[0]["value"] == 0.5


def test_an_event_is_on_disk_when_the_call_returns(tmp_path: Path) -> None:
    log = SessionLogger(tmp_path / RUN, RUN)
    log.log_event("run_start")
    assert len(lines(tmp_path / RUN / "events.jsonl")) == 1
    log.close()
    log.close()


def test_secrets_do_not_reach_the_file(tmp_path: Path) -> None:
    with SessionLogger(tmp_path / RUN, RUN) as log:
        message = "password=hunter22 at postgres://ann:hunter22@h/db"
        log.log_event("step_error", {"message": message, "password": "hunter22"})
        log.log_metric("rows", 1, detail="password=hunter22")
        log.log_event("login with password=hunter22")
    written = (tmp_path / RUN / "events.jsonl").read_text() + (tmp_path / RUN / "metrics.jsonl").read_text()
    assert "hunter22" not in written
    assert RUN in written


def test_data_cannot_replace_what_is_ours(tmp_path: Path) -> None:
    with SessionLogger(tmp_path / RUN, RUN) as log:
        log.log_event("run_start", {"session": "other", "event": "e", "ts": "t"})
    (event,) = lines(tmp_path / RUN / "events.jsonl")
    assert (event["session"], event["event"], event["session_"], event["event_"]) == (RUN, "run_start", "other", "e")


def test_anything_can_be_logged(tmp_path: Path) -> None:
    loop: list[object] = []
    loop.append(loop)
    with SessionLogger(tmp_path / RUN, RUN) as log:
        log.log_event("x", {"nan": float("nan"), "path": Path("a/b"), "half": "\ud800", "set": {2, 1}, "loop": loop})
        log.log_event("x", {"text": "line\nbreak\u2028", "bytes": b"123", "long": "y" * 100_000, "many": [0] * 10_000})
        log.log_event("x", {"error": OSError("no")})
    first, second, third = lines(tmp_path / RUN / "events.jsonl")
    assert (first["nan"], first["path"], first["half"], first["set"]) == ("nan", "a/b", "\ud800", [1, 2])
    assert (second["text"], second["bytes"], third["error"]) == ("line\nbreak\u2028", "(3 bytes)", "no")
    assert len(second["long"]) < 20_000
    assert second["many"][-1] == "... (10000 items)"


def test_the_folder_and_the_files_are_private(tmp_path: Path) -> None:
    SessionLogger(tmp_path / RUN, RUN).close()
    assert (tmp_path / RUN).stat().st_mode & 0o777 == 0o700
    assert (tmp_path / RUN / "events.jsonl").stat().st_mode & 0o777 == 0o600


def test_lines_of_several_writers_do_not_mix(tmp_path: Path) -> None:
    def write(number: int) -> None:
        with SessionLogger(tmp_path / RUN, RUN) as log:
            for count in range(50):
                log.log_event("tick", {"writer": number, "count": count, "filler": "x" * 2000})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = lines(tmp_path / RUN / "events.jsonl")
    assert len(events) == 200
    assert [e["count"] for e in events if e["writer"] == 3] == list(range(50))


def test_a_full_disk_is_said_plainly() -> None:
    log = EventLogger(Path("/dev/full"), RUN)
    with pytest.raises(ExecutionError, match="the disk is full"):
        log.emit("run_start")


DISK_THAT_FILLS_UP_FOR_A_WHILE = """
import resource, signal, sys
from pathlib import Path
from osiris.core.error_taxonomy import ExecutionError
from osiris.core.session_logging import SessionLogger
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = SessionLogger(Path(sys.argv[1]), "run_x")
resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))
log.log_event("first")
try:
    log.log_event("second", {"filler": "x" * 1000})
except ExecutionError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.log_event("third")
"""


def test_after_a_full_disk_the_next_line_is_whole(tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, "-c", DISK_THAT_FILLS_UP_FOR_A_WHILE, str(run)], capture_output=True, text=True, check=True
    )
    assert "Cannot write" in done.stdout
    first, torn, third = (run / "events.jsonl").read_text().splitlines()
    assert json.loads(first)["event"] == "first"
    assert torn.endswith("xxx")
    assert json.loads(third)["event"] == "third"


def test_the_context_of_a_driver_logs_into_its_session(tmp_path: Path) -> None:
    with SessionLogger(tmp_path / RUN, RUN) as log:
        context = ExecutionContext(RUN, tmp_path, tmp_path / "artifacts", log)
        context.log_event("artifact_created", {"path": "out.csv"})
        context.log_metric("rows_written", 7)
    assert lines(tmp_path / RUN / "events.jsonl")[0]["path"] == "out.csv"
    assert lines(tmp_path / RUN / "metrics.jsonl")[0]["value"] == 7


def test_a_secret_that_becomes_known_later_is_masked_from_then_on(tmp_path: Path) -> None:
    with SessionLogger(tmp_path / RUN, RUN) as log:
        log.hide(["blue-giraffe"])
        log.log_event("x", {"text": "the blue-giraffe"})
        log.log_metric("m", 1, detail="the blue-giraffe")
    written = (tmp_path / RUN / "events.jsonl").read_text() + (tmp_path / RUN / "metrics.jsonl").read_text()
    assert "blue-giraffe" not in written
