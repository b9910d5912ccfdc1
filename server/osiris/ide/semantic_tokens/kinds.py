"""The kinds of semantic tokens. The values are LSP's standard names, which every editor has colours for."""

from __future__ import annotations

import enum


class TokenKind(enum.Enum):
    """What a token is."""

    PROPERTY = "property"
    """A key that the language or the step's component knows."""
    FUNCTION = "function"
    """A step's id; inside SQL a function."""
    CLASS = "class"
    """A component."""
    ENUM_MEMBER = "enumMember"
    """A mode, or another value of a fixed set."""
    INTERFACE = "interface"
    """A connection."""
    NAMESPACE = "namespace"
    """A profile."""
    PARAMETER = "parameter"
    """A parameter's name."""
    MACRO = "macro"
    """What stands around the name in ``${params.x}``."""
    VARIABLE = "variable"
    """A name inside SQL; ``readonly`` when it is the data of a step."""
    KEYWORD = "keyword"
    TYPE = "type"
    STRING = "string"
    NUMBER = "number"
    COMMENT = "comment"
    OPERATOR = "operator"


class Modifier(enum.IntFlag):
    """What else is true of a token. The bits are those of the legend."""

    NONE = 0
    DECLARATION = 1
    READONLY = 2
    DEFAULT_LIBRARY = 4
    DEPRECATED = 8


KINDS = tuple(kind.value for kind in TokenKind)
MODIFIERS = ("declaration", "readonly", "defaultLibrary", "deprecated")
