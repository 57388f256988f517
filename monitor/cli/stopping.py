"""What Ctrl-C does: it ends the command with one line and code 130, whatever the command is at."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

CODE = 130  # 128 + SIGINT, as shells have it
SAYS = "stopped; nothing is lost: run it again to go on"


@contextmanager
def loading() -> Iterator[None]:
    """While modules are imported, Ctrl-C ends the process on the spot.

    Nothing is begun yet, so nothing needs tidying; and a KeyboardInterrupt that falls into the C code of an import (of
    pydantic, say) is printed and forgotten there, after which the command would go on as if nobody had asked.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: _leave())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _leave() -> None:
    sys.stdout.flush()
    shown = "\x1b[?25h" if os.isatty(2) else ""  # the cursor, which a progress display hides
    os.write(2, f"{shown}{SAYS}\n".encode())  # not through sys.stderr, in whose middle we may be
    os._exit(CODE)
