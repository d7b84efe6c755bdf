"""Offers the bundled movie and simulated scenes under File ▸ Open Sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FRAME_SECONDS = 0.05
PIXEL_MICROMETRES = 0.11
"""As published with the movie; its TIFF tags hold the same, rounded to 9 digits."""

SIMULATED_MICROMETRES = 0.1
"""A usual pixel of a camera behind a lens that magnifies a hundredfold."""

SEED = 1
"""The same scenes for everybody."""

LayerData = tuple[Any, dict[str, Any], str]


def telomeres() -> list[LayerData]:
    """Return 200 frames of telomeres in a living cell as an image layer."""
    from napari_nanopyx.data import telomeres as read_telomeres

    movie, _ = read_telomeres()
    return [_layer(movie, "telomeres", "TYX", PIXEL_MICROMETRES)]


def filaments() -> list[LayerData]:
    """Return a movie of two lines of blinking emitters, closer than the PSF is wide."""
    from napari_nanopyx import simulate

    made = simulate.blinking_filaments(
        separation=2.5, frames=200, shape=(64, 64), seed=SEED
    )
    truth = {"separation": 2.5, "positions": made.positions}
    return [_simulated(made.movie, "blinking filaments", "TYX", truth)]


def ring() -> list[LayerData]:
    """Return a movie of a ring of blinking emitters."""
    from napari_nanopyx import simulate

    made = simulate.blinking_ring(radius=4.0, frames=200, shape=(48, 48), seed=SEED)
    truth = {"radius": 4.0, "positions": made.positions}
    return [_simulated(made.movie, "blinking ring", "TYX", truth)]


def drifting_beads() -> list[LayerData]:
    """Return a movie of beads that drift, with the noise of a camera."""
    from napari_nanopyx import simulate

    made = simulate.drift_movie(60, drift=(0.15, -0.1), random_step=0.05, seed=SEED)
    noisy = simulate.camera_noise(made.movie + 20, seed=SEED)
    truth = {"shifts": made.shifts}
    return [_simulated(noisy, "drifting beads", "TYX", truth)]


def misaligned_channels() -> list[LayerData]:
    """Return three channels of beads that do not lie over one another."""
    from napari_nanopyx import simulate

    made = simulate.misaligned_channels(seed=SEED)
    noisy = simulate.camera_noise(made.image + 20, seed=SEED)
    truth = {"displacements": made.displacements}
    return [_simulated(noisy, "misaligned channels", "CYX", truth)]


def _simulated(image: Any, name: str, axes: str, truth: Mapping[str, Any]) -> LayerData:
    data, options, kind = _layer(image, name, axes, SIMULATED_MICROMETRES)
    return data, {**options, "metadata": {"truth": dict(truth)}}, kind


def _layer(image: Any, name: str, axes: str, pixel: float) -> LayerData:
    first, unit = (FRAME_SECONDS, "second") if axes[0] == "T" else (1.0, "pixel")
    options = {
        "name": name,
        "scale": (first, pixel, pixel),
        "units": (unit, "micrometer", "micrometer"),
        "axis_labels": tuple(axes),
    }
    return image, options, "image"
