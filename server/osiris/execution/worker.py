"""The process that carries out one run: ``python -m osiris.execution.worker``.

It is started before anybody knows whether it will be needed, loads what is slow to load, and waits for one message
that names the run's folder. What it may know (sensitive parameters, connections) it gets over that pipe or resolves
itself; it keeps that in memory. When the pipe closes, whoever wanted the run is gone: the run stops.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.execution.process import Channel, take_over_standard_streams, working_folder

if TYPE_CHECKING:
    from osiris.core.secrets_masking import Masker
    from osiris.core.session_logging import SessionLogger
    from osiris.execution.engine import Engine

GRACE_SECONDS = 2.0
_WANTED_BY_MOST_RUNS = (
    "duckdb",
    "osiris.execution.engine",
    "osiris.components.registry",
    "osiris.drivers.duckdb.processor",
    "osiris.drivers.filesystem.csv",
    "yaml",
)


def main() -> None:
    """Wait for a run, carry it out, say how it ended."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides what Ctrl-C means
    channel = take_over_standard_streams()
    for module in _WANTED_BY_MOST_RUNS:
        with contextlib.suppress(ImportError):  # what is missing is told when the run needs it
            importlib.import_module(module)
    if "duckdb" in sys.modules:
        sys.modules["duckdb"].connect(":memory:").close()  # the first connection is the slow one
    request = channel.receive()
    if request is None:
        os._exit(0)
    from osiris.core.secrets_masking import Masker

    code, masker = 0, Masker()
    try:
        message = _carry_out(request, channel, masker)
    except BaseException as error:  # noqa: BLE001 - the last resort: whatever it is, the supervisor must hear of it
        message, code = {**_broken(error, masker), "broken": True}, 3
    channel.send(message)
    os._exit(code)  # threads of foreign code must not hold up the end


def _carry_out(request: dict[str, Any], channel: Channel, masker: Masker) -> dict[str, Any]:
    """Run what ``request`` names; how it ended, masked. ``masker`` learns the secrets of the run as they are known."""
    from osiris.core.error_taxonomy import OsirisError
    from osiris.execution.engine import Engine
    from osiris.execution.left_data import Leaving
    from osiris.execution.plain_arrow import load_without_numpy
    from osiris.execution.preparation import prepare
    from osiris.execution.resume import Resume, remove_remains, runs_before
    from osiris.execution.sample import Sample
    from osiris.execution.step_cache import StepCache

    run_dir, root = Path(request["run_dir"]), Path(request["root"])
    working_folder(root)
    manifest = json.loads((run_dir / "manifest.json").read_bytes())
    try:
        prepared = prepare(
            manifest,
            root=root,
            run_dir=run_dir,
            session_id=run_dir.name,
            params=request.get("params"),
            memory=request.get("memory"),
            parallel=request.get("parallel"),
            deterministic=request.get("deterministic", False),
            connections=request.get("connections"),
        )
    except OsirisError as error:
        return {"outcome": _not_started(manifest, error)}
    if all(step.own for step in prepared.steps.values()):
        load_without_numpy()
    channel.send({"temporary": [path for path in prepared.limits.paths if path.endswith(f".{run_dir.name}.part")]})
    for value in prepared.secrets:
        masker.add(value)
    elsewhere = request.get("elsewhere")  # this machine goes when the run ends: nothing is left for a later one
    with _logger(run_dir, root, masker, elsewhere) as logger, _prints_caught(run_dir / "worker.log", masker):
        resume = Resume.from_plain(request["resume"]) if request.get("resume") else None
        if resume is not None:
            remove_remains(resume, run_dir, prepared.limits.paths)
        leaving = Leaving(root, run_dir.name) if not (request.get("sample") or elsewhere) else None
        cache = StepCache(root, prepared.steps, prepared.allowed, prepared.reuse) if request.get("cache") else None
        sample = Sample(**request["sample"]) if request.get("sample") else None
        engine = Engine(
            manifest,
            prepared,
            logger=logger,
            root=root,
            run_dir=run_dir,
            signals=True,
            sample=sample,
            resume=resume,
            leaving=leaving,
            cache=cache,
        )
        told = threading.Event()
        threading.Thread(target=_listen, args=(channel, engine, logger, told), daemon=True).start()
        outcome = engine.run().plain()
        if engine.cancelled:
            told.wait(GRACE_SECONDS)  # servers that compute for us are told to stop, in the other thread
        if leaving is not None and outcome["state"] == "succeeded":
            for name in (run_dir.name, *runs_before(run_dir)):
                Leaving(root, name).remove()
        if cache is not None:
            cache.trim()
    # Numbers by step ids: a step may be called "tokens", and that makes none of its rows a secret.
    message = {"outcome": {**masker.data(outcome), "rows": outcome["rows"]}}
    return message if sample is None else {**message, "sample": sample.found}


def _logger(run_dir: Path, root: Path, masker: Masker, elsewhere: dict[str, Any] | None) -> SessionLogger:
    from osiris.core.session_logging import SessionLogger

    if elsewhere is None:
        return SessionLogger(run_dir, run_dir.name, masker)
    from osiris.execution.remote.kept import KeptLogger
    from osiris.execution.remote.set_aside import SetAside

    return KeptLogger(run_dir, run_dir.name, masker, SetAside(root, elsewhere["outputs"]).copy)


def _listen(channel: Channel, engine: Engine, logger: SessionLogger, told: threading.Event) -> None:
    """Stop the run when the supervisor says so, or is gone. ``told`` is set when all that runs has heard of it."""
    from osiris.execution.remote.kept import KeptLogger

    while (message := channel.receive()) is not None and "kept" in message:
        if isinstance(logger, KeptLogger):
            logger.kept(int(message["kept"]))
    engine.cancel()
    if isinstance(logger, KeptLogger):
        logger.give_up()
    told.set()
    if message is None:
        threading.Event().wait(GRACE_SECONDS)
        os._exit(4)


def _not_started(manifest: dict[str, Any], error: Any) -> dict[str, Any]:
    problem = {"code": error.code, "message": str(error)}
    if error.hint:
        problem["hint"] = error.hint
    steps = [{"id": step["id"], "state": "skipped"} for step in manifest.get("steps") or [] if "id" in step]
    return {"state": "failed", "error": problem, "steps": steps, "rows": {}}


def _broken(error: BaseException, masker: Masker) -> dict[str, Any]:
    from osiris.core.error_taxonomy import OsirisError, describe

    if isinstance(error, OsirisError):  # the run's own log cannot be written
        return {"outcome": masker.data(_not_started({}, error))}
    problem = {"code": "OML610", "message": f"Osiris itself failed: {describe(error, masker)}"}
    return {"outcome": {"state": "failed", "error": problem, "steps": [], "rows": {}}}


@contextlib.contextmanager
def _prints_caught(path: Path, masker: Masker) -> Iterator[None]:
    """Keep what drivers print in a file, masked."""
    from osiris.core.masked_lines import MaskedLines

    prints = MaskedLines(path, masker)
    sys.stdout = sys.stderr = prints
    try:
        yield
    finally:
        prints.finish()


if __name__ == "__main__":
    main()
