"""Names of tables, schemas and columns that a config holds: what they are with their parameters, where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from osiris.language.edits import quoted, scalar_text
from osiris.language.findings import replacement
from osiris.language.rules.config import locate
from osiris.language.rules.nodes import cut
from osiris.language.substitution import ResolvedConfig
from osiris.syntax.diagnostic import Fix
from osiris.syntax.text import Span
from osiris.syntax.tree import Mapping, Node, Scalar, Sequence, Style


@dataclass(frozen=True, slots=True)
class ConfigName:
    """A name in a config. ``node`` is None where it stands for several, as a list that is one parameter."""

    text: str
    node: Scalar | None
    span: Span

    def written(self, name: str, *, preferred: bool) -> Fix | None:
        """The fix that writes ``name`` there, in the quotes that are there; None where nothing can be written."""
        return name_written(self.node, name, preferred=preferred) if self.node is not None else None


def config_names(config: Mapping | None, resolved: ResolvedConfig, key: str | None) -> Iterator[ConfigName]:
    """The names under a key: one text, or each of a list. Those that are known at run only are left out."""
    value = resolved.config.get(key) if key is not None else None
    if key is None or value is None or (key,) in resolved.open:
        return
    _, node = locate(config, (key,))
    if node is None:
        return
    if not isinstance(value, list):
        yield from _name(value, node)
        return
    items = node.items if isinstance(node, Sequence) and len(node.items) == len(value) else None
    for index, item in enumerate(value):
        if (key, index) not in resolved.open:
            yield from _name(item, items[index] if items is not None else node)


def _name(value: object, node: Node) -> Iterator[ConfigName]:
    if isinstance(value, str) and value and node.span.end > node.span.start:
        yield ConfigName(value, node if isinstance(node, Scalar) else None, node.span)


def name_written(node: Scalar, name: str, *, preferred: bool) -> Fix | None:
    """The fix that writes ``name`` for a scalar, in its quotes; None where it is no plain text of its own."""
    if node.synthetic or "${" in node.text or node.style in (Style.LITERAL, Style.FOLDED):
        return None
    text = quoted(name) if node.style is Style.DOUBLE else scalar_text(name)
    if node.style is Style.SINGLE and name.isprintable():
        text = "'" + name.replace("'", "''") + "'"
    return replacement(f"Replace by `{cut(name)}`", node.span, text, preferred=preferred)
