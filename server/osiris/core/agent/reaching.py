"""Where looking at rows leads: the connections that are used for it, each to the place that the user knows it by."""

from __future__ import annotations

from osiris.core.compiler_v0 import compile_text
from osiris.core.error_taxonomy import ValidationError
from osiris.core.manifest import Manifest
from osiris.core.project import Project
from osiris.language.connections import Connection, Connections, parse_reference

# What a step may say in place of its connection, and what takes the connection's password elsewhere.
_PLACES = ("host", "port", "endpoint", "url", "project_id", "region", "custom_base_url")


def connection_named(connections: Connections | None, reference: str) -> Connection:
    """The connection that ``@family.alias`` or ``@family`` means, with or without its ``@``. Raises ValidationError."""
    given = reference if reference.startswith("@") else f"@{reference}"
    named = parse_reference(given)
    if connections is not None:
        found = connections.get(*named) if named is not None else connections.choose(given[1:], None)
        if isinstance(found, Connection):
            return found
    choices = ", ".join(references(connections))
    raise ValidationError(f"There is no connection {reference}.", hint=f"There are: {choices or 'none'}.")


def references(connections: Connections | None) -> list[str]:
    """The connections that a step can name, sorted. Any other key is a text that somebody wrote into a file."""
    found = connections.references() if connections is not None else ()
    return [reference for reference in found if parse_reference(reference) is not None]


def reached(project: Project, manifest: Manifest) -> tuple[Connection, ...]:
    """The connections that the steps of ``manifest`` use.

    Raises ValidationError when a step leads to another address than that of its connection, or to one of its own: what
    the user agreed to is the connection, and nobody has been asked about that address.
    """
    environment = project.environment()
    found: dict[str, Connection] = {}
    for step in manifest["steps"]:
        spec = environment.registry.get(str(step["component"]))
        for key in _PLACES:
            value = step["config"].get(key)
            if value is not None and (spec is None or value != (spec.property(key) or {}).get("default")):
                raise ValidationError(
                    f"The step {step['id']} names an address of its own (`{key}`): agents do not look at its rows.",
                    hint="Leave that to the connection, or have the user look at the rows themselves.",
                )
        if used := step.get("connection"):
            connection = connection_named(environment.connections, str(used))
            found[connection.reference] = connection
    return tuple(found.values())


def reached_by(project: Project, text: str, path: str, step: str) -> tuple[Connection, ...]:
    """As ``reached``, for what ``step`` of the pipeline ``text`` waits for. Raises also as ``compile_text`` does."""
    manifest, _ = compile_text(text, project.root / path, project=project, step=step)
    return reached(project, manifest)
