"""What makes a YAML file a pipeline, and that the answer comes soon whatever the file holds."""

from __future__ import annotations

import time

import pytest

from osiris.core.project_scan import HEAD_BYTES, has_oml_version, parameter_names, pipeline_name
from osiris.lsp.documents import Kind, kind_of


@pytest.mark.parametrize(
    ("text", "is_pipeline"),
    [
        ('oml_version: "0.1.0"\n', True),
        ("\ufeffoml_version: 0.1.0\n", True),
        ("# a comment\n\nname: x\noml_version : 0.1.0\n", True),
        ('"oml_version": "0.1.0"\n', True),
        ('{"oml_version": "0.1.0"}', True),
        ('\n{\n  "oml_version": "0.1.0"\n}\n', True),
        ('  {oml_version: "0.1.0"}', True),
        ("x:\n  oml_version: 0.1.0\n", False),
        ("my_oml_version: 0.1.0\n", False),
        ("", False),
    ],
)
def test_a_file_is_a_pipeline_in_the_project_and_in_the_editor_alike(text: str, is_pipeline: bool) -> None:
    assert has_oml_version(text) is is_pipeline
    assert (kind_of("file:///p/plain.yaml", "yaml", text) is Kind.PIPELINE) is is_pipeline


@pytest.mark.parametrize("look", [has_oml_version, pipeline_name, parameter_names])
@pytest.mark.parametrize("unit", ["\n", " ", "{", "{\n", " \n", "\t\n", "params:\n", "params:\n\n", "#\n", "\ufeff"])
def test_eight_times_the_text_takes_about_eight_times_the_time(look, unit: str) -> None:
    def seconds(size: int) -> float:
        start = time.process_time()
        look((unit * size)[:size])
        return time.process_time() - start

    small, large = seconds(HEAD_BYTES // 8), seconds(HEAD_BYTES)

    assert large < 32 * max(small, 0.01)  # linear is 8, quadratic 64
