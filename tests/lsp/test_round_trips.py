"""An editor's session, with the client profiles of pytest-lsp: what real editors say they can do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

PIPELINE = """\
oml_version: "0.1.0"
name: shop
steps:
  - id: orders
    component: sqlite.extracter
    mode: read
    config:
      connection: "@sqlite.shop"
      table: orders
  - id: totals
    component: duckdb.processor
    mode: transform
    needs: [orders]
    config:
      query: SELECT 1 AS one
"""


REFRESHES = (
    types.WORKSPACE_CODE_LENS_REFRESH,
    types.WORKSPACE_FOLDING_RANGE_REFRESH,
    types.WORKSPACE_INLAY_HINT_REFRESH,
    types.WORKSPACE_SEMANTIC_TOKENS_REFRESH,
)


@pytest_lsp.fixture(
    params=["visual-studio-code", "neovim", "emacs"],
    config=ClientServerConfig(server_command=[sys.executable, "-P", "-m", "osiris", "lsp", "--stdio"]),
)
async def client(lsp_client: LanguageClient, request: pytest.FixtureRequest, project: Path):  # type: ignore[no-untyped-def]
    @lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def on_register_capability(params: types.RegistrationParams) -> None:
        """Accepted, as editors do."""

    for method in REFRESHES:

        @lsp_client.feature(method)
        def on_refresh(params: None) -> None:
            """What is shown would be asked for again."""

    await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=client_capabilities(request.param),
            workspace_folders=[types.WorkspaceFolder(uri=project.as_uri(), name="project")],
        )
    )
    yield lsp_client
    await lsp_client.shutdown_session()


async def opened(client: LanguageClient, project: Path, text: str = PIPELINE) -> str:
    uri = (project / "shop.oml.yaml").as_uri()
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(uri=uri, language_id="oml", version=1, text=text))
    )
    assert client.capabilities.text_document is not None
    if client.capabilities.text_document.diagnostic is None:
        await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    else:
        document = types.TextDocumentIdentifier(uri=uri)
        report = await client.text_document_diagnostic_async(types.DocumentDiagnosticParams(text_document=document))
        assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
        client.diagnostics[uri] = report.items
    return uri


def place(uri: str, line: int, character: int) -> dict[str, object]:
    return {
        "text_document": types.TextDocumentIdentifier(uri=uri),
        "position": types.Position(line=line, character=character),
    }


@pytest.mark.asyncio
async def test_from_a_mistake_to_its_mend(client: LanguageClient, project: Path) -> None:
    uri = await opened(client, project)
    [finding] = [d for d in client.diagnostics[uri] if d.severity == types.DiagnosticSeverity.Error]
    assert finding.range == types.Range(start=types.Position(4, 15), end=types.Position(4, 31))

    actions = await client.text_document_code_action_async(
        types.CodeActionParams(
            text_document=types.TextDocumentIdentifier(uri=uri),
            range=finding.range,
            context=types.CodeActionContext(diagnostics=[finding]),
        )
    )

    assert actions
    [action] = [action for action in actions if isinstance(action, types.CodeAction)]
    assert action.edit is not None
    edits = action.edit.changes[uri] if action.edit.changes else action.edit.document_changes[0].edits  # type: ignore
    assert [edit.new_text for edit in edits] == ["sqlite.extractor"]


@pytest.mark.asyncio
async def test_hover_completion_and_symbols(client: LanguageClient, project: Path) -> None:
    uri = await opened(client, project)

    hover = await client.text_document_hover_async(types.HoverParams(**place(uri, 10, 20)))
    completion = await client.text_document_completion_async(types.CompletionParams(**place(uri, 12, 12)))
    symbols = await client.text_document_document_symbol_async(
        types.DocumentSymbolParams(text_document=types.TextDocumentIdentifier(uri=uri))
    )

    assert hover is not None
    assert "SQL transformation" in hover.contents.value  # type: ignore[union-attr]
    assert isinstance(completion, types.CompletionList)
    assert [item.label for item in completion.items] == ["orders"]
    assert symbols is not None
    names = [getattr(symbols[0], "name", None), *(child.name for child in getattr(symbols[0], "children", None) or ())]
    assert names == ["steps", "orders", "totals"] or [symbol.name for symbol in symbols] == [
        "steps",
        "orders",
        "totals",
    ]


@pytest.mark.asyncio
async def test_the_documentation_of_a_suggestion_comes_when_it_is_looked_at(
    client: LanguageClient, project: Path
) -> None:
    uri = await opened(client, project, PIPELINE.replace("    mode: transform\n", "    mo\n"))
    found = await client.text_document_completion_async(types.CompletionParams(**place(uri, 11, 6)))
    assert isinstance(found, types.CompletionList)
    [mode] = [item for item in found.items if item.label == "mode"]
    assert mode.documentation is None

    resolved = await client.completion_item_resolve_async(mode)

    assert "puts data somewhere" in str(resolved.documentation)
