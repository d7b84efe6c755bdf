"""The same for many items, on several threads."""

from __future__ import annotations

import threading
import time
import warnings

import numpy as np
import pytest

from napari_nanopyx._kernels.threads import spread


@pytest.mark.parametrize("threads", [1, 2, 5, 64])
@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_does_the_job_once_for_each_item(threads: int, count: int) -> None:
    done: list[int] = []
    spread(done.append, range(count), threads)
    assert sorted(done) == list(range(count))


def test_uses_several_threads_but_no_more_than_told() -> None:
    used: set[int] = set()

    def job(_: int) -> None:
        used.add(threading.get_ident())
        time.sleep(0.01)

    spread(job, range(20), 2)
    assert len(used) == 2


def test_raises_what_went_wrong_and_begins_no_other_item() -> None:
    begun: list[int] = []

    def job(item: int) -> None:
        begun.append(item)
        if item == 3:
            raise ArithmeticError("item 3")
        time.sleep(0.001)

    with pytest.raises(ArithmeticError, match="item 3"):
        spread(job, range(1000), 2)
    assert len(begun) < 20


def test_a_job_may_spread_others_though_all_threads_are_busy() -> None:
    done: list[int] = []

    def job(item: int) -> None:
        spread(lambda inner: done.append(10 * item + inner), range(10), 16)

    spread(job, range(100), 64)
    assert sorted(done) == list(range(1000))


def test_threads_treat_bad_numbers_as_the_caller_does() -> None:
    def job(_: int) -> None:
        np.log(np.zeros(2))
        time.sleep(0.001)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with np.errstate(divide="ignore"):
            spread(job, range(20), 2)
        with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
            spread(job, range(20), 2)
