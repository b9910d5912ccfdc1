"""Editor features as pure functions: ``(analysis, offset, ...)`` in, plain dataclasses out.

No LSP types, no disk, no clock. Places are offsets in code points of the document's text. A feature of several modules
has a folder. What is offered while typing starts from ``cursor``, which says what stands at an offset also in a step
that is only half typed; what changes a document starts from ``tree_place``, the node there; navigation and rename start
from ``language.symbols``.
"""
