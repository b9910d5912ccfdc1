"""What the providers of completion are asked about, and what they answer with."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.ide.cursor import Cursor
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.components.spec import ComponentSpec
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment


class ItemKind(enum.Enum):
    """What an item stands for; editors show a symbol for it."""

    KEY = "key"
    VALUE = "value"
    COMPONENT = "component"
    STEP = "step"
    CONNECTION = "connection"
    PARAM = "param"
    SNIPPET = "snippet"
    FILE = "file"
    FOLDER = "folder"
    VARIABLE = "variable"
    SCHEMA = "schema"
    TABLE = "table"
    COLUMN = "column"
    CONDITION = "condition"
    FUNCTION = "function"
    KEYWORD = "keyword"


@dataclass(frozen=True, slots=True)
class Topic:
    """What ``documentation_of`` needs to document an item later: the way to a key, the name of a component, a code.

    Or a ``table`` (its schema and name) of the ``connection`` (``@family.alias``), or the ``column`` of that table.
    Or a ``function``: its dialect and name.
    """

    path: tuple[str | int, ...] = ()
    component: str | None = None
    code: str | None = None
    connection: str | None = None
    table: tuple[str, str] | None = None
    column: str | None = None
    function: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One suggestion. ``text`` replaces the list's span; ``snippet`` is the same with tab stops, where it has any.

    ``filter`` is what typed text is compared with when that is not the label. ``again`` says that what comes next can
    be suggested too. ``topic`` is None for items whose detail says it all.
    """

    label: str
    kind: ItemKind
    text: str
    snippet: str | None = None
    detail: str = ""
    filter: str | None = None
    again: bool = False
    topic: Topic | None = None


@dataclass(frozen=True, slots=True)
class Completions:
    """Suggestions, the best first. ``edits`` go with whichever is taken: they put the indentation right.

    ``within_sql``: they are for a query. ``quiet``: not worth a list that nobody asked for.
    """

    span: Span
    items: tuple[Item, ...]
    edits: tuple[TextEdit, ...] = ()
    incomplete: bool = False
    within_sql: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A cursor with all that the providers ask about it."""

    cursor: Cursor
    analysis: Analysis
    env: Environment
    spec: ComponentSpec | None
