"""``osiris compile``: turn a pipeline into a manifest."""

from __future__ import annotations

import sys

import click

from osiris.cli.arguments import existing_file, format_option, param_option, profile_option, shown_path
from osiris.cli.compiling import compile_or_explain
from osiris.cli.failures import DID_NOT_WORK
from osiris.cli.streams import colour_wanted, paint, write_json


@click.command()
@click.argument("file")
@profile_option
@param_option
@format_option("text", "json")
def command(file: str, profile: str | None, params: dict[str, str], layout: str) -> int:
    """Turn the OML FILE into a manifest, build/<name>/manifest.json.

    The same input gives the same bytes everywhere; a pipeline that has not changed writes nothing.
    """
    result = compile_or_explain(existing_file(file), profile=profile, params=params, as_json=layout == "json")
    if result is None:
        return DID_NOT_WORK
    if layout == "json":
        write_json(
            {
                "ok": True,
                "manifest": shown_path(result.path),
                "cached": result.cached,
                "fingerprint": result.manifest["fingerprint"],
            }
        )
        return 0
    colour = colour_wanted(sys.stdout)
    said = "unchanged" if result.cached else "wrote"
    click.echo(f"{paint(said, 'good', on=colour)} {shown_path(result.path)}")
    click.echo(f"fingerprint {result.manifest['fingerprint']}")
    return 0
