"""`python -m benchmarks agent`: every task once, and the table of how it went."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.agent.solve import Solved, recorded, solve
from benchmarks.agent.tasks import TASKS, Task
from osiris.core.llm.user_settings import AiSettings, load_ai_settings
from osiris.core.user_dirs import STATE_VARIABLE

HARNESS_ONLY = (
    "These answers were recorded beforehand and played by a double: the table says nothing of any model, only that "
    "the tasks can be solved and are judged rightly. Name a model (--provider, --model, --base-url, or --configured "
    "for the one that you have set up) to measure it."
)
HEADER = ("task", "solved", "tries", "tokens in", "tokens out", "seconds", "why not")


def chosen(names: Sequence[str]) -> tuple[Task, ...]:
    """The tasks of these names, all when there are none. Raises ValueError that lists the tasks there are."""
    known = {task.name: task for task in TASKS}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no task {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(known[name] for name in names) or TASKS


def model_chosen(provider: str | None, model: str | None, base_url: str | None) -> AiSettings:
    """The user's model with what is given instead. No other model steps in for it: it alone is measured. Raises
    ConfigurationError for settings that cannot be used."""
    mine = replace(load_ai_settings(), fallback=None)
    provider = provider or ("openai" if base_url else None)
    if provider is not None and provider != mine.provider:
        mine = replace(mine, model=None, base_url=None)  # they belong to the other one
    return mine.with_options(provider=provider, model=model, base_url=base_url)


def measure(tasks: Sequence[Task], settings: AiSettings | None) -> list[Solved]:
    """Each task once with the model of ``settings``, None for the recorded answers. Raises as ``solve``."""
    done = []
    with tempfile.TemporaryDirectory(prefix="osiris-tasks-") as folder, _state_in(folder):
        for task in tasks:
            print(f"{task.name} ...", file=sys.stderr, flush=True)
            if settings is not None:
                done.append(solve(task, settings, Path(folder)))
                continue
            with recorded(task) as double:
                done.append(solve(task, double, Path(folder)))
    return done


@contextmanager
def _state_in(folder: str) -> Iterator[None]:
    """Inside the block what was read and agreed to is kept in ``folder``: none of it is the user's."""
    before = os.environ.get(STATE_VARIABLE)
    os.environ[STATE_VARIABLE] = folder
    try:
        yield
    finally:
        del os.environ[STATE_VARIABLE]
        if before is not None:
            os.environ[STATE_VARIABLE] = before


def table(done: Sequence[Solved], settings: AiSettings | None) -> str:
    """What came of it, as Markdown; whose answers they were stands above."""
    rows = [_cells(one) for one in done]
    total = ("all", f"{sum(one.problem is None for one in done)} of {len(done)}", str(sum(one.tries for one in done)),
             _sum([one.input_tokens for one in done]), _sum([one.output_tokens for one in done]),
             f"{sum(one.seconds for one in done):.1f}", "")  # fmt: skip
    lines = [HEADER, ("---",) * len(HEADER), *rows, total]
    whose = HARNESS_ONLY if settings is None else f"Model {settings.model} of {settings.base_url or settings.provider}"
    return "\n".join([whose, "", *("| " + " | ".join(line) + " |" for line in lines)])


def _cells(one: Solved) -> tuple[str, ...]:
    why = " ".join((one.problem or "").replace("|", "/").split())[:120]
    tokens = (_sum([one.input_tokens]), _sum([one.output_tokens]))
    return (one.task, "no" if one.problem else "yes", str(one.tries), *tokens, f"{one.seconds:.1f}", why)


def _sum(counts: Sequence[int | None]) -> str:
    known = [count for count in counts if count is not None]
    return str(sum(known)) if known else "-"
