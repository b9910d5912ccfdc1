"""Code lenses: the source with each line's lenses above it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marked import analysed

from osiris.ide.code_lenses import RunResult, StepResult, lenses, run_title, seconds, step_title

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.oml.yaml"))
STEPS = {"orders": StepResult("succeeded", 354, 0.544), "total": StepResult("failed"), "gone": StepResult("succeeded")}


def above(source: str, last: RunResult | None = None) -> str:
    text = dedent(source).lstrip("\n")
    analysis = analysed(text)
    words: dict[int, list[str]] = {}
    for lens in lenses(analysis, last):
        line = analysis.document.lines.line_of(lens.span.start)
        words.setdefault(line, []).append(f"{lens.kind} {lens.step}" if lens.step else lens.kind)
    shown = []
    for number, line in enumerate(text.splitlines()):
        shown += [f"[{' | '.join(words[number])}]"] if number in words else []
        shown.append(line)
    return "\n".join(shown) + "\n"


PIPELINE = """
    oml_version: "0.1.0"
    name: shop
    steps:
      - id: orders
        mode: read
      - mode: transform
        id: total
      - id: orders
      - mode: write
    """


def test_a_pipeline_that_was_never_run() -> None:
    assert above(PIPELINE) == dedent(
        """\
        oml_version: "0.1.0"
        [run | compile]
        name: shop
        steps:
        [run_to orders]
          - id: orders
            mode: read
          - mode: transform
        [run_to total]
            id: total
          - id: orders
          - mode: write
        """
    )


def test_the_last_run_is_told_at_the_top_and_at_each_step_that_it_knows() -> None:
    assert above(PIPELINE, RunResult("run_1", "failed", steps=STEPS)) == dedent(
        """\
        oml_version: "0.1.0"
        [run | compile | last]
        name: shop
        steps:
        [run_to orders | last_step orders]
          - id: orders
            mode: read
          - mode: transform
        [run_to total | last_step total]
            id: total
          - id: orders
          - mode: write
        """
    )


def test_without_steps_there_is_nothing_to_run() -> None:
    assert above("name: x\n") == "name: x\n"
    assert above("steps: []\n") == "steps: []\n"
    assert list(lenses(analysed(""), None)) == []


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (RunResult("r", "succeeded", at=880.0, duration=3.14), "✓ 2 min ago, 3.14 s"),
        (RunResult("r", "succeeded", at=990.0, duration=0.0041), "✓ just now, 0.004 s"),
        (RunResult("r", "failed", at=880.0, duration=75, failed_step="load"), "✗ failed at load 2 min ago, 1 min 15 s"),
        (RunResult("r", "failed", at=880.0), "✗ failed 2 min ago"),
        (RunResult("r", "cancelled", at=-7_000.0, duration=1), "⊘ cancelled 2 hours ago"),
        (RunResult("r", "interrupted", at=-86_000.0), "⊘ interrupted 1 day ago"),
        (RunResult("r", "running", at=900.0), "… running"),
        (RunResult("r", "queued", at=900.0), "… waits for its turn"),
        (RunResult("r", "succeeded", at=880.0, to="total", profile="prod"), "✓ 2 min ago, only to total, profile prod"),
        (RunResult("r", "succeeded"), "✓"),
    ],
)
def test_how_a_run_went(run: RunResult, expected: str) -> None:
    assert run_title(run, 1000.0, changed=False) == expected


def test_a_pipeline_that_has_changed_since() -> None:
    assert run_title(RunResult("r", "succeeded", at=880.0), 1000.0, changed=True) == "✓ 2 min ago, changed since"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (StepResult("succeeded", 1234, 0.544), "✓ 1,234 rows, 0.54 s"),
        (StepResult("succeeded", 1), "✓ 1 row"),
        (StepResult("succeeded"), "✓"),
        (StepResult("failed", None, 1.0), "✗ failed"),
        (StepResult("skipped"), "⊘ skipped"),
        (StepResult("pending"), ""),
    ],
)
def test_how_a_step_went(step: StepResult, expected: str) -> None:
    assert step_title(step) == expected


def test_seconds() -> None:
    assert [seconds(value) for value in (0.0041, 0.42, 12.34, 125)] == ["0.004 s", "0.42 s", "12.3 s", "2 min 5 s"]


def check(text: str) -> None:
    for lens in lenses(analysed(text), RunResult("r", "failed", steps=STEPS)):
        assert 0 <= lens.span.start <= lens.span.end <= len(text)
        assert "\n" not in text[lens.span.start : lens.span.end]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_beginning_of_an_example(example: Path) -> None:
    text = example.read_text(encoding="utf-8")

    for end in range(0, len(text) + 1, 13):
        check(text[:end])


PIECES = ["steps:", "- ", "id: orders", "id: |", "name: ", "name: |", "config: ", "\n", "\n  ", "\n    ", "x"]


@given(st.lists(st.sampled_from([*PIECES, "[", "]", "{", "}", '"', "'", "&a", "*a"]), max_size=40).map("".join))
def test_any_heap_of_pieces(text: str) -> None:
    check(text)
