"""Who waits for the step under the cursor ``<|>`` (incoming), and for whom it waits (outgoing); with the places."""

from __future__ import annotations

import pytest
from marked import analysed, split
from places import lines_with

from osiris.ide.navigation.call_hierarchy import Call, find_node, incoming, outgoing, step_node_at

STEPS = """
    steps:
      - id: orders
        component: sqlite.extractor
        mode: read
      - id: refunds
        component: sqlite.extractor
        mode: read
        needs: []
      - id: net
        component: duckdb.processor
        mode: transform
        needs: [orders, refunds]
        config:
          query: |
            SELECT df_orders.id FROM df_orders
            JOIN DF_REFUNDS AS r USING (id)
      - id: store
        component: filesystem.csv_writer
        mode: write
      - id: again
        component: filesystem.csv_writer
        mode: write
        inputs: {df: "${net.df}"}
    """


def step_at(marked: str) -> str | None:
    text, offset = split(marked)
    node = step_node_at(analysed(text), offset)
    return node.name if node is not None else None


def calls(name: str, *, direction: str) -> dict[str, list[str]]:
    """Of each step on the other side the lines whose marked places say so."""
    text, _ = split(STEPS + "<|>")
    analysis = analysed(text)
    index = analysis.graph.by_id[name]
    found: tuple[Call, ...] = incoming(analysis, index) if direction == "in" else outgoing(analysis, index)
    return {call.node.name: lines_with(text, call.places) for call in found}


def test_the_steps_that_a_step_waits_for_with_the_places_in_it() -> None:
    assert calls("net", direction="out") == {
        "orders": ["needs: [«orders», refunds]", "SELECT df_orders.id FROM «df_orders»"],
        "refunds": ["needs: [orders, «refunds»]", "JOIN «DF_REFUNDS» AS r USING (id)"],
    }


def test_the_steps_that_wait_for_a_step_with_the_places_in_them() -> None:
    assert calls("net", direction="in") == {
        "store": ["- id: «store»"],  # it waits because it stands below
        "again": ['inputs: {df: "${«net».df}"}'],
    }


def test_the_first_waits_for_none_and_for_the_last_none_waits() -> None:
    assert calls("orders", direction="out") == {}
    assert calls("again", direction="in") == {}


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("needs: [orders, ref<|>unds]", "refunds"),
        ("FROM df_or<|>ders", "orders"),
        ('"${ne<|>t.df}"', "net"),
        ("JO<|>IN DF_REFUNDS", "net"),
        ("id: sto<|>re", "store"),
        ("st<|>eps:", None),
    ],
)
def test_the_step_is_the_one_that_is_named_or_else_the_one_around(place: str, name: str | None) -> None:
    assert step_at(STEPS.replace(place.replace("<|>", ""), place)) == name


def test_a_circle_of_steps_can_be_followed_for_ever() -> None:
    analysis = analysed("steps:\n  - {id: a, needs: [b]}\n  - {id: b, needs: [a]}\n")

    assert [call.node.name for call in outgoing(analysis, 0)] == ["b"]
    assert [call.node.name for call in incoming(analysis, 0)] == ["b"]


def test_a_step_is_found_again_when_the_document_has_changed() -> None:
    analysis = analysed("steps:\n  - {id: new}\n  - {id: a}\n  - {component: x}\n")

    found = find_node(analysis, "a", 0)
    nameless = find_node(analysis, "step 3", 2)
    assert found is not None
    assert found.index == 1
    assert nameless is not None
    assert nameless.index == 2
    assert find_node(analysis, "gone", 1) is None
