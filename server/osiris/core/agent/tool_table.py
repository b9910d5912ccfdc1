"""The tools that a model is offered: their names, what they are for, and what they take."""

from __future__ import annotations

from typing import Any

from osiris.core.llm.messages import Tool


def _tool(name: str, description: str, required: tuple[str, ...] = (), **properties: dict[str, Any]) -> Tool:
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return Tool(name, description, schema)


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


_CONNECTION = _text("A connection as list_connections names it, such as @mysql.shop.")
_PATH = _text("The pipeline's file, relative to the project; leave it out for the one that is open.")
_SUMMARY = _text("One or two sentences for the user: what it does and what you assumed.")

TOOLS: tuple[Tool, ...] = (
    _tool("list_connections", "The connections of the project, and how much is known of the tables behind each."),
    _tool("list_components", "The components that steps can use, each with its modes and one sentence."),
    _tool("describe_component", "The keys that the config of a component takes.", ("component",),
          component=_text("Its name, such as mysql.extractor.")),
    _tool("list_tables", "The tables of a connection, with the number of their rows where it is known.",
          ("connection",), connection=_CONNECTION,
          contains=_text("Only tables whose name contains this text.")),
    _tool("describe_table", "The columns of a table: name, type, keys, references.", ("connection", "table"),
          connection=_CONNECTION, table=_text("Its name, or schema.name.")),
    _tool("list_pipelines", "The pipelines of the project."),
    _tool("read_pipeline", "The text of a pipeline with what is wrong in it.", (), path=_PATH),
    _tool("propose_pipeline", "Propose the whole text of a pipeline. It is checked; the user confirms it.",
          ("oml", "summary"), oml=_text("The whole OML text."), summary=_SUMMARY,
          path=_text("Where it is to stand; leave it out for the open pipeline, or for a new one.")),
    _tool("propose_step", "Propose a new text for one step of a pipeline, or one more step. It is checked; the user "
          "confirms it.", ("step", "oml", "summary"), step=_text("The id of the step that is replaced or added."),
          oml=_text("The YAML of this one step."), summary=_SUMMARY, path=_PATH),
    _tool("validate", "Check a text of OML without proposing it.", ("oml",), oml=_text("The whole OML text.")),
    _tool("preview_step", "The first rows of a step of the last proposal that has no error. The user is asked first.",
          ("step",), step=_text("The id of the step.")),
    _tool("ask_choice", "Leave one choice to the user. At most once, before looking at a database.",
          ("question", "options"), question=_text("The question, one sentence."),
          options={"type": "array", "items": {"type": "string"},
                   "description": "Two to five answers, your own advice first."}),
)  # fmt: skip

BY_NAME = {tool.name: tool for tool in TOOLS}
