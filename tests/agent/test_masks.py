"""``***`` in what a model proposes stands for a secret that it was not shown: no face lets it take that place."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.shop import GOOD, PATH, agent_of, make_shop, proposes, told, using
from model_double import Says, model_double
from osiris.core.agent.proposals import Proposal
from osiris.core.agent.saving import save
from osiris.core.error_taxonomy import ValidationError
from osiris.core.project import Project
from osiris.execution.agent_host import AskingHost, open_chat
from osiris.mcp.allowed import Allowed
from osiris.mcp.desk import Desk

REFUSED = "stands for a secret"
SECRET = "plain-words-1"
STARS = GOOD.replace("SELECT customer, SUM", "SELECT '***' AS stars, customer, SUM")
HIDDEN = f"# not {SECRET}\n{GOOD}"


def by_the_chat(root: Path, oml: str) -> str:
    with model_double(proposes(oml), Says("Then not.")) as double:
        response = agent_of(root, double).process_message("Change it")
        return told(double)[0] if response.proposal is None else "proposed"


def by_mcp(root: Path, oml: str) -> str:
    desk, never = Desk(root, Allowed(write=True)), threading.Event()
    desk.call("read_pipeline", {"path": PATH}, never)
    return desk.call("write_pipeline", {"oml": oml}, never).text


def by_saving(root: Path, oml: str) -> str:
    file = root / PATH
    before = file.read_text() if file.exists() else None
    try:
        return str(save(Project.find(root), Proposal(PATH, oml, before, (), True)))
    except ValidationError as error:
        return str(error)


@pytest.mark.parametrize("face", [by_the_chat, by_mcp, by_saving])
@pytest.mark.parametrize(
    ("there", "proposed", "refused"),
    [
        (None, "# ***\n" + GOOD, True),
        (None, STARS, True),
        (None, "# **** banner ****\n" + GOOD, False),
        (HIDDEN, "# not ***\n" + GOOD, True),
        (HIDDEN, HIDDEN.replace("revenue.csv", "sums.csv"), False),
        (STARS, STARS.replace("revenue.csv", "sums.csv"), False),
        (STARS, STARS.replace("'***' AS stars", "'***' AS stars, '***' AS more"), True),
        (STARS, f"# {STARS.splitlines()[0]} ***\n{STARS.replace(chr(39) + '***' + chr(39), '1')}", True),
    ],
    ids=["new comment", "new text", "banner", "hidden", "hidden kept", "own stars", "more stars", "other stars"],
)
def test_is_refused_by_every_face(
    tmp_path: Path, face: Callable[[Path, str], str], there: str | None, proposed: str, refused: bool
) -> None:
    root = make_shop(tmp_path / "shop")
    (root / ".env").write_text(f"SHOP_PASSWORD={SECRET}\n")
    if there is not None:
        (root / PATH).parent.mkdir()
        (root / PATH).write_text(there)
    assert (REFUSED in face(root, proposed)) is refused
    kept = (root / PATH).read_text() if (root / PATH).exists() else None
    assert kept == there or not refused


@pytest.mark.parametrize(("there", "comes_back"), [(HIDDEN, True), (None, False)])
def test_a_proposal_with_a_secret_comes_back_only_with_what_its_file_knows(
    tmp_path: Path, there: str | None, comes_back: bool
) -> None:
    """The conversation is kept without it."""
    root = make_shop(tmp_path / "shop")
    (root / ".env").write_text(f"SHOP_PASSWORD={SECRET}\n")
    (root / PATH).parent.mkdir()
    if there is not None:
        (root / PATH).write_text(there)
    wanted = HIDDEN.replace("revenue.csv", "sums.csv")
    project = Project.find(root)
    with model_double(proposes(wanted)) as double:
        first = open_chat(project, AskingHost(project), path=PATH, environ=using(double))
        list(first.stream("To sums.csv"))
        again = open_chat(project, AskingHost(project), conversation=first.context.id, environ=using(double))
    if comes_back:
        found = again.draft()
        assert found is not None
        assert again.agent.save(found).read_text() == wanted
    else:
        with pytest.raises(ValidationError, match=REFUSED):
            again.draft()
