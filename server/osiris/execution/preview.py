"""Looking at the first rows of a step: only what it needs runs, in a process and a folder that are gone afterwards."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.core.files import atomic_write, cause, explain_os_error
from osiris.core.manifest import MANIFEST_NAME, generate_fingerprint, manifest_bytes
from osiris.core.partial_manifest import manifest_up_to
from osiris.execution.process import Worker
from osiris.execution.ulid import new_run_id

MOST_ROWS = 10_000


@dataclass(frozen=True)
class Preview:
    """The first rows that ``step`` yields. ``columns``: name and DuckDB type; ``more``: there are further rows.

    ``step`` is another one than was asked for when that one writes: then these are the rows that it would get.
    """

    step: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool


def preview(
    manifest: Mapping[str, Any],
    step: str,
    *,
    root: Path,
    limit: int = 50,
    params: Mapping[str, Any] | None = None,
    worker: Worker | None = None,
) -> Preview:
    """The first ``limit`` rows that a step of ``manifest`` yields, or that it would get when it is one that writes.

    No step that writes runs, and no file of the project is touched. What is read is all that the rows depend on: a
    limit is handed to a source only when the source itself is looked at, since a sum over some rows would be wrong.
    ``params`` and ``worker`` as in ``start_run``. Raises ConfigurationError when there is no such step, ExecutionError
    when a step fails.
    """
    part, shown = _part(manifest, step, limit)
    from osiris.core.config import Config

    runtime = Config.load(root).runtime
    folder = _temporary_folder()
    try:
        run_dir = folder / new_run_id()
        run_dir.mkdir(mode=0o700)
        atomic_write(run_dir / MANIFEST_NAME, manifest_bytes(part), private=True)
        request = {
            "run_dir": str(run_dir),
            "root": str(root.absolute()),
            "params": {name: value for name, value in (params or {}).items() if name in part["run_params"]},
            "memory": runtime.memory_bytes,
            "parallel": runtime.max_parallel_steps,
            "deterministic": runtime.deterministic,
            "sample": {"step": shown, "limit": limit},
        }
        with _ended_by_sigterm():
            message = _ask(worker or Worker(), request)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    error, found = message["outcome"]["error"], message.get("sample")
    if error is not None or found is None:
        told = error or {"message": "The step yields no rows."}
        where = f"the step {told['step']} failed: " if told.get("step") else ""
        raise ExecutionError(f"{where}{told['message']}", code=told.get("code"), hint=told.get("hint"))
    columns = tuple((column["name"], column["type"]) for column in found["columns"])
    return Preview(shown, columns, tuple(tuple(row) for row in found["rows"]), found["more"])


def _temporary_folder() -> Path:
    """A private folder that is gone with the preview. Raises ExecutionError where none can be made."""
    try:
        return Path(tempfile.mkdtemp(prefix="osiris-preview-"))
    except OSError as error:
        raise ExecutionError(
            f"No temporary folder can be made for the preview: {explain_os_error(error)[0]}.",
            hint="Free some space, or set TMPDIR to a folder that can be written to.",
        ) from cause(error)


def _ask(worker: Worker, request: Mapping[str, Any]) -> dict[str, Any]:
    """What the worker answers. It does not live longer than this call, however that ends."""
    try:
        worker.channel.send(dict(request))
        while (message := worker.channel.receive()) is not None:
            if "outcome" in message:
                return message
    finally:
        worker.kill()
    raise ExecutionError(f"The process that read the rows is gone: {worker.ended_how()}.", code="OML618")


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Inside the block SIGTERM ends this process in order, so that nothing is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _part(manifest: Mapping[str, Any], step: str, limit: int) -> tuple[dict[str, Any], str]:
    """The manifest of the steps whose data the step is made of, and the step whose rows are shown."""
    whole: Any = dict(manifest)
    part: dict[str, Any] = dict(manifest_up_to(whole, step))
    by_id = {str(item["id"]): item for item in part["steps"]}
    shown = step
    if by_id[step].get("mode") == "write":
        sources = sorted(set(by_id[step]["inputs"].values()))
        if len(sources) != 1:
            raise ConfigurationError(
                f"The step {step} writes {len(sources)} tables; there is no one table to show.",
                hint=f"Look at one of: {', '.join(sources) or 'the steps before it'}.",
            )
        shown = sources[0]
    wanted, todo = set[str](), [shown]
    while todo:
        name = todo.pop()
        if name not in wanted:
            wanted.add(name)
            todo += by_id[name]["inputs"].values()
    part["steps"] = [_reduced(item, wanted) for item in part["steps"] if item["id"] in wanted]
    part["to"] = shown
    part["steps"] = [_limited(item, limit) if item["id"] == shown else item for item in part["steps"]]
    part["fingerprint"] = generate_fingerprint(part)
    return part, shown


def _reduced(step: Mapping[str, Any], wanted: set[str]) -> dict[str, Any]:
    """The step without waiting for those that do not run."""
    return {**step, "needs": [need for need in step["needs"] if need in wanted]}


def _limited(step: dict[str, Any], limit: int) -> dict[str, Any]:
    """A reader that knows a ``limit`` reads no more than is shown; one row further says whether there are more."""
    from osiris.components.registry import ComponentRegistry

    spec = ComponentRegistry.builtin().get(str(step["component"]))
    if step["inputs"] or spec is None or "limit" not in spec.properties:
        return step
    own = step["config"].get("limit")
    if own is not None and not isinstance(own, int):
        return step  # a parameter that only the run knows
    return {**step, "config": {**step["config"], "limit": min(limit + 1, own) if own is not None else limit + 1}}
