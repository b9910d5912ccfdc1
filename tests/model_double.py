"""A server of chat completions on loopback that answers as it was told to: real HTTP, server-sent events, tool calls.

It records whatever it received, so that a test can search all of it.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Says:
    """An answer: text, then calls of tools by name and arguments (a text goes as it is, to send what is no JSON)."""

    text: str = ""
    calls: Sequence[tuple[str, Mapping[str, Any] | str]] = ()
    finish: str | None = None
    broken_after: int | None = None
    """The connection is closed after so many pieces of text."""
    pause: threading.Event | None = None
    """Set: the rest of the answer waits for it."""


@dataclass(frozen=True)
class Refuses:
    """An error with this status."""

    status: int
    message: str = "no"
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: str | None = None
    """The body as it is, instead of an error."""


Answer = Says | Refuses
Answerer = Callable[[Mapping[str, Any]], Answer]


class ModelDouble:
    """``requests`` are the bodies as they came, ``raw`` every byte that came. Answers are taken in order; a function
    instead of a list is asked for each."""

    def __init__(self, answers: Sequence[Answer] | Answerer) -> None:
        self.answers = answers if callable(answers) else list(answers)
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.raw = b""
        self.gone = threading.Event()
        self.lock = threading.Lock()
        self.url = ""

    def answer(self, body: dict[str, Any], raw: bytes, headers: dict[str, str]) -> Answer:
        """The answer to a request, which is recorded."""
        with self.lock:
            self.requests.append(body)
            self.headers.append(headers)
            self.bodies.append(raw.partition(b"\n\n")[2])
            self.raw += raw + b"\n"
            if callable(self.answers):
                return self.answers(body)
            return self.answers.pop(0) if self.answers else Refuses(500, "nothing more to say")


@contextmanager
def model_double(*answers: Answer | Answerer) -> Iterator[ModelDouble]:
    """A running double, at ``double.url``, that gives ``answers`` in order, or those of one function."""
    one = answers[0] if len(answers) == 1 and callable(answers[0]) else None
    double = ModelDouble(one if one is not None else [a for a in answers if not callable(a)])

    class Handler(_Handler):
        model = double

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    double.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: ModelDouble

    def log_message(self, *args: object) -> None:
        """Nothing on stderr."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.model.answer(
            json.loads(raw), f"{self.requestline}\n{self.headers}".encode() + raw, dict(self.headers)
        )
        try:
            if isinstance(answer, Refuses):
                self._refuse(answer)
            else:
                self._stream(answer)
        except OSError:
            self.model.gone.set()
            self.close_connection = True

    def _refuse(self, answer: Refuses) -> None:
        error = {"error": {"message": answer.message, "type": "error", "code": None}}
        body = (json.dumps(error) if answer.raw is None else answer.raw).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, answer: Says) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        words = re.findall(r"\s*\S+|\s+$", answer.text)
        for index, word in enumerate(words):
            if answer.broken_after == index:
                self.close_connection = True
                self.wfile.flush()
                self.connection.close()
                return
            self._chunk({"content": word})
            if answer.pause is not None and index == 0:
                while not answer.pause.wait(0.05):
                    self._raw(b": still here\n\n")
        for index, (name, arguments) in enumerate(answer.calls):
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            head = {"index": index, "id": f"call_{len(self.model.requests)}_{index}", "type": "function"}
            self._chunk({"tool_calls": [{**head, "function": {"name": name, "arguments": ""}}]})
            for start in range(0, len(text), 40):
                piece = {"index": index, "function": {"arguments": text[start : start + 40]}}
                self._chunk({"tool_calls": [piece]})
        self._chunk({}, answer.finish or ("tool_calls" if answer.calls else "stop"))
        usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        self._event({"choices": [], "usage": usage})
        self._raw(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, delta: Mapping[str, Any], finish: str | None = None) -> None:
        self._event({"choices": [{"index": 0, "delta": dict(delta), "finish_reason": finish}]})

    def _event(self, data: Mapping[str, Any]) -> None:
        base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "double-1"}
        self._raw(b"data: " + json.dumps({**base, **data}).encode() + b"\n\n")

    def _raw(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()
