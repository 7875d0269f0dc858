"""Defer signals until a step that must not be interrupted is done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def deferred_signals() -> Iterator[None]:
    """Hold back Ctrl-C and a farm's SIGTERM until the end of the block.

    Python only interrupts the main thread, so in another thread it does nothing.
    """
    held: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    here = threading.current_thread() is threading.main_thread()
    ours = {number: handler for number, handler in before.items() if here and callable(handler)}
    try:
        for number in ours:
            signal.signal(number, lambda struck, _: held.append(struck))
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
    if held:
        signal.raise_signal(held[0])
