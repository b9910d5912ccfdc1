"""``osiris components``: what steps can use, and whether a spec file of one's own is sound."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from osiris.cli.arguments import existing_file, format_option
from osiris.cli.failures import DID_NOT_WORK, UsageProblem, say_error
from osiris.cli.streams import write_json
from osiris.cli.table import print_table

if TYPE_CHECKING:
    from osiris.components.registry import ComponentRegistry
    from osiris.components.spec import ComponentSpec


@click.group()
def command() -> None:
    """List, show and check components."""


@command.command("list")
@click.option("--mode", type=click.Choice(["read", "transform", "write"]), help="Only components with this mode.")
@click.option("--runnable", is_flag=True, help="Only components that this version can run.")
@format_option("text", "json")
def list_components(mode: str | None, runnable: bool, layout: str) -> int:
    """List the components that steps can use."""
    registry = _registry()
    specs = [
        spec
        for spec in registry.specs()
        if (mode is None or mode in spec.modes) and (not runnable or spec.driver is not None)
    ]
    if layout == "json":
        write_json([_brief(spec) for spec in specs])
    else:
        rows = [[s.name, s.version, ", ".join(s.modes), "yes" if s.driver else "not yet", s.title] for s in specs]
        print_table(["COMPONENT", "VERSION", "MODES", "RUNS", "WHAT IT DOES"], rows)
    for problem in registry.problems():
        say_error(problem)
    return DID_NOT_WORK if registry.problems() else 0


@command.command("show")
@click.argument("name")
@format_option("text", "json")
def show_component(name: str, layout: str) -> None:
    """Show one component: its config keys, their defaults, and an example."""
    spec = _find(name)
    if layout == "json":
        write_json(
            _brief(spec)
            | {
                "description": spec.description,
                "configSchema": spec.config_schema,
                "secrets": list(spec.secrets),
                "connectionFields": spec.connection_fields,
                "sqlKeys": spec.sql_keys,
                "pathKeys": spec.path_keys,
                "driver": spec.driver,
                "examples": list(spec.examples),
                "fingerprint": spec.fingerprint,
            }
        )
        return
    click.echo(f"{spec.name} {spec.version}  {spec.title}")
    if spec.description:
        click.echo(f"\n{_wrapped(spec.description)}")
    click.echo(f"\nmode: {' or '.join(spec.modes)}")
    if spec.driver is None:
        click.echo("This version of Osiris checks and compiles it, but cannot run it yet.")
    if spec.connection_fields:
        click.echo(f'connection: "@{spec.family}.<alias>" may supply {", ".join(spec.connection_fields)}')
    if spec.properties:
        click.echo("\nconfig:")
        for key, schema in spec.properties.items():
            click.echo(_key_line(key, schema, required=key in spec.required))
    if spec.examples:
        click.echo("\nExample:\n")
        click.echo(_example(spec))


@command.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@format_option("text", "json")
def validate_specs(files: tuple[str, ...], layout: str) -> int:
    """Check component spec files of your own."""
    from osiris.components.registry import SpecError, read_spec

    problems: dict[str, str | None] = {}
    for name in files:
        try:
            read_spec(existing_file(name), source="your own")
            problems[name] = None
        except SpecError as problem:
            problems[name] = str(problem)
    if layout == "json":
        write_json([{"file": name, "ok": text is None, "problem": text} for name, text in problems.items()])
    else:
        for name, text in problems.items():
            click.echo(f"{name}: sound" if text is None else f"{name}: error: {text}")
    return DID_NOT_WORK if any(problems.values()) else 0


def _registry() -> ComponentRegistry:
    from osiris.components.registry import ComponentRegistry

    return ComponentRegistry.builtin()


def _find(name: str) -> ComponentSpec:
    registry = _registry()
    spec = registry.get(name)
    if spec is not None:
        return spec
    if problem := registry.problem(name):
        raise UsageProblem(problem)
    from difflib import get_close_matches

    close = get_close_matches(name, registry.names(), n=1)
    hint = f" Did you mean '{close[0]}'?" if close else " `osiris components list` shows what there is."
    raise UsageProblem(f"There is no component '{name}'.{hint}")


def _brief(spec: ComponentSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "version": spec.version,
        "title": spec.title,
        "modes": list(spec.modes),
        "family": spec.family,
        "runnable": spec.driver is not None,
        "required": list(spec.required),
    }


def _key_line(key: str, schema: Any, *, required: bool) -> str:
    kind = schema.get("type", "any")
    facts = [" or ".join(kind) if isinstance(kind, list) else str(kind)]
    if required:
        facts.append("required")
    if "default" in schema:
        facts.append(f"default {json.dumps(schema['default'], ensure_ascii=False)}")
    if "enum" in schema:
        facts.append("one of " + ", ".join(json.dumps(v, ensure_ascii=False) for v in schema["enum"]))
    if schema.get("deprecated"):
        facts.append("deprecated")
    description = " ".join(str(schema.get("description", "")).split())
    return f"  {key}: {', '.join(facts)}" + (f"\n{_wrapped(description, indent=6)}" if description else "")


def _wrapped(text: str, *, indent: int = 0) -> str:
    import textwrap

    margin = " " * indent
    return textwrap.fill(text, 100, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)


def _example(spec: ComponentSpec) -> str:
    """A step with the config of the first example, ready to be copied."""
    import yaml

    step = {
        "id": "my-step",
        "component": spec.name,
        "mode": spec.modes[0],
        "config": spec.examples[0].get("config", {}),
    }

    class Blocks(yaml.SafeDumper):
        """Writes texts of several lines, such as queries, as blocks."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Blocks.add_representer(str, text)
    return str(yaml.dump([step], Dumper=Blocks, sort_keys=False, allow_unicode=True, width=120)).rstrip()
