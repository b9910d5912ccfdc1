"""``osiris compile``: turn a pipeline into a manifest."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from osiris.cli.arguments import existing_file, format_option, param_option, profile_option, shown_path
from osiris.cli.compiling import compile_or_explain
from osiris.cli.failures import DID_NOT_WORK
from osiris.cli.streams import colour_wanted, paint, write_json


@click.command()
@click.argument("file")
@profile_option
@param_option
@click.option("--output", "-o", metavar="PATH", help="Write the manifest to this file instead of build/.")
@format_option("text", "json")
def command(file: str, profile: str | None, params: dict[str, str], output: str | None, layout: str) -> int:
    """Turn the OML FILE into a manifest, build/<name>/manifest.json.

    The same input gives the same bytes everywhere; a pipeline that has not changed writes nothing. A manifest with
    --param belongs to one occasion and is written only where --output says.
    """
    from osiris.core.project import Project

    source = existing_file(file)
    result = compile_or_explain(
        source, Project.find(source), profile=profile, params=params, as_json=layout == "json", write=output is None
    )
    if result is None:
        return DID_NOT_WORK
    path = result.path
    cached = result.cached
    if output is not None:
        from osiris.core.files import write_if_changed

        path = Path(output)
        cached = not write_if_changed(path, result.data)
    fingerprint = result.manifest["fingerprint"]
    if layout == "json":
        manifest = shown_path(path) if path else None
        write_json({"ok": True, "manifest": manifest, "cached": cached, "fingerprint": fingerprint})
        return 0
    colour = colour_wanted(sys.stdout)
    if path is None:
        click.echo("compiles; not written, since --param is for one occasion (--output PATH writes it)")
    else:
        click.echo(f"{paint('unchanged' if cached else 'wrote', 'good', on=colour)} {shown_path(path)}")
    click.echo(f"fingerprint {fingerprint}")
    return 0
