"""What the client can do, read once from its ``initialize`` request, and what this server says it can do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from osiris.lsp.positions import Encoding, choose_encoding

# Characters after which an editor asks for completion by itself; words ask anyway. The line break is for new lines.
# Parentheses and the last quote are for queries.
COMPLETION_TRIGGERS = (":", " ", "-", "@", ".", "/", "[", "{", '"', "'", "\n", "(", "`")

CODE_ACTION_KINDS = (
    "quickfix",
    "refactor.extract",
    "refactor.inline",
    "refactor.rewrite",
    "source.fixAll.osiris",
    "osiris",
)


@dataclass(frozen=True, slots=True)
class Client:
    """The abilities of the client that change what it is sent. The defaults are those of a client that says nothing."""

    encoding: Encoding = "utf-16"
    hover_formats: tuple[str, ...] = ()
    documentation_formats: tuple[str, ...] = ()
    snippets: bool = False
    item_edit_range: bool = False
    item_insert_text_mode: bool = False
    insert_text_mode: bool = False
    label_details: bool = False
    hierarchical_symbols: bool = False
    code_action_literals: bool = False
    is_preferred: bool = False
    disabled_actions: bool = False
    resolves_action_edit: bool = False
    related_information: bool = False
    code_description: bool = False
    unnecessary_tag: bool = False
    deprecated_tag: bool = False
    definition_links: bool = False
    prepare_rename: bool = False
    fold_lines_only: bool = False
    fold_limit: int | None = None
    document_changes: bool = False
    create_files: bool = False
    work_done_progress: bool = False
    configuration: bool = False
    watch_files: bool = False
    run_events: bool = False
    chat_events: bool = False
    model_requests: bool = False
    secret_requests: bool = False
    change_annotations: bool = False
    schema_view: bool = False
    discovery_offers: bool = False
    suggest_again: bool = False
    pull_diagnostics: bool = False
    refreshes: frozenset[str] = frozenset()
    register_configuration: bool = False

    @staticmethod
    def read(params: dict[str, Any]) -> Client:
        """The abilities in the raw ``initialize`` parameters. What has the wrong shape counts as absent."""
        able = params.get("capabilities")
        text = ("textDocument",)
        item = (*text, "completion", "completionItem")
        defaults = _list(able, *text, "completion", "completionList", "itemDefaults")
        return Client(
            encoding=choose_encoding(_list(able, "general", "positionEncodings")),
            hover_formats=tuple(_list(able, *text, "hover", "contentFormat")),
            documentation_formats=tuple(_list(able, *item, "documentationFormat")),
            snippets=_flag(able, *item, "snippetSupport"),
            item_edit_range="editRange" in defaults,
            item_insert_text_mode="insertTextMode" in defaults,
            insert_text_mode=bool(_list(able, *item, "insertTextModeSupport", "valueSet")),
            label_details=_flag(able, *item, "labelDetailsSupport"),
            hierarchical_symbols=_flag(able, *text, "documentSymbol", "hierarchicalDocumentSymbolSupport"),
            code_action_literals=_at(able, *text, "codeAction", "codeActionLiteralSupport") is not None,
            is_preferred=_flag(able, *text, "codeAction", "isPreferredSupport"),
            disabled_actions=_flag(able, *text, "codeAction", "disabledSupport"),
            resolves_action_edit=_flag(able, *text, "codeAction", "dataSupport")
            and "edit" in _list(able, *text, "codeAction", "resolveSupport", "properties"),
            related_information=_shown(able, "relatedInformation") is True,
            code_description=_shown(able, "codeDescriptionSupport") is True,
            unnecessary_tag=1 in _list(_shown(able, "tagSupport"), "valueSet"),
            deprecated_tag=2 in _list(_shown(able, "tagSupport"), "valueSet"),
            prepare_rename=_flag(able, *text, "rename", "prepareSupport"),
            definition_links=_flag(able, *text, "definition", "linkSupport"),
            fold_lines_only=_flag(able, *text, "foldingRange", "lineFoldingOnly"),
            fold_limit=_count(able, *text, "foldingRange", "rangeLimit"),
            document_changes=_flag(able, "workspace", "workspaceEdit", "documentChanges"),
            create_files=_flag(able, "workspace", "workspaceEdit", "documentChanges")
            and "create" in _list(able, "workspace", "workspaceEdit", "resourceOperations"),
            work_done_progress=_flag(able, "window", "workDoneProgress"),
            configuration=_flag(able, "workspace", "configuration"),
            watch_files=_flag(able, "workspace", "didChangeWatchedFiles", "dynamicRegistration"),
            run_events=_flag(able, "experimental", "osiris", "runEvent")
            or _flag(params.get("initializationOptions"), "runEvent"),
            chat_events=_flag(able, "experimental", "osiris", "chatEvent")
            or _flag(params.get("initializationOptions"), "chatEvent"),
            model_requests=_flag(able, "experimental", "osiris", "modelRequest")
            or _flag(params.get("initializationOptions"), "modelRequest"),
            secret_requests=_flag(able, "experimental", "osiris", "secretRequest")
            or _flag(params.get("initializationOptions"), "secretRequest"),
            change_annotations=_flag(able, "workspace", "workspaceEdit", "documentChanges")
            and _at(able, "workspace", "workspaceEdit", "changeAnnotationSupport") is not None,
            schema_view=_flag(able, "experimental", "osirisSchemaView"),
            discovery_offers=_flag(able, "experimental", "osiris", "discoveryOffer"),
            suggest_again=_flag(able, "experimental", "osiris", "triggerSuggest"),
            pull_diagnostics=_pulls(able),
            refreshes=frozenset(
                f"workspace/{_REFRESHED.get(name, name)}/refresh"
                for name in ("diagnostics", "codeLens", "inlayHint", "semanticTokens", "foldingRange")
                if _flag(able, "workspace", name, "refreshSupport")
            ),
            register_configuration=_flag(able, "workspace", "didChangeConfiguration", "dynamicRegistration"),
        )


_REFRESHED = {"diagnostics": "diagnostic"}


def _pulls(able: object) -> bool:
    """Whether the client asks for diagnostics by itself; then it is sent none, so that nothing shows twice."""
    return isinstance(_at(able, "textDocument", "diagnostic"), dict)


def _shown(able: object, key: str) -> Any:
    """An ability to show diagnostics: before LSP 3.18, those that are pulled are shown as those that are pushed."""
    found = _at(able, "textDocument", "diagnostic", key) if _pulls(able) else None
    return _at(able, "textDocument", "publishDiagnostics", key) if found is None else found


def _at(value: object, *path: str) -> Any:
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _flag(value: object, *path: str) -> bool:
    return _at(value, *path) is True


def _count(value: object, *path: str) -> int | None:
    found = _at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _list(value: object, *path: str) -> list[Any]:
    found = _at(value, *path)
    return found if isinstance(found, list) else []


def semantic_tokens_legend() -> dict[str, list[str]]:
    """The names of the numbers in semantic tokens."""
    from osiris.ide.semantic_tokens.kinds import KINDS, MODIFIERS

    return {"tokenTypes": list(KINDS), "tokenModifiers": list(MODIFIERS)}


def server_capabilities(client: Client, commands: Iterable[str]) -> dict[str, Any]:
    """The ``capabilities`` of the ``initialize`` reply, as plain JSON: nothing is declared that is not there."""
    declared: dict[str, Any] = {
        "positionEncoding": client.encoding,
        "textDocumentSync": {"openClose": True, "change": 2, "save": {"includeText": False}},
        "completionProvider": {"triggerCharacters": list(COMPLETION_TRIGGERS), "resolveProvider": True},
        "hoverProvider": True,
        "documentSymbolProvider": True,
        "workspaceSymbolProvider": True,
        "documentLinkProvider": {"resolveProvider": False},
        "callHierarchyProvider": True,
        "renameProvider": {"prepareProvider": True} if client.prepare_rename else True,
        "documentHighlightProvider": True,
        "referencesProvider": True,
        "definitionProvider": True,
        "codeActionProvider": {
            "codeActionKinds": list(CODE_ACTION_KINDS),
            "resolveProvider": client.resolves_action_edit,
        }
        if client.code_action_literals
        else True,
        "documentFormattingProvider": True,
        "documentRangeFormattingProvider": True,
        "foldingRangeProvider": True,
        "selectionRangeProvider": True,
        "inlayHintProvider": True,
        "codeLensProvider": {"resolveProvider": True},
        "semanticTokensProvider": {"legend": semantic_tokens_legend(), "range": True, "full": {"delta": True}},
        "executeCommandProvider": {"commands": sorted(commands)},
        "workspace": {"workspaceFolders": {"supported": True, "changeNotifications": True}},
    }
    if client.pull_diagnostics:
        declared["diagnosticProvider"] = {
            "identifier": "osiris",
            "interFileDependencies": True,
            "workspaceDiagnostics": True,
        }
    return declared
