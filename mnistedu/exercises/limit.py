"""A time limit for a reader's function, which may hold a loop that never ends."""

import ctypes
import signal
import threading
import time
from collections.abc import Callable
from typing import Any


class TimeLimitError(Exception):
    """A function did not end in time."""


class _OutOfTime(BaseException):
    """Raised in the reader's function; ``except Exception`` there lets it pass."""


def call_within(seconds: float, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function, and stop it if it takes too long.

    It runs in the thread that calls, as it would without a limit: what it prints goes
    to the right cell and Ctrl-C reaches it. A second thread keeps the time and has
    Python raise an exception in the first, on every operating system and whichever
    thread that is. Python does so between two of its own steps, so a single long step
    in C, say a product of two huge matrices, ends first. What sleeps or waits is woken
    by a signal where there are such, which is not on Windows, and only in the main
    thread, where a notebook's cells run.

    Raises:
        TimeLimitError: if the function did not end in time. What the function itself
            raises is passed on.
    """
    caller = threading.get_ident()
    ended = threading.Event()
    start = time.perf_counter()
    wakes = hasattr(signal, "pthread_kill") and (
        threading.current_thread() is threading.main_thread()
    )

    def wake(*_: Any) -> None:
        if not ended.is_set():
            raise _OutOfTime

    def keep_time() -> None:
        wait = seconds
        while not ended.wait(wait):
            _raise_in(caller, _OutOfTime)
            if wakes:
                signal.pthread_kill(caller, signal.SIGURG)
            wait = 0.1  # and again, should an `except:` in a loop have caught it

    def stop_the_clock() -> None:
        ended.set()
        clock.join()
        _raise_in(caller, None)  # what came too late is withdrawn

    clock = threading.Thread(target=keep_time, daemon=True)
    before = signal.signal(signal.SIGURG, wake) if wakes else None
    try:
        try:
            clock.start()
            return function(*arguments)
        finally:
            stop_the_clock()
    except _OutOfTime:  # in the function, or in the line above just after it
        stop_the_clock()
        taken = round(time.perf_counter() - start, 1)
        raise TimeLimitError(f"stopped after {taken:g} seconds") from None
    finally:
        if wakes:
            signal.signal(signal.SIGURG, before)


def _raise_in(thread: int, exception: type[BaseException] | None) -> None:
    """Have an exception raised in another thread, or one withdrawn that still waits."""
    what = None if exception is None else ctypes.py_object(exception)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)
