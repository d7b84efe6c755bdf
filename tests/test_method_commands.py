"""Every method is a command: what it writes is what the function returns."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from closeness import assert_close
from movie_files import write_movie
from numpy.typing import NDArray
from typer.testing import CliRunner

import napari_nanopyx as nx
from napari_nanopyx import cli, simulate
from napari_nanopyx.io import ImageMetadata, open_image, open_stack, write_zarr

MOVIE = np.random.default_rng(5).poisson(200, (6, 14, 12)).astype(np.uint16)
SERIAL = ("--implementation", "serial")


def run(*words: object) -> str:
    """Run a command that must succeed, and return what it says."""
    result = CliRunner().invoke(cli.app, [str(word) for word in words])
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def failing(*words: object) -> str:
    result = CliRunner().invoke(cli.app, [str(word) for word in words])
    assert result.exit_code == 2
    return result.stderr


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_movie(tmp_path / "movie.tif", MOVIE)


IMAGES: dict[str, tuple[list[object], dict[str, Any], float]] = {
    "esrrf": (["--magnification", 2], {"magnification": 2}, 2),
    "srrf": (["--magnification", 3], {"magnification": 3}, 3),
    "denoise": (["--patch-distance", 3], {"patch_distance": 3}, 1),
    "magnify": (["--factor", 2], {"factor": 2}, 2),
    "transform": (
        ["--shift", 1.5, -2, "--scale", 1, 1.1, "--angle", 0.2],
        {"shift": (1.5, -2), "scale": (1, 1.1), "angle": 0.2},
        1,
    ),
    "convolve": (
        ["--kernel", "0,1,0;1,4,1;0,1,0"],
        {"kernel": [[0, 1, 0], [1, 4, 1], [0, 1, 0]]},
        1,
    ),
}
FUNCTIONS = {"denoise": "denoise_nlm"}


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif", ".ome.zarr", ".zarr"])
@pytest.mark.parametrize("name", IMAGES)
def test_images_of_a_movie(
    tmp_path: Path, source: Path, name: str, suffix: str
) -> None:
    """From TIFF to each kind of file: numbers, axes, pixel size and unit."""
    words, given, magnification = IMAGES[name]
    target = tmp_path / f"result{suffix}"
    run(name, source, target, *words, *SERIAL)
    function = getattr(nx, FUNCTIONS.get(name, name))
    expected = function(MOVIE, **given, implementation="serial")
    with open_stack(target, "TYX") as images:
        assert_close(images[...], expected, 2e-6)
        side = 0.1 / magnification
        assert images.metadata.pixel_size == pytest.approx((side, side), rel=1e-5)
        assert images.metadata.unit == "µm"
        note = json.loads(images.metadata.description or "null")
        # An OME-TIFF's description is not read back.
        if suffix != ".ome.tif":
            assert note["command"] == getattr(function, "__name__")  # noqa: B009
        if len(expected) == len(MOVIE):
            assert images.metadata.frame_interval == 0.5


@pytest.mark.parametrize("name", IMAGES)
def test_images_of_an_ome_zarr(tmp_path: Path, name: str) -> None:
    """The movie may be an OME-Zarr folder; it is not changed, nor written into."""
    metadata = ImageMetadata("TYX", (0.1, 0.1), "µm", 0.5)
    source = write_zarr(tmp_path / "movie.ome.zarr", MOVIE.astype(np.float32), metadata)
    words, given, _ = IMAGES[name]
    target = tmp_path / "result.zarr"
    run(name, source, target, *words, *SERIAL)
    function = getattr(nx, FUNCTIONS.get(name, name))
    expected = function(MOVIE.astype(np.float32), **given, implementation="serial")
    with open_stack(target, "TYX") as images:
        assert_close(images[...], expected, 2e-6)
        assert images.metadata.unit == "µm"
    assert "is there already" in failing(name, source, target, *words)
    assert "lies inside the input" in failing(name, source, source / "a.tif", *words)


def test_volumes(tmp_path: Path) -> None:
    """A hyperstack of volumes keeps its axes, and planes come closer."""
    volumes = np.random.default_rng(2).poisson(90, (3, 5, 12, 13)).astype(np.uint16)
    source, target = tmp_path / "volumes.tif", tmp_path / "sr.ome.zarr"
    tifffile.imwrite(
        source,
        volumes,
        imagej=True,
        resolution=(10, 10),
        metadata={"axes": "TZYX", "unit": "um", "spacing": 0.4, "finterval": 1.0},
    )
    words = ("--magnification-z", 2, "--frames-per-timepoint", 1, *SERIAL)
    run("esrrf-3d", source, target, *words)
    expected = nx.esrrf_3d(volumes, frames_per_timepoint=1, implementation="serial")
    with open_image(target) as images:
        assert images.metadata.axes == "TZYX"
        assert images.metadata.depth == pytest.approx(0.2)
        assert images.metadata.pixel_size == pytest.approx((0.05, 0.05))
        assert images.metadata.frame_interval == pytest.approx(1.0)
        assert_close(images[...], expected, 2e-6)
    assert "a movie of volumes has the axes T, Z, Y, X" in failing(
        "esrrf-3d", write_movie(tmp_path / "a.tif", MOVIE), tmp_path / "b.tif"
    )


def test_channels_are_registered_through_a_file(tmp_path: Path) -> None:
    made = simulate.misaligned_channels(
        (160, 160), displacement=2.0, blocks=2, seed=3
    ).image
    image = made.astype(np.float32)
    source, table = tmp_path / "c.tif", tmp_path / "c_registration.tif"
    tifffile.imwrite(source, image, imagej=True, metadata={"axes": "CYX"})
    words = ("--max-shift", 6, "--model", "translation")
    said = run("estimate-channel-shifts", source, table, *words)
    expected = nx.estimate_channel_shifts(image, max_shift=6, model="translation")
    assert str(expected) in said
    target = tmp_path / "registered.tif"
    run("register-channels", source, table, target)
    assert_close(tifffile.imread(target), nx.register_channels(image, expected), 1e-5)
    with open_image(target) as registered:
        assert registered.metadata.axes == "CYX"
    assert "must end in" in failing(
        "estimate-channel-shifts", source, tmp_path / "a.csv", *words
    )
    assert "--max-shift" in failing("estimate-channel-shifts", source, table)


def test_a_gradient_is_two_channels(tmp_path: Path, source: Path) -> None:
    run("gradient", source, tmp_path / "g.tif", "--operator", "two_point")
    with open_image(tmp_path / "g.tif") as image:
        assert image.metadata.axes == "TCYX"
        rows, columns = nx.gradient(MOVIE, operator="two_point")
        assert_close(image[:, 0], rows)
        assert_close(image[:, 1], columns)


def test_polar_images_have_no_pixel_size(tmp_path: Path, source: Path) -> None:
    run("polar", source, tmp_path / "p.zarr", "--shape", 9, 11, *SERIAL)
    with open_image(tmp_path / "p.zarr") as image:
        expected = nx.polar(MOVIE, (9, 11), implementation="serial")
        assert_close(image[...], expected)
        assert image.metadata.pixel_size is None


def test_a_sweep_takes_lists(tmp_path: Path) -> None:
    movie = simulate.blinking_filaments(frames=30, seed=1).movie
    source = write_movie(tmp_path / "movie.tif", movie)
    said = run("sweep-esrrf", source, "--radii", "1,2.5", "--sensitivities", "1,2")
    assert said.strip() == str(nx.sweep_esrrf(movie, (1, 2.5), (1, 2)))
    error = failing("sweep-esrrf", source, "--radii", "1;2", "--sensitivities", "1")
    assert "no list of numbers" in error


def test_resolution_block_by_block(tmp_path: Path) -> None:
    scene = np.random.default_rng(3).normal(size=(128, 128)).astype(np.float32)
    image = nx.convolve(scene, np.ones((5, 5)) / 25) + 0.05 * scene
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, image.astype(np.float32))
    image = image.astype(np.float32)
    said = run("frc-map", path, "--blocks", 2)
    assert said.strip() == str(nx.frc_map(image, blocks=2))
    said = run("decorrelation-map", path, "--tile", 64)
    assert said.strip() == str(nx.decorrelation_map(image, tile=64))


SIMULATED: dict[str, tuple[list[object], NDArray[Any]]] = {
    "blinking-filaments": (
        ["--frames", 9, "--photons", 300, "--separation", 3],
        simulate.blinking_filaments(frames=9, photons=300, separation=3, seed=7).movie,
    ),
    "blinking-ring": (
        ["--frames", 4, "--shape", 20, 22],
        simulate.blinking_ring(frames=4, shape=(20, 22), seed=7).movie,
    ),
    "drift-movie": (
        ["--frames", 3, "--drift", 0.5, -1],
        simulate.drift_movie(3, drift=(0.5, -1), seed=7).movie,
    ),
    "random-spots": (
        ["--frames", 2, "--count", 9],
        simulate.random_spots(frames=2, count=9, seed=7).movie,
    ),
    "beads": (["--count", 5], simulate.beads(count=5, seed=7).image),
    "misaligned-channels": (
        ["--shape", 90, 80],
        simulate.misaligned_channels((90, 80), seed=7).image,
    ),
}


@pytest.mark.parametrize("name", SIMULATED)
def test_simulated_images_come_with_their_truth(tmp_path: Path, name: str) -> None:
    words, expected = SIMULATED[name]
    run("simulate", name, tmp_path / "a.tif", *words, "--seed", 7)
    with open_image(tmp_path / "a.tif") as image:
        np.testing.assert_array_equal(image[...], expected.astype(np.float32))
    truth = json.loads((tmp_path / "a_truth.json").read_text())
    assert truth["parameters"]["seed"] == 7
    assert len(truth["positions"]) > 0
    assert "movie" not in truth


def test_noise_is_asked_for(tmp_path: Path) -> None:
    run("simulate", "beads", tmp_path / "a.tif", "--noise", "--seed", 1)
    clean = simulate.beads(seed=1).image
    expected = simulate.camera_noise(clean, seed=1)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), expected)
    error = failing("simulate", "blinking-ring", tmp_path / "b.tif", "--noise")
    assert "--noise" in error
    assert "must be" in failing("simulate", "beads", tmp_path / "b.tif", "--sigma", -1)
    assert not (tmp_path / "b.tif").exists()


COMMANDS = {
    **FUNCTIONS,
    **{name: name.replace("-", "_") for name in ("esrrf-3d", "sweep-esrrf", "polar")},
    **{name: name.replace("-", "_") for name in ("convolve", "gradient", "transform")},
    "register-channels": "register_channels",
    "estimate-channel-shifts": "estimate_channel_shifts",
    "frc-map": "frc_map",
    "decorrelation-map": "decorrelation_map",
}
FILES = {"image", "image_a", "image_b", "registration", "progress", "cancel", "roi"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_parameter_is_an_option_with_help(name: str) -> None:
    shown = CliRunner().invoke(cli.app, [name, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for parameter in inspect.signature(getattr(nx, COMMANDS[name])).parameters:
        if parameter not in FILES:
            option = f"--{parameter.replace('_', '-')}"
            lines = [line for line in shown.stdout.splitlines() if f"{option} " in line]
            assert lines or f"{option}\n" in shown.stdout, option


def test_every_method_is_a_command() -> None:
    shown = CliRunner().invoke(cli.app, ["--help"]).stdout
    functions = {
        name
        for name in nx.__all__
        if inspect.isfunction(getattr(nx, name)) and name != "denoise_nlm"
    }
    for name in functions | {"denoise"}:
        assert f" {name.replace('_', '-')} " in shown, name
