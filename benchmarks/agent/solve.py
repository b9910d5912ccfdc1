"""One task from the wish to the verdict: a model proposes, the proposal is saved and run, its output judged."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.agent.judge import verdict
from benchmarks.agent.tasks import Task
from benchmarks.agent.worlds import make_world
from osiris.core.agent.host import Consent
from osiris.core.conversational_agent import AgentResponse
from osiris.core.error_taxonomy import OsirisError
from osiris.core.llm.user_settings import AiSettings
from osiris.core.project import Project
from osiris.core.state_store import FILE_NAME, StateStore
from osiris.execution.agent_host import AskingHost, Chat, open_chat

RUN_SECONDS = 300


@dataclass(frozen=True)
class Solved:
    """How a task went. ``problem``: why it counts as not solved; ``tries``: proposals; tokens None where the model does
    not count them."""

    task: str
    problem: str | None
    tries: int
    input_tokens: int | None
    output_tokens: int | None
    seconds: float


def solve(task: Task, settings: AiSettings, folder: Path) -> Solved:
    """Let the model of ``settings`` solve ``task`` in a new project in ``folder``. Rows are never sent. Raises
    NoModelError and ConfigurationError when there is no such model."""
    root = folder / task.name
    make_world(task.world, root)
    start = time.perf_counter()
    project = Project.find(root)
    host = AskingHost(project, lambda what, question: what is Consent.CONNECT)
    chat = open_chat(project, host, path=task.path, settings=settings, state=StateStore(folder / FILE_NAME))
    tries, problem = 0, None
    try:
        response = _answer(chat, task.wish)
        tries = response.tries
        if response.question is not None:  # its own advice comes first; there is no second question
            response = _answer(chat, response.question.options[0])
            tries += response.tries
        problem = _run(task, chat, response)
    except OsirisError as error:
        problem = error.message
    usage = chat.context.usage
    seconds = time.perf_counter() - start
    return Solved(task.name, problem or verdict(task, root), tries, usage.input_tokens, usage.output_tokens, seconds)


def _answer(chat: Chat, message: str) -> AgentResponse:
    *_, last = chat.stream(message)
    assert isinstance(last, AgentResponse)
    return last


def _run(task: Task, chat: Chat, response: AgentResponse) -> str | None:
    """Save and run what was proposed; why that does not work."""
    proposal = response.proposal
    if proposal is None:
        return response.problem or "no pipeline was proposed"
    if not proposal.ok:
        first = proposal.errors()
        return f"a draft with errors: {first[0].code}" if first else "a draft with errors"
    if task.keeps not in proposal.text:
        return f"the pipeline does not say {task.keeps}"
    path = chat.agent.save(proposal)
    command = [sys.executable, "-P", "-m", "osiris", "run", str(path)]
    try:
        done = subprocess.run(
            command, cwd=chat.project.root, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"the run took more than {RUN_SECONDS} s"
    said = done.stderr.strip().splitlines()
    return None if done.returncode == 0 else f"the run failed: {said[0] if said else 'without a word'}"


@contextmanager
def recorded(task: Task) -> Iterator[AiSettings]:
    """A model that gives the recorded answers to ``task``: it looks at the tables, slips where the task says so, and
    proposes what is known to be right."""
    double = _double()
    looks = [("list_connections", {}), ("list_components", {}), ("read_pipeline", {"path": task.path})]
    looks += [("list_tables", {"connection": f"@sqlite.{task.world}"})] if task.world != "stations" else []
    texts = [task.answer.replace(*task.slip)] if task.slip else []
    answers = [double.Says("Let me look.", looks)]
    for text in (*texts, task.answer):
        given = {"oml": text, "summary": "As recorded."}
        call = ("propose_pipeline", given) if task.step is None else ("propose_step", {"step": task.step, **given})
        answers.append(double.Says("Here it is.", [call]))
    with double.model_double(*answers) as server:
        yield AiSettings("openai", "recorded", base_url=server.url)


def _double() -> Any:
    """The server of chat completions of the tests, which answers as it is told to."""
    import importlib

    folder = str(Path(__file__).resolve().parents[2] / "tests")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module("model_double")
