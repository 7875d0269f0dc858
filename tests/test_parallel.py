import threading
import time
from collections.abc import Iterator

import pytest

from lifemask.ocio.system.parallel import parallel_map


def threads() -> int:
    return sum(thread.name.startswith("parallel_map") for thread in threading.enumerate())


def test_results_are_in_order_whatever_takes_longest() -> None:
    def work(item: int) -> int:
        time.sleep(0.02 if item % 3 == 0 else 0)
        return item * item

    assert list(parallel_map(work, range(20))) == [n * n for n in range(20)]
    assert threads() == 0


def test_no_more_than_asked_for_is_in_flight() -> None:
    drawn = 0

    def items() -> Iterator[int]:
        nonlocal drawn
        while drawn < 50:
            drawn += 1
            yield drawn

    for done, _ in enumerate(parallel_map(lambda item: item, items(), ahead=3), 1):
        assert drawn - done <= 2


def test_an_error_comes_out_at_its_place() -> None:
    results = parallel_map(lambda item: 1 // (3 - item), range(10))
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert threads() == 0


def test_when_the_source_fails_what_it_gave_is_finished() -> None:
    written = []

    def items() -> Iterator[int]:
        yield from range(3)
        raise ValueError("the fourth")

    with pytest.raises(ValueError, match="the fourth"):
        list(parallel_map(written.append, items()))
    assert sorted(written) == [0, 1, 2]


def test_closing_drops_the_rest_and_leaves_no_thread() -> None:
    begun = []

    def work(item: int) -> None:
        begun.append(item)
        time.sleep(0.01)

    results = parallel_map(work, iter(range(1000)), ahead=2)
    next(results)
    results.close()
    assert threads() == 0
    assert len(begun) <= 4


def test_an_error_in_drawing_comes_out_behind_all_that_was_drawn() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise ValueError("the sixth")

    inner = parallel_map(lambda item: item, items(), ahead=3)
    outer = parallel_map(lambda item: -item, inner, ahead=2)
    assert [next(outer) for _ in range(5)] == [0, -1, -2, -3, -4]
    with pytest.raises(ValueError, match="the sixth"):
        next(outer)
    assert threads() == 0
