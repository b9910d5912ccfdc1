"""Ends a command when the program that started it is gone, however that came to its end: nobody wants the answer.

The program keeps the other end of standard input open as long as it lives; no platform lets a killed one keep it.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import threading
import time

_GRACE_SECONDS = 5.0
_EXIT_CODE = 130


def end_with_the_asker() -> None:
    """From now on the end of standard input is what Ctrl-C is. Call it in the main thread."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell starts with it ignored
    threading.Thread(target=_wait_and_end, args=(threading.get_ident(),), daemon=True).start()


def _wait_and_end(main_thread: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 65_536):
            pass
    if hasattr(signal, "pthread_kill"):  # wakes it where it waits for something
        signal.pthread_kill(main_thread, signal.SIGINT)
    else:
        _thread.interrupt_main()
    time.sleep(_GRACE_SECONDS)
    os._exit(_EXIT_CODE)
