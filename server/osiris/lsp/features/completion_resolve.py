"""``completionItem/resolve``: the documentation of one suggestion."""

from __future__ import annotations

from dataclasses import replace

from lsprotocol import types

from osiris.ide.completion.complete import documentation_of
from osiris.ide.completion.suggestion import Topic
from osiris.ide.project_files.files import documentation_of_file
from osiris.lsp.documents import path_of
from osiris.lsp.markup import markup
from osiris.lsp.project_file_snapshot import project_file
from osiris.lsp.session import Session


async def handle(session: Session, params: types.CompletionItem) -> types.CompletionItem:
    """The same item with its documentation; one without data, or with foreign data, as it came."""
    data = params.data
    if not isinstance(data, dict) or not isinstance(path := data.get("path"), list | tuple):
        return params
    steps = tuple(part for part in path if isinstance(part, str | int))
    topic = Topic(steps, _text(data.get("component")), _text(data.get("code")), _text(data.get("connection")))
    match data.get("table"):
        case [str(schema), str(table)]:
            topic = replace(topic, table=(schema, table), column=_text(data.get("column")))
    match data.get("function"):
        case [str(dialect), str(name)]:
            topic = replace(topic, function=(dialect, name))
    uri = str(data.get("uri", ""))
    if (snapshot := project_file(session, uri)) is not None:
        text = documentation_of_file(snapshot.file, topic)
    else:
        text = documentation_of(topic, session.projects.environment_of(path_of(uri)))
    if text:
        params.documentation = markup(text, session.client.documentation_formats)
    return params


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
