"""Hover in the YAML files of a project: keys, connections, codes, variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osiris.ide import documentation
from osiris.ide.cursor import Role, cursor_at
from osiris.ide.hover.hover import Hover
from osiris.ide.project_files.schema import lookup, schema_of
from osiris.ide.vocabulary import Path
from osiris.language.connection_checks import VARIABLE
from osiris.language.connections import parse_connections
from osiris.syntax.codes import CODES
from osiris.syntax.document import parse
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.ide.project_files.files import ProjectFile


def hover(file: ProjectFile, offset: int) -> Hover | None:
    """What to say about the place at ``offset``."""
    cursor = cursor_at(parse(file.text), offset)
    if cursor.role is Role.NOTHING:
        return None
    if file.kind.value == "connections":
        line_start = max(file.text.rfind("\n", 0, offset), file.text.rfind("\r", 0, offset)) + 1
        line_end = min((at for at in (file.text.find(c, offset) for c in "\r\n") if at >= 0), default=len(file.text))
        for match in VARIABLE.finditer(file.text, line_start, line_end):
            if match.start() <= offset <= match.end():
                return Hover(Span(*match.span()), about_variable(file, match[1], with_default=match[2] is not None))
    if cursor.token.start == cursor.token.end or cursor.role is Role.TEXT:
        return None
    path = (*cursor.path, cursor.text) if cursor.role is Role.KEY else cursor.path
    text = about_key(file, path)
    return Hover(cursor.token, text) if text else None


def about_key(file: ProjectFile, path: Path) -> str | None:
    """What a key is for, or the connection that it names."""
    schema = lookup(schema_of(file), path)
    if schema is None or not path or not isinstance(path[-1], str):
        return None
    key = path[-1]
    if file.kind.value == "connections" and len(path) == 3:
        connection = parse_connections(file.text).get(str(path[1]), key)
        secret = {name for name, field in schema.get("properties", {}).items() if field.get("x-secret")}
        return documentation.of_connection(connection, secret, file.env) if connection is not None else None
    if key in CODES:
        return documentation.of_code(key)
    parent = lookup(schema_of(file), path[:-1]) or {}
    text = documentation.of_schema(key, schema, required=key in parent.get("required", ()))
    if schema.get("x-secret"):
        text += "\n\nThis is a secret: write it as `${VARIABLE}`, and set the variable in the environment or in `.env`."
    if variable := schema.get("x-variable"):
        is_set = file.env.variable_origin(variable) == "environment"
        text += f"\n\nThe environment variable `{variable}` goes before this file" + (
            ", and is set." if is_set else "."
        )
    return text


def about_variable(file: ProjectFile, name: str, *, with_default: bool) -> str:
    """Whether and where a variable is set; never its value."""
    state = documentation.of_origin(file.env.variable_origin(name))
    both = file.env.variable_origin(name) == "environment" and name in file.dotenv_names
    lines = [f"**${{{name}}}** · {state}"]
    if both:
        lines += ["", "`.env` sets it as well; the environment wins."]
    if with_default:
        lines += ["", "What stands behind `:-` is taken where it is not set, or empty."]
    return "\n".join(lines)
