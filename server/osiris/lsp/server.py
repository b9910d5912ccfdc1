"""The server's tables: every method and every command, and the module that answers it.

A row names the module in ``features/`` (``commands/``) whose ``handle`` does the work. Modules are imported when a
message first needs them, so that the reply to ``initialize`` waits for nothing that it does not use; once the client
is ready, ``warm_up`` brings in the rest before the user types.
"""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any

REQUESTS = {
    "initialize": "initialize",
    "shutdown": "shutdown",
    "callHierarchy/incomingCalls": "incoming_calls",
    "callHierarchy/outgoingCalls": "outgoing_calls",
    "codeAction/resolve": "code_action_resolve",
    "completionItem/resolve": "completion_resolve",
    "codeLens/resolve": "code_lens_resolve",
    "textDocument/codeAction": "code_action",
    "textDocument/codeLens": "code_lens",
    "textDocument/completion": "completion",
    "textDocument/definition": "definition",
    "textDocument/diagnostic": "diagnostic",
    "textDocument/documentHighlight": "document_highlight",
    "textDocument/documentLink": "document_link",
    "textDocument/documentSymbol": "document_symbol",
    "textDocument/foldingRange": "folding_range",
    "textDocument/formatting": "formatting",
    "textDocument/hover": "hover",
    "textDocument/inlayHint": "inlay_hint",
    "textDocument/prepareCallHierarchy": "prepare_call_hierarchy",
    "textDocument/prepareRename": "prepare_rename",
    "textDocument/rangeFormatting": "range_formatting",
    "textDocument/references": "references",
    "textDocument/rename": "rename",
    "textDocument/selectionRange": "selection_range",
    "textDocument/semanticTokens/full": "semantic_tokens_full",
    "textDocument/semanticTokens/full/delta": "semantic_tokens_delta",
    "textDocument/semanticTokens/range": "semantic_tokens_range",
    "workspace/diagnostic": "workspace_diagnostic",
    "workspace/executeCommand": "execute_command",
    "workspace/symbol": "workspace_symbol",
}
NOTIFICATIONS = {
    "initialized": "initialized",
    "exit": "exit",
    "textDocument/didOpen": "did_open",
    "textDocument/didChange": "did_change",
    "textDocument/didSave": "did_save",
    "textDocument/didClose": "did_close",
    "workspace/didChangeConfiguration": "did_change_configuration",
    "workspace/didChangeWatchedFiles": "did_change_watched_files",
    "workspace/didChangeWorkspaceFolders": "did_change_workspace_folders",
    "window/workDoneProgress/cancel": "work_done_progress_cancel",
    "$/progress": "partial_result",
}
COMMANDS = {
    "osiris.validate": "validate",
    "osiris.compile": "compile",
    "osiris.run": "run",
    "osiris.showRun": "show_run",
    "osiris.cancelRun": "cancel_run",
    "osiris.doctor": "doctor",
    "osiris.discover": "discover",
    "osiris.lockSchema": "lock_schema",
    "osiris.catalog": "catalog",
    "osiris.newStep": "new_step",
    "osiris.schemaText": "schema_text",
    "osiris.chat.start": "chat_start",
    "osiris.chat.send": "chat_send",
    "osiris.chat.stop": "chat_stop",
    "osiris.chat.apply": "chat_apply",
    "osiris.chat.run": "chat_run",
    "osiris.chat.list": "chat_list",
    "osiris.chat.log": "chat_log",
    "osiris.chat.showPrompt": "chat_show_prompt",
    "osiris.chat.status": "chat_status",
}


def feature(name: str) -> Any:
    """The ``handle`` of a module in ``features/``."""
    return import_module(f"osiris.lsp.features.{name}").handle


def command(name: str) -> Any:
    """The ``handle`` of the module in ``commands/`` that stands behind a command; RequestError if there is none."""
    from osiris.lsp.errors import INVALID_PARAMS, RequestError

    module = COMMANDS.get(name)
    if module is None:
        known = ", ".join(sorted(COMMANDS))
        raise RequestError(f"There is no command {name!r}. Known commands: {known}.", INVALID_PARAMS)
    return import_module(f"osiris.lsp.commands.{module}").handle


def main() -> int:
    """Serve one client over standard input and output until it ends; returns the exit code of the process."""
    from osiris.lsp.wire import claim_stdio

    wire_in, wire_out = claim_stdio()
    gc.disable()  # Nothing that is made while the server starts is garbage; ``Collector`` turns it on again.
    from osiris.lsp.loop import serve

    return serve(wire_in, wire_out)
