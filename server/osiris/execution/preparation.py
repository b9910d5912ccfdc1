"""Everything a run needs, looked up before anything starts: drivers, connections, paths, limits."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.allowed_folders import followed
from osiris.core.driver import Driver, DriverRegistry
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.file_patterns import is_pattern, matches
from osiris.core.lookup import missing_package
from osiris.core.secrets_masking import Masker
from osiris.drivers.context import temporary_sibling
from osiris.drivers.paths import Place, refuse_own_file, resolve_path
from osiris.execution.memory import run_memory
from osiris.language.naming import step_id_problem
from osiris.sql.gate import Limits

if TYPE_CHECKING:
    from osiris.components.spec import ComponentSpec
    from osiris.core.config import Config
    from osiris.core.manifest import Manifest

SPILL = "spill"
DATABASE_SHARE = 0.6


@dataclass
class PreparedStep:
    """A step with everything that runs it. ``config`` holds the resolved connection, so it never leaves the process."""

    manifest: Mapping[str, Any]
    driver: Driver
    config: dict[str, Any] = field(repr=False)

    @property
    def lazy(self) -> bool:
        """Whether running the driver only describes the rows."""
        return bool(getattr(self.driver, "lazy", False))

    @property
    def all_or_nothing(self) -> bool:
        """Whether the driver writes nothing that is final before it has said so (``StepContext.about_to_commit``)."""
        told = getattr(self.driver, "all_or_nothing", False)
        return bool(told(self.config) if callable(told) else told)

    @property
    def own(self) -> bool:
        """Whether the driver is one of ours: it can be interrupted wherever it is."""
        return type(self.driver).__module__.startswith("osiris.drivers.")


@dataclass
class Preparation:
    """What ``prepare`` found: the steps, the limits of the database, and the values that must never be shown.

    ``parallel``: how many segments may be worked on at once. ``allowed``: the folders outside of the project that steps
    may touch, links followed; ``told``: the same as osiris.yaml writes them. ``reuse``: for how many seconds rows
    read from a server may be used again.
    """

    steps: dict[str, PreparedStep]
    limits: Limits
    secrets: tuple[str, ...] = field(repr=False)
    connections: dict[str, str]
    parallel: int = 1
    allowed: tuple[Path, ...] = ()
    told: tuple[str, ...] = ()
    reuse: float = 0


def prepare(
    manifest: Manifest,
    *,
    root: Path,
    run_dir: Path,
    session_id: str,
    params: Mapping[str, Any] | None = None,
    memory: int | None = None,
    parallel: int | None = None,
    deterministic: bool | None = None,
    connections: Mapping[str, Mapping[str, Any]] | None = None,
) -> Preparation:
    """Look up what ``manifest`` needs; nothing is written, and no file is read but the project's settings.

    ``params`` are values of parameters that the manifest leaves open; ``memory``, ``parallel`` and ``deterministic``
    override what is configured (bytes; steps at once; one step at a time, SQL in one thread). ``connections`` are by
    step those that somebody else has resolved, ``fields`` and ``secrets``; then the project has none. Raises
    ConfigurationError for whatever is missing: a driver, a package, a connection, a variable; and for a path that
    leads outside.
    """
    steps: list[Any] = list(manifest.get("steps") or [])
    _check_shape(steps)
    drivers = _drivers(steps)
    settings = _Settings(root)
    secrets: list[str] = []
    if manifest.get("run_params") or params:
        from osiris.core.run_params import fill_run_params

        steps, hidden = fill_run_params(manifest, given=params, environ=settings.config.env)
        secrets.extend(hidden)
    named: dict[str, str] = {}
    prepared: dict[str, PreparedStep] = {}
    for step in steps:
        spec = _spec(step["component"])
        config = dict(step.get("config") or {})
        reference = step.get("connection")
        if reference:
            given = connections.get(step["id"]) if connections is not None else None
            if given is None:
                resolved = settings.config.connection(reference).resolve(settings.config.env, spec)
                given = {"fields": resolved.fields, "secrets": resolved.secrets}
            config["connection"] = given["fields"]
            secrets.extend(given["secrets"])
            named[step["id"]] = reference
        else:
            config.pop("connection", None)
        prepared[step["id"]] = PreparedStep(step, drivers[step["id"]], config)
    try:
        allowed = followed(root, settings.config.allowed_folders)
        paths = _paths(prepared, root, session_id, allowed)
    except ConfigurationError as error:  # it repeats the path, which a connection or a parameter may have given
        masker = Masker(secrets)
        raise ConfigurationError(masker.text(error.message), code=error.code, hint=error.hint) from None
    one_thread = settings.deterministic if deterministic is None else deterministic
    limits = _limits(paths, run_dir, memory or settings.memory, one_thread)
    lanes = 1 if one_thread else parallel or settings.parallel
    hidden_values = tuple(dict.fromkeys(secrets))
    told, reuse = settings.config.allowed_folders, settings.config.reuse_sources_seconds
    return Preparation(prepared, limits, hidden_values, named, lanes, allowed, told, reuse)


class _Settings:
    """The project's configuration, read when first asked for: a run without connections needs none of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._config: Config | None = None

    @property
    def config(self) -> Config:
        if self._config is None:
            from osiris.core.config import Config

            self._config = Config.load(self.root)
        return self._config

    @property
    def memory(self) -> int | None:
        return self.config.runtime.memory_bytes

    @property
    def deterministic(self) -> bool:
        return self.config.runtime.deterministic

    @property
    def parallel(self) -> int:
        return self.config.runtime.max_parallel_steps


def _check_shape(steps: list[Any]) -> None:
    if not steps:
        raise ConfigurationError("The manifest has no steps.", hint="Compile the pipeline again.")
    seen: set[str] = set()
    for step in steps:
        name = step.get("id") if isinstance(step, Mapping) else None
        problem = step_id_problem(name) if isinstance(name, str) else "is not text"
        if problem is not None or name is None:
            raise ConfigurationError(f"The manifest has a step whose id {problem}.", hint="Compile the pipeline again.")
        if name.lower() in seen:
            raise ConfigurationError(f"The manifest has two steps {name}.", hint="Compile the pipeline again.")
        upstream = [str(n) for n in [*(step.get("needs") or ()), *(step.get("inputs") or {}).values()]]
        unknown = [need for need in upstream if need.lower() not in seen]
        if unknown:
            raise ConfigurationError(
                f"The step {name} needs {unknown[0]}, which does not come before it.",
                hint="Compile the pipeline again.",
            )
        seen.add(name.lower())


def _drivers(steps: list[Any]) -> dict[str, Driver]:
    drivers: dict[str, Driver] = {}
    shared: dict[tuple[str, str | None], Driver] = {}
    problems: list[ConfigurationError] = []
    for step in steps:
        key = (str(step["component"]), step.get("driver"))
        try:
            if key not in shared:
                _need_packages(key[0])
                shared[key] = DriverRegistry.for_step(*key)
            drivers[step["id"]] = shared[key]
        except ConfigurationError as error:
            if str(error) not in [str(problem) for problem in problems]:
                problems.append(error)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise ConfigurationError(" ".join(str(problem) for problem in problems), hint=problems[0].hint)
    return drivers


def _need_packages(component: str) -> None:
    spec = _spec(component)
    if spec is None or spec.driver is None:
        return
    for package in spec.requirements.get("imports") or ():
        if importlib.util.find_spec(package) is None:
            raise missing_package(ModuleNotFoundError(name=package), f"The component {component}")


def _spec(component: str) -> ComponentSpec | None:
    from osiris.components.registry import ComponentRegistry

    return ComponentRegistry.builtin().get(component)


def _paths(steps: Mapping[str, PreparedStep], root: Path, session_id: str, allowed: Sequence[Path]) -> tuple[str, ...]:
    """The paths that the manifest names, and nothing else: what the run's database may open.

    A pattern stands for the files that are there when the run begins, and for those that its own steps write.
    """
    paths: dict[str, None] = {}
    written: list[str] = []
    patterns = False
    for name, step in steps.items():
        spec = _spec(step.manifest["component"])
        for key, direction in (spec.path_keys if spec is not None else {}).items():
            base_key = spec.path_base_key if spec is not None else None
            try:
                place = resolve_path(root, step.config, key=key, base_key=base_key, allowed=allowed)
                if direction == "output":
                    refuse_own_file(root, place)
            except ConfigurationError as error:
                raise ConfigurationError(f"Step {name}: {error}", hint=error.hint) from error
            path = place.path if direction == "input" else temporary_sibling(place.path, session_id)
            paths[str(path)] = None
            if direction == "output":
                written.append(str(place.path))
            elif is_pattern(str(place.path)) and not os.path.lexists(place.path):
                patterns = True
                paths |= dict.fromkeys(_fitting(place))
    return (*paths, *(written if patterns else ()))


def _fitting(place: Place) -> list[str]:
    """The files that a pattern stands for now; one behind a link that leads outside is left to the step to refuse."""
    with contextlib.suppress(OSError):  # the step says what is wrong with the folder
        resolved = [match.path.resolve() for match in matches(place.path).files]
        return [str(path) for path in resolved if any(path.is_relative_to(home) for home in place.homes)]
    return []


def _limits(paths: tuple[str, ...], run_dir: Path, memory: int | None, one_thread: bool) -> Limits:
    spill = run_dir / SPILL
    return Limits(
        paths=paths,
        directories=(str(spill),),
        spill=str(spill),
        memory=int(run_memory(memory, deterministic=one_thread) * DATABASE_SHARE),
        threads=1 if one_thread else None,
    )
