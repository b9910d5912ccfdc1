"""Editor features as pure functions: ``(analysis, offset, ...)`` in, plain dataclasses out.

No LSP types, no disk, no clock. Places are offsets in code points of the document's text. ``cursor`` says what stands
at an offset, also in a step that is only half typed; every feature starts from it.
"""
