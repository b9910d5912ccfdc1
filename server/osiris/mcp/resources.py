"""What agents may read: the guide to OML, the table of diagnostics, and the JSON Schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

_MARKDOWN = "text/markdown"


@dataclass(frozen=True, slots=True)
class Page:
    """One resource; ``text`` makes it."""

    uri: str
    name: str
    description: str
    mime_type: str
    text: Callable[[], str]


def pages() -> dict[str, Page]:
    """All resources by their URI. No text is made for this."""
    from osiris.core.schemas import schema_names

    found = [
        Page("osiris://guide", "guide", "OML in short: how a pipeline is written.", _MARKDOWN, _guide),
        Page(
            "osiris://diagnostics", "diagnostics", "Every finding: what it means, with an example.", _MARKDOWN, _codes
        ),
    ]
    for name in schema_names():
        about = "The JSON Schema of OML." if name == "oml" else f"The JSON Schema {name} of Osiris."
        found.append(
            Page(f"osiris://schema/{name}", f"{name}.schema.json", about, "application/schema+json", _schema(name))
        )
    return {page.uri: page for page in found}


def _guide() -> str:
    from osiris.core.agent.guide import OML_GUIDE

    return OML_GUIDE


def _codes() -> str:
    from osiris.syntax.codes_markdown import diagnostics_markdown

    return diagnostics_markdown()


def _schema(name: str) -> Callable[[], str]:
    def text() -> str:
        from osiris.core.schemas import schema

        return json.dumps(schema(name), indent=2, ensure_ascii=False)

    return text
