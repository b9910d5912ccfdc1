"""The tools that agents are offered: their names, what they are for, what they take, and what they may change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from osiris.core.agent.tool_table import BY_NAME

MOST_ROWS = 100
MOST_SECONDS = 60

Need = Literal["data", "write", "run"]


@dataclass(frozen=True, slots=True)
class McpTool:
    """``needs``: the permission without which the tool is not there. ``destructive``: it may change or overwrite what
    is there; ``outside``: it reaches databases or services."""

    name: str
    title: str
    description: str
    schema: dict[str, Any]
    needs: Need | None = None
    read_only: bool = True
    destructive: bool = False
    idempotent: bool = True
    outside: bool = False


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": description}


def _number(description: str, least: int, most: int, default: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most, "default": default, "description": description}


def _takes(required: tuple[str, ...] = (), **properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_CONNECTION = _text("A connection as list_connections names it, such as @mysql.shop.")
_PATH = _text("The file of the pipeline, relative to the project, such as pipelines/orders.oml.yaml.")
_OML = _text("The whole OML text, instead of a file's.")
_PROFILE = _text("Use the params of this profile of the pipeline.")
_PARAMS = {"type": "object", "description": "Values of the pipeline's params, by name."}
_STEP = _text("The id of the step.")
_RUN = _text("The id of the run, the beginning of it, or `latest`.")


def _reused(name: str, title: str, *, outside: bool = False) -> McpTool:
    """A tool that Osiris' own agent has as well."""
    tool = BY_NAME[name]
    properties: dict[str, Any] = {key: dict(value) for key, value in tool.parameters["properties"].items()}
    schema = _takes(tuple(tool.parameters["required"]), **properties)
    return McpTool(name, title, tool.description, schema, outside=outside)


TOOLS: tuple[McpTool, ...] = (
    _reused("list_connections", "List connections"),
    _reused("list_tables", "List tables", outside=True),
    _reused("describe_table", "Describe a table", outside=True),
    _reused("list_components", "List components"),
    _reused("describe_component", "Describe a component"),
    _reused("list_pipelines", "List pipelines"),
    McpTool("read_pipeline", "Read a pipeline", "The text of a pipeline with what is wrong in it.",
            _takes(("path",), path=_PATH)),
    McpTool("validate", "Check pipelines",
            "What is wrong in a pipeline, and where: a text (`oml`), a file (`path`), or all of the project. The same "
            "findings as in the editor and of `osiris validate`, with edits that mend them. Lines and characters count "
            "from 0.",
            _takes(oml=_OML, path=_PATH, profile=_PROFILE, params=_PARAMS)),
    McpTool("compile", "Compile a pipeline",
            "Whether a pipeline compiles: the order of its steps and its fingerprint. Nothing is written.",
            _takes(oml=_OML, path=_PATH, profile=_PROFILE, params=_PARAMS)),
    McpTool("list_runs", "List runs", "The runs of the project, the newest first.",
            _takes(limit=_number("At most so many.", 1, 50, 20))),
    McpTool("show_run", "Show a run", "A run: its state, its steps and what went wrong.", _takes(("run",), run=_RUN)),
    McpTool("follow_run", "Follow a run",
            "What happens in a run, until it ends or the time is over. Call it again with `after` set to the `next` of "
            "the answer to go on.",
            _takes(("run",), run=_RUN, after=_number("Leave out so many events.", 0, 10**9, 0),
                   seconds=_number("How long to wait for more.", 0, MOST_SECONDS, 20))),
    McpTool("write_pipeline", "Write a pipeline",
            "Write the whole text of a pipeline to its file. It is checked first: one with errors is not written, and "
            "the findings come back. To change one that is there, read it first; its comments stay.",
            _takes(("oml",), oml=_text("The whole OML text."),
                   path=_text("The file, relative to the project; by default pipelines/<name>.oml.yaml.")),
            "write", read_only=False, destructive=True),
    McpTool("run_pipeline", "Run a pipeline",
            "Compile a pipeline and start it in the background, as `osiris run --detach`: it reads its sources and "
            "writes its targets. Follow it with follow_run.",
            _takes(("path",), path=_PATH, profile=_PROFILE, params=_PARAMS,
                   to=_text("Run this step and what it waits for, and nothing else.")),
            "run", read_only=False, destructive=True, idempotent=False, outside=True),
    McpTool("cancel_run", "Cancel a run", "Stop a run: at first politely, by force after two seconds.",
            _takes(("run",), run=_RUN), "run", read_only=False, destructive=True),
    McpTool("preview_step", "Preview a step",
            "The first rows that a step of a pipeline yields. Only the steps run that it needs, and none that writes.",
            _takes(("step",), step=_STEP, oml=_OML, path=_PATH,
                   limit=_number("At most so many rows.", 1, MOST_ROWS, 20)),
            "data", outside=True),
    McpTool("sample_rows", "Sample rows", "The first rows of a table.",
            _takes(("connection", "table"), connection=_CONNECTION, table=_text("Its name, or schema.name."),
                   limit=_number("At most so many rows.", 1, MOST_ROWS, 5)),
            "data", outside=True),
)  # fmt: skip

BY_TOOL_NAME = {tool.name: tool for tool in TOOLS}
