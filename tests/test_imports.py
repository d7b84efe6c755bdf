"""Importing the package is quick, and loads nothing that is optional."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

OPTIONAL = {
    *("qtpy", "PySide6", "PyQt6", "napari", "magicgui", "superqt"),
    *("pyopencl", "numba", "scipy", "skimage", "dask", "zarr", "matplotlib", "pandas"),
}


def loaded_after(code: str) -> set[str]:
    """Return the modules that a new interpreter has after running some code."""
    script = f"import sys, json\n{code}\nprint(json.dumps(list(sys.modules)))"
    finished = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert finished.stderr == ""
    return set(json.loads(finished.stdout))


def packages(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def test_import_loads_itself_and_nothing_else() -> None:
    added = packages(loaded_after("import napari_nanopyx") - loaded_after("pass"))
    assert added - sys.stdlib_module_names == {"napari_nanopyx"}


@pytest.mark.parametrize(
    "name",
    [
        *("FRC", "convolve", "esrrf", "frc", "magnify", "polar", "srrf", "transform"),
        *("estimate_channel_shifts", "register_channels", "ChannelRegistration"),
        "engine",
        "simulate",
    ],
)
def test_public_names_load_nothing_optional(name: str) -> None:
    loaded = loaded_after(f"import napari_nanopyx\nnapari_nanopyx.{name}")
    assert not OPTIONAL & packages(loaded)


def test_computing_loads_no_window() -> None:
    loaded = loaded_after(
        "import numpy, napari_nanopyx as nx\n"
        "nx.magnify(numpy.eye(4), 2, implementation='reference')"
    )
    windows = {"qtpy", "PySide6", "PyQt6", "napari", "magicgui", "superqt"}
    assert not windows & packages(loaded)
