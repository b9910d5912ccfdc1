"""From an analysis without errors to a manifest. Everything in it is decided by the pipeline, the component specs, the
choice of connections, the parameters and the compiler; nothing by the machine, the time or the place."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from osiris import __version__
from osiris.components.spec import CONNECTION_KEY, ComponentSpec
from osiris.core.error_taxonomy import CompilationError
from osiris.core.manifest import MANIFEST_VERSION, Manifest, ManifestStep, digest
from osiris.language.analysis import Analysis
from osiris.language.connections import Connection, Connections, connection_of_step
from osiris.language.durations import RETRY_DELAY, seconds
from osiris.language.model import Param
from osiris.language.substitution import resolve_config
from osiris.language.templates import fill
from osiris.syntax.tree import Mapping as MappingNode
from osiris.syntax.tree import Node, Plain, Scalar, to_plain

COMPILER_NAME = "osiris"
RETRY_ATTEMPTS = 3  # of a `retry` that says only how long to wait
RETRY_MAX_DELAY = 60.0


def build_manifest(
    analysis: Analysis,
    *,
    connections: Connections | None,
    on_failure: str,
    profile: str | None,
    only: Collection[int] | None = None,
) -> Manifest:
    """The manifest of ``analysis``, which must be free of errors.

    ``connections`` (None: there is no file) says which alias a step without one means. ``only``: the steps to take, by
    index, with all that they wait for; then the others may have errors. Raises CompilationError when a value cannot be
    written as JSON.
    """
    pipeline, values = analysis.pipeline, analysis.values
    ids = [step.id or "" for step in pipeline.steps]
    positions = {index: position for position, index in enumerate(analysis.graph.order)}
    wanted = [index for index in analysis.graph.order if only is None or index in only]
    steps = [_step(analysis, index, ids, positions, connections) for index in wanted]
    compiler = {"name": COMPILER_NAME, "version": __version__}
    params = values.plain()
    names = {"name": pipeline.name or ""}
    if pipeline.description:
        names["description"] = pipeline.description
    manifest: dict[str, Any] = {
        "manifest_version": MANIFEST_VERSION,
        "oml_version": pipeline.oml_version or "",
        "compiler": compiler,
        "pipeline": names,
        "profile": profile,
        "params": params,
        "run_params": {
            name: _declaration(param)
            for name, param in pipeline.params.items()
            if param.sensitive or name not in values.values
        },
        "sensitive_params": sorted(values.sensitive),
        "steps": steps,
        "on_failure": on_failure,
    }
    try:
        manifest["fingerprints"] = {
            "oml": oml_fingerprint(analysis),
            "components": digest({spec.name: spec.fingerprint for spec in analysis.specs if spec is not None}),
            "params": digest(params),
            "compiler": digest(compiler),
        }
        manifest["fingerprint"] = digest(manifest)
    except ValueError as error:
        raise CompilationError(f"The pipeline cannot be written as a manifest: {error}.", code="OML212") from error
    result: Manifest = manifest  # type: ignore[assignment]  # built key by key above
    return result


def _step(
    analysis: Analysis, index: int, ids: list[str], positions: Mapping[int, int], connections: Connections | None
) -> ManifestStep:
    step, spec, graph = analysis.pipeline.steps[index], analysis.specs[index], analysis.graph
    assert spec is not None  # an unknown component is an error
    values = analysis.values.plain()
    resolved = resolve_config(step.config, spec, values)
    for _, problem in resolved.problems:  # also when the project switched the finding off: there is no safe SQL
        raise CompilationError(f"Step {ids[index]}: {problem.message}", code="OML409")
    config: dict[str, Any] = dict(resolved.config)
    reference = connection_reference(config, spec, connections)
    if CONNECTION_KEY not in spec.properties:
        config.pop(CONNECTION_KEY, None)
    result: ManifestStep = {
        "id": ids[index],
        "component": spec.name,
        "mode": step.mode or "",
        "driver": spec.driver,
        "config": spec.with_defaults(config),
        "needs": [ids[up] for up in sorted(graph.upstream[index], key=positions.__getitem__)],
        "inputs": {table: ids[up] for table, up in graph.data_inputs[index].items()},
    }
    if reference is not None:
        result["connection"] = reference
    if resolved.open:
        result["unresolved"] = sorted((list(path) for path in resolved.open), key=str)
    retry = _retry(fill(step.get("retry"), values))
    if retry is not None:
        result["retry"] = retry
    timeout = seconds(fill(step.get("timeout"), values))
    if timeout is not None:
        result["timeout"] = timeout
    description = fill(step.get("description"), values)
    if isinstance(description, Scalar) and description.text and description.value is not None:
        result["description"] = description.text
    return result


def connection_reference(config: Mapping[str, Any], spec: ComponentSpec, connections: Connections | None) -> str | None:
    """``@family.alias`` that a step uses, chosen when it names none; None when it uses no connection.

    Without a connections file an unnamed connection stays ``@family``: the run chooses.
    """
    if CONNECTION_KEY in spec.properties:
        return None  # the component gives the key a meaning of its own
    written = config.get(CONNECTION_KEY)
    if isinstance(written, str) and written:
        return written
    if not spec.connection_needed(config.keys()):
        return None
    chosen = connection_of_step(spec, None, config.keys(), connections)
    return chosen.reference if isinstance(chosen, Connection) else f"@{spec.family}"


def _retry(node: Node | None) -> dict[str, Any] | None:
    if isinstance(node, Scalar):
        return None if node.value is None else _retry_of(node.value, None, None)
    if not isinstance(node, MappingNode):
        return None
    attempts = node.get("attempts")
    count = attempts.value if isinstance(attempts, Scalar) else None
    return _retry_of(count, seconds(node.get("delay")), seconds(node.get("max_delay")))


def _retry_of(attempts: object, delay: float | None, max_delay: float | None) -> dict[str, Any]:
    first = RETRY_DELAY if delay is None else delay
    return {
        "attempts": attempts if isinstance(attempts, int) else RETRY_ATTEMPTS,
        "delay": first,
        "max_delay": max(first, RETRY_MAX_DELAY) if max_delay is None else max_delay,
    }


def _declaration(param: Param) -> dict[str, Any]:
    """What a run needs to read and check a value for the parameter."""
    told = {
        "type": param.type,
        "enum": list(param.enum) if param.enum is not None else None,
        "minimum": param.minimum,
        "maximum": param.maximum,
        "pattern": param.pattern,
    }
    return {key: value for key, value in told.items() if value is not None}


def oml_fingerprint(analysis: Analysis) -> str:
    """The fingerprint of what a pipeline means: another layout or another comment does not change it.

    Raises ValueError for what JSON cannot hold.
    """
    return digest(_meaning(analysis))


def _meaning(analysis: Analysis) -> dict[str, Any]:
    """The pipeline as data: comments, line ends, quoting and the order of keys are not in it."""
    document = analysis.document
    meaning: dict[str, Any] = {}
    for placed in document.sections:
        for entry in placed.part.node.entries if isinstance(placed.part.node, MappingNode) else ():
            meaning.setdefault(entry.key.text, _printable(to_plain(entry.value)))
    meaning["steps"] = [_printable(to_plain(placed.part.node)) for placed in document.steps]
    return meaning


def _printable(value: Plain) -> Any:
    """``value`` with NaN and infinity, which free keys such as ``metadata`` may hold, as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [_printable(item) for item in value]
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    return value
