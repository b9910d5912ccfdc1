"""The HTTP client that requests to a model go through: what it sends is ours alone, and what it takes has limits.

The package of the providers adds headers from the environment, follows redirects and reads whatever comes. A server at
an address of the user's own may be anybody's, so none of that is left to it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from osiris.core.error_categories import ErrorCategory
from osiris.core.llm.errors import ModelError

if TYPE_CHECKING:
    from openai import DefaultAsyncHttpxClient

MOST_BYTES = 64 * 1024 * 1024
LONGEST_LINE = 8 * 1024 * 1024
_SENT = frozenset({"host", "connection", "accept", "content-type", "content-length", "user-agent"})
_OF_ACCOUNT = frozenset({"openai-organization", "openai-project"})


def guarded_client(name: str, key: str | None, timeout: float, *, of_openai: bool) -> DefaultAsyncHttpxClient:
    """A client for the server called ``name``. ``of_openai``: it is OpenAI's own, which may be told of the account that
    the environment names. ``timeout``: seconds to connect, and for each next piece."""
    from openai import DefaultAsyncHttpxClient

    kept = _SENT | _OF_ACCOUNT if of_openai else _SENT

    async def before(request: Any) -> None:
        for header in [header for header in request.headers if header.lower() not in kept]:
            del request.headers[header]
        request.headers["User-Agent"] = "osiris"
        request.headers["Accept-Encoding"] = "identity"  # the limits count what is read
        if key is not None:
            request.headers["Authorization"] = f"Bearer {key}"

    async def after(response: Any) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise ModelError(f"The answer of {name} is compressed, which it was asked not to be.")
        response.stream = _bounded(response.stream, name)

    hooks: dict[str, list[Callable[..., Any]]] = {"request": [before], "response": [after]}
    return DefaultAsyncHttpxClient(follow_redirects=False, timeout=timeout, event_hooks=hooks)


def _bounded(stream: Any, name: str) -> Any:
    """``stream`` with an end: by its bytes, and by those of one line."""
    kind: Any = next(kind for kind in type(stream).__mro__ if kind.__name__ == "AsyncByteStream")

    class Bounded(kind):  # type: ignore[misc]  # of either package that the client may rest on
        async def __aiter__(self) -> AsyncIterator[bytes]:
            whole = line = 0
            async for piece in stream:
                whole += len(piece)
                end = piece.rfind(b"\n")
                line = line + len(piece) if end < 0 else len(piece) - end - 1
                if whole > MOST_BYTES or line > LONGEST_LINE:
                    raise ModelError(
                        f"The answer of {name} is longer than any answer can be.",
                        hint="Check that the address is the one of a chat-completions server.",
                        category=ErrorCategory.VALIDATION,
                        answered=True,
                    )
                yield piece

        async def aclose(self) -> None:
            await stream.aclose()

    return Bounded()
