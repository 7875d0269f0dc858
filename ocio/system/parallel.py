"""Threads that read ahead and write behind, with their results in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def parallel_map(
    work: Callable[[A], B], items: Iterable[A], ahead: int = 4
) -> Generator[B, None, None]:
    """Yield ``work(item)`` for each item, in order, computed by threads up to ``ahead`` early.

    ``items`` is iterated in the caller's thread. An error of ``work`` is raised in its place, an
    error of ``items`` after the results of all earlier items, so that no frame is lost. Closing the
    iterator drops work that has not begun. Either way no thread is left.
    """
    pool = ThreadPoolExecutor(ahead, "parallel_map")
    pending: deque[Future[B]] = deque()
    try:
        for future in _submitted(pool, work, items):
            pending.append(future)
            if len(pending) == ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except GeneratorExit:
        pool.shutdown(cancel_futures=True)
        raise
    finally:
        pool.shutdown()


def _submitted(
    pool: ThreadPoolExecutor, work: Callable[[A], B], items: Iterable[A]
) -> Generator[Future[B], None, None]:
    """Yield the future of each item; an error of the iteration becomes the last future's."""
    try:
        for item in items:
            yield pool.submit(work, item)
    except Exception as error:  # whatever it is, it waits for its place in the order
        failed: Future[B] = Future()
        failed.set_exception(error)
        yield failed
