"""Is this pipeline right? The one way to ask, for the command line, the editor, the compiler and everything else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from osiris.core.env_loader import EnvSource, load_env
from osiris.language.analysis import Analysis, Analyzer
from osiris.language.environment import Environment, StaticEnvironment
from osiris.syntax.document import PartCache, parse
from osiris.syntax.tree import Plain

if TYPE_CHECKING:
    from osiris.core.project import Project

__all__ = ["Analysis", "Checker", "check_text"]


class Checker:
    """Checks the versions of one document, one after the other: what an edit leaves as it was is not done again."""

    def __init__(self, environment: Environment) -> None:
        """``environment``: the surroundings, from ``Project.environment(path)``; ask for it again before each check."""
        self.environment = environment
        self._parts = PartCache()
        self._analyzer = Analyzer(environment.registry)

    def check(
        self,
        text: str,
        *,
        profile: str | None = None,
        params: Mapping[str, Plain] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Analysis:
        """The analysis of ``text``. Never raises for what a text holds."""
        document = parse(text, self._parts)
        return self._analyzer.analyse(document, self.environment, profile=profile, params=params, environ=environ)


def check_text(
    text: str,
    project: Project | None = None,
    path: Path | str | None = None,
    profile: str | None = None,
    params: Mapping[str, Plain] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Analysis:
    """The analysis of an OML text as the file ``path`` of ``project`` (None: outside any project).

    ``params`` are values by name (texts are read in the parameter's type); ``environ`` (default: the process
    environment over the project's ``.env``) is where ``OSIRIS_PARAM_*`` are looked up. Never raises for what the text
    holds. Raises ConfigurationError when the project's ``.env`` cannot be read.
    """
    environment: Environment = project.environment(path) if project is not None else StaticEnvironment()
    variables = param_variables(project, environ)
    return Checker(environment).check(text, profile=profile, params=params, environ=variables)


def param_variables(project: Project | None, environ: Mapping[str, str] | None = None) -> EnvSource:
    """Where the ``OSIRIS_PARAM_*`` of a check in ``project`` come from. Raises as load_env does."""
    if project is not None and environ is None:
        return project.variables()
    return load_env(project.root if project is not None else None, environ)
