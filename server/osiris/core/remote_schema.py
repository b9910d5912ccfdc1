"""The JSON Schema of the messages between this machine and one elsewhere that carries out a run."""

from __future__ import annotations

from typing import Any

from osiris.components.json_schema import DRAFT

PROTOCOL = 1
_DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def _is(kind: str | list[str], description: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "description": description, **more}


def remote_schema() -> dict[str, Any]:
    """The schema of one message of either side."""
    return {
        "$schema": DRAFT,
        "title": "Osiris remote run protocol",
        "description": f"Version {PROTOCOL}. The host sends one `request`; the machine answers with the others.",
        "oneOf": [_request(), *(_answer(kind, *shape) for kind, shape in _ANSWERS.items())],
    }


def _message(kind: str, description: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "title": kind,
        **_is("object", description, required=["kind", *required], additionalProperties=False),
        "properties": {"kind": {"const": kind}, **properties},
    }


def _file() -> dict[str, Any]:
    return {
        "path": _is("string", "Relative, with `/`.", pattern="^[^/]"),
        "size": _is("integer", "In bytes.", minimum=0),
        "sha256": {**_DIGEST, "description": "Of its content."},
    }


def _request() -> dict[str, Any]:
    file = {"type": "object", "required": ["path", "size", "sha256"], "properties": _file()}
    connection = {
        "fields": _is("object", "Its fields, every variable filled in."),
        "secrets": _is("array", "The values that must never be shown.", items={"type": "string"}),
    }
    settings = {
        "memory": _is(["integer", "null"], "Bytes that the run may use; null: a share of what is there."),
        "parallel": _is(["integer", "null"], "How many steps may run at once."),
        "deterministic": _is("boolean", "One step at a time, SQL in one thread."),
        "journal": _is("boolean", "Whether databases that steps append to get a journal."),
    }
    properties = {
        "protocol": {"const": PROTOCOL, "description": "The version of these messages."},
        "run_id": _is("string", "The id of the run, on both machines.", pattern="^run_[0-9A-Z]{26}$"),
        "manifest": _is("object", "What is carried out; manifest.schema.json has its shape."),
        "params": _is("object", "Values of the parameters that the manifest leaves open."),
        "connections": _is(
            "object",
            "By step: the connections that the manifest names, and no other.",
            additionalProperties={"type": "object", "required": list(connection), "properties": connection},
        ),
        "settings": _is("object", "What counts of osiris.yaml.", required=list(settings), properties=settings),
        "resume": _is(["object", "null"], "What an earlier run has done already."),
        "files": _is("array", "The files that were sent, to be checked before anything starts.", items=file),
        "outputs": _is(
            "object",
            "By step: the files that it writes, relative to the project.",
            additionalProperties={"type": "array", "items": {"type": "string"}},
        ),
    }
    return _message("request", "What the worker shall do.", properties, list(properties))


def _answer(kind: str, description: str, properties: dict[str, Any], optional: tuple[str, ...]) -> dict[str, Any]:
    number = {"n": _is("integer", "Counts the messages of the machine, from 1.", minimum=1)}
    return _message(
        kind, description, number | properties, ["n", *(name for name in properties if name not in optional)]
    )


_RECORD = {"record": _is("object", "The line, without the session.")}
_ANSWERS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "hello": (
        "The worker has its request and begins.",
        {
            "protocol": _is("integer", "The version of these messages."),
            "osiris": _is("string", "The version of Osiris there."),
            "python": _is("string", "The version of Python there."),
            "time": _is("number", "Its clock, in seconds since 1970."),
        },
        (),
    ),
    "event": ("A line of events.jsonl.", _RECORD, ()),
    "metric": ("A line of metrics.jsonl.", _RECORD, ()),
    "file": (
        "A file is complete. Its message comes before that of the step's end.",
        {
            "place": {"enum": ["project", "run"], "description": "What the path is relative to."},
            "at": _is("string", "Where it is to be fetched, when that is not its path: a copy, relative to the same."),
            **_file(),
        },
        ("at",),
    ),
    "alive": ("Nothing has happened for a while.", {"time": _is("number", "Its clock.")}, ()),
    "end": (
        "How the run ended: with an outcome, or with the death of the process that carried it out.",
        {
            "outcome": _is("object", "State, error, steps and rows, as in status.json.", required=["state", "steps"]),
            "broken": _is("boolean", "True: Osiris itself failed."),
            "died": _is("string", "How the process came to its end."),
        },
        ("outcome", "broken", "died"),
    ),
}
