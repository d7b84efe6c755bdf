"""The devices: what is found, and that no driver can take the program down."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from napari_nanopyx import engine
from napari_nanopyx._engine import catalogue
from napari_nanopyx._engine.backends import BACKENDS, backend
from napari_nanopyx._engine.errors import ImplementationUnavailable
from napari_nanopyx._engine.machine import devices, search

OPENCL_IS_KNOWN = devices.opencl_is_known

FOUND = {
    "name": "Turbo(R)  GPU(TM) 7",
    "is_gpu": True,
    "platform": "Vendor",
    "driver": "1.2",
    "units": 10,
    "memory_bytes": 2**30,
    "double_precision": False,
    "float_lanes": 1,
    "constant_bytes": 65536,
    "max_allocation_bytes": 2**28,
    "platform_index": 0,
    "device_index": 0,
}


@pytest.fixture(autouse=True)
def _search_anew(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("NAPARI_NANOPYX_DISABLE_OPENCL", raising=False)
    devices.refresh()
    yield
    devices.refresh()


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that puts other text in place of the probe."""

    def replace(text: str) -> None:
        probe = tmp_path / "probe.py"
        probe.write_text(text)
        monkeypatch.setattr(search, "_PROBE", probe)

    return replace


def test_the_processor_says_what_its_measurements_depend_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NAPARI_NANOPYX_THREADS", "3")
    processor = devices.cpu()
    assert (processor.name, processor.kind) == ("cpu", "cpu")
    assert processor.identity.endswith("3 threads")
    assert processor.memory_bytes > 2**20
    monkeypatch.setenv("NAPARI_NANOPYX_THREADS", "1")
    assert devices.cpu().identity != processor.identity


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs affinity")
def test_threads_follow_the_cores_that_may_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NAPARI_NANOPYX_THREADS", raising=False)
    usable = os.sched_getaffinity(0)
    assert devices.thread_count() == len(usable)
    os.sched_setaffinity(0, {min(usable)})
    try:
        assert devices.thread_count() == 1
    finally:
        os.sched_setaffinity(0, usable)


@pytest.mark.parametrize("asked", ["0", "-2", "many", "1.5"])
def test_a_number_of_threads_that_makes_no_sense(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setenv("NAPARI_NANOPYX_THREADS", asked)
    with pytest.warns(RuntimeWarning, match=f"'{asked}', but must be a whole number"):
        assert devices.thread_count() >= 1


def test_the_probe_finds_what_pyopencl_finds() -> None:
    cl = pytest.importorskip("pyopencl")
    found = devices.opencl_devices()
    there = [d for platform in cl.get_platforms() for d in platform.get_devices()]
    assert len(found) == len(there)
    assert devices.opencl_problem() is None
    for device in found:
        details = device.details
        platform = cl.get_platforms()[details["platform_index"]]
        same = platform.get_devices()[details["device_index"]]
        assert device.memory_bytes == same.global_mem_size
        assert same.driver_version in device.identity
        assert set(details) == set(FOUND) - {"name", "is_gpu", "memory_bytes"}
    assert engine.devices()[0] == devices.cpu()


def test_names_are_readable_and_unique(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"devices": [FOUND, FOUND | {"device_index": 1}]}
    monkeypatch.setattr(search, "_ask", lambda *_: answer)
    names = [device.name for device in devices.opencl_devices()]
    assert names == ["opencl:Turbo GPU 7", "opencl:Turbo GPU 7 #2"]
    first, second = devices.opencl_devices()
    assert first.identity == "Turbo GPU 7, 10 units, Vendor, driver 1.2"
    assert first.identity != second.identity
    assert first.is_gpu
    assert not first.details["double_precision"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import os; os.abort()", "crashed (exit status"),
        ("import sys; sys.exit('the driver is upset')", "the driver is upset"),
        ("print('hello from the driver')", "crashed (exit status 0"),
        ("", "crashed (exit status 0"),
    ],
)
def test_a_child_that_crashes(child: Any, text: str, reason: str) -> None:
    child(text)
    assert devices.opencl_devices() == []
    problem = devices.opencl_problem()
    assert problem is not None
    assert reason in problem[0]
    assert "NAPARI_NANOPYX_DISABLE_OPENCL=1" in problem[1]


def test_a_driver_that_talks_harms_nothing(child: Any) -> None:
    answer = '{"devices": [], "problem": "no device", "detail": ""}'
    child(f"print('noise'); print({answer!r})")
    assert devices.opencl_problem() == search._problem("no device")


def test_a_child_that_hangs(child: Any) -> None:
    # The grandchild keeps what it inherits open, as the daemon of a driver would.
    child(
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3)'])\n"
        "time.sleep(60)\n"
    )
    started = time.perf_counter()
    found, problem = search.search(limit_seconds=0.5)
    assert time.perf_counter() - started < 2.5
    assert found == []
    assert problem is not None
    assert "took more than 0.5 s" in problem[0]


def test_the_probe_ends_by_itself_if_nobody_stops_it(tmp_path: Path) -> None:
    (tmp_path / "pyopencl.py").write_text("import time\ntime.sleep(60)\n")
    copy = tmp_path / "probe.py"
    copy.write_text(search._PROBE.read_text())
    command = [sys.executable, str(copy), "0.3"]
    ended = subprocess.run(command, capture_output=True, timeout=20)
    assert ended.returncode != 0


@pytest.mark.parametrize(
    ("module", "reason", "remedy"),
    [
        (
            "raise ModuleNotFoundError('no', name='pyopencl')",
            "pyopencl is not installed",
            "pip install napari-nanopyx[opencl",
        ),
        (
            "raise ImportError('libOpenCL.so.1 is missing')",
            "libOpenCL.so.1 is missing",
            "reinstall pyopencl",
        ),
        (
            "class Error(Exception): pass\n"
            "def get_platforms(): raise Error('PLATFORM_NOT_FOUND_KHR')",
            "finds no OpenCL driver",
            "install the OpenCL driver",
        ),
        (
            "class Error(Exception): pass\ndef get_platforms(): return []",
            "offer no device",
            "install the OpenCL driver",
        ),
        (
            "class Error(Exception): pass\n"
            "class P:\n"
            "    name = 'Vendor'\n"
            "    def get_devices(self): raise Error('DEVICE_NOT_AVAILABLE')\n"
            "def get_platforms(): return [P()]",
            "Vendor: DEVICE_NOT_AVAILABLE",
            "update or reinstall its driver",
        ),
    ],
)
def test_what_can_be_missing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    reason: str,
    remedy: str,
) -> None:
    (tmp_path / "pyopencl.py").write_text(module)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert devices.opencl_devices() == []
    problem = devices.opencl_problem()
    assert problem is not None
    assert reason in problem[0]
    assert remedy in problem[1]


def test_opencl_can_be_turned_off(monkeypatch: pytest.MonkeyPatch, child: Any) -> None:
    child("raise SystemExit('must not run')")
    monkeypatch.setenv("NAPARI_NANOPYX_DISABLE_OPENCL", "1")
    problem = devices.opencl_problem()
    assert problem is not None
    assert "turned off by NAPARI_NANOPYX_DISABLE_OPENCL" in problem[0]


def test_the_search_happens_once_until_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []

    def count() -> tuple[list[engine.Device], None]:
        calls.append(1)
        return [], None

    monkeypatch.setattr(search, "search", count)
    devices.opencl_devices()
    devices.opencl_problem()
    assert devices.opencl_is_known()
    assert len(calls) == 1
    engine.refresh()
    devices.opencl_devices()
    assert len(calls) == 2


def test_a_run_does_not_wait_for_a_slow_search(
    toy: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def slow() -> tuple[list[engine.Device], None]:
        over.wait(30)
        return [], None

    monkeypatch.setattr(search, "search", slow)
    monkeypatch.setattr(devices, "opencl_is_known", OPENCL_IS_KNOWN)
    toy.arms = {"serial": arm(0.1), "opencl:GPU": arm(1e-3, kind="opencl")}
    with engine.record() as runs:
        toy.run(10)
        over.set()
        while not devices.opencl_is_known():
            time.sleep(0.001)
        toy.run(1000)
    assert runs[0].blocks == {"serial": 10}
    assert runs[1].blocks["opencl:GPU"] > 900


def test_a_program_that_is_not_python_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = tmp_path / "napari"
    application.write_text("")
    monkeypatch.setattr(sys, "executable", str(application))
    python = search.interpreter()
    assert python is not None
    assert python != str(application)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(search.sysconfig, "get_config_var", lambda _: str(tmp_path))
    assert search.interpreter() is None
    problem = devices.opencl_problem()
    assert problem is not None
    assert "no Python interpreter" in problem[0]


def test_a_backend_that_cannot_be_imported_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(BACKENDS, "compiled", "napari_nanopyx._engine.backends.lost")
    (missing,) = backend("compiled").implementations("magnify")
    assert not missing.available
    assert "No module named" in missing.reason
    assert missing.remedy == "install napari-nanopyx again"
    with pytest.raises(ImplementationUnavailable, match="install napari-nanopyx"):
        backend("compiled").open(missing, None, None)  # type: ignore[arg-type]


def test_the_reference_runs_everywhere(
    toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "napari_nanopyx._engine.backends.reference"
    monkeypatch.setitem(BACKENDS, "reference", name)
    with engine.record() as runs:
        result = toy.run(20)
    assert runs[0].blocks == {"reference": 20}
    assert result[3, 0, 0] == 120
    assert catalogue.named("toy", "reference").device == devices.cpu().identity
