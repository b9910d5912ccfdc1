"""An editor whose user talks with the agent, and what comes back to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lsp_client import ABLE, Client, Message, position

from agent.shop import GOOD
from model_double import ModelDouble, Says

BROKEN = GOOD.replace("component: filesystem.csv_writer", "component: filesystem.csv_writr")
CONFIRMING: Message = {
    **ABLE,
    "workspace": {
        "workspaceEdit": {
            "documentChanges": True,
            "resourceOperations": ["create"],
            "changeAnnotationSupport": {"groupsOnLabel": True},
        }
    },
}
PANEL: Message = {**CONFIRMING, "experimental": {"osiris": {"chatEvent": True, "runEvent": True}}}
PLAIN: Message = {**ABLE, "window": {"workDoneProgress": True}}


def proposes(oml: str, text: str = "Here it is.") -> Says:
    return Says(text, [("propose_pipeline", {"oml": oml, "summary": "Revenue by customer."})])


LOOKS = Says("", [("describe_table", {"connection": "@sqlite.shop", "table": "orders"})])


@contextmanager
def talking(root: Path, double: ModelDouble, capabilities: Message = PANEL, **options: Any) -> Iterator[Client]:
    """An editor whose user has set up the double as their model."""
    client = Client(env=model_of(double, root))
    try:
        client.initialize(root, capabilities, **options)
        yield client
        assert client.close() == 0
    finally:
        client.kill()


def model_of(double: ModelDouble, root: Path) -> dict[str, str]:
    own = {"OSIRIS_CONFIG_DIR": str(root.parent / "config"), "OSIRIS_AI_BASE_URL": double.url}
    return {**own, "OSIRIS_AI_PROVIDER": "openai", "OSIRIS_AI_MODEL": "double-1"}


def pipeline(root: Path, text: str) -> str:
    """A saved pipeline; its URI."""
    (root / "pipelines").mkdir(exist_ok=True)
    path = root / "pipelines" / "revenue.oml.yaml"
    path.write_text(text)
    return path.as_uri()


def chat_event(client: Client, conversation: str, *kinds: str) -> Message:
    """The next event of one of these kinds in the conversation."""
    return client.wait(
        lambda m: (
            m.get("method") == "osiris/chatEvent"
            and m["params"]["conversation"] == conversation
            and m["params"]["event"]["event"] in kinds
        )
    )["params"]["event"]


def end_of(client: Client, conversation: str) -> Message:
    return chat_event(client, conversation, "response", "error", "stopped")


def answer_next(client: Client, method: str, answer: Callable[[Message], Any]) -> Message:
    """Answer the next request of the server of this method; its parameters."""
    asked = client.wait(lambda m: m.get("method") == method and "id" in m)
    client.send({"id": asked["id"], "result": answer(asked["params"])})
    return asked["params"]


def agree(client: Client, title: str) -> Message:
    return answer_next(client, "window/showMessageRequest", lambda _: {"title": title})


def actions_at(client: Client, uri: str, line: int) -> dict[str, Message]:
    """The agent's actions in a line, by title."""
    place = {"start": position(line, 0), "end": position(line, 999)}
    params = {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": []}}
    found = client.request("textDocument/codeAction", params) or []
    return {a["title"]: a for a in found if a["title"].endswith("with Osiris")}


def choose(client: Client, action: Message) -> str:
    """Choose an action; the conversation that it begins."""
    command = action["command"]
    answer = client.request(
        "workspace/executeCommand", {"command": command["command"], "arguments": command["arguments"]}
    )
    assert answer["answering"] is True
    return str(answer["conversation"])


def command_with_key(client: Client, key: str | None, name: str, argument: Message) -> tuple[list[Message], Any]:
    """Run a command for a user whose editor keeps a key; for what it was asked, and what the command answers."""
    number = client.start_request("workspace/executeCommand", {"command": name, "arguments": [argument]})
    asked: list[Message] = []
    while True:
        message = client.wait(
            lambda m: m.get("method") == "osiris/secret" or (m.get("id") == number and "method" not in m)
        )
        if "method" not in message:
            return asked, message["result"]
        asked.append(message["params"])
        client.send({"id": message["id"], "result": {"secret": key}})
