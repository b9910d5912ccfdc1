"""What an agent proposes for a file that exists changes what it means to change, and nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from osiris.core.agent.merging import merged
from osiris.core.agent.proposals import with_step
from osiris.core.oml_text import oml_text
from osiris.syntax.document import parse
from osiris.syntax.tree import to_plain

BEFORE = """\
# The revenue of every day.
oml_version: "0.1.0"
name: revenue

params:
  since: '2024-01-01'   # the first day

steps:
  # From the shop's own database.
  - id: orders
    component: sqlite.extractor   # read-only
    mode: read
    config:
      connection: "@sqlite.shop"
      query: |
        SELECT day, amount   -- # not a comment
        FROM orders

  - id: write
    component: filesystem.csv_writer
    mode: write
    needs: [orders]
    config: {path: out/revenue.csv}
"""


def data() -> Any:
    return yaml.safe_load(BEFORE)


def changed(change: Any) -> list[str]:
    """The lines that differ once ``change`` was made to the data: ``-`` the old ones, ``+`` the new ones."""
    import difflib

    wanted = data()
    change(wanted)
    text = merged(BEFORE, oml_text(wanted))
    assert to_plain(parse(text).root()) == to_plain(parse(oml_text(wanted)).root())
    difference = difflib.ndiff(BEFORE.split("\n"), text.split("\n"))
    return [line for line in difference if line[:1] in "+-"]


def test_the_same_meaning_leaves_the_text_as_it_is() -> None:
    assert changed(lambda oml: None) == []


def test_a_changed_value_is_one_line() -> None:
    assert changed(lambda oml: oml["steps"][0].update(mode="transform")) == [
        "-     mode: read",
        '+     "mode": "transform"',
    ]


def test_a_comment_beside_a_changed_value_stays() -> None:
    assert changed(lambda oml: oml["params"].update(since="2025-01-01")) == [
        "-   since: '2024-01-01'   # the first day",
        '+   "since": "2025-01-01"   # the first day',
    ]


def test_a_changed_query_leaves_its_neighbours_alone() -> None:
    lines = changed(lambda oml: oml["steps"][0]["config"].update(query="SELECT 1"))
    assert sorted(lines) == [
        '+       "query": "SELECT 1"',
        "-         FROM orders",
        "-         SELECT day, amount   -- # not a comment",
        "-       query: |",
    ]


def test_a_new_key_stands_where_the_model_has_it() -> None:
    lines = changed(lambda oml: oml["steps"][1].update(retry=3))
    assert lines == ['+     "retry": 3']


def test_a_new_step_is_set_apart_like_the_others() -> None:
    def between(oml: Any) -> None:
        oml["steps"].insert(1, {"id": "sum", "component": "duckdb.processor", "mode": "transform"})

    assert changed(between) == [
        '+   - "id": "sum"',
        '+     "component": "duckdb.processor"',
        '+     "mode": "transform"',
        "+ ",
    ]


def test_a_step_that_goes_takes_the_comment_above_it_along() -> None:
    def drop(oml: Any) -> None:
        del oml["steps"][0]

    lines = changed(drop)
    assert lines[0] == "-   # From the shop's own database."
    assert all(line.startswith("-") for line in lines)


def test_a_comment_that_the_model_adds_is_taken_with_its_text() -> None:
    after = BEFORE.replace("mode: read\n", "mode: read  # only reads\n")
    assert merged(BEFORE, after) == after


@pytest.mark.parametrize("text", ["", "- a list", "name: [", "just text", BEFORE + "name: twice\n"])
def test_what_has_no_common_shape_is_taken_as_it_is(text: str) -> None:
    assert merged(text, BEFORE) == BEFORE
    assert merged(BEFORE, text) == text


@pytest.mark.parametrize(("there", "wanted"), [("1", "true"), ("1", "1.0"), ("[0, 1]", "[false, 1]"), ("'1'", "1")])
def test_a_value_of_another_type_is_a_change(there: str, wanted: str) -> None:
    before = BEFORE.replace("mode: read\n", f"mode: read\n    x-kept: {there}\n")
    after = before.replace(f"x-kept: {there}", f"x-kept: {wanted}")
    assert merged(before, after) == after


def test_new_keys_and_steps_come_in_the_order_of_the_model() -> None:
    steps = "".join(f"  - id: {name}\n    component: duckdb.processor\n    mode: transform\n" for name in "ab")
    after = BEFORE.rstrip() + "\n" + steps + "x-one: 1\nx-two: 2\n"
    text = merged("# kept\n" + BEFORE, after)
    assert text.startswith("# kept\n")
    assert list(to_plain(parse(text).root())) == list(to_plain(parse(after).root()))  # type: ignore[arg-type]
    assert re.findall(r"id: (\w+)", text) == re.findall(r"id: (\w+)", after)


class TestOneStep:
    def test_is_replaced_and_the_rest_stays(self) -> None:
        step = "id: orders\ncomponent: sqlite.extractor\nmode: read\nconfig:\n  table: orders\n"
        text = with_step(BEFORE, "orders", step)
        assert to_plain(parse(text).root())["steps"][0]["config"] == {"table": "orders"}  # type: ignore[index,call-overload]
        assert merged(BEFORE, text).startswith(BEFORE.partition("      connection")[0])

    def test_may_come_with_its_dash_and_any_indentation(self) -> None:
        text = with_step(BEFORE, "new", "    - id: new\n      component: duckdb.processor\n      mode: transform\n")
        ids = [step["id"] for step in yaml.safe_load(text)["steps"]]
        assert ids == ["orders", "write", "new"]


_SCALARS = st.one_of(st.integers(-5, 5), st.booleans(), st.text("ab #:'\"\n-", max_size=8))
_CONFIGS = st.dictionaries(st.sampled_from("abcd"), st.one_of(_SCALARS, st.lists(_SCALARS, max_size=3)), max_size=4)
_STEPS = st.lists(st.tuples(st.sampled_from("xyz"), _CONFIGS), min_size=1, max_size=3, unique_by=lambda step: step[0])
_PIPELINES = st.builds(
    lambda name, steps: {"name": name, "steps": [{"id": step, "config": config} for step, config in steps]},
    _SCALARS,
    _STEPS,
)


@given(_PIPELINES, _PIPELINES)
def test_the_outcome_always_means_what_the_model_wrote(before: Any, after: Any) -> None:
    old = "# kept\n" + oml_text(before)
    text = merged(old, oml_text(after))
    meant = [json.dumps(to_plain(parse(one).root()), sort_keys=True) for one in (text, oml_text(after))]
    assert meant[0] == meant[1]
