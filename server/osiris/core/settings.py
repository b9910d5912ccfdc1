"""The settings of osiris.yaml: one table, and the reading of a value against it.

Everything that knows a setting (reading, environment variables, the JSON Schema, the documentation) reads this table.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from osiris.core.targets import TARGETS
from osiris.language.project_file_names import CONNECTIONS_FILE as CONNECTIONS_FILE
from osiris.language.project_file_names import SETTINGS_FILE

CONFIG_FILE = SETTINGS_FILE

Value = str | int | float | bool | tuple[str, ...] | None

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(|B|KB|MB|GB|TB|KIB|MIB|GIB|TIB)\s*", re.IGNORECASE)
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")

TRUE_WORDS = frozenset({"true", "yes", "on", "1"})
FALSE_WORDS = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of osiris.yaml. ``kind``: text, integer, number, boolean, size, choice, texts, folders or any.

    ``variable`` is the environment variable that overrides the file, None where the environment has no say.
    """

    key: str
    kind: str
    default: Value
    description: str
    variable: str | None = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None


ALLOWED_FOLDERS = "paths.allow"

SETTINGS: tuple[Setting, ...] = (
    Setting("version", "any", None, "Version of the layout of this file."),
    Setting("on_failure", "choice", "continue", "After a failed step: finish what does not depend on it, or stop.",
            "OSIRIS_ON_FAILURE", ("continue", "stop")),
    Setting("deterministic", "boolean", False,
            "Whether equal inputs give equal bytes: one step at a time, SQL in one thread.", "OSIRIS_DETERMINISTIC"),
    Setting("runs.logs_dir", "text", "logs", "Folder of the runs, relative to the project.", "OSIRIS_LOGS_DIR"),
    Setting("runs.target", "choice", "local", "Where pipelines run when nothing else is said: on this machine, or in a "
            "sandbox of E2B. Keys and addresses never stand in this file.", "OSIRIS_TARGET", tuple(TARGETS)),
    Setting("runs.max_parallel", "integer", None, "How many runs may be active at once; default: the number of cores.",
            "OSIRIS_MAX_PARALLEL", minimum=1),
    Setting("runs.max_parallel_steps", "integer", 4, "How many independent steps of a run may run at once.",
            "OSIRIS_MAX_PARALLEL_STEPS", minimum=1),
    Setting("runs.keep_days", "integer", 30, "Runs that ended more than this many days ago are removed.",
            "OSIRIS_KEEP_DAYS", minimum=0),
    Setting("runs.keep_gb", "number", 5, "Above this many GB the oldest runs are removed.",
            "OSIRIS_KEEP_GB", minimum=0),
    Setting("runs.reuse_sources_minutes", "number", 0, "For how many minutes a run may use the rows again that an "
            "earlier one read from a server, while step and connection are the same; 0: never.",
            "OSIRIS_REUSE_SOURCES_MINUTES", minimum=0),
    Setting("runs.memory_limit", "size", None, "Memory a run may use, such as 2GB; default: a share of what is there.",
            "OSIRIS_MEMORY_LIMIT"),
    Setting("runs.journal", "boolean", True, "Whether databases that steps append to get a table osiris_journal, which "
            "tells a resumed run what they hold.", "OSIRIS_JOURNAL"),
    Setting(ALLOWED_FOLDERS, "folders", None, "Folders outside the project that steps may read from and write to, "
            "absolute or relative to the project. ~ and variables are not filled in. Default: none."),
    Setting("compile.on_save", "boolean", True, "Whether the editor compiles a pipeline when it is saved.",
            "OSIRIS_COMPILE_ON_SAVE"),
    Setting("ai.enabled", "boolean", True, "false forbids AI in this project; no user setting can raise that."),
    Setting("ai.providers", "texts", None,
            "The only AI providers allowed in this project, `mcp` for agents of other programs; default: any."),
    Setting("ai.allow_rows", "boolean", False, "Whether rows of data may be sent to an AI provider at all."),
    Setting("discovery.max_age_hours", "number", 24, "How long a discovered schema counts as fresh.",
            "OSIRIS_DISCOVERY_MAX_AGE_HOURS", minimum=0),
)  # fmt: skip

BY_KEY: Mapping[str, Setting] = {setting.key: setting for setting in SETTINGS}
SECTIONS: Mapping[str, tuple[str, ...]] = {
    section: tuple(s.key.partition(".")[2] for s in SETTINGS if s.key.startswith(section + "."))
    for section in ("runs", "paths", "compile", "ai", "discovery")
}
SEVERITY_WORDS = ("error", "warning", "information", "hint", "off")
SEVERITY_SECTION = "diagnostics"


def parse_size(text: str) -> int:
    """The number of bytes in a text such as ``2GB``, ``512 MiB`` or ``1000000``. Raises ValueError."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError("a size such as 512MB or 2GB is expected")
    return int(float(match.group(1)) * _UNITS[match.group(2).upper()])


def read_setting(setting: Setting, value: object) -> Value:
    """``value`` (from YAML or the command line) as the setting wants it. Raises ValueError that says what it wants."""
    if setting.kind == "any":
        return None if value is None else str(value)
    if setting.kind == "boolean":
        return _boolean(value)
    if setting.kind in ("integer", "number"):
        return _number(setting, value)
    if setting.kind in ("texts", "folders"):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError("a list of texts is expected")
        for folder in value if setting.kind == "folders" else ():
            _require_folder(folder)
        return tuple(value)
    if setting.kind == "size":
        size = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if parse_size(size) <= 0:
            raise ValueError("a size above 0 is expected")
        return size
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text is expected")
    if setting.choices and value not in setting.choices:
        raise ValueError(f"one of {', '.join(setting.choices)} is expected")
    return value


def read_setting_text(setting: Setting, text: str) -> Value:
    """``text`` (from an environment variable) as the setting's kind wants it. Raises ValueError."""
    if setting.kind in ("integer", "number"):
        try:
            return _number(setting, int(text) if setting.kind == "integer" else float(text))
        except ValueError:
            raise ValueError(_number_wanted(setting)) from None
    if setting.kind in ("texts", "folders"):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return read_setting(setting, text)


def _require_folder(written: str) -> None:
    """Refuse what is no folder, or not the same one for everybody. Raises ValueError."""
    plain = posixpath.normpath(written.replace("\\", "/"))
    if not written.strip() or "\0" in written:
        raise ValueError("each folder is a text that is not empty")
    if written.startswith("~") or "${" in written:
        raise ValueError(
            f"{written} would be another folder for another user. Write the folder itself; a connection with base_dir "
            "takes variables"
        )
    if _ADDRESS.match(written) or plain.startswith("//"):
        raise ValueError(f"{written} is an address on the network")
    if plain == "/" or re.fullmatch(r"[A-Za-z]:/?", plain):
        raise ValueError(f"{written} is the whole machine. Name the folders that are needed")


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in TRUE_WORDS or word in FALSE_WORDS:
        return word in TRUE_WORDS
    raise ValueError("true or false is expected")


def _number(setting: Setting, value: object) -> int | float:
    right = isinstance(value, int) if setting.kind == "integer" else isinstance(value, int | float)
    if not right or isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(_number_wanted(setting))
    if value != value or value in (float("inf"), -float("inf")) or value < (setting.minimum or 0):
        raise ValueError(_number_wanted(setting))
    return value


def _number_wanted(setting: Setting) -> str:
    what = "a whole number" if setting.kind == "integer" else "a number"
    return f"{what} of {setting.minimum or 0:g} or more is expected"


def json_schema() -> dict[str, Any]:
    """The JSON Schema of osiris.yaml."""
    root: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Osiris project configuration (osiris.yaml)",
        "type": "object",
        "properties": {section: {"type": "object", "properties": {}} for section in SECTIONS},
    }
    for setting in SETTINGS:
        section, _, key = setting.key.rpartition(".")
        home = root["properties"][section]["properties"] if section else root["properties"]
        home[key] = _property_schema(setting)
    root["properties"][SEVERITY_SECTION] = {
        "type": "object",
        "description": "How findings are shown.",
        "properties": {
            "severity": {
                "type": "object",
                "description": "Severity by code, for hints, warnings and all of OML4xx.",
                "patternProperties": {"^OML[0-9]{3}$": {"enum": list(SEVERITY_WORDS)}},
                "additionalProperties": False,
            }
        },
    }
    return root


def _property_schema(setting: Setting) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        "any": {"type": ["string", "number"]},
        "choice": {"enum": list(setting.choices)},
        "size": {"type": ["string", "integer"]},
        "text": {"type": "string"},
        "texts": {"type": "array", "items": {"type": "string"}},
        "folders": {"type": "array", "items": {"type": "string", "minLength": 1}},
    }
    schema = dict(kinds.get(setting.kind, {"type": setting.kind}), description=setting.description)
    if setting.minimum is not None:
        schema["minimum"] = setting.minimum
    if setting.default is not None:
        schema["default"] = setting.default
    return schema
