"""What kind of failure a foreign exception is.

Imports no library whose exceptions it judges: those are known by the names of their classes and modules and by the
structured attributes they carry (``errno``, ``sqlite_errorname``, ``sqlstate``, HTTP status), hardly ever by prose.
"""

from __future__ import annotations

import builtins
import enum
import errno
import os


class ErrorCategory(enum.StrEnum):
    """What kind of failure it is. ``transient``: whether the same attempt may succeed later."""

    CONFIGURATION = "configuration"
    COMPILATION = "compilation"
    VALIDATION = "validation"
    AUTHENTICATION = "authentication"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    BUSY = "busy"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    PERMISSION = "permission"
    DISK_FULL = "disk_full"
    OUT_OF_MEMORY = "out_of_memory"
    RESOURCES = "resources"
    INPUT_OUTPUT = "input_output"
    QUERY = "query"
    DATA = "data"
    CONSTRAINT = "constraint"
    MISSING_PACKAGE = "missing_package"
    UNSUPPORTED = "unsupported"
    CANCELLED = "cancelled"
    EXECUTION = "execution"
    UNKNOWN = "unknown"

    @property
    def transient(self) -> bool:
        """Whether trying again without any change may help."""
        return self in _TRANSIENT


_TRANSIENT = frozenset({ErrorCategory.UNREACHABLE, ErrorCategory.TIMEOUT, ErrorCategory.BUSY, ErrorCategory.RESOURCES})


_C = ErrorCategory
_ERRNO = {
    errno.ENOENT: _C.NOT_FOUND,
    errno.ENOTDIR: _C.NOT_FOUND,
    errno.EISDIR: _C.CONFIGURATION,
    errno.EEXIST: _C.ALREADY_EXISTS,
    errno.EACCES: _C.PERMISSION,
    errno.EPERM: _C.PERMISSION,
    errno.EROFS: _C.PERMISSION,
    errno.ENOSPC: _C.DISK_FULL,
    errno.EDQUOT: _C.DISK_FULL,
    errno.EFBIG: _C.DISK_FULL,
    errno.ENOMEM: _C.OUT_OF_MEMORY,
    errno.EMFILE: _C.RESOURCES,
    errno.ENFILE: _C.RESOURCES,
    errno.EAGAIN: _C.BUSY,
    errno.EBUSY: _C.BUSY,
    errno.ETXTBSY: _C.BUSY,
    errno.ETIMEDOUT: _C.TIMEOUT,
    errno.ECONNREFUSED: _C.UNREACHABLE,
    errno.ECONNRESET: _C.UNREACHABLE,
    errno.ECONNABORTED: _C.UNREACHABLE,
    errno.EPIPE: _C.UNREACHABLE,
    errno.EHOSTUNREACH: _C.UNREACHABLE,
    errno.ENETUNREACH: _C.UNREACHABLE,
    errno.EHOSTDOWN: _C.UNREACHABLE,
    errno.ENETDOWN: _C.UNREACHABLE,
    errno.ENAMETOOLONG: _C.CONFIGURATION,
}
_SQLITE = {
    "SQLITE_BUSY": _C.BUSY,
    "SQLITE_LOCKED": _C.BUSY,
    "SQLITE_CANTOPEN": _C.NOT_FOUND,
    "SQLITE_READONLY": _C.PERMISSION,
    "SQLITE_PERM": _C.PERMISSION,
    "SQLITE_AUTH": _C.PERMISSION,
    "SQLITE_FULL": _C.DISK_FULL,
    "SQLITE_NOMEM": _C.OUT_OF_MEMORY,
    "SQLITE_IOERR": _C.INPUT_OUTPUT,
    "SQLITE_CORRUPT": _C.DATA,
    "SQLITE_NOTADB": _C.DATA,
    "SQLITE_MISMATCH": _C.DATA,
    "SQLITE_TOOBIG": _C.DATA,
    "SQLITE_CONSTRAINT": _C.CONSTRAINT,
    "SQLITE_INTERRUPT": _C.CANCELLED,
}
_DUCKDB = {
    "OutOfMemoryException": _C.OUT_OF_MEMORY,
    "InterruptException": _C.CANCELLED,
    "ParserException": _C.QUERY,
    "SyntaxException": _C.QUERY,
    "BinderException": _C.QUERY,
    "CatalogException": _C.QUERY,
    "InvalidInputException": _C.DATA,
    "ConversionException": _C.DATA,
    "OutOfRangeException": _C.DATA,
    "TypeMismatchException": _C.DATA,
    "InvalidTypeException": _C.QUERY,
    "ConstraintException": _C.CONSTRAINT,
    "PermissionException": _C.PERMISSION,
    "TransactionException": _C.BUSY,
    "ResourceInUseException": _C.BUSY,
    "HTTPException": _C.UNREACHABLE,
    "ConnectionException": _C.UNREACHABLE,
    "NotImplementedException": _C.UNSUPPORTED,
    "DependencyException": _C.CONSTRAINT,
    "IOException": _C.INPUT_OUTPUT,
    "DataError": _C.DATA,
    "IntegrityError": _C.CONSTRAINT,
    "ProgrammingError": _C.QUERY,
}
_MYSQL = {
    1044: _C.AUTHENTICATION,
    1045: _C.AUTHENTICATION,
    1698: _C.AUTHENTICATION,
    1142: _C.PERMISSION,
    1143: _C.PERMISSION,
    1227: _C.PERMISSION,
    1049: _C.NOT_FOUND,
    1146: _C.NOT_FOUND,
    1054: _C.QUERY,
    1064: _C.QUERY,
    1040: _C.RESOURCES,
    1203: _C.RESOURCES,
    1205: _C.BUSY,
    1213: _C.BUSY,
    1021: _C.DISK_FULL,
    1114: _C.DISK_FULL,
    2002: _C.UNREACHABLE,
    2003: _C.UNREACHABLE,
    2005: _C.UNREACHABLE,
    2006: _C.UNREACHABLE,
    2013: _C.UNREACHABLE,
}
_SQLSTATE = {  # longest prefix first
    "42501": _C.PERMISSION,
    "42P01": _C.NOT_FOUND,
    "57014": _C.CANCELLED,
    "55P03": _C.BUSY,
    "53100": _C.DISK_FULL,
    "53200": _C.OUT_OF_MEMORY,
    "3D": _C.NOT_FOUND,
    "08": _C.UNREACHABLE,
    "22": _C.DATA,
    "23": _C.CONSTRAINT,
    "28": _C.AUTHENTICATION,
    "40": _C.BUSY,
    "42": _C.QUERY,
    "53": _C.RESOURCES,
    "57": _C.UNREACHABLE,
    "0A": _C.UNSUPPORTED,
}
_DB_API = {
    "DataError": _C.DATA,
    "IntegrityError": _C.CONSTRAINT,
    "ProgrammingError": _C.QUERY,
    "NotSupportedError": _C.UNSUPPORTED,
}
_BY_NAME = {  # of any module: libraries share these names
    "TimeoutExpired": _C.TIMEOUT,
    "ConnectTimeout": _C.TIMEOUT,
    "ReadTimeout": _C.TIMEOUT,
    "ConnectError": _C.UNREACHABLE,
    "JSONDecodeError": _C.DATA,
    "ArrowInvalid": _C.DATA,
    "ArrowTypeError": _C.DATA,
    "ArrowCapacityError": _C.DATA,
    "ArrowNotImplementedError": _C.UNSUPPORTED,
    "ArrowCancelled": _C.CANCELLED,
    "CancelledError": _C.CANCELLED,
}


def category_of(error: BaseException) -> ErrorCategory:
    """The category of a foreign exception by itself, what caused it left aside."""
    for judge in (_builtin, _sqlite, _duckdb, _http, _sql_server):
        category = judge(error)
        if category is not None:
            return category
    names = (base.__name__ for base in type(error).__mro__)
    return next((_BY_NAME[name] for name in names if name in _BY_NAME), _C.UNKNOWN)


def module_of(error: BaseException) -> str:
    """The top-level package that the class of ``error`` comes from."""
    return type(error).__module__.partition(".")[0]


def _builtin(error: BaseException) -> ErrorCategory | None:
    if isinstance(error, KeyboardInterrupt):
        return _C.CANCELLED
    if isinstance(error, MemoryError):
        return _C.OUT_OF_MEMORY
    if isinstance(error, ImportError):
        return _C.MISSING_PACKAGE
    if isinstance(error, UnicodeError):
        return _C.DATA
    if isinstance(error, TimeoutError):
        return _C.TIMEOUT
    if isinstance(error, OSError) and module_of(error) == "socket":
        return _C.UNREACHABLE  # name resolution: its numbers are not those of errno
    if isinstance(error, OSError) and error.errno is not None:
        return _ERRNO.get(error.errno, _C.INPUT_OUTPUT)
    if isinstance(error, builtins.ConnectionError):
        return _C.UNREACHABLE
    return None


def _sqlite(error: BaseException) -> ErrorCategory | None:
    if module_of(error) != "sqlite3":
        return None
    name = getattr(error, "sqlite_errorname", "")
    for known, category in _SQLITE.items():
        if name == known or name.startswith(f"{known}_"):
            return category
    return _C.QUERY


def _duckdb(error: BaseException) -> ErrorCategory | None:
    if module_of(error) not in ("duckdb", "_duckdb"):
        return None
    for base in type(error).__mro__:
        category = _DUCKDB.get(base.__name__)
        if category is _C.INPUT_OUTPUT:
            return _duckdb_io(str(error))
        if category is not None:
            return category
    return _C.EXECUTION


def _duckdb_io(text: str) -> ErrorCategory:
    """DuckDB gives the system's error as text only; that text is the system's own, so it can be compared."""
    for number, category in _ERRNO.items():
        if os.strerror(number) in text:
            return category
    return _C.NOT_FOUND if "No files found that match" in text else _C.INPUT_OUTPUT


def _http(error: BaseException) -> ErrorCategory | None:
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    if not isinstance(status, int) or not 400 <= status <= 599:
        return None
    exact = {401: _C.AUTHENTICATION, 403: _C.PERMISSION, 404: _C.NOT_FOUND, 408: _C.TIMEOUT, 429: _C.BUSY}
    return exact.get(status) or (_C.UNREACHABLE if status >= 500 else _C.QUERY)


def _sql_server(error: BaseException) -> ErrorCategory | None:
    """Errors of other Python database drivers (DB-API 2)."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if isinstance(state, str):
        for prefix, category in _SQLSTATE.items():
            if state.startswith(prefix):
                return category
    names = [base.__name__ for base in type(error).__mro__]
    if "DatabaseError" not in names and "InterfaceError" not in names:
        return None
    number = error.args[0] if error.args else None
    if isinstance(number, int) and number in _MYSQL:
        return _MYSQL[number]
    return next((_DB_API[name] for name in names if name in _DB_API), None)
