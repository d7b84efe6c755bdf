"""Compiles what a run wants to use, beside the run: never in its way, nor for ever.

The first time on a machine it happens in a process of its own, which a compiler may
take down. What that leaves on disk makes it short in this process.
"""

from __future__ import annotations

import atexit
import json
import os
import pickle
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from weakref import WeakSet

from napari_nanopyx import _kernels
from napari_nanopyx._engine.backends import backend
from napari_nanopyx._engine.checks import verdicts
from napari_nanopyx._engine.checks.verdicts import Subject
from napari_nanopyx._engine.errors import PreparationFailed
from napari_nanopyx._engine.machine import child, devices, search
from napari_nanopyx._engine.types import Compiler, Implementation
from napari_nanopyx._kernels.declaration import Plan, Task

LIMIT_SECONDS = 120.0
"""What compiling may take, in the other process and in this one together."""

CRASHED = "its compiler crashed ({detail}) in the process that tried it first"
HUNG = "it was not ready after {limit:g} s"
REMEDY = (
    "update the driver or compiler it uses; napari_nanopyx.engine.refresh() "
    "gives it another chance"
)

_REHEARSAL = Path(__file__).with_name("rehearsal.py")
_STOPPED = (-9, -15)
_SPARE_SECONDS = 5.0
_AT_EXIT_SECONDS = 10.0

Key = tuple[str, str, str, str]

_ready: set[Key] = set()
_jobs: dict[Key, Job] = {}
_threads: WeakSet[threading.Thread] = WeakSet()
"""Those of forgotten jobs too: none may be inside a compiler when Python ends."""
_lock = threading.Lock()


class Job:
    """One implementation being compiled in a thread."""

    def __init__(
        self,
        implementation: Implementation,
        task: Task,
        plan: Plan,
        dtype: str,
        compiler: Compiler,
        check: Callable[[], object],
    ) -> None:
        self._implementation = implementation
        self._task = task
        self._plan = plan
        self._dtype = dtype
        self._compiler = compiler
        self._check = check
        self._error: Exception | None = None
        self._started = time.perf_counter()
        self._over = threading.Event()
        self.seconds = 0.0
        """What compiling took in this process, as it will in the next one."""
        self.is_compiling = False
        """Whether that has begun: the other process before it has a low priority."""
        self.thread = threading.Thread(
            target=self._work, name="nanopyx-compiler", daemon=True
        )
        _threads.add(self.thread)
        self.thread.start()

    def wait(self, seconds: float) -> None:
        """Return when it is over, or after so many seconds."""
        self._over.wait(seconds)

    @property
    def has_ended(self) -> bool:
        """Whether it is over, or takes so long that it is not waited for any more."""
        return self._over.is_set() or self._is_late

    @property
    def error(self) -> Exception | None:
        """What the compiler raised, or that it crashed or takes too long."""
        if self._is_late and not self._over.is_set():
            return PreparationFailed(HUNG.format(limit=LIMIT_SECONDS), REMEDY)
        return self._error

    @property
    def _is_late(self) -> bool:
        seconds = time.perf_counter() - self._started
        return seconds > LIMIT_SECONDS + _SPARE_SECONDS

    def _work(self) -> None:
        key = _key(self._implementation, self._task, self._dtype)
        try:
            self._rehearse()
            self.is_compiling = True
            begun = time.perf_counter()
            self._compiler.compile(self._task, self._plan, self._dtype)
            self._check()
            self.seconds = time.perf_counter() - begun
        except Exception as error:  # noqa: BLE001 - reported by the run
            self._error = error
        with _lock:
            # What has been forgotten meanwhile says nothing of what comes after it.
            if _jobs.get(key) is self:
                del _jobs[key]
                if self._error is None:
                    _ready.add(key)
        self._over.set()

    def _rehearse(self) -> None:
        """Try it in a child process, unless that has been done on this machine."""
        about = subject(self._implementation, self._compiler)
        problem = verdicts.recall(about)
        if problem is None:
            problem, is_final = _tried(
                self._implementation, self._task, self._plan, self._dtype
            )
            if is_final:
                verdicts.remember(about, problem)
        if problem:
            raise PreparationFailed(problem, REMEDY)


def begin(
    implementation: Implementation,
    task: Task,
    plan: Plan,
    dtype: str,
    check: Callable[[], object] = lambda: None,
) -> Job | None:
    """Return what gets an implementation ready, begun if need be; None if it is.

    Once compiled, it is checked; what `check` raises is the error of the job.
    """
    key = _key(implementation, task, dtype)
    if key in _ready:
        return None
    compiler = backend(implementation.kind).compiler(implementation)
    if compiler is None:
        return None
    with _lock:
        if key not in _jobs:
            _jobs[key] = Job(implementation, task, plan, dtype, compiler, check)
        return _jobs[key]


def is_over(implementation: Implementation, task: Task, dtype: str) -> bool:
    """Tell whether an implementation was compiled in this process, or for all."""
    if implementation.kind == "compiled":
        return True
    return _key(implementation, task, dtype) in _ready


def is_busy() -> bool:
    """Tell whether something is compiled in this process now."""
    if not _jobs:
        return False
    with _lock:
        return any(job.is_compiling for job in _jobs.values())


def subject(implementation: Implementation, compiler: Compiler) -> Subject:
    """Return what a verdict on this implementation depends on."""
    return Subject(
        implementation.task,
        _kernels.digest(implementation.task),
        implementation.name,
        implementation.device,
        compiler.version,
    )


def problem(implementation: Implementation) -> str:
    """Return why an implementation could not be compiled here; empty if it could."""
    found = verdicts.problems()
    if not found:
        return ""
    compiler = backend(implementation.kind).compiler(implementation)
    if compiler is None:
        return ""
    return found.get(subject(implementation, compiler), "")


def forget() -> None:
    """Compile everything again when it is next used."""
    with _lock:
        _ready.clear()
        _jobs.clear()


def _key(implementation: Implementation, task: Task, dtype: str) -> Key:
    return (task.name, implementation.name, implementation.device, dtype)


def _tried(
    implementation: Implementation, task: Task, plan: Plan, dtype: str
) -> tuple[str, bool]:
    """Return what is wrong, if anything, and whether that is worth remembering.

    An exception is not: what raises in a child will raise here, and harm nothing.
    """
    python = search.interpreter()
    if python is None:
        return "", False
    data = _request(implementation, task, plan, dtype)
    ended = child.run(python, _REHEARSAL, LIMIT_SECONDS, data)
    if ended.status is None:
        return HUNG.format(limit=LIMIT_SECONDS), True
    try:
        return "", not json.loads(ended.printed[-1])["problem"]
    except (IndexError, ValueError, TypeError, KeyError):
        detail = f"exit status {ended.status}"
        return CRASHED.format(detail=detail), ended.status not in _STOPPED


def _request(
    implementation: Implementation, task: Task, plan: Plan, dtype: str
) -> bytes:
    """Return what the child is to do, after the folders it finds everything in."""
    given = {
        "kind": implementation.kind,
        "implementation": implementation,
        "task_name": task.name,
        "plan": plan,
        "dtype": dtype,
        "found": devices.opencl_devices() if implementation.kind == "opencl" else [],
    }
    return json.dumps(sys.path).encode() + b"\n" + pickle.dumps(given)


def _before_exit() -> None:
    """Let no thread be inside a compiler while the interpreter is taken apart."""
    deadline = time.monotonic() + _AT_EXIT_SECONDS
    child.stop_all()
    for thread in list(_threads):
        thread.join(max(0.0, deadline - time.monotonic()))


def _after_fork() -> None:
    """Start anew: the threads are the parent's."""
    global _lock
    _lock = threading.Lock()
    _ready.clear()
    _jobs.clear()
    _threads.clear()


atexit.register(_before_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
