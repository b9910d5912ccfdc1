"""What hovers say about the things that a document itself names: steps, parameters, keys of a config."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osiris.components.spec import CONNECTION_KEY
from osiris.ide import documentation
from osiris.language.connections import Connection, connection_of_step
from osiris.language.environment import Environment
from osiris.language.naming import table_name, variable_name
from osiris.language.secrets import is_secret_key
from osiris.syntax.tree import Scalar

if TYPE_CHECKING:
    from osiris.components.spec import ComponentSpec
    from osiris.language.analysis import Analysis
    from osiris.language.model import Step
    from osiris.language.params import ParamValue


def about_step(analysis: Analysis, step_id: str) -> str | None:
    """What a step does, what it waits for and gets, and who gets its data."""
    step = analysis.pipeline.step(step_id)
    if step is None:
        return None
    steps, graph = analysis.pipeline.steps, analysis.graph
    lines = [" · ".join([f"**{step_id}**", *(f"`{word}`" for word in (step.component, step.mode) if word)]), ""]
    description = step.get("description")
    if isinstance(description, Scalar) and description.text:
        lines += [description.text, ""]
    waits = [f"`{steps[i].id}`" for i in graph.upstream[step.index]]
    if waits:
        implied = " (the step above: nothing else is said)" if step.index in graph.implicit else ""
        lines += [f"Waits for: {', '.join(waits)}{implied}", ""]
    if tables := graph.tables(step.index):
        lines += ["Tables: " + ", ".join(f"`{name}`" for name in tables), ""]
    for use in analysis.paths[step.index] if step.index < len(analysis.paths) else ():
        if use.known:
            lines += [f"{'Reads' if use.is_input else 'Writes'}: `{use.path}`", ""]
    followers = [f"`{steps[i].id}`" for i in graph.downstream(step.index)]
    if followers:
        lines.append(f"Its data is `{table_name(step_id)}` for: {', '.join(followers)}")
    return "\n".join(lines).strip()


def about_param(analysis: Analysis, env: Environment, name: str) -> str | None:
    """What a parameter is for, which value counts and where that is from, and what the profiles say."""
    param = analysis.pipeline.params.get(name)
    if param is None:
        return None
    lines = [f"**params.{name}**" + (f" · {param.type}" if param.type else ""), ""]
    if param.description:
        lines += [param.description, ""]
    value = analysis.values.values.get(name)
    if param.sensitive:
        variable = variable_name(name)
        lines.append(
            f"This is a secret. Its value is never shown; a run gets it from `{variable}`, which is "
            f"{documentation.of_origin(env.variable_origin(variable))}."
        )
    elif value is not None:
        lines.append(_value(analysis, env, name, value))
    else:
        lines.append("No value: it must be given when the pipeline is compiled or run.")
    for profile in analysis.pipeline.profiles.values():
        if name in profile.values and not param.sensitive:
            lines += ["", f"In profile `{profile.name}`: {documentation.shown(profile.values[name].value)}"]
    return "\n".join(lines).strip()


def _value(analysis: Analysis, env: Environment, name: str, value: ParamValue) -> str:
    match value.source:
        case "environment":
            variable = variable_name(name)
            if env.variable_origin(variable) == ".env":
                return f"Value: that of `{variable}` in `.env`"  # which is never shown
            return f"Value: {documentation.shown(value.value)}, from `{variable}` in the environment"
        case "profile":
            return f"Value: {documentation.shown(value.value)}, from the profile `{analysis.values.profile}`"
        case "given":
            return f"Value: {documentation.shown(value.value)}, as given"
    return f"Value: {documentation.shown(value.value)}, the default"


def about_config_key(step: Step, spec: ComponentSpec, key: str, env: Environment) -> str | None:
    """A key of the config: what it is for, and what the step's connection has to say about it."""
    connection = _connection(step, spec, key, env)
    name = connection.reference if connection is not None else None
    text = documentation.of_key(("steps", step.index, "config", key), spec, name)
    if text is None or connection is None or key not in spec.connection_fields:
        return text
    fields = env.registry.connection_fields(spec.family)
    secret = spec.is_secret((key,)) or is_secret_key(key) or fields.get(key, {}).get("x-secret")
    if key not in connection.fields:
        return f"{text}\n\n`{name}` does not say it."
    shown = "`***`" if secret else documentation.shown(connection.fields[key])
    written = step.config is not None and step.config.entry(key) is not None
    return f"{text}\n\nIn `{name}`: {shown}" + (", which this step replaces." if written else "")


def _connection(step: Step, spec: ComponentSpec, key: str, env: Environment) -> Connection | None:
    """The connection that the step works with, or would without ``key``."""
    written = step.config.get(CONNECTION_KEY) if step.config is not None else None
    reference = written.text if isinstance(written, Scalar) else None
    keys = [e.key.text for e in step.config.entries if e.key.text != key] if step.config is not None else []
    found = connection_of_step(spec, reference, keys, env.connections)
    return found if isinstance(found, Connection) else None
