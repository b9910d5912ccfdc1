"""The rules. To add one: write a function ``(context) -> Iterator[Diagnostic]`` in the module of its family, add its
code to ``syntax/codes.py`` with an example in ``syntax/code_examples.py``, and list it here."""

from __future__ import annotations

from osiris.language.rules import (
    config,
    connections,
    dataflow,
    file_columns,
    overwrites,
    params,
    paths,
    references,
    schema,
    secrets,
    sql,
    step_columns,
    steps,
    structure,
)
from osiris.language.rules.context import DocumentRule, StepRule

STEP_RULES: tuple[StepRule, ...] = (
    steps.step_shape,
    steps.step_types,
    steps.step_id,
    steps.component_and_mode,
    steps.retry_and_timeout,
    config.config_fits,
    config.booleans,
    config.deprecated,
    connections.connection,
    params.references,
    params.broken,
    params.places,
    params.values_fit_in,
    paths.inside_project,
    sql.sql_shape,
    schema.tables_and_columns,
)
"""Run for a step when the step or what it sees of the rest has changed. Spans are relative to the step's part."""

DOCUMENT_RULES: tuple[DocumentRule, ...] = (
    structure.document_shape,
    structure.top_keys,
    structure.version,
    structure.name,
    structure.top_types,
    structure.step_ids,
    steps.without_driver,
    references.needs,
    references.inputs,
    references.cycles,
    dataflow.data_arrives,
    dataflow.tables_collide,
    params.unused,
    params.given,
    connections.file_is_there,
    paths.links_stay_inside,
    paths.own_files,
    paths.inputs_exist,
    paths.patterns_fit,
    overwrites.files_written_over,
    secrets.secrets,
    sql.unknown_tables,
    schema.unknown_tables,
    step_columns.unknown_columns,
    file_columns.unknown_file_columns,
)
"""Run on every analysis, so each takes time linear in the number of steps. Spans are absolute."""
