"""Brings in, after the client is ready, what the first keystroke would otherwise wait for."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osiris.lsp.session import Session

MODULES = (
    "osiris.syntax.document",
    "osiris.components.registry",
    "osiris.language.analysis",
    "osiris.core.project",
    "osiris.core.secrets_masking",
    "osiris.ide.completion.values",
    "osiris.lsp.features.completion",
    "osiris.lsp.features.completion_resolve",
    "osiris.lsp.features.hover",
    "osiris.lsp.features.code_action",
    "osiris.lsp.features.diagnostic",
    "osiris.lsp.features.document_symbol",
    "osiris.lsp.features.definition",
    "osiris.lsp.features.document_highlight",
    "osiris.lsp.features.semantic_tokens_full",
    "osiris.lsp.features.semantic_tokens_range",
    "osiris.lsp.features.folding_range",
    "osiris.lsp.features.inlay_hint",
    "osiris.lsp.features.code_lens",
    "osiris.lsp.features.code_lens_resolve",
)

_DOCUMENT = {"uri": "untitled:warm-up", "version": 0}
_PLACE = {"textDocument": _DOCUMENT, "position": {"line": 0, "character": 0}}
_RANGE = {"start": _PLACE["position"], "end": _PLACE["position"]}

# Messages whose converters are made when the first of them arrives, which takes some hundredths of a second each.
SAMPLES: dict[str, dict[str, Any]] = {
    "textDocument/didOpen": {"textDocument": {**_DOCUMENT, "languageId": "oml", "text": ""}},
    "textDocument/didChange": {
        "textDocument": _DOCUMENT,
        "contentChanges": [{"range": _RANGE, "text": ""}, {"text": ""}],
    },
    "textDocument/completion": _PLACE,
    "textDocument/hover": _PLACE,
    "textDocument/definition": _PLACE,
    "textDocument/documentHighlight": _PLACE,
    "textDocument/codeAction": {"textDocument": _DOCUMENT, "range": _RANGE, "context": {"diagnostics": []}},
    "textDocument/diagnostic": {"textDocument": _DOCUMENT},
    "textDocument/documentSymbol": {"textDocument": _DOCUMENT},
    "textDocument/semanticTokens/full": {"textDocument": _DOCUMENT},
    "textDocument/semanticTokens/range": {"textDocument": _DOCUMENT, "range": _RANGE},
    "textDocument/foldingRange": {"textDocument": _DOCUMENT},
    "textDocument/inlayHint": {"textDocument": _DOCUMENT, "range": _RANGE},
    "textDocument/codeLens": {"textDocument": _DOCUMENT},
    "codeLens/resolve": {"range": _RANGE, "data": {}},
}


def answers() -> list[Any]:
    """One of each kind of answer, for the same reason."""
    from lsprotocol import types

    place = types.Position(line=0, character=0)
    span = types.Range(start=place, end=place)
    edit = types.TextEdit(range=span, new_text="")
    edits = types.TextDocumentEdit(types.OptionalVersionedTextDocumentIdentifier(uri=""), [edit])
    suggestion = types.CompletionItem(
        label="", kind=types.CompletionItemKind.Property, text_edit=edit, additional_text_edits=[edit]
    )
    text = types.MarkupContent(kind=types.MarkupKind.Markdown, value="")
    return [
        types.CompletionList(
            is_incomplete=False, items=[suggestion], item_defaults=types.CompletionItemDefaults(edit_range=span)
        ),
        types.CompletionItem(label="", documentation=text),
        types.Hover(contents=text, range=span),
        types.InlayHint(
            position=place,
            label=[types.InlayHintLabelPart(value="", location=types.Location(uri="", range=span))],
            text_edits=[edit],
            tooltip=text,
        ),
        types.CodeLens(range=span, command=types.Command("", "")),
        types.CodeAction(
            title="",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[types.Diagnostic(range=span, message="")],
            edit=types.WorkspaceEdit(document_changes=[edits]),
        ),
    ]


async def warm_up(session: Session) -> None:
    """Import module by module, with the loop free in between: a message that waits goes first."""
    for name in MODULES:
        import_module(name)
        await asyncio.sleep(0)
    for method, sample in SAMPLES.items():
        session.protocol.prepare(method, sample)
        await asyncio.sleep(0)
    for answer in answers():
        session.protocol.prepare_answer(answer)
        await asyncio.sleep(0)
    from osiris.components.registry import ComponentRegistry

    for name in ComponentRegistry.builtin().names():
        ComponentRegistry.builtin().get(name)
        await asyncio.sleep(0)
