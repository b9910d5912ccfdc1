"""The schema view of a connection: a text that nobody edits, for clients that show such texts, else a read-only file.

The URI names the connection and the project, not the file of a workspace: ``osiris-schema:/mysql.shop.yaml?<project>``.
"""

from __future__ import annotations

import os
import re
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from osiris.lsp.connection_use import Target
from osiris.lsp.edits import Source
from osiris.lsp.errors import INVALID_PARAMS, RequestError
from osiris.syntax.text import LineIndex

if TYPE_CHECKING:
    from osiris.ide.schema_view import SchemaView
    from osiris.lsp.session import Session

SCHEME = "osiris-schema"
READ_ONLY = 0o444

_URI = re.compile(rf"{SCHEME}:/*([\w-]+)\.([\w-]+)\.yaml\?(.+)")


def uri_of(target: Target) -> str:
    """The URI of the view of a connection."""
    connection = target.connection
    project = quote(str(target.project.root), safe="")
    return f"{SCHEME}:/{connection.family}.{connection.alias}.yaml?{project}"


def target_of(session: Session, uri: str) -> Target:
    """The connection whose view a URI names. Raises RequestError for any other URI, and when there is none any more.

    Only projects that the client has to do with count: a URI opens no other folder.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise RequestError(f"{uri} is not the schema of a connection.", INVALID_PARAMS)
    root = Path(unquote(match[3]))
    project = session.projects.known(root)
    connections = project.environment().connections if project is not None else None
    found = connections.get(match[1], match[2]) if connections is not None else None
    if project is None or found is None:
        raise RequestError(f"There is no connection @{match[1]}.{match[2]} in {root}.")
    return Target(project, found)


def view_of(target: Target) -> SchemaView:
    """What is known of the connection now; also when that is nothing."""
    from osiris.ide.schema_view import schema_view
    from osiris.language.catalog import SchemaKnowledge

    knowledge = target.project.environment().schema_of(target.connection)
    return schema_view(knowledge or SchemaKnowledge(None, None), target.name)


def source_of_view(session: Session, target: Target, view: SchemaView) -> Source:
    """The view as a document that the client can open: by its own URI, or as a file that holds its text."""
    uri = uri_of(target) if session.client.schema_view else _written(target, view.text).as_uri()
    return Source(uri, view.text, None, LineIndex(view.text), session.documents.codec)


def file_of(target: Target) -> Path:
    """The file of the view, for clients that know files only."""
    from osiris.core.user_dirs import state_dir

    project = blake2b(str(target.project.root).encode(), digest_size=6).hexdigest()
    connection = target.connection
    name = quote(f"{connection.family}.{connection.alias}.yaml", safe="")  # an alias is whatever the file says
    return state_dir() / "schema" / project / name


def _written(target: Target, text: str) -> Path:
    """The file, holding ``text``. Nobody is to edit it, and it tells nobody else what a database holds."""
    from osiris.core.files import PRIVATE_FOLDER, atomic_write

    path, data = file_of(target), text.encode("utf-8")
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    if not path.is_file() or path.read_bytes() != data:
        atomic_write(path, data, private=True)
        os.chmod(path, READ_ONLY)
    return path


def renew_file(target: Target) -> None:
    """Bring the file up to date, if it was ever written."""
    if file_of(target).is_file():
        _written(target, view_of(target).text)
