"""What agents may do in one project: which tools they are offered, and what comes of calling one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from osiris.core.agent.fence import fenced
from osiris.core.agent.redaction import without_values
from osiris.core.config import Config
from osiris.core.error_taxonomy import ConfigurationError, OsirisError, ValidationError
from osiris.core.llm.ceiling import AiCeiling
from osiris.core.llm.errors import AiForbiddenError
from osiris.core.project import Project
from osiris.execution.agent_host import project_masker
from osiris.mcp.allowed import Allowed
from osiris.mcp.answers import Answer
from osiris.mcp.consent import Agreed
from osiris.mcp.tool_table import BY_TOOL_NAME, TOOLS, McpTool
from osiris.mcp.tools import Tools

PROVIDER = "mcp"  # what agents behind MCP are called in ``ai.providers`` of osiris.yaml
_WITHOUT_PROJECT = frozenset({"list_components", "describe_component"})
_log = logging.getLogger(__name__)


class Desk:
    """The tools for the project around ``folder``, as far as they are allowed."""

    def __init__(self, folder: Path, allowed: Allowed) -> None:
        self.project = Project.find(folder)
        self.allowed = allowed
        self._seen: dict[str, str] = {}  # the text of each pipeline as the agent has read it

    def tools(self) -> list[McpTool]:
        """Those that the user and the project's osiris.yaml allow; none where that forbids AI."""
        try:
            ceiling = self._ceiling()
        except ConfigurationError:  # each tool says so
            ceiling = AiCeiling()
        try:
            ceiling.require(PROVIDER)
        except AiForbiddenError:
            return []
        return [tool for tool in TOOLS if tool.needs is None or self._is_allowed(tool.needs, ceiling)]

    def call(self, name: str, arguments: Mapping[str, Any], cancel: threading.Event) -> Answer:
        """What comes of calling a tool. Never raises; what goes out is masked. It ends soon after ``cancel`` is set.
        From any thread."""
        masker = project_masker(self.project)
        try:
            tool = self._tool(name)
            _must_fit(arguments, tool)
            tools = Tools(self.project, self._agreed, self._seen, self._shows_values(), cancel)
            method: Callable[..., Answer] = getattr(tools, name)
            answer = method(**arguments)
        except OsirisError as error:
            answer = self._refusal(error)
        except Exception as error:  # noqa: BLE001 - the one place that turns every cause into an answer
            _log.error("%s: a defect of Osiris", name, exc_info=error)
            answer = Answer(f"Osiris met a defect of its own ({type(error).__name__}); its log says more.", ok=False)
        return Answer(masker.text(answer.text), answer.ok)

    def _refusal(self, error: OsirisError) -> Answer:
        """Why something was not done. What a database or an engine says is material, and may quote rows."""
        hint = f" {error.hint}" if error.hint else ""
        if isinstance(error, ConfigurationError | ValidationError):
            return Answer(f"{error.message}{hint}", ok=False)
        said = error.message if self._shows_values() else without_values(error.message)
        return Answer(f"That did not work:\n{fenced(f'{said}{hint}')}", ok=False)

    # ---- What may be done ------------------------------------------------------------------------------------------

    def _ceiling(self) -> AiCeiling:
        return Config.load(self.project.root).ai

    def _is_allowed(self, need: str, ceiling: AiCeiling) -> bool:
        return bool(getattr(self.allowed, need)) and (need != "data" or ceiling.allow_rows)

    def _tool(self, name: str) -> McpTool:
        """The tool, when it may be used. Raises OsirisError."""
        tool = BY_TOOL_NAME.get(name)
        if tool is None:
            there = ", ".join(one.name for one in self.tools())
            raise ValidationError(f"There is no tool {name}.", hint=f"There are: {there or 'none'}.")
        ceiling = self._ceiling()
        if ceiling.enabled and ceiling.providers is not None and PROVIDER not in ceiling.providers:
            raise AiForbiddenError(
                "This project does not allow agents over MCP.",
                hint="ai.providers in its osiris.yaml lists who may be told of it; `mcp` is not among them.",
            )
        ceiling.require(PROVIDER)
        if tool.needs is not None and not getattr(self.allowed, tool.needs):
            raise ValidationError(
                f"The user has not allowed {name}.",
                hint=f"It is there when osiris mcp is started with --allow-{tool.needs}.",
            )
        if tool.needs == "data":
            ceiling.require_rows()
        if name not in _WITHOUT_PROJECT and not self.project.is_marked:
            raise ConfigurationError(
                f"There is no Osiris project in {self.project.root}: no osiris.yaml and no osiris_connections.yaml.",
                hint="Start the server with --project DIR, or make a project: osiris init.",
            )
        return tool

    @cached_property
    def _agreed(self) -> Agreed:
        return Agreed(self.allowed.connect)

    def _shows_values(self) -> bool:
        """Whether messages may hold what they quote: those are values of rows."""
        try:
            return self._is_allowed("data", self._ceiling())
        except ConfigurationError:
            return False


def _must_fit(arguments: Mapping[str, Any], tool: McpTool) -> None:
    """Raise ValidationError that tells the agent what the arguments must be."""
    from jsonschema import Draft202012Validator

    for problem in Draft202012Validator(tool.schema).iter_errors(dict(arguments)):
        where = ".".join(str(part) for part in problem.absolute_path)
        known = ", ".join(tool.schema["properties"]) or "none"
        said = problem.message if len(problem.message) <= 200 else f"{problem.message[:200]}…"
        raise ValidationError(f"{where}: {said}" if where else f"{said}.", hint=f"The arguments are: {known}.")
