"""A proposal with a wrong column in the SQL between two steps goes back to the model, whatever the data comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.shop import EXPECTED, GOOD, agent_of, make_shop, proposes, run_pipeline, told
from model_double import model_double

FROM_A_FILE = GOOD.replace("sqlite.extractor", "filesystem.csv_extractor").replace(
    '      connection: "@sqlite.shop"\n      query: SELECT customer, amount FROM orders\n',
    "      path: data/orders.csv\n",
)


@pytest.mark.parametrize(("good", "of"), [(GOOD, "the result of its query"), (FROM_A_FILE, "the file")])
def test_a_wrong_column_between_two_steps_is_mended_before_anybody_sees_it(tmp_path: Path, good: str, of: str) -> None:
    root = make_shop(tmp_path)
    (root / "data/orders.csv").write_text("customer,amount\nAda,10\nBob,5\nAda,20\n")
    with model_double(proposes(good.replace("SUM(amount)", "SUM(amuont)")), proposes(good)) as double:
        agent = agent_of(root, double)
        response = agent.process_message("Revenue by customer")
        (findings,) = [text for text in told(double) if "does not compile" in text]
    assert f"`df_orders` has no column `amuont`: it is {of}" in findings
    assert "Did you mean `amount`?" in findings
    assert response.proposal is not None
    assert response.proposal.ok
    assert response.tries == 2
    agent.save(response.proposal)
    run_pipeline(root)
    assert (root / "out" / "revenue.csv").read_text() == EXPECTED
