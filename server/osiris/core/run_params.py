"""The parameters that a manifest leaves open: their values come from the run, and go no further than its memory."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from osiris.components.registry import ComponentRegistry
from osiris.components.spec import CONNECTION_KEY
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.manifest import Manifest, ManifestStep
from osiris.core.secrets_masking import Masker
from osiris.language.model import Param
from osiris.language.naming import variable_name
from osiris.language.params import effective_params
from osiris.language.substitution import substitute_text
from osiris.syntax.text import Span
from osiris.syntax.tree import Plain


def fill_run_params(
    manifest: Manifest, *, given: Mapping[str, Plain] | None = None, environ: Mapping[str, str] | None = None
) -> tuple[list[ManifestStep], tuple[str, ...]]:
    """The steps of a manifest with the values of its open parameters, and the values that must never be shown.

    ``given`` wins over ``OSIRIS_PARAM_<NAME>`` in ``environ``. The manifest itself stays as it is: it is what may be
    written down. Raises ConfigurationError for a parameter that gets no value, one that does not fit, and one that
    the manifest has no place for (its value was fixed when it was compiled). A value must also fit the component.
    """
    sensitive = set(manifest["sensitive_params"])
    open_params = {name: _param(name, told, name in sensitive) for name, told in manifest["run_params"].items()}
    _refuse_fixed(manifest, given or {})
    values = effective_params(open_params, {}, given=given, environ=environ)
    if values.problems:
        raise ConfigurationError(values.problems[0].message, code="OML142")
    missing = sorted(open_params.keys() - values.values.keys())
    if missing:
        raise ConfigurationError(
            f"The parameter {missing[0]} has no value.",
            hint=f"Give one with --param {missing[0]}=VALUE, or set {variable_name(missing[0])}.",
            code="OML602",
        )
    plain = {name: value.value for name, value in values.values.items()}
    secrets = tuple(text for name in sorted(sensitive) for text in _texts(plain.get(name)))
    try:
        return [_filled(step, {**manifest["params"], **plain}) for step in manifest["steps"]], secrets
    except ConfigurationError as error:
        # What is said about a value may repeat it.
        raise ConfigurationError(Masker(secrets).text(error.message), code=error.code) from None


def _refuse_fixed(manifest: Manifest, given: Mapping[str, Plain]) -> None:
    for name in given:
        if name in manifest["params"]:
            raise ConfigurationError(
                f"The parameter {name} has its value in the manifest already.",
                hint="Run the OML file to choose another value.",
                code="OML146",
            )


def _param(name: str, told: Mapping[str, Any], sensitive: bool) -> Param:
    nowhere = Span(0, 0)
    enum = told.get("enum")
    return Param(
        name,
        nowhere,
        nowhere,
        told.get("type"),
        enum=tuple(enum) if enum is not None else None,
        minimum=told.get("minimum"),
        maximum=told.get("maximum"),
        pattern=told.get("pattern"),
        sensitive=sensitive,
    )


def _filled(step: ManifestStep, values: Mapping[str, Plain]) -> ManifestStep:
    """A copy of the step with its open texts filled. Only those: a value may itself look like a reference."""
    spec = ComponentRegistry.builtin().get(step["component"])
    dialects = spec.sql_keys if spec is not None else {}
    filled = copy.deepcopy(step)
    for path in step.get("unresolved", ()):
        home: Any = filled if path == [CONNECTION_KEY] and CONNECTION_KEY in filled else filled["config"]
        for part in path[:-1]:
            home = home[part]
        done = substitute_text(str(home[path[-1]]), values, dialects.get(str(path[0])))
        if done.problems:
            raise ConfigurationError(f"Step {step['id']}: {done.problems[0].message}", code="OML409")
        home[path[-1]] = done.value
    if filled.pop("unresolved", None) and spec is not None:
        problems = spec.check(filled["config"], connection="connection" in filled)
        if problems:
            raise ConfigurationError(f"Step {step['id']}: {problems[0].message}", code="OML142")
    return filled


def _texts(value: Plain) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [str(value)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return []
