"""What an error of the HTTP client means for a user."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Mapping

from osiris.core.error_categories import ErrorCategory
from osiris.core.llm.errors import ModelError

_LONGEST_WAIT = 60.0
_PASSING = ("rate_limit", "overloaded", "unavailable", "server_error", "internal", "timeout", "429", "500", "503")
_C = ErrorCategory
_MEANINGS: dict[int, tuple[str, str, ErrorCategory]] = {
    400: ("does not accept the request", "Check the name of the model and that it can call tools.", _C.VALIDATION),
    401: ("does not accept the key", "Check the key, and that it is one of this provider.", _C.AUTHENTICATION),
    402: ("wants to be paid first", "Check the plan and the limits of your account there.", _C.PERMISSION),
    403: ("does not let this key use the model", "Check what the key may do.", _C.PERMISSION),
    404: ("has no such model, or is not at this address", "Check the model and the base_url.", _C.NOT_FOUND),
    408: ("took too long", "Try again.", _C.TIMEOUT),
    413: ("says that the conversation is too long", "Begin a new conversation.", _C.VALIDATION),
    422: ("does not accept the request", "Check the name of the model and that it can call tools.", _C.VALIDATION),
    429: ("says that there are too many requests", "Wait a little, or check your limits there.", _C.BUSY),
}


def model_error(error: BaseException, name: str, answered: bool) -> ModelError:
    """``error`` of the client (or the network) as one of ours. ``name``: what users know the server as; ``answered``:
    whether a part had arrived."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        headers = getattr(getattr(error, "response", None), "headers", {})
        return _of_status(error, status, name, _retry_after(headers))
    if _is_timeout(error):
        return ModelError(
            f"{name} did not answer in time.",
            hint="Try again, or raise the timeout.",
            category=_C.TIMEOUT,
            transient=True,
            answered=answered,
        )
    if getattr(error, "body", None) is not None:
        return _of_stream(error, name, answered)
    if answered:
        return ModelError(f"The answer of {name} broke off.", hint="Try again.", transient=True, answered=True)
    return ModelError(
        f"{name} cannot be reached.",
        hint="Check the network, the proxy and the base_url.",
        transient=True,
        answered=answered,
    )


def _of_stream(error: BaseException, name: str, answered: bool) -> ModelError:
    """An error that the provider tells in the middle of a stream."""
    reason = _reason(error)
    body = getattr(error, "body", None)
    kinds = [str(body.get(key, "")).lower() for key in ("code", "type", "status")] if isinstance(body, Mapping) else []
    return ModelError(
        f"{name} reports an error{': ' + reason if reason else ''}.",
        hint="Try again, or another model.",
        transient=any(word in kind for kind in kinds for word in _PASSING),
        answered=answered,
    )


def _of_status(error: BaseException, status: int, name: str, retry_after: float | None) -> ModelError:
    said, hint, category = _MEANINGS.get(status, (f"answers with status {status}", "Try again later.", _C.UNREACHABLE))
    if status >= 500:
        said, category = f"has a fault of its own (status {status})", _C.UNREACHABLE
    if 300 <= status < 400:
        said, hint = "sends requests on to another address", "Set the base_url to that address, if you trust it."
    reason = _reason(error)
    busy = status in (408, 409, 425, 429) or status >= 500
    if busy and retry_after is not None and retry_after > _LONGEST_WAIT:
        busy, hint = False, f"It asks to wait {_in_words(retry_after)}."
    return ModelError(
        f"{name} {said}{': ' + reason if reason else ''}.",
        hint=hint,
        category=category,
        transient=busy and not (status == 429 and "quota" in reason.lower()),
        retry_after=retry_after,
    )


def _reason(error: BaseException) -> str:
    """What the provider says, as one short line."""
    text = getattr(error, "body", None)
    for _ in range(4):  # {"error": {"message": ...}}, [{"error": ...}], {"detail": ...}
        if isinstance(text, list) and text:
            text = text[0]
        elif isinstance(text, Mapping):
            text = text.get("message") or text.get("error") or text.get("detail")
    if not isinstance(text, str) or text.lstrip().startswith("<"):  # a page of whatever stands in between
        return ""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= 300 else f"{line[:300]}..."


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of a Retry-After header (RFC 9110, 10.2.3: a number or a date)."""
    given = headers.get("retry-after", "").strip()
    if not given:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", given):
        return float(given)
    try:
        moment = email.utils.parsedate_to_datetime(given).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return max(0.0, moment - time.time())


def _in_words(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return "for many days" if seconds > 365 * 86_400 else f"about {seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _is_timeout(error: BaseException) -> bool:
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, TimeoutError) or "Timeout" in type(link).__name__:
            return True
        link = link.__cause__
    return False
