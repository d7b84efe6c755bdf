"""Compiling: beside the run, with a time limit, at first where a crash is harmless."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_nanopyx import engine
from napari_nanopyx._engine.checks import verdicts
from napari_nanopyx._engine.machine import child, search
from napari_nanopyx._engine.running import preparing
from napari_nanopyx._engine.types import Compiler
from napari_nanopyx._kernels import tasks

TRIED = preparing._tried


def doubled(frames: int) -> Any:
    image = np.arange(frames * 20, dtype=np.uint16).reshape(frames, 4, 5)
    return 2 * image.astype(np.float32)


def wait(block: Any, frames: range) -> None:
    """Take a little real time for a block, so that something else can end meanwhile."""
    time.sleep(0.005)


@pytest.fixture
def rehearsal(toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that puts other text in place of the script of the child.

    The text may count its own starts in the file named `starts`.
    """
    starts = tmp_path / "starts"
    monkeypatch.setattr(preparing, "_tried", TRIED)
    monkeypatch.setattr(preparing, "_request", lambda *_: b"toys stay at home")

    def replace(text: str) -> Path:
        script = tmp_path / "rehearsal.py"
        script.write_text(f"open({str(starts)!r}, 'a').write('x')\n{text}\n")
        monkeypatch.setattr(preparing, "_REHEARSAL", script)
        return starts

    return replace


WORKS = """
import json, sys
sys.stdin.buffer.read()
print(json.dumps({"problem": ""}))
"""


def as_in_a_new_process() -> None:
    """Forget what only this process remembers."""
    engine.catalogue.release()
    preparing.forget()
    verdicts._known.clear()


def quarantined() -> Any:
    """Return a list that fills with the reasons why implementations are left out."""
    reasons: list[str] = []
    return reasons, lambda implementation, reason: reasons.append(reason)


def test_a_run_goes_on_while_something_is_compiled(toy: Any, arm: Any) -> None:
    may_end = threading.Event()

    def compute(block: Any, frames: range) -> None:
        if frames.stop > 100:
            may_end.set()
        time.sleep(0.002)

    def compile_() -> None:
        assert may_end.wait(30)
        time.sleep(0.05)

    toy.arms = {
        "serial": arm(1e-3, before=compute),
        "numba": arm(1e-5, compiling=compile_),
    }
    with engine.record() as runs:
        np.testing.assert_array_equal(toy.run(20_000), doubled(20_000))
    (run,) = runs
    assert toy.arms["numba"].blocks[0].start >= 100
    assert run.blocks["numba"] > 10_000
    cold, *warm = [m for m in engine.history("toy") if m.implementation == "numba"]
    assert cold.outcome == "cold"
    assert cold.timing.prepare > 0
    assert {m.outcome for m in warm} == {"ok"}


def test_what_has_been_compiled_is_used_at_once_by_the_next_run(
    toy: Any, arm: Any
) -> None:
    calls: list[int] = []
    toy.arms = {"numba": arm(compiling=lambda: calls.append(1))}
    toy.run(5)
    toy.run(5)
    assert calls == [1]
    _, *others = engine.history("toy")
    assert others
    assert all(m.timing.prepare < 1e-3 for m in others)


def test_two_runs_wait_for_one_compilation(toy: Any, arm: Any) -> None:
    calls: list[int] = []

    def compile_() -> None:
        calls.append(1)
        time.sleep(0.2)

    toy.arms = {"numba": arm(compiling=compile_)}
    threads = [threading.Thread(target=toy.run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]


def test_with_nothing_else_but_the_reference_a_run_waits(toy: Any, arm: Any) -> None:
    toy.arms = {
        "numba": arm(compiling=lambda: time.sleep(0.2)),
        "reference": arm(kind="reference"),
    }
    with engine.record() as runs:
        toy.run(20)
    assert runs[0].blocks == {"numba": 20}


def test_a_compiler_that_hangs_is_left_behind(
    toy: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "LIMIT_SECONDS", 0.1)
    monkeypatch.setattr(preparing, "_SPARE_SECONDS", 0.0)
    end = threading.Event()
    toy.arms = {
        "serial": arm(1e-3, before=wait),
        "numba": arm(1e-5, compiling=lambda: end.wait(30)),
    }
    reasons, note = quarantined()
    engine.events.implementation_quarantined.connect(note)
    try:
        np.testing.assert_array_equal(toy.run(20_000), doubled(20_000))
        assert reasons == [
            f"PreparationFailed: it was not ready after 0.1 s. What to do: "
            f"{preparing.REMEDY}"
        ]
        assert not toy.arms["numba"].blocks
        with pytest.raises(engine.ImplementationFailed, match=r"not ready.*update the"):
            toy.run(implementation="numba")
    finally:
        engine.events.implementation_quarantined.disconnect(note)
        end.set()


def test_a_pinned_one_is_waited_for(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm(), "numba": arm(compiling=lambda: time.sleep(0.2))}
    with engine.record() as runs:
        toy.run(implementation="numba")
    assert runs[0].blocks == {"numba": 20}


def test_waiting_can_be_cancelled(toy: Any, arm: Any) -> None:
    end, cancel = threading.Event(), threading.Event()

    def compile_() -> None:
        cancel.set()
        end.wait(30)

    toy.arms = {"numba": arm(compiling=compile_)}
    try:
        with pytest.raises(engine.Cancelled):
            toy.run(implementation="numba", cancel=cancel)
    finally:
        end.set()


def test_a_compiler_that_raises_is_like_any_failure(toy: Any, arm: Any) -> None:
    def fail() -> None:
        raise RuntimeError("BUILD_PROGRAM_FAILURE")

    def reason() -> str:
        listed = {found.name: found for found in engine.implementations("toy")}
        return listed["numba"].reason

    toy.arms = {"serial": arm(before=wait), "numba": arm(1e-5, compiling=fail)}
    deadline = time.monotonic() + 30  # it may fail when a run is just over
    while not reason() and time.monotonic() < deadline:
        np.testing.assert_array_equal(toy.run(20_000), doubled(20_000))
    assert "BUILD_PROGRAM_FAILURE" in reason()
    with pytest.raises(engine.ImplementationFailed, match="BUILD_PROGRAM_FAILURE"):
        toy.run(implementation="numba")


def test_what_was_being_compiled_when_all_was_forgotten_does_not_count(
    toy: Any, arm: Any
) -> None:
    begun, end, compiled = threading.Event(), threading.Event(), []

    def compile_() -> None:
        compiled.append(threading.current_thread())
        begun.set()
        end.wait(30)

    toy.arms = {"numba": arm(compiling=compile_)}
    run = threading.Thread(target=toy.run)
    run.start()
    assert begun.wait(30)
    preparing.forget()
    end.set()
    run.join(30)
    compiled[0].join(30)
    toy.run()
    assert len(compiled) == 2


def test_if_all_else_fails_meanwhile_what_is_compiled_is_waited_for(
    toy: Any, arm: Any
) -> None:
    def fail(block: Any, frames: range) -> None:
        if frames.stop > 40:
            raise RuntimeError("broken")

    toy.arms = {
        "serial": arm(1e-2, before=fail),
        "numba": arm(1e-5, compiling=lambda: time.sleep(0.3)),
    }
    np.testing.assert_array_equal(toy.run(20_000), doubled(20_000))


# In a process of its own


def test_what_a_child_could_compile_is_not_tried_again(
    rehearsal: Any, toy: Any, arm: Any
) -> None:
    starts = rehearsal(WORKS)
    toy.arms = {"numba": arm(compiling=lambda: None)}
    toy.run()
    as_in_a_new_process()
    toy.run()
    assert starts.read_text() == "x"


@pytest.mark.skipif(os.name != "posix", reason="tells signals apart")
def test_a_compiler_that_crashes_takes_nothing_down_and_is_remembered(
    rehearsal: Any, toy: Any, arm: Any
) -> None:
    starts = rehearsal("import os; os.abort()")
    here: list[int] = []
    toy.arms = {
        "serial": arm(1e-3, before=wait),
        "numba": arm(1e-5, compiling=lambda: here.append(1)),
    }
    np.testing.assert_array_equal(toy.run(20_000), doubled(20_000))
    for _ in range(2):
        listed = {found.name: found for found in engine.implementations("toy")}
        assert not listed["numba"].available
        assert f"its compiler crashed (exit status {-signal.SIGABRT})" in (
            listed["numba"].reason
        )
        as_in_a_new_process()
    with pytest.raises(engine.ImplementationFailed, match=r"crashed.*What to do: upda"):
        toy.run(implementation="numba")
    assert starts.read_text() == "x"
    assert here == []

    engine.refresh()
    rehearsal(WORKS)
    toy.run(implementation="numba")
    assert starts.read_text() == "xx"
    assert here == [1]


def test_another_version_of_the_compiler_is_tried(
    rehearsal: Any, toy: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = rehearsal("import os; os.abort()")
    toy.arms = {"numba": arm(compiling=lambda: None), "serial": arm()}
    with pytest.raises(engine.ImplementationFailed, match="crashed"):
        toy.run(implementation="numba")
    as_in_a_new_process()
    rehearsal(WORKS)
    newer = Compiler("toy compiler 2", lambda *_: None)
    backend = type(engine.catalogue.backend("compiled"))
    monkeypatch.setattr(backend, "compiler", lambda *_: newer)
    toy.run(implementation="numba")
    assert starts.read_text() == "xx"


@pytest.mark.skipif(os.name != "posix", reason="tells signals apart")
def test_a_child_that_somebody_killed_says_nothing_about_the_compiler(
    rehearsal: Any, toy: Any, arm: Any
) -> None:
    starts = rehearsal("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    toy.arms = {"numba": arm(compiling=lambda: None), "serial": arm()}
    with pytest.raises(engine.ImplementationFailed, match="crashed"):
        toy.run(implementation="numba")
    as_in_a_new_process()
    rehearsal(WORKS)
    toy.run(implementation="numba")
    assert starts.read_text() == "xx"


def test_a_child_that_hangs_is_stopped_and_remembered(
    rehearsal: Any, toy: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "LIMIT_SECONDS", 0.5)
    starts = rehearsal("import time; time.sleep(60)")
    toy.arms = {"numba": arm(compiling=lambda: None), "serial": arm()}
    for _ in range(2):
        with pytest.raises(engine.ImplementationFailed, match=r"not ready after 0.5 s"):
            toy.run(implementation="numba")
        as_in_a_new_process()
    assert starts.read_text() == "x"


def test_what_raises_in_a_child_is_tried_here(
    rehearsal: Any, toy: Any, arm: Any
) -> None:
    starts = rehearsal('print(\'{"problem": "ImportError: another folder"}\')')
    toy.arms = {"numba": arm(compiling=lambda: None)}
    toy.run(implementation="numba")
    as_in_a_new_process()
    toy.run(implementation="numba")
    assert starts.read_text() == "xx"


def test_without_an_interpreter_it_is_compiled_here(
    rehearsal: Any, toy: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = rehearsal(WORKS)
    monkeypatch.setattr(search, "interpreter", lambda: None)
    here: list[int] = []
    toy.arms = {"numba": arm(compiling=lambda: here.append(1))}
    toy.run(implementation="numba")
    assert here == [1]
    assert not starts.exists()


@pytest.mark.parametrize("text", ["", "[1, 2]", "{}", '["a"]', "\x00"])
def test_a_verdict_that_cannot_be_read_is_none(
    rehearsal: Any, toy: Any, arm: Any, home: Path, text: str
) -> None:
    starts = rehearsal(WORKS)
    toy.arms = {"numba": arm(compiling=lambda: None)}
    toy.run()
    (verdict,) = (home / "compiled").glob("*")
    verdict.write_text(text)
    as_in_a_new_process()
    toy.run()
    assert starts.read_text() == "xx"
    assert verdict.read_text() != text


def test_a_folder_that_cannot_be_written_to_harms_nothing(
    rehearsal: Any, toy: Any, arm: Any, home: Path
) -> None:
    starts = rehearsal("import os; os.abort()")
    (home / "compiled").write_text("a file in its place")
    toy.arms = {"numba": arm(compiling=lambda: None), "serial": arm()}
    for _ in range(2):
        with pytest.raises(engine.ImplementationFailed, match="crashed"):
            toy.run(implementation="numba")
    assert starts.read_text() == "x"
    engine.refresh()
    rehearsal(WORKS)
    toy.run(implementation="numba")


# The real thing


@pytest.mark.parametrize("kind", ["opencl", "numba"])
@pytest.mark.parametrize("name", tasks())
def test_a_child_compiles_and_computes_a_frame(name: str, kind: str) -> None:
    task = tasks()[name]
    image, parameters = task.example()
    plan = task.plan(image.shape, **parameters)
    found = next(each for each in engine.implementations(name) if each.kind == kind)
    assert preparing._tried(found, task, plan, "uint16") == ("", True)


def test_what_came_compiled_is_ready_in_a_new_process() -> None:
    """However long its first check took."""
    as_in_a_new_process()
    found = {each.name: each for each in engine.implementations("magnify")}
    assert preparing.is_over(found["serial"], tasks()["magnify"], "uint16")
    assert not preparing.is_over(found["numba"], tasks()["magnify"], "uint16")


ENDS_SOON = """
import sys, time
from napari_nanopyx._engine import catalogue
from napari_nanopyx._engine.running import preparing
from napari_nanopyx._kernels import tasks

task = tasks()["magnify"]
image, parameters = task.example()
plan = task.plan(image.shape, **parameters)
found = next(f for f in catalogue.implementations("magnify") if f.kind == sys.argv[1])
preparing.begin(found, task, plan, "uint16")
time.sleep(float(sys.argv[2]))
"""


@pytest.mark.parametrize("kind", ["opencl", "numba"])
@pytest.mark.parametrize("seconds", [0.0, 0.6])
def test_a_program_may_end_while_something_is_compiled(
    kind: str, seconds: float, tmp_path: Path
) -> None:
    environment = {**os.environ, "NAPARI_NANOPYX_HOME": str(tmp_path)}
    command = [sys.executable, "-c", ENDS_SOON, kind, str(seconds)]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=environment
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_plan_that_no_child_can_read_is_reported() -> None:
    """The child says what went wrong, and that is no crash."""
    python = search.interpreter()
    assert python is not None
    given = b'["/nowhere"]\n' + pickle.dumps({"kind": "numba"})
    ended = child.run(python, preparing._REHEARSAL, 60.0, given)
    assert ended.status == 0
    assert "TypeError" in ended.printed[-1]


def test_a_child_ends_by_itself_if_nobody_stops_it(tmp_path: Path) -> None:
    """It does not compile for ever when this program was killed."""
    python = search.interpreter()
    assert python is not None
    script = tmp_path / "script.py"
    text = preparing._REHEARSAL.read_text()
    hangs = text.replace('problem = ""', "import time; time.sleep(60)", 1)
    assert hangs != text
    script.write_text(hangs)
    command = [python, str(script), "0.3"]
    ended = subprocess.run(command, capture_output=True, timeout=30)
    assert ended.returncode != 0
