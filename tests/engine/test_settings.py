"""What users set acts on the engine, and the environment has the last word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx._engine import settings
from napari_nanopyx._engine.machine import devices, search
from napari_nanopyx._engine.measurements import history
from napari_nanopyx._engine.running import runner
from napari_nanopyx._engine.types import Device


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable in ("THREADS", "DEVICES", "MEMORY_MB", "DISABLE_OPENCL"):
        monkeypatch.delenv(f"NAPARI_NANOPYX_{variable}", raising=False)
    before = settings.current()
    yield
    monkeypatch.undo()
    engine.configure(
        threads=before.threads,
        devices=before.devices,
        memory_mb=before.memory_mb,
        folder=before.folder,
    )


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = devices.thread_count()
    engine.configure(threads=cores + 3)
    assert devices.thread_count() == cores + 3
    assert f"{cores + 3} threads" in engine.devices()[0].identity
    monkeypatch.setenv("NAPARI_NANOPYX_THREADS", "1")
    assert devices.thread_count() == 1
    monkeypatch.delenv("NAPARI_NANOPYX_THREADS")
    engine.configure(threads=0)
    assert devices.thread_count() == cores


def test_what_is_not_named_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    engine.configure(threads=3, memory_mb=7)
    engine.configure(threads=4)
    assert (settings.threads(), settings.memory_bytes()) == (4, 7 * 2**20)


def test_only_the_devices_wished_for_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        Device(f"opencl:{name}", "opencl", name, 2**30, True, {})
        for name in ("Arc A770", "GeForce RTX 4090")
    ]
    monkeypatch.setattr(search, "search", lambda: (found, None))
    engine.configure(devices="geforce, quadro")
    assert [device.name for device in devices.opencl_devices()] == [found[1].name]
    monkeypatch.setenv("NAPARI_NANOPYX_DEVICES", "arc")
    assert [device.name for device in devices.opencl_devices()] == [found[0].name]
    monkeypatch.setenv("NAPARI_NANOPYX_DEVICES", "tesla")
    assert devices.opencl_devices() == []
    problem = devices.opencl_problem()
    assert problem is not None
    assert "Arc A770" in problem[0]
    assert "tesla" in problem[0]


def test_none_looks_for_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_given: Any) -> Any:
        raise AssertionError("it has looked for devices")

    monkeypatch.setattr(search, "_ask", never)
    engine.configure(devices="none")
    assert devices.opencl_devices() == []
    problem = devices.opencl_problem()
    assert problem is not None
    assert "turned off" in problem[0]


def test_memory_bounds_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    movie = np.random.default_rng(0).poisson(9, (40, 64, 64)).astype(np.float32)
    lengths: list[int] = []
    events = engine.events.block_finished
    note = lambda _run, _choice, done, *_: lengths.append(done.frames)  # noqa: E731
    events.connect(note)
    try:
        engine.configure(memory_mb=1)
        nx.magnify(movie, 4, implementation="serial")
        most = max(lengths)
        lengths.clear()
        monkeypatch.setenv("NAPARI_NANOPYX_MEMORY_MB", "4096")
        assert runner._block_bytes() == 2**32
    finally:
        events.disconnect(note)
    assert most * 4 * 256 * 256 <= 2**20


def test_the_history_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = history.folder()
    monkeypatch.delenv("NAPARI_NANOPYX_HOME")
    engine.configure(folder=str(tmp_path / "elsewhere"))
    assert history.current().path.parent == tmp_path / "elsewhere"
    monkeypatch.setenv("NAPARI_NANOPYX_HOME", str(home))
    assert history.folder() == home
    engine.configure(folder="")
    assert history.current().path.parent == home


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("threads", -1, ValueError),
        ("threads", 1.5, TypeError),
        ("threads", True, TypeError),
        ("memory_mb", "much", TypeError),
        ("devices", 3, TypeError),
        ("folder", 3, TypeError),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    name: str, value: Any, error: type[Exception]
) -> None:
    before = settings.current()
    with pytest.raises(error, match=f"{name} is"):
        engine.configure(**{name: value})
    assert settings.current() == before


def test_numbers_in_the_environment_that_make_no_sense(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine.configure(memory_mb=5)
    monkeypatch.setenv("NAPARI_NANOPYX_MEMORY_MB", "lots")
    with pytest.warns(RuntimeWarning, match="NAPARI_NANOPYX_MEMORY_MB is 'lots'"):
        assert settings.memory_bytes() == 5 * 2**20
