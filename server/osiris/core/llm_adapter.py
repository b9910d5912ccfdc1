"""One interface to the language models of several providers.

    llm = LLMAdapter.create(provider="openai", model="gpt-4")
    text = llm.complete("Which columns does orders have?")
    for piece in llm.stream("Explain this step"):
        print(piece, end="")

Whatever is sent passes the masker first. Nothing is sent, and the ``openai`` package is not imported, before one of
the methods that ask is called.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from osiris.core.llm.ceiling import AiCeiling
from osiris.core.llm.chat_completions import Endpoint, Piece, request_bytes, stream_reply
from osiris.core.llm.errors import ModelCancelledError, ModelError, NoModelError
from osiris.core.llm.messages import Message, Reply, Request, TextPiece, ToolCall
from osiris.core.llm.patience import RETRIES, with_retries
from osiris.core.llm.providers import EDITOR, NAMES, checked_url, host_of, provider_named
from osiris.core.llm.user_settings import AiSettings, key_for, load_ai_settings, no_model
from osiris.core.secrets_masking import Masker

Event = Mapping[str, Any]


class ChatModel(Protocol):
    """One model somewhere. ``provider``: what the ceiling of a project goes by; ``host``: where requests go."""

    @property
    def provider(self) -> str:
        """The provider's name, or the host of another server."""

    @property
    def model(self) -> str:
        """The model's name there."""

    @property
    def host(self) -> str:
        """The host that requests go to, as a log names it."""

    def reply(self, request: Request, cancel: threading.Event) -> Iterator[Piece]:
        """The answer as it arrives, at last the whole. Raises ModelError, ModelCancelledError."""


@dataclass(frozen=True, slots=True)
class CompletionsModel:
    """A model behind an endpoint of chat completions. ``problem``: why it cannot be asked, as without a key."""

    endpoint: Endpoint
    problem: NoModelError | None = None

    @property
    def provider(self) -> str:
        """The provider's name; the host where it is another server than the provider's own."""
        return self.endpoint.provider if self.endpoint.is_own else self.host

    @property
    def model(self) -> str:
        """The model's name there."""
        return self.endpoint.model

    @property
    def host(self) -> str:
        """The host that requests go to."""
        return host_of(self.endpoint.base_url)

    def reply(self, request: Request, cancel: threading.Event) -> Iterator[Piece]:
        """See ChatModel. Raises NoModelError when there is no key."""
        if self.problem is not None:
            raise self.problem
        return stream_reply(self.endpoint, request, cancel)


@dataclass(frozen=True, slots=True)
class NotYet:
    """Stands for a model that cannot be asked, for showing what it would be sent. ``problem``: why it cannot be."""

    problem: NoModelError
    provider: str = ""
    model: str = ""
    host: str = ""

    def reply(self, request: Request, cancel: threading.Event) -> Iterator[Piece]:
        """See ChatModel. Raises NoModelError."""
        raise self.problem


class LLMAdapter:
    """A model, perhaps with another one that steps in for it."""

    def __init__(
        self,
        models: Sequence[ChatModel],
        *,
        masker: Masker | None = None,
        on_event: Callable[[Event], None] = lambda event: None,
        retries: int = RETRIES,
    ) -> None:
        """``models``: the one to ask, then those to ask when it cannot answer. ``masker``: what knows the secrets that
        must not be sent. ``on_event`` hears of requests, retries, fallbacks and answers."""
        self.models = tuple(models)
        self.masker = masker or Masker()
        self.on_event = on_event
        self.retries = retries

    @classmethod
    def create(
        cls,
        provider: str | None = None,
        model: str | None = None,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        fallback: str | None = None,
        timeout: float | None = None,
        environ: Mapping[str, str] | None = None,
        settings: AiSettings | None = None,
        ceiling: AiCeiling | None = None,
        editor: ChatModel | None = None,
        **options: Any,
    ) -> LLMAdapter:
        """The adapter for ``provider`` (openai, anthropic, google, editor) and ``model``.

        What is not given comes from the user's settings and the environment (``environ``), never from a workspace.
        ``base_url``: another server that speaks chat completions. ``fallback``: another model, or ``provider/model``.
        ``timeout``: seconds. ``ceiling``: what the project allows. ``editor``: the model of the editor we run in.
        ``options``: as for the class. Raises NoModelError when no model is chosen, AiForbiddenError,
        ConfigurationError. A missing key is said by ``check``, and by whatever asks the model.
        """
        given = settings if settings is not None else load_ai_settings(environ)
        given = given.of_provider(provider).with_options(
            provider=provider, model=model, base_url=base_url, fallback=fallback, timeout=timeout, key=api_key
        )
        models = [_model(given, environ, editor)]
        if given.fallback:
            models += _fallback(given, environ, editor)
        for found in models:
            (ceiling or AiCeiling()).require(found.provider)
        return cls(models, **options)

    def check(self) -> None:
        """Raise NoModelError when the model to ask first has no key. Sends nothing."""
        problem = getattr(self.models[0], "problem", None)
        if problem is not None and not isinstance(self.models[0], NotYet):
            raise problem

    def complete(self, prompt: str, **kwargs: Any) -> str:
        """The whole answer to ``prompt``. Arguments and errors as ``stream``."""
        return "".join(self.stream(prompt, **kwargs))

    def stream(self, prompt: str, **kwargs: Any) -> Iterator[str]:
        """The answer to ``prompt``, piece by piece.

        ``system``: what the model is told about its job; ``temperature``; ``max_tokens``; ``cancel``: an event that
        stops it. Raises ModelError, ModelCancelledError, MissingPackageError.
        """
        cancel = kwargs.pop("cancel", None)
        system = kwargs.pop("system", None)
        messages = (*((Message("system", system),) if system else ()), Message("user", prompt))
        for piece in self.converse(Request(messages, **kwargs), cancel):
            if isinstance(piece, TextPiece):
                yield piece.text

    def converse(self, request: Request, cancel: threading.Event | None = None) -> Iterator[Piece]:
        """The answer to a conversation as it arrives, at last the whole with its tool calls. Raises as ``stream``."""
        stop = cancel or threading.Event()
        safe = self.masked(request)
        for index, model in enumerate(self.models):
            try:
                yield from self._ask(model, safe, stop)
                return
            except ModelError as error:
                if error.answered or index == len(self.models) - 1:
                    raise
                self.on_event({"event": "llm_fallback", "from": model.model, "reason": self.masker.text(error.message)})

    def masked(self, request: Request) -> Request:
        """What of ``request`` is really sent."""
        return replace(request, messages=tuple(_masked_message(self.masker, message) for message in request.messages))

    def _ask(self, model: ChatModel, request: Request, cancel: threading.Event) -> Iterator[Piece]:
        where = {"provider": model.provider, "model": model.model, "host": model.host}
        size = len(request_bytes(model.model, request))

        def attempt() -> Iterator[Piece]:
            self.on_event({"event": "llm_request", **where, "bytes": size})
            return model.reply(request, cancel)

        def retried(error: ModelError, seconds: float) -> None:
            reason = self.masker.text(error.message)
            self.on_event({"event": "llm_retry", **where, "reason": reason, "seconds": round(seconds, 3)})

        try:
            for piece in with_retries(attempt, cancel, retries=self.retries, on_retry=retried):
                if isinstance(piece, Reply):
                    tokens = {"input_tokens": piece.usage.input_tokens, "output_tokens": piece.usage.output_tokens}
                    self.on_event({"event": "llm_response", **where, **tokens, "finish": piece.finish})
                yield piece
        except (ModelError, ModelCancelledError) as error:
            self.on_event({"event": "llm_error", **where, "reason": self.masker.text(error.message)})
            raise


def _model(settings: AiSettings, environ: Mapping[str, str] | None, editor: ChatModel | None) -> ChatModel:
    provider, model = settings.chosen()
    if provider == EDITOR:
        if editor is None:
            raise no_model("The AI model of the editor is only there inside of an editor that offers one.")
        return editor
    known = provider_named(provider)
    key, problem = None, None
    try:
        key = key_for(provider, settings, environ)
    except NoModelError as error:
        problem = error
    url = checked_url(settings.base_url or known.base_url, with_key=key is not None)
    return CompletionsModel(Endpoint(provider, model, url, key, settings.timeout), problem)


def _fallback(settings: AiSettings, environ: Mapping[str, str] | None, editor: ChatModel | None) -> list[ChatModel]:
    """``model`` of the same provider, or ``provider/model`` where what stands before the slash is a provider. Nothing
    where that is an editor and we run in none: the first model is there all the same."""
    provider, slash, model = (settings.fallback or "").partition("/")
    if slash and provider in NAMES and provider != settings.provider:
        if provider == EDITOR and editor is None:
            return []
        return [_model(AiSettings(provider, model, timeout=settings.timeout, keys=settings.keys), environ, editor)]
    same = model if slash and provider == settings.provider else settings.fallback
    return [_model(replace(settings, model=same), environ, editor)]


def _masked_message(masker: Masker, message: Message) -> Message:
    calls = tuple(ToolCall(call.id, call.name, masker.text(call.arguments)) for call in message.calls)
    return replace(message, text=masker.text(message.text), calls=calls)
