"""The part of a pipeline that leads to one step: what ``osiris run --to STEP`` runs."""

from __future__ import annotations

from typing import Any, cast

from osiris.components.spec import CONNECTION_KEY
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.manifest import Manifest, ManifestStep, generate_fingerprint
from osiris.language.placeholders import find_placeholders
from osiris.language.suggest import nearest


def manifest_up_to(manifest: Manifest, step_id: str) -> Manifest:
    """The manifest with the step and all that it waits for, directly or not, and nothing else.

    What it waits for includes steps that only come before it, writers too: their order was asked for. Steps that stand
    above it but that it does not wait for are left out. Parameters of the run that only the others use go with them.
    The result says ``to`` and has a fingerprint of its own. Raises ConfigurationError when there is no such step.
    """
    by_id = {step["id"]: step for step in manifest["steps"]}
    if step_id not in by_id:
        meant = nearest(step_id, by_id)
        raise ConfigurationError(
            f"There is no step {step_id} in the pipeline {manifest['pipeline']['name']}.",
            hint=f"Did you mean {meant}?" if meant else f"Its steps are: {', '.join(by_id)}.",
        )
    wanted, todo = set[str](), [step_id]
    while todo:
        name = todo.pop()
        if name in by_id and name not in wanted:
            wanted.add(name)
            todo += (*by_id[name]["needs"], *by_id[name]["inputs"].values())
    steps = [step for step in manifest["steps"] if step["id"] in wanted]
    used = {name for step in steps for name in _open_params(step)}
    part: dict[str, Any] = {
        **manifest,
        "to": step_id,
        "steps": steps,
        "run_params": {name: told for name, told in manifest["run_params"].items() if name in used},
        "sensitive_params": [name for name in manifest["sensitive_params"] if name in used],
    }
    part["fingerprint"] = generate_fingerprint(part)
    return cast("Manifest", part)


def _open_params(step: ManifestStep) -> set[str]:
    """The parameters whose values the step gets from the run."""
    names: set[str] = set()
    for path in step.get("unresolved", ()):
        value: Any = step if path == [CONNECTION_KEY] and CONNECTION_KEY in step else step["config"]
        for part in path:
            value = value[part]
        names |= {found.name for found in find_placeholders(str(value)) if found.kind == "param"}
    return names
