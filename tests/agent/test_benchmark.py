"""The harness that measures models: it solves its tasks with recorded answers, and takes no wrong answer for a right
one. All tasks: python -m benchmarks agent."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.agent.judge import verdict
from benchmarks.agent.report import chosen, measure, model_chosen, table
from benchmarks.agent.solve import recorded, solve
from benchmarks.agent.tasks import TASKS, Task
from benchmarks.agent.worlds import facts, make_world

from model_double import Says, model_double
from osiris.core.llm.user_settings import AiSettings


def task_named(name: str) -> Task:
    (found,) = chosen([name])
    return found


def test_there_are_twenty_tasks_and_each_has_something_to_find(tmp_path: Path) -> None:
    assert len({task.name for task in TASKS}) == len(TASKS) == 20
    for world in {task.world for task in TASKS}:
        make_world(world, tmp_path / world)
        known = facts(world, tmp_path / world)
        for task in TASKS:
            assert task.world != world or len(known.execute(task.truth).fetchall()) > 0, task.name
        known.close()


def test_it_solves_tasks_with_recorded_answers_and_says_that_this_is_all() -> None:
    done = measure(chosen(["revenue-by-country", "into-a-database", "change-a-step"]), None)
    assert [(one.task, one.problem, one.tries) for one in done] == [
        ("revenue-by-country", None, 2),
        ("into-a-database", None, 1),
        ("change-a-step", None, 1),
    ]
    shown = table(done, None)
    assert "says nothing of any model" in shown
    assert "| all | 3 of 3 | 4 | 700 | 140 |" in shown


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ("celsius IS NULL", "celsius IS NOT NULL", "instead of ('S1', "),
        ("AS gaps", "AS holes", "columns station, holes instead of station, gaps"),
        ("GROUP BY 1", "GROUP BY 1 LIMIT 1", "1 rows instead of 4"),
        ("out/gaps.csv", "out/gap.csv", "there is no out/gaps.csv"),
        ('"readings"]', '"reading"]', "a draft with errors: OML3"),
    ],
)
def test_a_wrong_answer_is_not_solved(tmp_path: Path, right: str, wrong: str, why: str) -> None:
    task = task_named("gaps")
    assert right in task.answer
    always = replace(task, answer=task.answer.replace(right, wrong))
    # What does not compile it says again, as often as the agent lets it try.
    with repeating(always.answer) if "draft" in why else recorded(always) as settings:
        done = solve(task, settings, tmp_path)
    assert done.problem is not None
    assert why in done.problem


@contextmanager
def repeating(oml: str) -> Iterator[AiSettings]:
    says = Says("", [("propose_pipeline", {"oml": oml, "summary": "s"})])
    with model_double(lambda body: says) as double:
        yield AiSettings("openai", "double-1", base_url=double.url)


def test_the_model_that_is_named_is_the_one_that_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("PROVIDER", "openai"),
        ("MODEL", "mine"),
        ("BASE_URL", "http://localhost:1"),
        ("FALLBACK", "other"),
    ):
        monkeypatch.setenv(f"OSIRIS_AI_{name}", value)
    assert model_chosen(None, None, None) == AiSettings("openai", "mine", "http://localhost:1")
    assert model_chosen(None, "better", None) == AiSettings("openai", "better", "http://localhost:1")
    assert model_chosen("anthropic", "another", None) == AiSettings("anthropic", "another")


def test_the_order_counts_where_it_was_asked_for(tmp_path: Path) -> None:
    task, root = task_named("hottest-hours"), tmp_path / "stations"
    make_world("stations", root)
    (root / "out").mkdir()
    known = facts("stations", root)
    rows = known.execute(task.truth).fetchall()
    known.close()

    def written(rows: list[tuple[object, ...]]) -> str | None:
        lines = ["celsius,name,altitude", *(f"{row[2]},{row[0]},{row[1]}" for row in rows)]
        (root / task.output).write_text("\n".join(lines) + "\n")
        return verdict(task, root)

    assert written(rows) is None
    assert written(rows[::-1]) is not None
