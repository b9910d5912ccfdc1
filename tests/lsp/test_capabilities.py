"""What the server says it can do is what it can do: static options, what is registered later, and what it asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsp_client import ABLE, Client, Message

from osiris.lsp.refresh import METHODS
from osiris.lsp.server import NOTIFICATIONS, REQUESTS

EVERYTHING: Message = {
    **ABLE,
    "textDocument": {
        **ABLE["textDocument"],
        "diagnostic": {"dynamicRegistration": True},
        "rename": {"prepareSupport": True},
        "codeAction": {
            **ABLE["textDocument"]["codeAction"],
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit"]},
        },
    },
    "workspace": {
        **ABLE["workspace"],
        "configuration": True,
        "didChangeConfiguration": {"dynamicRegistration": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True},
        **{name: {"refreshSupport": True} for name in ("diagnostics", "codeLens", "inlayHint", "semanticTokens")},
    },
}

# An option of a provider that is true, and the method that it promises.
OPTIONS = {
    ("codeActionProvider", "resolveProvider"): "codeAction/resolve",
    ("codeLensProvider", "resolveProvider"): "codeLens/resolve",
    ("completionProvider", "resolveProvider"): "completionItem/resolve",
    ("diagnosticProvider", "workspaceDiagnostics"): "workspace/diagnostic",
    ("documentLinkProvider", "resolveProvider"): "documentLink/resolve",
    ("inlayHintProvider", "resolveProvider"): "inlayHint/resolve",
    ("renameProvider", "prepareProvider"): "textDocument/prepareRename",
    ("semanticTokensProvider", "range"): "textDocument/semanticTokens/range",
    ("semanticTokensProvider", "full", "delta"): "textDocument/semanticTokens/full/delta",
    ("workspaceSymbolProvider", "resolveProvider"): "workspaceSymbol/resolve",
}


def promised(declared: Message) -> set[str]:
    """The methods that the options promise."""
    found = set()
    for path, method in OPTIONS.items():
        value: Any = declared
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value:
            found.add(method)
    return found


def test_every_option_has_its_method_and_every_method_its_option(client: Client) -> None:
    declared = client.initialize(capabilities=EVERYTHING)

    assert promised(declared) == set(OPTIONS.values()) & set(REQUESTS)


@pytest.mark.parametrize("capabilities", [{}, ABLE, EVERYTHING], ids=["nothing", "most", "everything"])
def test_nothing_is_promised_that_is_not_there(client: Client, capabilities: Message) -> None:
    assert promised(client.initialize(capabilities=capabilities)) <= set(REQUESTS)


def test_what_is_registered_later_is_there_and_was_not_declared_before(client: Client, project: Path) -> None:
    declared = client.initialize(project, EVERYTHING)
    registered = {}
    for _ in range(2):
        asked = client.wait(lambda m: m.get("method") == "client/registerCapability")
        client.send({"id": asked["id"], "result": None})
        for registration in asked["params"]["registrations"]:
            registered[registration["method"]] = registration["id"]

    assert set(registered) == {"workspace/didChangeConfiguration", "workspace/didChangeWatchedFiles"}
    assert set(registered) <= set(NOTIFICATIONS)
    assert len(set(registered.values())) == 2
    assert set(declared["workspace"]) == {"workspaceFolders"}


def test_a_client_that_can_register_nothing_is_asked_nothing(client: Client, project: Path) -> None:
    client.initialize(project, {})
    client.request(
        "textDocument/hover", {"textDocument": {"uri": "untitled:1"}, "position": {"line": 0, "character": 0}}
    )

    assert client.close() == 0
    client.drain()
    assert not [m["method"] for m in client.received if "method" in m and "id" in m]


def test_a_client_is_asked_to_ask_again_only_for_what_there_is() -> None:
    assert {method for method in METHODS.values() if method not in REQUESTS} == set()
