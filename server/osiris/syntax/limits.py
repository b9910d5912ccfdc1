"""How much a document may ask of its reader. Past a limit there is a diagnostic, never a crash or a long wait."""

from __future__ import annotations

MAX_BYTES = 8_000_000
"""Largest file that is read, in bytes; ``parse`` applies it to code points (OML010)."""

MAX_DEPTH = 64
"""Deepest nesting of lists and mappings (OML009)."""

MAX_ALIAS_NODES = 50_000
"""Nodes that all aliases of one document may copy together (OML008)."""

MAX_PURE_CHARS = 1_000_000
"""Largest text that is read without libyaml, whose stand-in in Python is 20 times slower (OML010)."""

MAX_DIAGNOSTICS = 1_000
"""Findings kept for one document; a reader needs the first ones."""

MAX_INT_DIGITS = 4_000
"""Longest integer that becomes a number; longer ones stay text (Python refuses to print more than 4,300 digits)."""
