"""Where drivers and adapters are found, and what is said when one is missing."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from osiris.components.registry import ComponentRegistry
from osiris.core.adapter_factory import AdapterFactory
from osiris.core.driver import Driver, DriverRegistry
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.execution_adapter import ExecutionAdapter
from osiris.core.lookup import find_object, missing_package


@pytest.fixture
def registered() -> Iterator[object]:
    driver = object()
    DriverRegistry.register("test.driver", driver)  # type: ignore[arg-type]  # any object will do
    yield driver
    DriverRegistry.unregister("test.driver")


def test_what_was_registered_is_given_back(registered: object) -> None:
    assert DriverRegistry.get("test.driver") is registered
    assert "test.driver" in DriverRegistry.runnable()


def test_after_unregister_it_is_gone(registered: object) -> None:
    DriverRegistry.unregister("test.driver")
    with pytest.raises(ConfigurationError):
        DriverRegistry.get("test.driver")


def test_the_driver_that_a_spec_names_is_found() -> None:
    driver = DriverRegistry.get("filesystem.csv_extractor")
    spec = ComponentRegistry.builtin().get("filesystem.csv_extractor")
    assert spec is not None
    assert f"{type(driver).__module__}:{type(driver).__name__}" == spec.driver
    assert isinstance(driver, Driver)


def test_every_driver_that_a_spec_names_is_there() -> None:
    for name in DriverRegistry.runnable():
        assert isinstance(DriverRegistry.get(name), Driver), name


def test_a_component_without_a_driver_is_named_with_what_can_run(planned: str) -> None:
    with pytest.raises(ConfigurationError, match=r"acme\.writer has no driver in this version") as raised:
        DriverRegistry.get(planned)
    assert "duckdb.processor" in (raised.value.hint or "")


def test_an_unknown_component_gets_a_proposal() -> None:
    with pytest.raises(ConfigurationError, match=r"There is no component filesystem\.csv_writter") as raised:
        DriverRegistry.get("filesystem.csv_writter")
    assert raised.value.hint == "Did you mean filesystem.csv_writer?"


def test_a_manifest_cannot_name_code_of_its_own() -> None:
    spec = ComponentRegistry.builtin().get("duckdb.processor")
    assert spec is not None
    assert isinstance(DriverRegistry.for_step("duckdb.processor", spec.driver), Driver)
    with pytest.raises(ConfigurationError, match="The manifest names os:system for the component duckdb"):
        DriverRegistry.for_step("duckdb.processor", "os:system")


MISSING_PACKAGE = """
import sys
sys.modules["duckdb"] = None  # as if it were not installed
from osiris.core.driver import DriverRegistry
from osiris.core.error_taxonomy import OsirisError
try:
    DriverRegistry.get("duckdb.processor")
except OsirisError as error:
    print(error, error.hint)
"""


def test_a_missing_package_is_named_with_the_command_that_brings_it() -> None:
    done = subprocess.run([sys.executable, "-c", MISSING_PACKAGE], capture_output=True, text=True, check=True)
    assert "The driver of duckdb.processor needs the Python package duckdb" in done.stdout
    assert re.search(r'pip install "duckdb[>=.0-9]+" "pyarrow[>=.0-9]+"', done.stdout)


def test_the_command_is_that_of_the_smallest_extra_with_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = [f"{need}; extra == 'all'" for need in ("openai>=2", "duckdb>=2.0", "pyarrow>=17")]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: ["openai>=2; extra == 'ai'", *needs])
    missing = missing_package(ModuleNotFoundError(name="openai"), "Talking to an AI model")
    assert (missing.extra, missing.hint) == ("ai", 'Install it: pip install "openai>=2"')


def test_a_missing_module_of_ours_is_told_from_a_missing_package() -> None:
    with pytest.raises(ConfigurationError, match=r"not part of this installation: there is no osiris\.nowhere\.at_all"):
        find_object("osiris.nowhere.at_all:X", "The thing")
    with pytest.raises(ConfigurationError, match="there is no 'nothing' in json"):
        find_object("json:nothing", "The thing")


@pytest.mark.parametrize("target", ["local", "e2b"])
def test_each_target_has_an_adapter(target: str) -> None:
    assert isinstance(AdapterFactory.create(target=target), ExecutionAdapter)


def test_the_target_is_this_machine_unless_another_is_named() -> None:
    assert type(AdapterFactory.create()) is type(AdapterFactory.create(target="local"))


def test_an_unknown_target_lists_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="no target 'moon'") as raised:
        AdapterFactory.create(target="moon")
    assert raised.value.hint == "Targets: local, e2b."


def test_importing_the_core_loads_no_engine() -> None:
    code = (
        "import sys, osiris.core.driver, osiris.core.adapter_factory, osiris.core.compiler_v0;"
        "print({'duckdb', 'pyarrow', 'sqlglot', 'sqlalchemy', 'pandas', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
