"""The public names are exactly those announced, and each explains itself."""

from __future__ import annotations

import inspect
import re
from typing import Any, get_type_hints

import numpy as np
import pytest

import napari_nanopyx as nx

FUNCTIONS = (
    "convolve",
    "correct_drift",
    "decorrelation",
    "decorrelation_map",
    "denoise_nlm",
    "error_map",
    "esrrf",
    "esrrf_3d",
    "estimate_channel_shifts",
    "estimate_drift",
    "frc",
    "frc_map",
    "gradient",
    "magnify",
    "polar",
    "register_channels",
    "srrf",
    "sweep_esrrf",
    "transform",
)
RESULTS = (
    "ChannelRegistration",
    "Decorrelation",
    "DriftTable",
    "ErrorMap",
    "FRC",
    "ResolutionMap",
    "Sweep",
)
SIGNATURES = {
    "convolve": "(image, kernel, *, implementation=None, progress=None, cancel=None)",
    "correct_drift": "(image, table, *, kernel='catmull_rom', fill=0.0, out=None, "
    "implementation=None, progress=None, cancel=None)",
    "decorrelation": "(image, *, rmin=0.0, rmax=1.0, n_r=50, n_g=10, pixel_size=1.0, "
    "units='px', roi=None, sectors=1, implementation=None, progress=None, cancel=None)",
    "decorrelation_map": "(image, *, tile=200, rmin=0.0, rmax=1.0, n_r=50, n_g=10, "
    "pixel_size=1.0, units='px', implementation=None, progress=None, cancel=None)",
    "denoise_nlm": "(image, *, patch_size=7, patch_distance=11, h=None, sigma=None, "
    "mode='fast', exponential='exact', frame_distance=0, implementation=None, "
    "progress=None, cancel=None)",
    "error_map": "(reference, super_resolved, *, sigma=None, space='sr', "
    "crop_border=0, realign=False, implementation=None, progress=None, cancel=None)",
    "esrrf": "(image, magnification=5, radius=1.5, sensitivity=1.0, *, temporal='AVG', "
    "frames_per_timepoint=0, frame_gap=0, intensity_weighting=True, "
    "macro_pixel_correction=None, interpolation='catmull_rom', gradient='roberts', "
    "border='extend', drift=None, implementation=None, progress=None, cancel=None)",
    "esrrf_3d": "(image, magnification=2, magnification_z=2, radius=1.5, "
    "sensitivity=1.0, *, psf_ratio=2.8, voxel_ratio=4.0, temporal='AVG', "
    "frames_per_timepoint=0, intensity_weighting=True, macro_pixel_correction=True, "
    "implementation=None, progress=None, cancel=None)",
    "estimate_channel_shifts": "(image, reference=0, *, max_shift, blocks_per_axis=3, "
    "min_similarity=0.5, blur=0.0, model='field', pixel_size=1.0, units='px', "
    "implementation=None, progress=None, cancel=None)",
    "estimate_drift": "(image, *, reference='first', time_averaging=1, "
    "max_drift=None, roi=None, method='ccm', max_lag=0, background=0.0, "
    "window='none', channel_index=None, projections=False, pixel_size=None, "
    "units='px', frame_interval=None, implementation=None, progress=None, cancel=None)",
    "frc": "(image_a, image_b=None, *, pixel_size=1.0, units='px', threshold='1/7', "
    "window='tukey', implementation=None, progress=None, cancel=None)",
    "frc_map": "(image_a, image_b=None, *, blocks=10, pixel_size=1.0, units='px', "
    "threshold='1/7', window='tukey', implementation=None, progress=None, cancel=None)",
    "gradient": "(image, *, operator='roberts', implementation=None, progress=None, "
    "cancel=None)",
    "magnify": "(image, factor, *, kernel='catmull_rom', shift=(0.0, 0.0), "
    "implementation=None, progress=None, cancel=None)",
    "polar": "(image, shape, *, scale='linear', kernel='nearest', fill=0.0, "
    "implementation=None, progress=None, cancel=None)",
    "register_channels": "(image, registration, *, kernel='catmull_rom', fill=0.0, "
    "implementation=None, progress=None, cancel=None)",
    "srrf": "(image, magnification=5, ring_radius=0.5, *, axes=6, border=0, "
    "temporal='TRA', frames_per_timepoint=0, intensity_weighting=True, "
    "positivity=True, renormalise=False, gradient_smoothing=False, weight='after', "
    "integrate_lag_times=True, drift=None, implementation=None, progress=None, "
    "cancel=None)",
    "sweep_esrrf": "(image, radii, sensitivities, *, magnification=2, temporal='AVG', "
    "resolution='frc', n_frames=None, intensity_weighting=True, "
    "macro_pixel_correction=True, sigma=None, crop_border=3, resolution_range=None, "
    "implementation=None, progress=None, cancel=None)",
    "transform": "(image, *, shift=(0.0, 0.0), scale=(1.0, 1.0), angle=0.0, "
    "kernel='catmull_rom', fill=0.0, implementation=None, progress=None, cancel=None)",
}


def test_all_is_exact() -> None:
    assert sorted(nx.__all__) == sorted(
        ["__version__", "engine", "simulate", "workflow", *FUNCTIONS, *RESULTS]
    )
    assert set(nx.__all__) <= set(dir(nx))
    for name in nx.__all__:
        assert getattr(nx, name) is not None


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'esrf'"):
        _ = nx.esrf


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signatures(name: str) -> None:
    signature = inspect.signature(getattr(nx, name))
    bare = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
    ]
    assert str(inspect.Signature(bare)) == SIGNATURES[name]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_is_typed_and_documented(name: str) -> None:
    function = getattr(nx, name)
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters)
    assert set(hints) == {*parameters, "return"}
    documentation = inspect.getdoc(function) or ""
    sections = dict(
        re.findall(r"(?ms)^(\w+)\n-+\n(.*?)(?=^\w+\n-+\n|\Z)", documentation)
    )
    documented = re.findall(r"(?m)^(\w+) : ", sections["Parameters"])
    assert documented == parameters
    assert {"Returns", "Raises", "References", "Examples"} <= set(sections)
    assert "doi:10." in sections["References"]


@pytest.mark.parametrize(
    ("keyword", "value", "message"),
    [
        ("implementation", 3, "3, but must be a name that .*engine.implementations"),
        ("progress", 3, "3, but must be a function that takes what is done"),
        ("cancel", True, r"True, but must have a method is_set\(\)"),
    ],
)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_keywords_of_every_function(
    name: str, keyword: str, value: Any, message: str
) -> None:
    """They are looked at before anything is computed."""
    function = getattr(nx, name)
    parameters = inspect.signature(function).parameters.values()
    needed = {each.name: None for each in parameters if each.default is each.empty}
    with pytest.raises(TypeError, match=f"^{keyword} is {message}"):
        function(**{**needed, keyword: value})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_ranges_of_numbers_hold_their_defaults(name: str) -> None:
    function = getattr(nx, name)
    hints = get_type_hints(function, include_extras=True)
    for parameter in inspect.signature(function).parameters.values():
        for limits in getattr(hints[parameter.name], "__metadata__", ()):
            assert limits["min"] < limits["max"]
            if parameter.default is not parameter.empty:
                assert limits["min"] <= parameter.default <= limits["max"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("convolve", {"kernel": [[1, 1]]}),
        ("denoise_nlm", {}),
        ("esrrf", {}),
        ("esrrf_3d", {}),
        ("gradient", {}),
        ("magnify", {"factor": 2}),
        ("polar", {"shape": (9, 9)}),
        ("srrf", {}),
        ("transform", {"angle": 0.1}),
    ],
)
def test_progress_and_cancel(name: str, arguments: dict[str, Any]) -> None:
    class Stop:
        stopped = False

        def is_set(self) -> bool:
            return self.stopped

    volume = (3,) if name == "esrrf_3d" else ()
    movie = np.random.default_rng(0).poisson(50, (5, *volume, 8, 8))
    stop = Stop()
    calls: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        calls.append((done, total))

    function = getattr(nx, name)
    function(movie, progress=progress, cancel=stop, **arguments)
    assert calls[-1] == (5, 5)
    stop.stopped = True
    with pytest.raises(nx.engine.Cancelled):
        function(movie, cancel=stop, **arguments)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_examples(name: str) -> None:
    import doctest

    function = getattr(nx, name)
    (test,) = doctest.DocTestFinder(recurse=False).find(function, globs={})
    outcome = doctest.DocTestRunner().run(test)
    assert outcome.attempted > 1
    assert outcome.failed == 0
