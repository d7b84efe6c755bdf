"""A preview shows what the whole result shows there, and leaves no trace."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from threading import Event
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx.widgets.axes import Axes
from napari_nanopyx.widgets.layers import Placement, Source
from napari_nanopyx.widgets.preview.region import region
from napari_nanopyx.widgets.preview.request import Cropper, Picture, Request, compute
from napari_nanopyx.widgets.steps import images, reconstruction

VIEW = ((30, 62), (25, 70))


@pytest.fixture
def scene() -> NDArray[np.uint16]:
    """Make a movie whose view is far enough from all edges."""
    random = np.random.default_rng(3)
    smooth = nx.convolve(random.gamma(0.1, 3000, (96, 100)), np.ones((3, 3)) / 9)
    return random.poisson(50 + smooth, (6, 96, 100)).astype(np.uint16)


def source_of(data: Any) -> Source:
    ndim = data.ndim
    eye = np.eye(ndim)
    return Source(
        "cells",
        data,
        Axes(tuple(range(ndim))),
        False,
        np.ones(ndim),
        np.zeros(ndim),
        eye,
        eye,
        np.eye(ndim + 1),
        ("pixel",) * ndim,
        ("",) * ndim,
        "gray",
        None,
    )


def preview(step: type, data: Any, values: Mapping[str, Any], frames: int) -> Picture:
    """Compute the preview that a step would show."""
    declared = declaration(step)
    chosen = {**values, **declared.preview.fixed}
    source = source_of(data)
    wanted = region(data.shape, VIEW, 0, frames, declared.preview.margin(chosen))
    place = declared.place(source, chosen)
    request = Request(declared.function, "image", source, chosen, place, wanted, data)
    return compute(request, Cropper(), Event())


def declaration(step: type) -> Any:
    """Return what a step widget class declares, without a window."""
    return step.declaration  # type: ignore[attr-defined]


ESRRF = {"magnification": 3, "radius": 2.0, "interpolation": "catmull_rom"}
CASES = {
    "eSRRF": (reconstruction.EsrrfStep, ESRRF, 6),
    "eSRRF, wide": (reconstruction.EsrrfStep, {**ESRRF, "radius": 4.7}, 6),
    "eSRRF, variance": (reconstruction.EsrrfStep, {**ESRRF, "temporal": "VAR"}, 6),
    "SRRF": (reconstruction.SrrfStep, {"magnification": 4, "ring_radius": 1.5}, 6),
    "SRRF, wide": (
        reconstruction.SrrfStep,
        {"magnification": 2, "ring_radius": 3.0, "gradient_smoothing": True},
        6,
    ),
    "magnify": (images.MagnifyStep, {"factor": 4.0, "kernel": "lanczos"}, 1),
    "denoise": (
        images.DenoiseStep,
        {"patch_size": 5, "patch_distance": 6, "h": 20.0, "sigma": 7.0},
        1,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_the_part_of_the_result_that_is_in_view(
    name: str, scene: NDArray[Any]
) -> None:
    step, values, frames = CASES[name]
    values = dict(values)
    if step is reconstruction.EsrrfStep:  # else it depends on the whole image
        values["macro_pixel_correction"] = False
    picture = preview(step, scene, values, frames)
    whole = declaration(step).function(scene[:frames], **values)[0]
    factor = round(1 / picture.placement.step[-1])
    (top, bottom), (left, right) = VIEW
    part = whole[
        top * factor : bottom * factor,
        left * factor : right * factor,
    ]
    assert picture.image.shape == part.shape
    np.testing.assert_allclose(
        picture.image, part, rtol=0, atol=1e-4 * np.abs(part).max()
    )


VOLUMES = {"magnification": 2, "psf_ratio": 2.8, "voxel_ratio": 4.0}


@pytest.mark.parametrize("plane", [0, 4, 8])
@pytest.mark.parametrize("values", [{"radius": 1.5}, {"radius": 4.0, "psf_ratio": 4.0}])
@pytest.mark.parametrize("axial", [1, 2, 3])
def test_of_volumes_it_is_one_plane_of_the_result(
    plane: int, values: dict[str, float], axial: int
) -> None:
    random = np.random.default_rng(4)
    series = random.poisson(100, (2, 9, 64, 68)).astype(np.uint16)
    view = ((20, 41), (22, 50))
    chosen = {
        **VOLUMES,
        **values,
        "magnification_z": axial,
        "macro_pixel_correction": False,
    }
    declared = declaration(reconstruction.Esrrf3dStep)
    chosen |= declared.preview.fixed
    whole = declared.function(series, **chosen)[0]
    for data in (series, series[0]):
        source = source_of(data)
        frames = region(series.shape, view, 0, 2, declared.preview.margin(chosen))
        planes = declared.preview.planes(chosen)
        request = Request(
            declared.function,
            "image",
            source,
            chosen,
            declared.place(source, chosen),
            frames.of_volumes(9, plane, planes),
            data,
        )
        picture = compute(request, Cropper(), Event())
        if data.ndim == 3:
            whole = declared.function(data, **chosen)[0]
        part = whole[plane * axial + axial // 2, 40:82, 44:100]
        assert picture.image.shape == part.shape
        atol = 1e-4 * np.abs(part).max()
        np.testing.assert_allclose(picture.image, part, rtol=0, atol=atol)


def test_of_volumes_only_the_planes_around_are_read() -> None:
    series = np.zeros((2, 30, 16, 16), np.uint16)
    counted, cropper = Counted(series), Cropper()
    wanted = region(series.shape, None, 1, 1, 5).of_volumes(30, 12, 3)
    place = Placement.magnified(4, (1, 1, 1))
    request = Request(
        nx.esrrf_3d, "image", source_of(counted), {}, place, wanted, counted
    )
    assert cropper.read(request).shape == (1, 7, 16, 16)


def test_it_lies_where_it_belongs(scene: NDArray[Any]) -> None:
    picture = preview(reconstruction.EsrrfStep, scene, ESRRF, 2)
    first = np.zeros(2) * picture.placement.step[-2:] + picture.placement.offset[-2:]
    np.testing.assert_allclose(first, (30 - 0.5 + 1 / 6, 25 - 0.5 + 1 / 6))
    assert picture.placement.step[-2:] == (1 / 3, 1 / 3)
    assert picture.placement.offset[0] == 0


def test_an_image_has_a_preview_too(scene: NDArray[Any]) -> None:
    values = {"factor": 2.0, "kernel": "catmull_rom"}
    picture = preview(images.MagnifyStep, scene[0], values, 1)
    whole = nx.magnify(scene[0], 2.0)
    np.testing.assert_allclose(picture.image, whole[60:124, 50:140], rtol=1e-4)


def test_nothing_is_measured_or_announced(scene: NDArray[Any]) -> None:
    heard: list[Any] = []
    slot = lambda *values: heard.append(values)  # noqa: E731
    engine.events.block_finished.connect(slot)
    before = len(engine.history("esrrf"))
    preview(reconstruction.EsrrfStep, scene, ESRRF, 3)
    engine.events.block_finished.disconnect(slot)
    assert heard == []
    assert len(engine.history("esrrf")) == before


def test_the_contrast_suits_the_picture(scene: NDArray[Any]) -> None:
    picture = preview(reconstruction.EsrrfStep, scene, ESRRF, 3)
    (low, high), (dark, bright) = picture.limits, picture.contrast
    assert low <= dark < bright <= high
    assert picture.image.min() <= low
    assert high <= picture.image.max()


class Counted:
    """An image that counts how often it is read."""

    def __init__(self, data: NDArray[Any]) -> None:
        self._data, self.reads = data, 0
        self.shape, self.dtype, self.ndim = data.shape, data.dtype, data.ndim

    def __getitem__(self, part: Any) -> Any:
        self.reads += 1
        return self._data[part]


def test_an_image_is_read_once_while_only_settings_change(
    scene: NDArray[Any],
) -> None:
    counted, cropper, place = Counted(scene), Cropper(), Placement.magnified(3, 1)
    one, other = (
        Request(
            nx.esrrf,
            "image",
            source_of(counted),
            {},
            place,
            region(scene.shape, VIEW, frame, 2, 5),
            counted,
        )
        for frame in (0, 4)
    )
    np.testing.assert_array_equal(cropper.read(one), scene[:2, 25:67, 20:75])
    cropper.read(one)
    assert counted.reads == 1
    np.testing.assert_array_equal(cropper.read(other)[0], scene[3, 25:67, 20:75])
    assert counted.reads == 2
    cropper.forget()
    cropper.read(other)
    assert counted.reads == 3


def test_a_cancelled_preview_raises(scene: NDArray[Any]) -> None:
    cancel = Event()
    cancel.set()
    source = source_of(scene)
    place = Placement.magnified(3, 2)
    wanted = region(scene.shape, VIEW, 0, 2, 5)
    values = {"magnification": 2}
    request = Request(nx.esrrf, "image", source, values, place, wanted, scene)
    with pytest.raises(engine.Cancelled):
        compute(request, Cropper(), cancel)


def test_the_model_needs_no_window() -> None:
    code = (
        "import sys; import napari_nanopyx.widgets.preview.request; "
        "import napari_nanopyx.widgets.preview.pace; "
        "print({'qtpy', 'napari', 'magicgui'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
