"""Every step takes layers of every kind, and finds the same in all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

import napari_nanopyx as nx
from napari_nanopyx._engine.running import runner
from napari_nanopyx.methods import _drift_images

PATIENCE_MILLISECONDS = 60_000
FRAMES = (6, 48, 40)


def _scene() -> NDArray[np.uint16]:
    """Blinking spots that move a little, on a noisy background."""
    random = np.random.default_rng(5)
    beads = nx.simulate.beads(FRAMES[1:], 25, sigma=1.5, seed=5).image
    light = random.uniform(0.5, 1.0, (len(beads), 1))
    frames = [np.roll(beads * light, step // 3, axis=0) for step in range(FRAMES[0])]
    return random.poisson(10 + np.array(frames)).astype(np.uint16)


SCENE = _scene()


def _planes(movie: NDArray[Any], axis: int) -> NDArray[Any]:
    """Put other pictures around a movie, along a new axis."""
    return np.stack([movie // 2 + 3, movie, movie // 5 + 1], axis=axis)


UNITS = {"T": "second", "Y": "nanometer", "X": "nanometer"}
KINDS: dict[str, Callable[[Path], tuple[Any, dict[str, Any]]]] = {
    "TYX, uint16": lambda _: (SCENE, {}),
    "TZYX": lambda _: (_planes(SCENE, 1), {"axis_labels": ("T", "Z", "Y", "X")}),
    "CTYX": lambda _: (_planes(SCENE, 0), {"axis_labels": ("C", "T", "Y", "X")}),
    "multiscale": lambda _: ([SCENE, SCENE[:, ::2, ::2]], {}),
    "dask": lambda _: (_dask(SCENE, (2, 30, 40)), {}),
    "dask, CTYX": lambda _: (
        _dask(_planes(SCENE, 0), (1, 2, 48, 40)),
        {"axis_labels": ("C", "T", "Y", "X")},
    ),
    "zarr": lambda folder: (_zarr(folder, SCENE), {}),
    "zarr, TZYX": lambda folder: (
        _zarr(folder, _planes(SCENE, 1)),
        {"axis_labels": ("T", "Z", "Y", "X")},
    ),
    "float32": lambda _: (SCENE.astype(np.float32), {}),
    "int64, big-endian": lambda _: (SCENE.astype(">i8"), {}),
    "scaled in nm": lambda _: (
        SCENE,
        {"scale": (1, 100, 100), "units": tuple(UNITS.values())},
    ),
    "scaled in µm": lambda _: (
        SCENE,
        {"scale": (1, 0.1, 0.1), "units": ("second", "micrometer", "micrometer")},
    ),
}


def _dask(array: NDArray[Any], chunks: tuple[int, ...]) -> Any:
    return dask.array.from_array(array, chunks=chunks)  # type: ignore[no-untyped-call]


def _zarr(folder: Path, array: NDArray[Any]) -> Any:
    chunks = (1,) * (array.ndim - 2) + array.shape[-2:]
    return zarr.create_array(folder / "a.zarr", data=array, chunks=chunks)


STEPS: dict[str, dict[str, Any]] = {
    "eSRRF reconstruction": {"magnification": 2},
    "SRRF reconstruction": {"magnification": 2},
    "3-D eSRRF reconstruction": {"magnification": 1, "magnification_z": 1},
    "eSRRF parameter sweep": {"radii": [1.0], "sensitivities": [1.0, 2.0]},
    "Denoise by non-local means": {"patch_size": 3, "patch_distance": 2},
    "Estimate drift": {},
    "Correct drift": {"table": "drift.csv"},
    "Estimate channel registration": {"blocks_per_axis": 1},
    "Register channels": {"registration": "channels.tif"},
    "Magnify": {},
    "Shift, scale and turn": {"angle": 0.2},
    "Error map": {},
    "Decorrelation analysis": {"n_r": 20, "n_g": 5},
    "Fourier ring correlation": {},
}
LEAST = {"Estimate drift": 1e-5, "Estimate channel registration": 1e-5}
"""What displacements in pixels may differ by, however small they are."""
SECOND = {"image_b": 1, "super_resolved": 1}
"""Images of which another frame is taken, so that the two are not the same."""


def _as_numbers(result: Any) -> list[NDArray[Any]]:
    if isinstance(result, np.ndarray):
        return [result]
    values = [getattr(result, field.name) for field in fields(result)]
    return [value for value in values if isinstance(value, np.ndarray)]


@pytest.mark.parametrize("name", STEPS)
def test_a_step_takes_layers_of_every_kind(
    name: str, viewer: Any, open_widget: Any, qtbot: Any, tmp_path: Path
) -> None:
    """One viewer for all kinds: a viewer takes longer to open than a step to run."""
    widget = open_widget(name)
    for number, (kind, make) in enumerate(KINDS.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        data, options = make(folder)
        viewer.layers.clear()
        layer = viewer.add_image(data, name=kind, contrast_limits=(0, 500), **options)
        images = _choose(widget, layer)
        _fill_in(widget, STEPS[name], images, folder)
        parameters = dict(widget.call().parameters)
        result = _run(widget, qtbot)
        assert result is not None, f"{kind}: {widget.status.text()}"
        for field, kind_of_file in widget.step.loaded.items():
            parameters[field] = kind_of_file.load(parameters[field])
        expected = widget.step.function(**images, **parameters)
        for found, wanted in zip(
            _as_numbers(result), _as_numbers(expected), strict=True
        ):
            atol = 2e-5 * np.nanmax(np.abs(wanted), initial=0.0) + LEAST.get(name, 1e-9)
            np.testing.assert_allclose(found, wanted, rtol=0, atol=atol, err_msg=kind)
        if widget.step.place is not None:
            _check_place(viewer.layers[-1], layer)


def _run(widget: Any, qtbot: Any) -> Any:
    """Return what the method returned; None if it failed."""
    widget.run()
    results: list[Any] = []
    widget.watches[0].succeeded.connect(lambda made: results.append(made.result))
    qtbot.waitUntil(lambda: not widget.watches, timeout=PATIENCE_MILLISECONDS)
    return results[0] if results else None


def _fill_in(
    widget: Any, values: dict[str, Any], images: dict[str, Any], folder: Path
) -> None:
    for field, value in values.items():
        if field in widget.step.loaded:
            _write(field, folder / value, images["image"])
            widget.form.fields[field].value = folder / value
        else:
            widget.form.fields[field].value = value


def _write(field: str, path: Path, image: NDArray[Any]) -> None:
    if field == "table":
        nx.estimate_drift(image).save(path)
    else:
        nx.estimate_channel_shifts(image, max_shift=10, blocks_per_axis=1).save(path)


def _choose(widget: Any, layer: Any) -> dict[str, Any]:
    """Choose plane or channel 1, and return the plain arrays this should mean."""
    arrays: dict[str, Any] = {}
    for argument, chooser in widget.form.choosers.items():
        widget.form.fields[argument].value = layer
        frame = SECOND.get(argument, 0)
        labels = layer.axis_labels
        for axis, position in chooser.positions.items():
            position.setValue(1 if labels[axis] in ("C", "Z") else frame)
        if widget.step.axes == "TZYX":
            stacked = layer.ndim == 4
            array = _planes(SCENE, 1) if stacked else SCENE
        elif widget.step.axes == "CYX" and labels[0] == "C":
            array = _planes(SCENE, 0)[:, 0]
        else:
            array = SCENE
        dimensions = max(widget.step.images[argument])
        arrays[argument] = array[frame] if dimensions == 2 else array
    return arrays


def _check_place(result: Any, layer: Any) -> None:
    """See that rows and columns of the result cover those of the layer."""
    covered, expected = (
        each.extent.world[:, -2:] + np.outer((-0.5, 0.5), each.scale[-2:])
        for each in (result, layer)
    )
    np.testing.assert_allclose(covered, expected, atol=1e-6 * np.ptp(expected))
    assert result.units[-2:] == layer.units[-2:]


@pytest.mark.parametrize(
    "name",
    [
        "eSRRF reconstruction",
        "SRRF reconstruction",
        "eSRRF parameter sweep",
        "Denoise by non-local means",
        "Magnify",
        "Shift, scale and turn",
        "Estimate drift",
    ],
)
def test_dask_is_read_block_by_block(
    name: str,
    viewer: Any,
    open_widget: Any,
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No step ever asks Dask for more than its budget of frames at once."""
    budget = 2**18
    monkeypatch.setattr(runner, "BLOCK_BYTES", budget)
    monkeypatch.setattr(_drift_images, "BATCH_BYTES", budget)
    asked: list[int] = []
    real = dask.array.Array.__array__

    def noting(array: Any, *rest: Any, **named: Any) -> Any:
        asked.append(array.shape[0] if array.ndim == 3 else 1)
        return real(array, *rest, **named)  # type: ignore[no-untyped-call]

    movie = np.tile(SCENE, (20, 1, 1))
    viewer.add_image(_dask(movie, (3, 48, 40)), name="cells", contrast_limits=(0, 500))
    widget = open_widget(name)
    for field, value in STEPS[name].items():
        widget.form.fields[field].value = value
    monkeypatch.setattr(dask.array.Array, "__array__", noting)
    assert _run(widget, qtbot) is not None, widget.status.text()
    assert sum(asked) >= len(movie)
    assert max(asked) * SCENE[0].size * 4 <= budget < len(movie) * SCENE[0].size * 4
