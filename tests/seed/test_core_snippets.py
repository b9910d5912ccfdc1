"""The snippets of the core module documentation, as they are written there, and what must come of them."""

from __future__ import annotations

import inspect
import json
import sqlite3
import textwrap
from abc import ABC
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

import osiris.core.adapter_factory
import osiris.core.cache_fingerprint
import osiris.core.compiler_v0
import osiris.core.config
import osiris.core.conversational_agent
import osiris.core.discovery
import osiris.core.driver
import osiris.core.env_loader
import osiris.core.error_taxonomy
import osiris.core.execution_adapter
import osiris.core.llm_adapter
import osiris.core.schema_cache
import osiris.core.secrets_masking
import osiris.core.session_logging
import osiris.core.state_store
from agent.shop import GOOD, make_shop
from model_double import Says, model_double

FIXTURES = Path(__file__).parent / "fixtures"


class MockDriver:
    """Any object will do as a driver."""

    def run(self, step_id: str, config: dict, inputs: dict | None, ctx: object) -> dict:  # type: ignore[type-arg]
        return {"df": step_id}


def as_text(name: str) -> str:
    return (FIXTURES / name).read_text("utf-8")


def as_path(name: str) -> Path:
    return FIXTURES / name


def as_data(name: str) -> Any:
    import yaml

    return yaml.safe_load(as_text(name))


def names(**more: object) -> dict[str, Any]:
    """The public names that the snippets use without saying where they come from."""
    return {
        "AdapterFactory": osiris.core.adapter_factory.AdapterFactory,
        "DriverRegistry": osiris.core.driver.DriverRegistry,
        "MockDriver": MockDriver,
        "compile_oml": osiris.core.compiler_v0.compile_oml,
        "mask_secrets": osiris.core.secrets_masking.mask_secrets,
        **more,
    }


def run(snippet: str, **more: object) -> dict[str, Any]:
    """Execute a snippet as it stands; the names it leaves behind."""
    space = names(**more)
    exec(textwrap.dedent(snippet), space)
    return space


@pytest.fixture(autouse=True)
def _no_driver_stays_registered() -> Iterator[None]:
    yield
    for name in ("test.driver", "mysql.extractor"):
        osiris.core.driver.DriverRegistry.unregister(name)


# ---- Testing Guidelines --------------------------------------------------------------------------------------------

UNIT_TEST = """
def test_driver_registration():
    driver = MockDriver()
    DriverRegistry.register("test.driver", driver)
    retrieved = DriverRegistry.get("test.driver")
    assert retrieved is driver
"""

INTEGRATION_TEST = """
def test_compilation_flow():
    oml = load_fixture("pipeline.yaml")
    manifest = compile_oml(oml)
    assert manifest["fingerprint"]
    assert len(manifest["steps"]) > 0
"""


def test_the_unit_test_passes() -> None:
    run(UNIT_TEST)["test_driver_registration"]()


@pytest.mark.parametrize("load_fixture", [as_text, as_path, as_data])
def test_the_integration_test_passes_whatever_load_fixture_returns(load_fixture: Callable[[str], object]) -> None:
    run(INTEGRATION_TEST, load_fixture=load_fixture)["test_compilation_flow"]()


# ---- Design Patterns -----------------------------------------------------------------------------------------------

FACTORY = 'adapter = AdapterFactory.create(target="{target}")  # or "local"'
REGISTER = 'DriverRegistry.register("mysql.extractor", MySQLExtractor())'
GET = 'driver = DriverRegistry.get("mysql.extractor")'


def test_the_factory_makes_the_local_adapter() -> None:
    adapter = run(FACTORY.format(target="local"))["adapter"]
    assert isinstance(adapter, osiris.core.execution_adapter.ExecutionAdapter)
    assert type(adapter).__name__ == "LocalAdapter"


def test_the_factory_makes_the_adapter_for_e2b() -> None:
    adapter = run(FACTORY.format(target="e2b"))["adapter"]
    assert isinstance(adapter, osiris.core.execution_adapter.ExecutionAdapter)
    assert type(adapter).__name__ == "E2BTransparentProxy"


def test_a_registered_mysql_driver_is_retrieved() -> None:
    driver = run(f"{REGISTER}\n{GET}", MySQLExtractor=MockDriver)["driver"]
    assert isinstance(driver, MockDriver)


def test_without_it_the_driver_is_our_own() -> None:
    assert type(run(GET)["driver"]).__name__ == "MySQLExtractor"


# ---- secrets_masking.py, error_taxonomy.py -------------------------------------------------------------------------


def test_mask_secrets_returns_what_the_comment_says() -> None:
    snippet = """
    mask_secrets("password=secret123")
    # Returns: "password=***"
    """
    expression, comment = textwrap.dedent(snippet).strip().splitlines()
    assert eval(expression, names()) == json.loads(comment.partition("Returns: ")[2])


@pytest.mark.parametrize(
    "category", ["ConfigurationError", "CompilationError", "ExecutionError", "ConnectionError", "ValidationError"]
)
def test_every_error_category_is_an_exception_with_a_message(category: str) -> None:
    error_class = getattr(osiris.core.error_taxonomy, category)
    assert issubclass(error_class, osiris.core.error_taxonomy.OsirisError)
    with pytest.raises(error_class, match="what happened"):
        raise error_class("what happened")


# ---- Protocols and interfaces: names and parameters as written -----------------------------------------------------

INTERFACES = {
    "osiris.core.driver": """
class Driver(Protocol):
    def run(
        self,
        step_id: str,
        config: dict,
        inputs: dict | None,
        ctx: ExecutionContext
    ) -> dict:
        '''Execute a pipeline step'''

class DriverRegistry:
    @classmethod
    def register(cls, name: str, driver: Driver):
        '''Register a driver implementation'''

    @classmethod
    def get(cls, name: str) -> Driver:
        '''Retrieve registered driver'''
""",
    "osiris.core.execution_adapter": """
class ExecutionAdapter(ABC):
    @abstractmethod
    def prepare(self, manifest: dict, context: ExecutionContext) -> PreparedRun:
        '''Prepare execution package'''

    @abstractmethod
    def execute(self, prepared: PreparedRun, context: ExecutionContext):
        '''Execute the pipeline'''

    @abstractmethod
    def collect(self, prepared: PreparedRun, context: ExecutionContext) -> dict:
        '''Collect results and artifacts'''

class ExecutionContext:
    def log_event(self, event: str, data: dict):
        '''Log structured event'''

    def log_metric(self, name: str, value: float):
        '''Log performance metric'''
""",
}


def declared(source: str) -> dict[str, dict[str, list[str]]]:
    """Class to method to its parameters, as a snippet declares them."""
    import ast

    found: dict[str, dict[str, list[str]]] = {}
    for node in ast.parse(source).body:
        assert isinstance(node, ast.ClassDef)
        methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
        found[node.name] = {method.name: [a.arg for a in method.args.args[1:]] for method in methods}
    return found


@pytest.mark.parametrize("module", INTERFACES)
def test_the_classes_have_the_methods_with_the_parameters_as_written(module: str) -> None:
    import importlib

    for class_name, methods in declared(INTERFACES[module]).items():
        real = getattr(importlib.import_module(module), class_name)
        for method, parameters in methods.items():
            signature = inspect.signature(getattr(real, method))
            real_names = [name for name in signature.parameters if name != "self"]
            assert real_names[: len(parameters)] == parameters, f"{class_name}.{method}"
            extra = list(signature.parameters.values())[len(parameters) + ("self" in signature.parameters) :]
            assert all(p.default is not p.empty or p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in extra)


def test_driver_is_a_protocol_and_the_adapter_is_abstract() -> None:
    assert getattr(osiris.core.driver.Driver, "_is_protocol", False)
    assert issubclass(osiris.core.execution_adapter.ExecutionAdapter, ABC)
    with pytest.raises(TypeError, match="abstract"):
        osiris.core.execution_adapter.ExecutionAdapter()  # type: ignore[abstract]


def test_the_execution_context_is_a_dataclass_with_the_four_fields() -> None:
    context = osiris.core.execution_adapter.ExecutionContext
    assert is_dataclass(context)
    assert [field.name for field in fields(context)][:4] == ["session_id", "working_dir", "artifacts_dir", "logger"]


PUBLIC = {
    "compiler_v0": ["compile_oml", "validate_schema", "resolve_connections", "generate_fingerprint"],
    "config": ["Config", "ConnectionConfig", "RuntimeConfig"],
    "session_logging": ["SessionLogger", "EventLogger", "MetricsCollector"],
    "driver": ["Driver", "DriverRegistry"],
    "execution_adapter": ["ExecutionAdapter", "ExecutionContext", "PreparedRun"],
    "adapter_factory": ["AdapterFactory"],
}


@pytest.mark.parametrize("module", PUBLIC)
def test_the_key_classes_and_functions_are_there(module: str) -> None:
    assert all(hasattr(getattr(osiris.core, module), name) for name in PUBLIC[module])


# ---- session_logging.py --------------------------------------------------------------------------------------------

EVENT_FORMAT = """
{
  "ts": "2025-01-01T12:00:00Z",
  "session": "run_1234567890",
  "event": "step_start",
  "step_id": "extract_data",
  "driver": "mysql.extractor"
}
"""


def test_an_event_has_the_format_as_written(tmp_path: Path) -> None:
    wanted = json.loads(EVENT_FORMAT)
    logger = osiris.core.session_logging.SessionLogger(tmp_path / "logs" / wanted["session"], wanted["session"])
    context = osiris.core.execution_adapter.ExecutionContext(wanted["session"], tmp_path, tmp_path, logger)
    context.log_event("step_start", {"step_id": "extract_data", "driver": "mysql.extractor"})
    logger.close()
    (line,) = (tmp_path / "logs" / "run_1234567890" / "events.jsonl").read_text("utf-8").splitlines()
    event = json.loads(line)
    assert list(event) == list(wanted)
    assert {**event, "ts": wanted["ts"]} == wanted
    assert event["ts"].endswith("Z")


def test_the_log_folder_has_events_and_metrics(tmp_path: Path) -> None:
    with osiris.core.session_logging.SessionLogger(tmp_path / "run_1", "run_1") as logger:
        logger.log_event("run_start")
        logger.log_metric("rows_read", 1)
    assert sorted(path.name for path in (tmp_path / "run_1").iterdir()) == ["events.jsonl", "metrics.jsonl"]


# ---- config.py -----------------------------------------------------------------------------------------------------


def test_the_precedence_is_command_line_then_environment_then_file_then_default(tmp_path: Path) -> None:
    config_class = osiris.core.config.Config
    assert config_class.load(tmp_path, environ={}).runtime.logs_dir == "logs"
    (tmp_path / "osiris.yaml").write_text("runs: {logs_dir: from_file}\n")
    assert config_class.load(tmp_path, environ={}).runtime.logs_dir == "from_file"
    environ = {"OSIRIS_LOGS_DIR": "from_environment"}
    assert config_class.load(tmp_path, environ=environ).runtime.logs_dir == "from_environment"
    given = {"runs.logs_dir": "from_command_line"}
    assert config_class.load(tmp_path, given, environ).runtime.logs_dir == "from_command_line"


# ---- discovery.py, cache_fingerprint.py, state_store.py ------------------------------------------------------------

DISCOVERY = """
discovery = DiscoveryAgent(connection_config)
schema = discovery.discover_schema()  # Cached if unchanged
tables = discovery.get_tables()
columns = discovery.get_columns("users")
"""


@pytest.fixture
def users_db(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "app.db") as db:
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL)")
    db.close()
    return tmp_path / "app.db"


def discovered(connection_config: object) -> dict[str, Any]:
    return run(DISCOVERY, DiscoveryAgent=osiris.core.discovery.DiscoveryAgent, connection_config=connection_config)


def test_a_database_is_explored_as_the_example_says(users_db: Path) -> None:
    found = discovered({"family": "sqlite", "path": str(users_db)})
    assert [table.name for table in found["tables"]] == ["users"]
    assert [(column.name, column.nullable, column.primary_key) for column in found["columns"]] == [
        ("id", False, 1),
        ("email", False, 0),
    ]
    assert found["schema"].table("users").columns == found["columns"]


def test_the_schema_is_cached_if_unchanged_and_not_when_the_connection_changes(users_db: Path) -> None:
    read_at = discovered({"type": "sqlite", "path": str(users_db)})["schema"].read_at
    assert discovered({"type": "sqlite", "path": str(users_db)})["schema"].read_at == read_at
    other = users_db.rename(users_db.with_name("other.db"))
    assert discovered({"type": "sqlite", "path": str(other)})["schema"].read_at > read_at


def test_the_key_classes_of_discovery_are_where_they_are_said_to_be() -> None:
    assert osiris.core.discovery.SchemaCache is osiris.core.schema_cache.SchemaCache
    assert osiris.core.discovery.SchemaFingerprint is osiris.core.cache_fingerprint.SchemaFingerprint
    fingerprint = osiris.core.discovery.SchemaFingerprint.of_fields("sqlite", {"path": "a.db"}, root=Path("/"))
    assert len(bytes.fromhex(str(fingerprint))) == 32, "SHA-256"


def test_the_state_store_is_sqlite() -> None:
    with osiris.core.state_store.StateStore() as store:
        store.grant_consent("x")
        assert store.path.read_bytes().startswith(b"SQLite format 3\0")


# ---- llm_adapter.py, conversational_agent.py -----------------------------------------------------------------------

CREATE = 'llm = LLMAdapter.create(provider="openai", model="gpt-4")'


@pytest.mark.parametrize("key", ["", "sk-test"])
def test_an_adapter_is_made_whether_or_not_there_is_a_key(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    llm = run(CREATE, LLMAdapter=osiris.core.llm_adapter.LLMAdapter)["llm"]
    assert [model.model for model in llm.models] == ["gpt-4"]


def test_the_adapter_completes_and_streams() -> None:
    with model_double(Says("one two"), Says("one two")) as double:
        llm = osiris.core.llm_adapter.LLMAdapter.create(provider="openai", model="gpt-4", base_url=double.url)
        assert llm.complete("Count") == "one two"
        assert list(llm.stream("Count")) == ["one", " two"]


def test_the_agent_goes_through_the_states_of_the_documentation(tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    proposal = Says("", [("propose_pipeline", {"oml": GOOD, "summary": "Revenue."})])
    with model_double(proposal, proposal) as double:
        llm = osiris.core.llm_adapter.LLMAdapter.create(provider="openai", model="gpt-4", base_url=double.url)
        agent = osiris.core.conversational_agent.ConversationalAgent(shop, llm)
        assert agent.state is osiris.core.conversational_agent.ChatState.INIT
        response = agent.process_message("Revenue by customer")
        assert isinstance(response, osiris.core.conversational_agent.AgentResponse)
        assert response.state is osiris.core.conversational_agent.ChatState.COMPILE
        oml = agent.generate_oml({"intent": "Revenue by customer"})
    assert isinstance(agent.context, osiris.core.conversational_agent.ConversationContext)
    assert agent.validate_and_save(oml) is True
    assert [path.name for path in (shop / "output").iterdir()] == ["revenue.oml.yaml"]
