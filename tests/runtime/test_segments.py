"""How a manifest is cut into segments that are computed in one go."""

from __future__ import annotations

from osiris.execution.segments import MAX_LAZY_STEPS, plan


def step(id, sources=(), needs=(), **fields):
    """A step that takes the rows of ``sources``."""
    return {"id": id, "inputs": {f"df_{s}": s for s in sources}, "needs": [*sources, *needs], **fields}


def segments(*steps):
    """The segments as lists of ids; steps called w... write and so are not lazy."""
    return [list(segment.steps) for segment in plan(steps, lambda s: not s["id"].startswith("w"))]


def test_a_chain_is_one_segment():
    assert segments(step("a"), step("b", ["a"]), step("w", ["b"])) == [["a", "b", "w"]]


def test_a_join_is_one_segment():
    assert segments(step("a"), step("b"), step("j", ["a", "b"]), step("w", ["j"])) == [["a", "b", "j", "w"]]


def test_rows_that_several_steps_take_are_kept():
    assert segments(step("a"), step("b", ["a"]), step("w1", ["b"]), step("w2", ["b"])) == [["a", "b"], ["w1"], ["w2"]]


def test_a_step_with_a_time_limit_or_retries_stands_alone():
    chain = [step("a"), step("b", ["a"], timeout=5), step("c", ["b"]), step("w", ["c"])]
    assert segments(*chain) == [["a"], ["b"], ["c", "w"]]

    chain = [step("a"), step("w", ["a"], retry={"attempts": 2})]
    assert segments(*chain) == [["a"], ["w"]]


def test_a_long_chain_is_cut_before_it_gets_too_deep():
    chain = [step("s0"), *(step(f"s{i}", [f"s{i - 1}"]) for i in range(1, 60))]

    assert [len(s) for s in segments(*chain)] == [MAX_LAZY_STEPS, MAX_LAZY_STEPS, 10]


def test_order_alone_keeps_a_reader_out_of_a_later_segment():
    # b must wait for a, and c takes both: computed together with c, a would have to wait for b.
    steps = [step("a"), step("b", needs=["a"]), step("w1", ["b"]), step("w2", ["a"], needs=["w1"])]

    assert segments(*steps) == [["a"], ["b", "w1"], ["w2"]]


def test_segments_that_do_not_depend_on_each_other_need_nothing():
    found = plan([step("a"), step("w1", ["a"]), step("b"), step("w2", ["b"])], lambda s: not s["id"].startswith("w"))

    assert [segment.needs for segment in found] == [frozenset(), frozenset()]
