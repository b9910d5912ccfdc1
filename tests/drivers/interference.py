"""Servers that misbehave: a proxy in front of a real one, and one that takes connections and never says a word."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator


class Proxy:
    """Passes everything between its clients and a server on loopback, until it is told to stop or to fall silent."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lines: list[socket.socket] = []
        self._silent = threading.Event()
        self._word: bytes | None = None
        self._delivered = True
        self._quietly = False
        self._answers: dict[bytes, bytes] = {}
        threading.Thread(target=self._accept, daemon=True).start()

    def fall_silent(self) -> None:
        """Swallow everything from now on, as a network does that has gone away without a word."""
        self._silent.set()

    def cut_at(self, word: bytes | None, *, delivered: bool = True, silently: bool = False) -> None:
        """Cut the connection when a client says ``word``, which the server then still hears or not; None: do not.

        That happens once. ``silently``: from then on, everything is swallowed instead.
        """
        self._word, self._delivered, self._quietly = word, delivered, silently

    def answer(self, word: bytes, packet: bytes) -> None:
        """Send clients that say ``word`` this packet; the server never hears of it."""
        self._answers[word] = packet

    def speak_again(self) -> None:
        """Pass on what comes from now on."""
        self._silent.clear()

    def vanish(self) -> None:
        """Cut all connections."""
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End everything."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.vanish()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._lines += [client, server]
                threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError), client, server, selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in selector.select():
                    assert isinstance(key.fileobj, socket.socket)
                    data = key.fileobj.recv(65536)
                    if not data:
                        return
                    answer = next((said for word, said in self._answers.items() if word in data), None)
                    if answer is not None and key.fileobj is client:
                        client.sendall(answer)
                        continue
                    cut = self._word is not None and key.fileobj is client and self._word in data
                    if cut:
                        self._word = None
                    if cut and not self._delivered:
                        return
                    if not self._silent.is_set():
                        key.data.sendall(data)
                    if cut:
                        key.data.settimeout(10)
                        key.data.recv(1)  # the server has done it
                        if not self._quietly:
                            return
                        self._silent.set()


@contextlib.contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy in front of the server at ``port``."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()


@contextlib.contextmanager
def answers_with(banner: bytes) -> Iterator[int]:
    """Something that takes connections and says ``banner``, then nothing more; gives its port."""
    lines: list[socket.socket] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = listener.accept()
                lines.append(line)
                line.sendall(banner)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        for line in lines:
            line.close()


@contextlib.contextmanager
def unused_port() -> Iterator[int]:
    """A port on which nobody listens, and that nobody else is given meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
