"""Work in the background, results in order: reading ahead and writing behind."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def overlap(work: Callable[[A], B], items: Iterable[A], ahead: int = 4) -> Generator[B, None, None]:
    """Yield ``work(item)`` for each item, in order, computed by threads up to ``ahead`` early.

    ``items`` is drawn from in the caller's thread. An error of ``work`` comes out at its place. An
    error of ``items`` comes out when what was drawn before is finished, so that writing behind
    loses no frame. Closing the iterator drops what has not begun. Either way no thread is left.
    """
    pool = ThreadPoolExecutor(ahead, "overlap")
    pending: deque[Future[B]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) == ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except GeneratorExit:
        pool.shutdown(cancel_futures=True)
        raise
    finally:
        pool.shutdown()
