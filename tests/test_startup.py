"""The plugin costs napari's start nothing, and says nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = {"matplotlib", "numba", "pyopencl", "pyqtgraph", "sklearn", "skimage", "zarr"}
"""Packages that take tenths of a second to import."""

START = """
import sys

import napari
from npe2 import PluginManager

viewer = napari.Viewer(show=False)
assert "napari-nanopyx" in PluginManager.instance()
print("start:", *[name for name in sys.modules if name.startswith("napari_nanopyx")])
before = {name.split(".")[0] for name in sys.modules}
for title in ("eSRRF reconstruction", "Magnify", "Fourier ring correlation"):
    viewer.window.add_plugin_dock_widget("napari-nanopyx", title)
print("steps:", *sorted({name.split(".")[0] for name in sys.modules} - before))
viewer.close()
"""


@pytest.fixture(scope="module")
def started() -> subprocess.CompletedProcess[str]:
    """Return what a napari with every warning on prints while it starts."""
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", START],
        env={**os.environ, "NAPARI_ASYNC": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def _printed(started: subprocess.CompletedProcess[str], word: str) -> set[str]:
    assert started.returncode == 0, started.stderr
    (line,) = [
        each for each in started.stdout.splitlines() if each.startswith(f"{word}:")
    ]
    return set(line.split()[1:])


def test_napari_starts_without_importing_the_plugin(
    started: subprocess.CompletedProcess[str],
) -> None:
    assert _printed(started, "start") == set()


def test_steps_open_without_what_only_some_of_them_need(
    started: subprocess.CompletedProcess[str],
) -> None:
    assert _printed(started, "steps") & HEAVY == set()


def test_nothing_of_the_plugin_warns(
    started: subprocess.CompletedProcess[str],
) -> None:
    assert started.returncode == 0
    lines = started.stderr.splitlines()
    said = [line for line in lines if "napari_nanopyx" in line]
    assert said == []
