"""Every implementation that this machine has gives the reference's numbers.

Parametrised over tasks, implementations and inputs: a new kernel or a new device is
tested without a new test. What could not be tried is listed in the last test's message.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_nanopyx import engine
from napari_nanopyx._engine import catalogue
from napari_nanopyx._engine.running import runner
from napari_nanopyx._kernels import tasks
from napari_nanopyx._kernels.warp import maps

RANDOM = np.random.default_rng(20)


def spots() -> NDArray[Any]:
    """Return spots that are symmetric about a pixel: their gradients vanish there."""
    rows, columns = np.mgrid[:31, :35]
    squared = (rows - 15) ** 2 + (columns - 17) ** 2
    light = (1000, 300, 900, 850, 100)
    return np.stack([light[i] * np.exp(-squared / (3 + i)) for i in range(len(light))])


IMAGES: dict[str, NDArray[Any]] = {
    "random camera": RANDOM.poisson(300, (5, 21, 27)).astype(np.uint16),
    "random signed": RANDOM.normal(0, 50, (4, 23, 19)).astype(np.float32),
    "smooth": np.sin(np.mgrid[:3, :25, :28].sum(0) / 5).astype(np.float32),
    "symmetric spots": spots().astype(np.float32),
    "symmetric camera spots": np.round(spots()).astype(np.uint16),
    "constant": np.full((3, 12, 13), 7, np.uint8),
    "tiny": RANDOM.random((2, 3, 3)).astype(np.float32),
    "one frame": RANDOM.poisson(50, (1, 17, 40)).astype(np.uint8),
    "wide": RANDOM.poisson(50, (2, 9, 131)).astype(np.uint16),
}

VOLUMES: dict[str, NDArray[Any]] = {
    "random camera": RANDOM.poisson(300, (4, 5, 11, 19)).astype(np.uint16),
    "random signed": RANDOM.normal(0, 50, (3, 3, 13, 9)).astype(np.float32),
    "symmetric spots": np.stack([spots()[:, 8:23, 10:25]] * 3, axis=1).round(),
    "constant": np.full((2, 4, 7, 6), 7, np.uint8),
    "tiny": RANDOM.random((2, 2, 3, 3)).astype(np.float32),
    "more planes than a part": RANDOM.poisson(50, (1, 17, 5, 7)).astype(np.uint8),
    "wide": RANDOM.poisson(50, (2, 2, 5, 67)).astype(np.uint16),
    "high": RANDOM.poisson(50, (2, 2, 67, 5)).astype(np.uint16),
}
"""Series of volumes, for the tasks that take them; also given are images."""

KERNELS: dict[str, NDArray[np.float64]] = {
    "random": RANDOM.random((21, 21)),
    "signed": RANDOM.normal(0, 1, (5, 9)),
    "all ones": np.ones((21, 21)),
    "one weight": np.array([[-2.5]]),
    "row": np.array([[1.0, 0.0, -1.0]]),
    "column": np.arange(6.0)[:, np.newaxis],
    "even": RANDOM.random((4, 6)),
    "three": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]),
    "slope": np.outer(*[np.exp(-(np.arange(-4, 5) ** 2) / 6.0)] * 2) * np.arange(-4, 5),
    "larger than any image": RANDOM.random((33, 150)),
    "nothing": np.zeros((3, 2)),
}


def turn(
    shift: Any = (0.0, 0.0), scale: Any = (1.0, 1.0), angle: float = 0.0
) -> NDArray[np.float64]:
    """Return how to sample an image of about 20 × 20 pixels turned about its middle."""
    return maps.turned((20, 20), np.atleast_2d(np.asarray(shift)), scale, angle)


WARPED: dict[str, dict[str, Any]] = {
    "turned": {"affine": turn((0.5, -1.25), (1.2, 0.8), 0.35)},
    "moved by whole pixels": {"affine": turn((2, -1)), "fill": -3.5},
    "moved": {"affine": turn((0.3, -0.7))},
    "smaller": {"affine": turn(scale=(0.3, 0.21))},
    "mirrored": {"affine": turn(scale=(-1.5, 1.0)), "kernel": "bilinear"},
    "quarter turn": {"affine": turn(angle=np.pi / 2)},
    "moved out": {"affine": turn((50, 3)), "fill": 2.0},
    "nearest": {"affine": turn((0.5, 0.5), angle=-2.0), "kernel": "nearest"},
    "nearest larger": {"affine": turn(scale=(4.0, 2.0)), "kernel": "nearest"},
    "bilinear": {"affine": turn((0.5, -1.25), (1.2, 0.8), 0.35), "kernel": "bilinear"},
    "polar": {
        "affine": np.array([[[0.0, 0.0, 10.5], [0.0, 0.0, 13.5]]]),
        "field": maps.unrolled((21, 27), (36, 20), "linear")[np.newaxis],
        "output_shape": (36, 20),
    },
    "log-polar": {
        "affine": np.array([[[0.0, 0.0, 10.5], [0.0, 0.0, 13.5]]]),
        "field": maps.unrolled((21, 27), (9, 33), "log")[np.newaxis],
        "output_shape": (9, 33),
        "kernel": "nearest",
    },
    "shaken": {
        "affine": turn(),
        "field": RANDOM.normal(0, 3, (1, 2, 13, 30)),
        "output_shape": (13, 30),
    },
}

PARAMETERS: dict[str, dict[str, dict[str, Any]]] = {
    "warp": WARPED,
    "magnify": {
        "five times": {"factor": (5.0, 5.0)},
        "fractions": {"factor": (2.5, 3.3), "shift": np.array([[0.25, -1.5]])},
        "identity": {"factor": (1.0, 1.0)},
        "smaller": {"factor": (0.5, 0.7)},
        "shifted out": {"factor": (2.0, 2.0), "shift": np.array([[40.0, -3.0]])},
        "nearest": {"factor": (2.5, 3.3), "kernel": "nearest"},
        "bilinear": {
            "factor": (4.0, 1.7),
            "shift": np.array([[0.25, -1.5]]),
            "kernel": "bilinear",
        },
        "lanczos": {"factor": (3.3, 2.0), "kernel": "lanczos"},
        "lanczos smaller": {
            "factor": (0.5, 0.7),
            "shift": np.array([[0.6, -2.5]]),
            "kernel": "lanczos",
        },
        "fourier": {"factor": (5.0, 3.0), "kernel": "fourier"},
        "fourier shifted": {
            "factor": (2.0, 4.0),
            "shift": np.array([[-1.3, 2.75]]),
            "kernel": "fourier",
        },
        "fourier fractions": {
            "factor": (1.7, 0.6),
            "shift": np.array([[0.4, 0.0]]),
            "kernel": "fourier",
        },
        "fourier shifted out": {
            "factor": (2.0, 2.0),
            "shift": np.array([[40.0, -3.0]]),
            "kernel": "fourier",
        },
    },
    "esrrf": {
        "defaults": {},
        "variance": {"temporal": "VAR", "magnification": 3},
        "deviation": {"temporal": "STD", "sensitivity": 2.0, "magnification": 2},
        "autocumulant": {"temporal": "TAC2", "magnification": 4},
        "two-point": {"gradient": "two_point", "sensitivity": 3.0},
        "zero border": {"border": "zero", "radius": 1.0},
        "odd exponent": {"sensitivity": 1.7, "radius": 2.3, "magnification": 3},
        "root": {"sensitivity": 0.5, "radius": 0.6, "magnification": 2},
        "unweighted root": {"sensitivity": 0.5, "intensity_weighting": False},
        "least exponent": {
            "sensitivity": 0.4,
            "intensity_weighting": False,
            "magnification": 2,
        },
        "great exponent": {"sensitivity": 10.0, "radius": 1.0},
        "greatest exponent": {"sensitivity": 20.0, "intensity_weighting": False},
        "great fraction": {"sensitivity": 19.7, "magnification": 3},
        "several exponents": {
            "sensitivity": 2.0,
            "more_sensitivities": (1.0, 3.5, 0.5),
            "magnification": 2,
        },
        "several variances": {
            "temporal": "VAR",
            "more_sensitivities": (3.0, 1.5),
            "frames_per_timepoint": 2,
            "magnification": 2,
        },
        "unweighted": {"intensity_weighting": False, "magnification": 1},
        "raw grid": {"macro_pixel_correction": False, "magnification": 6},
        "time points": {"frames_per_timepoint": 2, "magnification": 2},
        "rolling": {"frames_per_timepoint": 2, "frame_gap": 1, "temporal": "TAC2"},
        "fourier": {"interpolation": "fourier", "magnification": 4, "temporal": "TAC2"},
        "fourier two-point": {
            "interpolation": "fourier",
            "gradient": "two_point",
            "sensitivity": 2.0,
            "radius": 2.3,
            "border": "zero",
            "magnification": 3,
            "macro_pixel_correction": False,
        },
        "fourier unweighted": {
            "interpolation": "fourier",
            "intensity_weighting": False,
            "radius": 0.6,
            "magnification": 1,
        },
    },
    "esrrf_3d": {
        "defaults": {},
        "variance": {"temporal": "VAR", "magnification": 3, "magnification_z": 1},
        "deviation": {"temporal": "STD", "sensitivity": 2.0, "magnification_z": 3},
        "autocumulant": {"temporal": "TAC2", "voxel_ratio": 1.0, "psf_ratio": 1.0},
        "odd exponent": {"sensitivity": 1.7, "radius": 2.3, "magnification": 3},
        "root": {"sensitivity": 0.5, "radius": 0.9},
        "least exponent": {"sensitivity": 0.4, "intensity_weighting": False},
        "great exponent": {"sensitivity": 10.0},
        "greatest exponent": {"sensitivity": 20.0, "intensity_weighting": False},
        "unweighted": {"intensity_weighting": False, "magnification": 1},
        "raw grid": {"macro_pixel_correction": False, "psf_ratio": 5.0},
        "time points": {"frames_per_timepoint": 2, "magnification": 1},
    },
    "srrf": {
        "defaults": {},
        "maximum": {"temporal": "TRM", "intensity_weighting": False},
        "signed": {"positivity": False, "intensity_weighting": False, "border": 1},
        "pairs": {"temporal": "TRPPM", "ring_radius": 0.7, "magnification": 2},
        "weighted pairs": {"temporal": "TRPPM", "weight": "before", "axes": 4},
        "variance": {"temporal": "VAR", "ring_radius": 3.0, "axes": 8},
        "smooth": {"gradient_smoothing": True, "renormalise": True, "temporal": "STD"},
        "second order": {"temporal": "TRAC2", "magnification": 2, "weight": "before"},
        "third order": {"temporal": "TRAC3", "magnification": 3, "weight": "before"},
        "fourth order": {"temporal": "TRAC4", "magnification": 2, "weight": "before"},
        "second order alone": {"temporal": "TRAC2", "magnification": 5},
        "third order alone": {"temporal": "TRAC3", "ring_radius": 1.5},
        "fourth order alone": {"temporal": "TRAC4", "magnification": 4},
        "unweighted variance": {
            "temporal": "VAR",
            "intensity_weighting": False,
            "renormalise": True,
            "magnification": 2,
        },
        "odd ring": {"axes": 3, "magnification": 1, "ring_radius": 1.5},
        "time points": {"frames_per_timepoint": 2, "magnification": 2},
    },
    "convolve": {
        label: {"kernel": kernel.astype(np.float32)}
        for label, kernel in KERNELS.items()
    },
}

NOISE = {"h": np.array([12.0]), "sigma": np.array([15.0])}

PARAMETERS["nlm"] = {
    "defaults": NOISE,
    "gaussian": {**NOISE, "mode": "gaussian", "patch_distance": 4},
    "linear": {**NOISE, "exponential": "linear", "patch_distance": 3},
    "gaussian linear": {
        **NOISE,
        "mode": "gaussian",
        "patch_size": 5,
        "patch_distance": 2,
        "exponential": "linear",
    },
    "exact patches only": {
        "h": np.array([0.1]),
        "sigma": np.array([0.0]),
        "patch_distance": 4,
    },
    "little noise": {
        "h": np.array([0.2]),
        "sigma": np.array([0.3]),
        "patch_size": 3,
        "patch_distance": 5,
    },
    "large gaussian patches": {
        "h": np.array([40.0]),
        "sigma": np.array([0.0]),
        "mode": "gaussian",
        "patch_size": 15,
        "patch_distance": 2,
    },
    "large patches": {**NOISE, "patch_size": 21, "patch_distance": 3},
    "no noise": {"h": np.array([0.0]), "sigma": np.array([0.0])},
}

WAVES = RANDOM.normal(0, 1, (5, 40, 150)).astype(np.float32)
"""References, larger than any image."""

PARAMETERS["correlate"] = {
    "whole pixels": {"scene": WAVES[:1], "reach": (3, 5)},
    "many": {"scene": WAVES[:1, :33, :135], "reach": (16, 40)},
    "fractions": {"scene": WAVES[1:2], "reach": (6, 6), "finer": 4},
    "moved": {
        "scene": WAVES[1:2, :39, :149],
        "reach": (2, 9),
        "finer": 2,
        "lags": np.array([[1, -2]]),
    },
    "halves": {"scene": WAVES[2:3], "reach": (4, 4), "finer": 2},
}

SHIFT = np.random.default_rng(4).normal(0, 3, (len(IMAGES["random camera"]), 2))
SHIFT[0] = (2.0, -1.0)

SHIFTED: dict[str, dict[str, Any]] = {
    "magnify": {"factor": (3.0, 2.0), "shift": SHIFT},
    "magnify lanczos": {"factor": (3.0, 2.0), "shift": SHIFT, "kernel": "lanczos"},
    "magnify fourier": {"factor": (3.0, 2.0), "shift": SHIFT, "kernel": "fourier"},
    "esrrf": {"temporal": "TAC2", "drift": SHIFT},
    "esrrf fourier": {"drift": SHIFT, "interpolation": "fourier", "magnification": 3},
    "srrf": {"temporal": "TRAC2", "drift": SHIFT},
    "warp": {"affine": turn(SHIFT, angle=0.1)},
    "correlate": {
        "scene": WAVES,
        "reach": (7, 3),
        "finer": 4,
        "lags": np.rint(SHIFT).astype(np.intp),
        "weights": (
            RANDOM.random((5, 21)).astype(np.float32),
            RANDOM.random((5, 27)).astype(np.float32),
        ),
    },
    "correlate halves": {"scene": WAVES, "reach": (10, 4), "finer": 2},
    "warp fields": {
        "affine": turn(),
        "field": np.random.default_rng(6).normal(0, 1, (len(SHIFT), 2, 20, 20)),
        "output_shape": (20, 20),
    },
}
"""The task is the first word of the label."""


def implementations(task: str) -> list[engine.Implementation]:
    """Return all but the reference."""
    found = engine.implementations(task)
    return [each for each in found if each.kind != "reference"]


def fits(each: engine.Implementation, parameters: dict[str, Any]) -> bool:
    """Tell whether an implementation can run here and compute with these parameters."""
    plan = tasks()[each.task].plan((len(SHIFT), 9, 9), **parameters)
    return catalogue.fitting(each, plan).available


CASES = [
    pytest.param(task, each.name, settings, id=f"{task}-{each.name}-{settings}")
    for task in tasks()
    for each in implementations(task)
    for settings, parameters in PARAMETERS[task].items()
    if fits(each, parameters)
]


def reconstruct(task: str, image: NDArray[Any], name: str, **parameters: Any) -> Any:
    """Run a task on a pinned implementation."""
    plan = tasks()[task].plan(image.shape, **parameters)
    return runner.run(tasks()[task], image, plan, implementation=name)


def inputs_of(task: str) -> dict[str, NDArray[Any]]:
    """Return the images by label, and the volumes if the task takes any."""
    if tasks()[task].example()[0].ndim == 3:
        return IMAGES
    few = ("random camera", "tiny", "one frame")
    return {f"image: {label}": IMAGES[label] for label in few} | VOLUMES


@cache
def reference_of(task: str, settings: str, label: str) -> Any:
    """Return the reference's result, computed once for all implementations."""
    image = inputs_of(task)[label]
    return reconstruct(task, image, "reference", **PARAMETERS[task][settings])


def assert_agrees(
    task: str, result: NDArray[Any], reference: NDArray[Any], case: str
) -> None:
    """Hold an implementation to the accuracy budget."""
    assert np.array_equal(np.isnan(result), np.isnan(reference)), case
    assert np.array_equal(np.isinf(result), np.isinf(reference)), case
    reference = reference.astype(np.float64)
    worst = np.abs(result - reference).max()
    tolerance = tasks()[task].tolerance
    allowed = tolerance * np.abs(reference).max() + 1e-6 * reference.std()
    assert worst <= allowed, f"{case}: off by {worst:.3g}, allowed {allowed:.3g}"


@pytest.mark.parametrize(("task", "name", "settings"), CASES)
def test_agrees_with_the_reference(task: str, name: str, settings: str) -> None:
    """max|Δ| ≤ 1e-5 max|reference| + 1e-6 std(reference) on every input."""
    parameters = PARAMETERS[task][settings]
    for label, image in inputs_of(task).items():
        reference = reference_of(task, settings, label)
        if len(reference) == 0:
            continue  # the image has fewer frames than the reduction needs
        assert_agrees(
            task, reconstruct(task, image, name, **parameters), reference, label
        )


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        pytest.param(settings, each.name, id=f"{settings}-{each.name}")
        for settings, parameters in SHIFTED.items()
        for each in implementations(settings.split()[0])
        if fits(each, parameters)
    ],
)
def test_agrees_when_every_frame_is_shifted(settings: str, name: str) -> None:
    """Each frame has tables of its own, whole pixels and fractions."""
    task, parameters = settings.split()[0], SHIFTED[settings]
    image = IMAGES["random camera"]
    reference = reconstruct(task, image, "reference", **parameters)
    assert_agrees(
        task, reconstruct(task, image, name, **parameters), reference, "shifted"
    )


@pytest.mark.parametrize("level", ["base", "v2", "v3", "v4"])
@pytest.mark.parametrize(
    ("task", "settings"),
    [
        ("magnify", "fractions"),
        ("magnify", "nearest"),
        ("magnify", "bilinear"),
        ("magnify", "lanczos"),
        ("esrrf", "odd exponent"),
        ("esrrf_3d", "odd exponent"),
        ("srrf", "odd ring"),
        ("srrf", "second order alone"),
        ("srrf", "unweighted variance"),
        ("convolve", "signed"),
        ("warp", "turned"),
        ("warp", "moved"),
        ("warp", "shaken"),
        ("warp", "bilinear"),
        ("warp", "nearest"),
        ("nlm", "defaults"),
        ("nlm", "gaussian"),
        ("correlate", "fractions"),
    ],
)
def test_agrees_at_every_instruction_set(
    task: str, settings: str, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The C core gives the same numbers on older processors."""
    parameters = PARAMETERS[task][settings]
    monkeypatch.setenv("NAPARI_NANOPYX_SIMD", level)
    for label in ("random camera", "symmetric spots"):
        reference = reference_of(task, settings, label)
        result = reconstruct(task, inputs_of(task)[label], "serial", **parameters)
        assert_agrees(task, result, reference, f"{level}, {label}")


def test_opencl_is_among_those_tested() -> None:
    """The test environment brings a CPU OpenCL device: its code always runs here."""
    for task in tasks():
        kinds = {each.kind for each in implementations(task) if each.available}
        missing = [
            f"{each.name}: {each.reason}"
            for each in implementations(task)
            if not each.available
        ]
        assert kinds >= {"compiled", "numba", "opencl"}, f"{task} lacks {missing}"
