"""``textDocument/completion``: light items; their documentation comes with ``completionItem/resolve``."""

from __future__ import annotations

import re
from typing import Any

from lsprotocol import types

from osiris.core.secrets_masking import mask_secrets
from osiris.ide.completion.complete import complete
from osiris.ide.completion.suggestion import Completions, Item, ItemKind
from osiris.ide.project_files.files import complete_file
from osiris.lsp.capabilities import Client
from osiris.lsp.documents import PROJECT_LANGUAGE, Kind, Snapshot
from osiris.lsp.project_file_snapshot import ProjectFileSnapshot, project_file
from osiris.lsp.session import Session

_KINDS = {
    ItemKind.KEY: types.CompletionItemKind.Property,
    ItemKind.VALUE: types.CompletionItemKind.EnumMember,
    ItemKind.COMPONENT: types.CompletionItemKind.Class,
    ItemKind.STEP: types.CompletionItemKind.Function,
    ItemKind.CONNECTION: types.CompletionItemKind.Interface,
    ItemKind.PARAM: types.CompletionItemKind.Variable,
    ItemKind.SNIPPET: types.CompletionItemKind.Snippet,
    ItemKind.FILE: types.CompletionItemKind.File,
    ItemKind.FOLDER: types.CompletionItemKind.Folder,
    ItemKind.VARIABLE: types.CompletionItemKind.Variable,
    ItemKind.SCHEMA: types.CompletionItemKind.Module,
    ItemKind.TABLE: types.CompletionItemKind.Struct,
    ItemKind.COLUMN: types.CompletionItemKind.Field,
    ItemKind.CONDITION: types.CompletionItemKind.Reference,
    ItemKind.FUNCTION: types.CompletionItemKind.Function,
    ItemKind.KEYWORD: types.CompletionItemKind.Keyword,
}
AnySnapshot = Snapshot | ProjectFileSnapshot

_SQL_TRIGGERS = ("(", "`")
_YAML_TRIGGERS = ("\n", ":", "-", "@", "/", "[", "{")
_LINE = re.compile(r"[^\r\n]*")
_SUGGEST_AGAIN = types.Command(title="Suggest", command="editor.action.triggerSuggest")


async def handle(session: Session, params: types.CompletionParams) -> types.CompletionList | None:
    """What could be typed at the position."""
    uri = params.text_document.uri
    snapshot = session.snapshot(uri) or project_file(session, uri)
    if snapshot is None:
        return None
    offset = snapshot.offset(params.position)
    if _broke_a_line(params.context) and (_selects_first(session, uri) or not _on_blank_line(snapshot, offset)):
        # Nobody who breaks a line in two asks for something to type; and where the editor selects the first suggestion,
        # the next Enter would take it.
        return None
    if isinstance(snapshot, ProjectFileSnapshot):
        found = complete_file(snapshot.file, offset)
    else:
        found = complete(snapshot.analysis, snapshot.environment, offset)
    if found is None or _unwanted(params.context, found):
        return None
    client = session.client
    span = snapshot.range(found.span)
    defaults: dict[str, Any] = {}
    if client.item_edit_range:
        defaults["edit_range"] = span
    if client.item_insert_text_mode:
        defaults["insert_text_mode"] = types.InsertTextMode.AsIs
    extra = [types.TextEdit(snapshot.range(edit.span), edit.new_text) for edit in found.edits] or None
    items = [_item(client, snapshot, span, order, item) for order, item in enumerate(found.items)]
    for item in items if extra else ():
        item.additional_text_edits = extra
    return types.CompletionList(
        is_incomplete=found.incomplete or (_by_itself(params.context) and found.span.start == found.span.end),
        items=items,
        item_defaults=types.CompletionItemDefaults(**defaults) if defaults else None,
    )


def _by_itself(context: types.CompletionContext | None) -> bool:
    """Whether a character that is no part of a word brought the list.

    VS Code selects nothing in such a list, so that Enter breaks the line. Letters that are typed before the list is
    there are a question of their own: that the list is incomplete makes the editor ask it, and select an answer.
    """
    return context is not None and context.trigger_kind == types.CompletionTriggerKind.TriggerCharacter


def _unwanted(context: types.CompletionContext | None, found: Completions) -> bool:
    """Whether a character brought a list that nobody wants behind it: a new line of a query, the end of a word."""
    if context is None or not _by_itself(context):
        return False
    if not found.within_sql:
        return context.trigger_character in _SQL_TRIGGERS
    return found.quiet or context.trigger_character in _YAML_TRIGGERS


def _broke_a_line(context: types.CompletionContext | None) -> bool:
    return context is not None and context.trigger_character == "\n"


def _selects_first(session: Session, uri: str) -> bool:
    """Whether the editor treats the document as any YAML, in which it selects the first suggestion of a list."""
    document = session.documents.get(uri)
    own = document is not None and (document.kind is Kind.PIPELINE or document.language_id == PROJECT_LANGUAGE)
    return not own


def _on_blank_line(snapshot: AnySnapshot, offset: int) -> bool:
    text = snapshot.text
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    line = _LINE.match(text, start)
    return line is not None and not line.group().strip()


def _item(client: Client, snapshot: AnySnapshot, span: types.Range, order: int, item: Item) -> types.CompletionItem:
    use_snippet = client.snippets and item.snippet is not None
    text = item.snippet if use_snippet and item.snippet is not None else item.text
    made = types.CompletionItem(
        label=item.label, kind=_KINDS[item.kind], sort_text=f"{order:04}", filter_text=item.filter
    )
    if item.detail and client.label_details:  # beside every label of the list, and not of the selected one alone
        made.label_details = types.CompletionItemLabelDetails(description=mask_secrets(item.detail))
    elif item.detail:
        made.detail = mask_secrets(item.detail)
    if use_snippet:
        made.insert_text_format = types.InsertTextFormat.Snippet
    if client.item_edit_range:
        made.text_edit_text = text if text != item.label else None
    else:
        made.text_edit = types.TextEdit(range=span, new_text=text)
    if client.insert_text_mode and not client.item_insert_text_mode and "\n" in text:
        made.insert_text_mode = types.InsertTextMode.AsIs
    if item.topic is not None:
        made.data = {"path": list(item.topic.path), "component": item.topic.component, "uri": snapshot.uri}
        if item.topic.code is not None:
            made.data["code"] = item.topic.code
        if item.topic.table is not None:
            names = {"connection": item.topic.connection, "table": list(item.topic.table), "column": item.topic.column}
            made.data = {"path": [], "uri": snapshot.uri, **names}
        if item.topic.function is not None:
            made.data = {"path": [], "uri": snapshot.uri, "function": list(item.topic.function)}
    if item.again and client.suggest_again:
        made.command = _SUGGEST_AGAIN
    return made
