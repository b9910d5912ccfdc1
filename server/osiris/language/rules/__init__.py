"""The rules. To add one: write a function ``(context) -> Iterator[Diagnostic]`` in the module of its family, add its
code to ``syntax/codes.py`` with an example in ``syntax/code_examples.py``, and list it here."""

from __future__ import annotations

from osiris.language.rules import structure
from osiris.language.rules.context import DocumentRule, StepRule

STEP_RULES: tuple[StepRule, ...] = (
    structure.step_shape,
    structure.step_types,
    structure.step_id,
    structure.component_and_mode,
    structure.retry_and_timeout,
)

DOCUMENT_RULES: tuple[DocumentRule, ...] = (
    structure.document_shape,
    structure.top_keys,
    structure.version,
    structure.name,
    structure.top_types,
    structure.step_ids,
)
