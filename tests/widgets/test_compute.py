"""One thread computes, one job after the other, and each can be stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from napari_nanopyx.widgets.compute import Job


def wait(job: Job) -> Job:
    """Return the job once it has ended."""
    job._future.exception(timeout=30) if not job._future.cancelled() else None
    return job


def test_jobs_run_in_order_on_one_thread() -> None:
    seen: list[tuple[int, str]] = []

    def note(number: int) -> Callable[..., None]:
        return lambda progress, cancel: seen.append(
            (number, threading.current_thread().name)
        )

    jobs = [Job(note(number)) for number in range(5)]
    for job in jobs:
        wait(job)
    assert [number for number, _ in seen] == [0, 1, 2, 3, 4]
    assert len({name for _, name in seen}) == 1
    assert seen[0][1] != threading.current_thread().name


def test_progress_and_result_can_be_looked_at() -> None:
    def work(progress: Any, cancel: Event) -> str:
        progress(3, 8)
        return "done"

    job = wait(Job(work))
    assert (job.done, job.total) == (3, 8)
    assert job.ended
    assert job.problem is None
    assert job.result == "done"


def test_a_problem_is_kept() -> None:
    def work(progress: Any, cancel: Event) -> None:
        raise ValueError("radius is 0")

    assert str(wait(Job(work)).problem) == "radius is 0"


def test_stopping_sets_the_event_and_hides_what_came_of_it() -> None:
    begun = Event()

    def work(progress: Any, cancel: Event) -> str:
        begun.set()
        assert cancel.wait(30)
        return "too late"

    job = Job(work)
    assert begun.wait(30)
    assert job.started
    job.stop()
    wait(job)
    assert job.stopped
    assert job.result is None
    assert job.problem is None


def test_a_waiting_job_that_is_stopped_never_begins() -> None:
    release, begun = Event(), Event()
    first = Job(lambda progress, cancel: release.wait(30))
    second = Job(lambda progress, cancel: begun.set())
    assert not second.started
    second.stop()
    release.set()
    wait(first)
    wait(Job(lambda progress, cancel: None))
    assert second.ended
    assert not begun.is_set()


@pytest.mark.parametrize("problem", [MemoryError("no room"), KeyError("x")])
def test_the_thread_outlives_any_problem(problem: Exception) -> None:
    def work(progress: Any, cancel: Event) -> None:
        raise problem

    assert wait(Job(work)).problem is problem
    assert wait(Job(lambda progress, cancel: 5)).result == 5
