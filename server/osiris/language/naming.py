"""Names that come from names: tables from step ids, environment variables from parameters."""

from __future__ import annotations

import re

_NOT_IN_TABLE = re.compile(r"[^0-9a-zA-Z_]")
_STEP_ID = re.compile(r"[A-Za-z0-9_.-]+")
_SIMPLE_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PARAM = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

# Windows refuses these as file names, with any extension.
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10))})
_MAX_NAME = 100


def table_name(step_id: str) -> str:
    """The table of a step's output: ``extract-orders`` is ``df_extract_orders``, ``1st`` is ``df__1st``."""
    name = _NOT_IN_TABLE.sub("_", step_id)
    return f"df__{name}" if name[:1].isdigit() else f"df_{name}"


def variable_name(param: str) -> str:
    """The environment variable that may give a parameter its value: ``min-rows`` is ``OSIRIS_PARAM_MIN_ROWS``."""
    return "OSIRIS_PARAM_" + param.upper().replace("-", "_")


def is_param_name(name: str) -> bool:
    """Whether a parameter may have this name: a letter or ``_``, then letters, digits, ``_`` and ``-``."""
    return _PARAM.fullmatch(name) is not None


def file_name_problem(name: str) -> str | None:
    """Why ``name`` cannot name a file or folder on every system, as the end of a sentence; None when it can."""
    if not name:
        return "is empty"
    if len(name) > _MAX_NAME:
        return f"is longer than {_MAX_NAME} characters"
    for bad in '/\\:*?"<>|':
        if bad in name:
            return f"contains `{bad}`"
    if any(ord(c) < 32 or ord(c) == 127 for c in name):
        return "contains a control character"
    if name.startswith("."):
        return "starts with a dot"
    if name.endswith((".", " ")) or name.startswith(" "):
        return "starts or ends with a space or ends with a dot"
    if name.split(".")[0].lower() in _RESERVED:
        return f"is a reserved file name on Windows (`{name.split('.')[0]}`)"
    return None


def step_id_problem(step_id: str) -> str | None:
    """Why ``step_id`` is no allowed id, as the end of a sentence; None when it is allowed."""
    folded = step_id.lower()
    if _SIMPLE_ID.fullmatch(step_id) and folded not in _RESERVED and folded != "params":
        return None  # nearly all of them
    if folded == "params":
        return "is taken by `${params...}`"
    if not _STEP_ID.fullmatch(step_id):
        bad = next((c for c in step_id if not _STEP_ID.fullmatch(c)), "")
        shown = "a space" if bad == " " else f"`{bad}`" if bad.isprintable() else "a control character"
        return f"contains {shown}" if step_id else "is empty"
    if ".." in step_id:
        return "contains `..`"
    return file_name_problem(step_id)


def to_step_id(text: str) -> str:
    """The nearest allowed step id to ``text``."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", text)
    name = re.sub(r"\.{2,}", ".", name).strip("-. ")[:_MAX_NAME].rstrip("-.") or "step"
    return name if step_id_problem(name) is None else f"{name.replace('.', '-')}-step"


def is_kebab_case(name: str) -> bool:
    """Whether ``name`` is lower-case words joined by single dashes."""
    return _KEBAB.fullmatch(name) is not None


def to_kebab_case(name: str) -> str:
    """``name`` as lower-case words joined by dashes; empty when no letter or digit is left."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
