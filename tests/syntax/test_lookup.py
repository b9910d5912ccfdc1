"""Which step or section an offset belongs to, in every style that steps are written in."""

from __future__ import annotations

import pytest

from osiris.syntax.document import parse
from osiris.syntax.lookup import part_at, step_at

STYLES = {
    "a block": "name: x\nsteps:\n  - id: a\n    mode: read\n  - id: b\n  - id: c\n",
    "a list in brackets": "name: x\nsteps: [{id: a, mode: read}, {id: b},\n  {id: c}]\n",
    "a document in braces": "{name: x, steps: [{id: a, mode: read}, {id: b}, {id: c}]}\n",
}


@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES)
def test_every_step_is_found_at_all_of_its_text(text: str) -> None:
    document = parse(text)

    assert step_at(document, text.index("id: a")) == 0
    assert step_at(document, text.index("read") + 4) == 0
    assert step_at(document, text.index("id: b")) == 1
    assert step_at(document, text.index("id: c")) == 2
    assert step_at(document, len(text)) == 2


@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES)
def test_sections_are_told_from_steps(text: str) -> None:
    document = parse(text)
    name, step = part_at(document, text.index("x")), part_at(document, text.index("id: b"))

    assert name is not None
    assert name[1] is None
    assert step == (document.steps[1], 1)
    assert part_at(parse("# nothing\n"), 3) is None


def test_in_front_of_all_lines_of_steps_there_is_no_step() -> None:
    text = STYLES["a block"]

    assert step_at(parse(text), text.index("name")) is None


def test_one_of_many_steps_in_brackets_is_found() -> None:
    text = "steps: [" + ", ".join(f"{{id: s{number}}}" for number in range(2000)) + "]\n"

    assert step_at(parse(text), text.index("s1234}")) == 1234
