"""The JSON Schemas of everything Osiris reads and writes, by name; ``schemas/`` holds them as files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from osiris.components.json_schema import DRAFT, connections_schema, oml_schema
from osiris.components.meta import component_schema
from osiris.components.registry import ComponentRegistry
from osiris.core.files import atomic_write
from osiris.core.remote_schema import remote_schema
from osiris.core.settings import json_schema as settings_schema

_DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_TIME = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"}
EVENTS = {
    "run_queued": "The run has a folder and waits for its turn.",
    "run_start": "The run begins.",
    "connection_resolve_complete": "The connection of a step is known and its variables are set.",
    "step_start": "A step begins.",
    "step_progress": "A step is on its way.",
    "step_commit": "A step that writes into a database is about to make its rows final.",
    "step_retry": "An attempt of a step failed; there will be another.",
    "step_complete": "A step succeeded.",
    "step_error": "A step failed.",
    "step_skipped": "A step did not run, because of another one.",
    "artifact_created": "A step has written a file or a table.",
    "remote_prepare": "A run on another machine is packed: how many files go along, and how much may come back.",
    "remote_start": "The other machine is there, and the run begins on it.",
    "remote_reconnect": "The run goes on on the other machine, and is followed from here again.",
    "run_complete": "The run succeeded.",
    "run_error": "The run failed.",
    "run_cancelled": "The run was stopped on request.",
}
"""The events of a run and what each means. Drivers may log others."""


def _is(kind: str | list[str], description: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "description": description, **more}


def config_schema() -> dict[str, Any]:
    """The schema of ``osiris.yaml``."""
    note = {"$schema": DRAFT, "type": ["object", "null"], "description": "Settings of an Osiris project."}
    return settings_schema() | note


def manifest_schema() -> dict[str, Any]:
    """The schema of a compiled pipeline, ``build/<name>/manifest.json``."""
    texts = {"type": "array", "items": {"type": "string"}}
    properties = {
        "manifest_version": {"const": "1", "description": "The version of this layout."},
        "oml_version": _is("string", "The version of OML that the pipeline is written in."),
        "compiler": _is(
            "object",
            "What compiled it.",
            required=["name", "version"],
            additionalProperties={"type": "string"},
        ),
        "pipeline": _is(
            "object", "Its name and description.", required=["name"], additionalProperties={"type": "string"}
        ),
        "profile": _is(["string", "null"], "The profile whose parameters were used."),
        "params": _is("object", "The values of the parameters, which are in the steps already."),
        "run_params": _is(
            "object", "Parameters that get their values from the run.", additionalProperties={"type": "object"}
        ),
        "sensitive_params": {**texts, "description": "Those of `run_params` that are secret."},
        "steps": _is("array", "The steps, each behind those it needs.", items=_manifest_step()),
        "on_failure": {"enum": ["continue", "stop"], "description": "What happens to the other steps when one fails."},
        "fingerprints": _is(
            "object",
            "Of what went into it.",
            required=["compiler", "components", "oml", "params"],
            additionalProperties=_DIGEST,
        ),
        "fingerprint": {**_DIGEST, "description": "SHA-256 of all the rest as canonical JSON."},
    }
    part = {"to": _is("string", "Of a part of a pipeline: the step that it leads to.")}
    return {
        "$schema": DRAFT,
        "title": "Osiris manifest",
        **_is("object", "A compiled pipeline.", required=list(properties), properties=properties | part),
    }


def _manifest_step() -> dict[str, Any]:
    texts = {"type": "array", "items": {"type": "string"}}
    way = {"type": "array", "items": {"type": ["string", "integer"]}}
    retry = {
        "attempts": _is("integer", "How many attempts in all.", minimum=1),
        "delay": _is("number", "Seconds before the second attempt.", minimum=0),
        "max_delay": _is("number", "The longest wait in seconds.", minimum=0),
    }
    properties = {
        "id": _is("string", "Names the step."),
        "component": _is("string", "The component."),
        "mode": {"enum": ["read", "transform", "write"], "description": "What it does with data."},
        "driver": _is(["string", "null"], "`module:Class` that runs it, null when nothing does yet."),
        "config": _is("object", "Its configuration with all defaults."),
        "connection": _is(
            "string", "Its connection, `@family.alias`; `@family` is the default one.", pattern=r"^(@|\$\{)"
        ),
        "needs": {**texts, "description": "The steps that come before it."},
        "inputs": _is("object", "Table name to the step whose data it is.", additionalProperties={"type": "string"}),
        "retry": _is("object", "Further attempts.", properties=retry, required=list(retry)),
        "timeout": _is("number", "How many seconds one attempt may take.", exclusiveMinimum=0),
        "description": _is("string", "What it is for."),
        "unresolved": _is("array", "The ways to texts that hold a parameter of the run.", items=way),
    }
    required = ["id", "component", "mode", "driver", "config", "needs", "inputs"]
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def event_schema() -> dict[str, Any]:
    """The schema of one line of ``events.jsonl``."""
    properties = {
        "ts": {**_TIME, "description": "When, in UTC."},
        "session": _is("string", "The id of the run.", minLength=1),
        "event": _is(
            "string",
            "What happened. " + " ".join(f"`{name}`: {text}" for name, text in EVENTS.items()),
            minLength=1,
            examples=list(EVENTS),
        ),
        "step_id": _is("string", "The step it is about."),
        "pipeline": _is("string", "The name of the pipeline."),
        "profile": _is("string", "The profile of the run."),
        "target": _is("string", "Where it runs."),
        "machine": _is("string", "The other machine that carries out the run."),
        "files": _is("integer", "How many files of the project go along.", minimum=0),
        "max_download": _is("integer", "How many bytes of files may come back.", minimum=0),
        "waits_for": _is("string", "The run of the same pipeline that is before it."),
        "resumes": _is("string", "The run that this one goes on with."),
        "reused": _is(
            "string",
            "The run that did this step already or left its rows, or `cache`: nothing it depends on has changed.",
        ),
        "fingerprint": {**_DIGEST, "description": "That of the manifest."},
        "component": _is("string", "The component of the step."),
        "connection": _is("string", "The connection of the step.", pattern="^@"),
        "allowed_folders": _is(
            "array",
            "The folders outside of the project that osiris.yaml lets the steps of this run touch, as it writes them.",
            items={"type": "string"},
        ),
        "segment": _is("integer", "The segment: steps with one number are computed together.", minimum=0),
        "segments": _is("integer", "How many segments the run has.", minimum=0),
        "steps": _is("integer", "How many steps the run has; at its end, how many succeeded.", minimum=0),
        "rows": _is(["integer", "null"], "How many rows the step read, made or wrote (so far).", minimum=0),
        "duration": _is("number", "Seconds, so far while the step is on its way.", minimum=0),
        "rows_per_second": _is("number", "How many rows went through each second since it was last said.", minimum=0),
        "bytes_per_second": _is("number", "How many bytes went through each second since it was last said.", minimum=0),
        "percent": _is("number", "How far the step is.", minimum=0, maximum=100),
        "attempt": _is("integer", "Which attempt failed.", minimum=1),
        "attempts": _is("integer", "How many attempts there are, or were.", minimum=1),
        "delay": _is("number", "Seconds until the next attempt.", minimum=0),
        "code": _is("string", "The code of the error.", pattern="^OML[0-9]{3}$"),
        "warning": _is("string", "Something in the data that did not stop the step but should be known."),
        "message": _is("string", "What went wrong."),
        "all_or_nothing": _is("boolean", "True: until its `step_commit`, nothing of what the step writes is final."),
        "journalled": _is("boolean", "Whether the target holds an entry that tells a later run that the rows came."),
        "repeatable": _is("boolean", "True: what the step writes comes out the same when it is done twice."),
        "outcome_unknown": _is("boolean", "True: nobody knows whether the step has written its rows."),
        "line": _is("integer", "The line in the query of the step that the error is about, from 1.", minimum=1),
        "column": _is("integer", "The column in that line, from 1, in characters.", minimum=1),
        "hint": _is("string", "What to do about it."),
        "reason": _is("string", "Why the step did not run."),
        "path": _is("string", "The file that was written."),
        "bytes": _is(["integer", "null"], "The size of what was written, or went through so far.", minimum=0),
    }
    of_step = [name for name in EVENTS if name.startswith("step_")]
    return {
        "$schema": DRAFT,
        "title": "Osiris run event",
        **_is("object", "One line of events.jsonl.", required=["ts", "session", "event"], properties=properties),
        "if": {"properties": {"event": {"enum": of_step}}},
        "then": {"required": ["step_id"]},
    }


def lock_schema() -> dict[str, Any]:
    """The schema of ``osiris.schema.json``."""
    from typing import get_args

    from osiris.language.catalog import TableKind

    column = {
        "name": _is("string", "The name of the column."),
        "type": _is("string", "Its type in the words of the database."),
        "arrow": _is("string", "The Arrow type that its values get."),
        "nullable": _is("boolean", "Whether it may be null; absent when nobody can say."),
        "primary_key": _is("integer", "Its place in the primary key, from 1.", minimum=1),
        "unique": _is("boolean", "Whether its values are unique."),
        "references": _is("string", "`table.column` or `schema.table.column` of a foreign key."),
        "generated": _is("boolean", "Whether the database computes it."),
        "values": _is("array", "The labels of an enum.", items={"type": "string"}),
    }
    columns = {"type": "object", "required": ["name", "type"], "properties": column}
    table = {
        "kind": {"enum": list(get_args(TableKind)), "description": "What it is."},
        "schema": _is("string", "Its schema, where a dot in a name makes the key unclear."),
        "name": _is("string", "Its name, where a dot in it makes the key unclear."),
        "columns": _is("array", "Its columns in their order.", items=columns),
    }
    tables = {"type": "object", "required": ["columns"], "properties": table}
    connection = {
        "dialect": _is("string", "The SQL that it speaks."),
        "default_schema": _is("string", "Where a table without a schema is looked for."),
        "tables": _is(
            "object",
            "By name; `schema.table` for one outside the default schema.",
            additionalProperties=tables,
        ),
    }
    properties = {
        "schema_version": {"const": 1, "description": "The version of this layout."},
        "connections": _is(
            "object",
            "By reference, `@family.alias`.",
            additionalProperties={"type": "object", "required": ["tables"], "properties": connection},
        ),
    }
    return {
        "$schema": DRAFT,
        "title": "Osiris schema lock (osiris.schema.json)",
        **_is("object", "The tables that pipelines use.", required=list(properties), properties=properties),
    }


def _builtin_only(make: Callable[[ComponentRegistry], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    return lambda: make(ComponentRegistry(plugins=False))


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "component": component_schema,
    "config": config_schema,
    "connections": _builtin_only(connections_schema),
    "event": event_schema,
    "lock": lock_schema,
    "manifest": manifest_schema,
    "oml": _builtin_only(oml_schema),
    "remote": remote_schema,
}
"""The schemas as the files in ``schemas/`` hold them: with the built-in components, whatever else is installed."""


def schema_names() -> tuple[str, ...]:
    """The names of the schemas, sorted."""
    return tuple(sorted(SCHEMAS))


def schema(name: str, registry: ComponentRegistry | None = None) -> dict[str, Any]:
    """The schema of this name, with all installed components or those of ``registry``. Raises KeyError."""
    registry = registry or ComponentRegistry.builtin()
    with_components = {"oml": oml_schema, "connections": connections_schema}
    return with_components[name](registry) if name in with_components else SCHEMAS[name]()


def schema_text(name: str) -> str:
    """The text of ``schemas/<name>.schema.json``."""
    return json.dumps(SCHEMAS[name](), indent=2, ensure_ascii=False) + "\n"


def write_all(folder: Path) -> list[Path]:
    """Write all schemas into ``folder``; the files written. Raises ExecutionError when one cannot be."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in schema_names():
        path = folder / f"{name}.schema.json"
        atomic_write(path, schema_text(name).encode())
        written.append(path)
    return written
