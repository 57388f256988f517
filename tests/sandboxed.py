"""Functions for the sandbox's tests: they must be importable by name in a worker."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable


def double(number: int) -> int:
    return number * 2


def _spin() -> None:
    while True:
        pass


def _hoard() -> None:
    hoard = []
    while True:
        hoard.append(bytearray(16 << 20))


def _recurse() -> None:
    _recurse()


_DEEDS: dict[str, Callable[[], object]] = {
    "hang": lambda: time.sleep(60),
    "hang in C": lambda: ctypes.CDLL(None).sleep(60),
    "freeze": lambda: os.kill(os.getpid(), 19),  # SIGSTOP: no timer of its own goes off
    "spin": _spin,
    "eat": lambda: bytearray(8 << 30),
    "eat slowly": _hoard,
    "die": lambda: os._exit(3),
    "kill": lambda: os.kill(os.getpid(), 9),
    "crash": lambda: ctypes.string_at(0),
    "raise": lambda: {}["oops"],
    "recurse": _recurse,
    "exit": lambda: sys.exit(4),
    "print": lambda: print("forged output"),
}


def misbehave(how: str) -> str:
    """Does what a parser may do to its process; nothing for words it does not know."""
    _DEEDS.get(how, lambda: None)()
    return how


def pid(_: int) -> int:
    time.sleep(0.02)
    return os.getpid()


def unpicklable(_: int) -> object:
    return lambda: None
