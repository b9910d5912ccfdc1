"""`python -m benchmarks agent`: every task once, and the table of how it went."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.agent.solve import Solved, recorded, solve
from benchmarks.agent.tasks import TASKS, Task
from osiris.core.llm.user_settings import AiSettings

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


def measure(tasks: Sequence[Task], settings: AiSettings | None) -> list[Solved]:
    """Each task once with the model of ``settings``, None for the recorded answers. Raises as ``solve``."""
    done = []
    with tempfile.TemporaryDirectory(prefix="osiris-tasks-") as folder:
        for task in tasks:
            print(f"{task.name} ...", file=sys.stderr, flush=True)
            if settings is not None:
                done.append(solve(task, settings, Path(folder)))
                continue
            with recorded(task) as double:
                done.append(solve(task, double, Path(folder)))
    return done


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
