"""SRRF and eSRRF resolve what is known to be there and the mean does not show."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from simulation import dip

import napari_nanopyx as nx

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
MAGNIFICATION = 5


@pytest.fixture(scope="module", params=[0, 1, 2])
def filaments(request: pytest.FixtureRequest) -> NDArray[np.uint16]:
    """200 nm apart, in pixels of 100 nm, under a PSF of 280 nm."""
    return nx.simulate.blinking_filaments(
        separation=2.0, fwhm=2.8, frames=100, seed=request.param
    ).movie


def dip_between(image: NDArray[np.float32]) -> float:
    away_from_ends = slice(4 * MAGNIFICATION, -4 * MAGNIFICATION)
    return dip(image[away_from_ends].mean(axis=0, dtype=np.float64))


def test_the_mean_does_not_show_two_filaments(filaments: NDArray[np.uint16]) -> None:
    mean = nx.magnify(filaments.mean(axis=0), MAGNIFICATION)
    assert dip_between(mean) < 0.01


@pytest.mark.parametrize("interpolation", ["catmull_rom", "fourier"])
@pytest.mark.parametrize(("temporal", "least"), [("VAR", 0.20), ("TAC2", 0.30)])
def test_fluctuations_tell_two_filaments_apart(
    filaments: NDArray[np.uint16],
    temporal: Literal["VAR", "TAC2"],
    least: float,
    interpolation: Literal["catmull_rom", "fourier"],
) -> None:
    image = nx.esrrf(
        filaments, MAGNIFICATION, 1.5, temporal=temporal, interpolation=interpolation
    )[0]
    assert dip_between(image) >= least


@pytest.mark.parametrize(
    ("temporal", "least"),
    [
        ("TRA", 0.15),
        ("TRM", 0.18),
        ("STD", 0.20),
        ("TRPPM", 0.25),
        ("VAR", 0.35),
        ("TRAC2", 0.60),
        ("TRAC3", 0.70),
        ("TRAC4", 0.80),
    ],
)
def test_radial_fluctuations_tell_two_filaments_apart(
    filaments: NDArray[np.uint16], temporal: Any, least: float
) -> None:
    image = nx.srrf(filaments, MAGNIFICATION, temporal=temporal)[0]
    assert dip_between(image) >= least


@pytest.mark.parametrize("temporal", ["TRA", "TRPPM", "TRAC2", "TRAC4", "VAR"])
def test_srrf_does_not_split_one_filament(temporal: Any) -> None:
    movie = nx.simulate.blinking_filaments(separation=0.0, frames=400, seed=0).movie
    image = nx.srrf(movie, MAGNIFICATION, temporal=temporal)[0]
    assert dip_between(image) < 0.02


def test_one_filament_is_not_split() -> None:
    movie = nx.simulate.blinking_filaments(separation=0.0, frames=400, seed=0).movie
    for interpolation in ("catmull_rom", "fourier"):
        image = nx.esrrf(
            movie, MAGNIFICATION, 1.5, temporal="VAR", interpolation=interpolation
        )[0]
        assert dip_between(image) < 0.01


@pytest.mark.skipif(not DATA.is_dir(), reason=f"needs the data in {DATA}")
def test_microtubules_correlate_with_their_emitters() -> None:
    movie = tifffile.imread(DATA / "sim_tubulins_truth_20f.tif")
    truth = true_density(DATA / "sim_tubulins_truth_20f.csv", movie.shape[1:])

    def similarity(image: NDArray[np.float32]) -> float:
        # Emitters outside the field shine into its outermost two camera pixels.
        inner = (slice(10, -10), slice(10, -10))
        return float(np.corrcoef(image[inner].ravel(), truth[inner].ravel())[0, 1])

    mean = similarity(nx.magnify(movie.mean(axis=0), MAGNIFICATION))
    assert 0.60 < mean < 0.65
    assert similarity(nx.esrrf(movie, MAGNIFICATION, 1.5)[0]) >= 0.75


def true_density(path: Path, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the emitters' positions, blurred by two output pixels."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    y, x = (
        np.array([float(row[f"{axis} [nm]"]) / 100.0 for row in rows]) for axis in "yx"
    )
    size = [MAGNIFICATION * length for length in shape]
    density, _, _ = np.histogram2d(
        MAGNIFICATION * y,
        MAGNIFICATION * x,
        bins=size,
        range=[(0, length) for length in size],
    )
    offsets = np.arange(-8, 9)
    profile = np.exp(-(offsets**2) / (2 * 2.0**2))
    blurred: NDArray[np.float64] = density
    for axis in (0, 1):
        blurred = np.apply_along_axis(np.convolve, axis, blurred, profile, "same")
    return blurred
