"""The command line: files in, files out, errors in one sentence."""

from __future__ import annotations

import inspect
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage
import tifffile
from typer.testing import CliRunner

import napari_nanopyx as nx
from napari_nanopyx import cli, demo
from napari_nanopyx.data import telomeres
from napari_nanopyx.io import open_image, open_movie

MOVIE = np.random.default_rng(5).poisson(200, (6, 14, 11)).astype(np.uint16)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "movie.tif"
    tifffile.imwrite(
        path,
        MOVIE,
        imagej=True,
        resolution=(10, 10),
        metadata={"axes": "TYX", "unit": "um", "finterval": 0.5},
    )
    return path


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.app, [str(word) for word in words])
    unexpected = result.exception
    if unexpected is not None and not isinstance(unexpected, SystemExit):
        raise unexpected
    return result.exit_code, result.stdout, result.stderr


def test_esrrf_writes_what_the_function_returns(source: Path, tmp_path: Path) -> None:
    """The command and the function give the same image, with the calibration scaled."""
    target = tmp_path / "result.tif"
    code, out, err = run(
        "esrrf", source, target, "--magnification", 3, "--sensitivity", 2,
        "--temporal", "VAR", "--frames-per-timepoint", 3, "--border", "zero",
        "--no-macro-pixel-correction", "--implementation", "reference",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "reference (6 frames)" in out
    expected = nx.esrrf(
        MOVIE,
        magnification=3,
        sensitivity=2,
        temporal="VAR",
        frames_per_timepoint=3,
        border="zero",
        macro_pixel_correction=False,
        implementation="reference",
    )
    with open_movie(target) as images:
        np.testing.assert_array_equal(images[...], expected)
        assert images.metadata.pixel_size == pytest.approx((0.1 / 3, 0.1 / 3), rel=1e-5)
        assert images.metadata.frame_interval == pytest.approx(1.5)
        note = json.loads(images.metadata.description)
    assert note["parameters"]["radius"] == 1.5
    assert note["frames computed by"] == {"reference": 6}


def test_esrrf_options_are_the_functions_parameters() -> None:
    """Every parameter of the method is an option of the same name and default."""
    method = dict(inspect.signature(nx.esrrf).parameters)
    for name in ("image", "progress", "cancel"):
        method.pop(name)
    options = dict(inspect.signature(cli.esrrf).parameters)
    for name in ("source", "target", "channel", "plane"):
        options.pop(name)
    assert set(options) == set(method)
    for name, parameter in method.items():
        assert options[name].default == parameter.default, name


@pytest.mark.parametrize("name", ["esrrf", "srrf", "frc"])
def test_options_explain_themselves(name: str) -> None:
    """No option of a command that is made from a function lacks its help."""
    code, out, _ = run(name, "--help")
    assert code == 0
    found = dict(inspect.signature(getattr(nx, name)).parameters)
    for parameter in set(found) - {"image", "image_a", "image_b", "progress", "cancel"}:
        option = f"--{parameter.replace('_', '-')}"
        assert re.search(rf"{option}\b[^\n]*\n?\s+\w", out), option
    assert "`" not in out


def test_srrf_is_the_function_on_a_file(source: Path, tmp_path: Path) -> None:
    """Options reach the function, and the result its place in time."""
    target = tmp_path / "result.tif"
    code, _, err = run(
        "srrf", source, target, "--magnification", 2, "--temporal", "TRAC2",
        "--frames-per-timepoint", 3, "--no-positivity", "--implementation", "serial",
    )  # fmt: skip
    assert (code, err) == (0, "")
    expected = nx.srrf(
        MOVIE,
        2,
        temporal="TRAC2",
        frames_per_timepoint=3,
        positivity=False,
        implementation="serial",
    )
    with open_movie(target) as images:
        np.testing.assert_allclose(images[...], expected, rtol=1e-5)
        assert images.metadata.frame_interval == pytest.approx(1.5)


def test_frc_says_the_resolution_in_the_files_unit(tmp_path: Path) -> None:
    """The pixel size of the file counts unless another is given."""
    random = np.random.default_rng(1)
    scene = nx.convolve(random.normal(size=(96, 96)), np.ones((5, 5)) / 5)
    images = [scene + random.normal(size=scene.shape) for _ in range(2)]
    paths = [tmp_path / "odd.tif", tmp_path / "even.tif"]
    for path, image in zip(paths, images, strict=True):
        tifffile.imwrite(
            path,
            image.astype(np.float32),
            imagej=True,
            resolution=(10, 10),
            metadata={"axes": "YX", "unit": "um"},
        )
    code, out, err = run("frc", *paths)
    assert (code, err) == (0, "")
    images = [image.astype(np.float32) for image in images]
    assert out.strip() == str(nx.frc(*images, pixel_size=0.1, units="µm"))
    code, out, _ = run("frc", *paths, "--pixel-size", 100, "--units", "nm")
    assert out.strip() == str(nx.frc(*images, pixel_size=100, units="nm"))
    code, out, _ = run("frc", *paths, "--pixel-size", 2)
    assert out.strip() == str(nx.frc(*images, pixel_size=2))
    code, out, err = run("frc", paths[0])
    assert (code, err) == (0, "")
    assert out.strip() == str(nx.frc(images[0], pixel_size=0.1, units="µm"))
    code, out, err = run("decorrelation", paths[0])
    assert (code, err) == (0, "")
    assert out.strip() == str(nx.decorrelation(images[0], pixel_size=0.1, units="µm"))


def test_drift_is_estimated_corrected_and_folded_in(tmp_path: Path) -> None:
    """The table that one command writes is what the others read."""
    scene = np.random.default_rng(4).gamma(0.3, 300, (1, 40, 32))
    spot = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    smooth = nx.convolve(scene, np.outer(spot, spot))
    shifts = np.linspace((0.0, 0.0), (2.0, -1.0), 6)
    movie = nx.magnify(np.repeat(smooth, 6, 0), 1, shift=shifts)
    source, table = tmp_path / "movie.tif", tmp_path / "drift.csv"
    tifffile.imwrite(source, movie, imagej=True, metadata={"axes": "TYX"})
    code, out, err = run("estimate-drift", source, table)
    assert (code, err) == (0, "")
    expected = nx.estimate_drift(movie)
    assert out.strip() == f"{table}: {expected}"
    np.testing.assert_allclose(expected.shifts, -shifts, atol=0.05)
    still = tmp_path / "still.tif"
    code, _, err = run("correct-drift", source, table, still)
    assert (code, err) == (0, "")
    corrected = nx.correct_drift(movie, expected)
    np.testing.assert_allclose(tifffile.imread(still), corrected, rtol=1e-4, atol=1e-2)
    image = tmp_path / "result.tif"
    words = ("--magnification", 2, "--drift", table, "--implementation", "serial")
    code, _, err = run("esrrf", source, image, *words)
    assert (code, err) == (0, "")
    written = nx.DriftTable.load(table)
    np.testing.assert_allclose(written.shifts, expected.shifts, atol=1e-5)
    folded = nx.esrrf(movie, 2, drift=written, implementation="serial")
    np.testing.assert_allclose(np.squeeze(tifffile.imread(image)), folded[0], rtol=1e-5)


def test_drift_of_volumes_is_estimated_and_corrected(tmp_path: Path) -> None:
    """A file with frames and planes has a table of three columns; a plane has two."""
    random = np.random.default_rng(5)
    sharp = random.gamma(0.3, 300, (16, 40, 36))
    scene = scipy.ndimage.gaussian_filter(sharp, (1.0, 1.5, 1.5), mode="wrap")
    moves = [(0, 0, 0), (1, 2, -1), (1, 3, -2)]
    series = np.stack([np.roll(scene, move, (0, 1, 2)) for move in moves])
    series = series.astype(np.float32)
    source, table = tmp_path / "volumes.tif", tmp_path / "drift.csv"
    metadata = {"axes": "TZYX", "unit": "um", "spacing": 0.4, "finterval": 1.0}
    tifffile.imwrite(
        source, series, imagej=True, resolution=(10, 10), metadata=metadata
    )
    code, _, err = run("estimate-drift", source, table)
    assert (code, err) == (0, "")
    found = nx.DriftTable.load(table)
    np.testing.assert_allclose(found.shifts, -np.array(moves, float), atol=0.1)
    assert found.frame_interval == 1.0
    still = tmp_path / "still.tif"
    code, _, err = run("correct-drift", source, table, still)
    assert (code, err) == (0, "")
    with open_image(still) as images:
        assert images.metadata.axes == "TZYX"
        assert images.metadata.depth == pytest.approx(0.4)
        corrected = images[...]
    expected = nx.correct_drift(series, found)
    np.testing.assert_allclose(corrected, expected, rtol=1e-4, atol=1e-2)
    inside = (slice(3, -3), slice(6, -6), slice(6, -6))
    differences = corrected[2][inside] - corrected[0][inside]
    assert np.abs(differences).mean() < 0.1 * np.std(corrected[0][inside])
    plane = tmp_path / "plane.csv"
    code, _, err = run("estimate-drift", source, plane, "--plane", 4)
    assert (code, err) == (0, "")
    assert nx.DriftTable.load(plane).shifts.shape == (3, 2)


@pytest.mark.parametrize("name", ["movie.tif", "drift.txt", "nowhere/drift.csv"])
def test_a_table_never_takes_the_place_of_a_movie(
    source: Path, tmp_path: Path, name: str
) -> None:
    """What cannot be the output is refused before anything is computed."""
    before = source.read_bytes()
    code, _, err = run("estimate-drift", source, tmp_path / name)
    assert code == 2
    assert "the output" in err or "the folder of the output" in err
    assert source.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["movie.tif"]


def test_denoise_is_the_function_on_a_file(source: Path, tmp_path: Path) -> None:
    """Options reach the function; scale and unit survive."""
    target = tmp_path / "clean.tif"
    words = ("--patch-distance", 3, "--implementation", "serial")
    code, _, err = run("denoise", source, target, *words)
    assert (code, err) == (0, "")
    expected = nx.denoise_nlm(MOVIE, patch_distance=3, implementation="serial")
    with open_movie(target) as images:
        np.testing.assert_array_equal(images[...], expected)
        assert images.metadata.pixel_size == pytest.approx((0.1, 0.1), rel=1e-5)


def test_esrrf_takes_drift_from_a_file(source: Path, tmp_path: Path) -> None:
    """A table of corrections does what the same array does in the function."""
    shifts = np.linspace(0, 0.5, 12).reshape(6, 2)
    table = tmp_path / "drift.csv"
    np.savetxt(table, shifts, delimiter=",", header="row,column", comments="")
    target = tmp_path / "result.tif"
    code, _, err = run(
        "esrrf", source, target, "--magnification", 2, "--drift", table,
        "--implementation", "reference",
    )  # fmt: skip
    assert (code, err) == (0, "")
    expected = nx.esrrf(
        MOVIE, magnification=2, drift=shifts, implementation="reference"
    )
    np.testing.assert_allclose(
        np.squeeze(tifffile.imread(target)), expected[0], rtol=1e-6
    )


@pytest.mark.parametrize("frames_per_block", [1, 4, 100])
def test_magnify_in_blocks_equals_one_call(
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    frames_per_block: int,
) -> None:
    """The file that is written block by block holds the same as one call returns."""
    frame_bytes = 4 * (14 * 2) * (11 * 3)
    monkeypatch.setattr(
        "napari_nanopyx._terminal.BLOCK_BYTES", frames_per_block * frame_bytes
    )
    target = tmp_path / "larger.tif"
    code, _, err = run(
        "magnify", source, target, "--factor", 2, "--column-factor", 3,
        "--shift", 0.25, -1, "--implementation", "reference",
    )  # fmt: skip
    assert (code, err) == (0, "")
    expected = nx.magnify(MOVIE, (2, 3), shift=(0.25, -1), implementation="reference")
    np.testing.assert_array_equal(tifffile.imread(target), expected)
    with open_movie(target) as found:
        assert found.metadata.pixel_size == pytest.approx((0.05, 0.1 / 3), rel=1e-5)
        assert found.metadata.frame_interval == 0.5


WRONG = {
    "no such file": (["gone.tif", "out.tif"], "does not exist"),
    "not an image": (["notes.tif", "out.tif"], "not an image"),
    "no folder": (["movie.tif", "none/out.tif"], "does not exist"),
    "no TIFF": (["movie.tif", "out.png"], "must end in"),
    "input as output": (["movie.tif", "movie.tif"], "is the input itself"),
    "magnification": (["movie.tif", "out.tif", "--magnification=0"], "magnification"),
    "radius": (["movie.tif", "out.tif", "--radius=-1"], "radius"),
    "temporal": (["movie.tif", "out.tif", "--temporal=MEDIAN"], "temporal"),
    "frames": (
        ["movie.tif", "out.tif", "--frames-per-timepoint=-1"],
        "frames_per_timepoint",
    ),
    "channel": (["movie.tif", "out.tif", "--channel=1"], "channel"),
    "implementation": (["movie.tif", "out.tif", "--implementation=abacus"], "abacus"),
    "drift": (["movie.tif", "out.tif", "--drift=notes.tif"], "drift"),
}


@pytest.mark.parametrize(("words", "message"), WRONG.values(), ids=list(WRONG))
def test_wrong_input_is_one_sentence_and_no_file(
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    message: str,
) -> None:
    """Exit code 2, one line on stderr, nothing on stdout, nothing written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.tif").write_text("these are my notes, and no image")
    before = {path: path.read_bytes() for path in tmp_path.glob("*.tif")}
    code, out, err = run("esrrf", *words)
    assert (code, out) == (2, "")
    assert err.startswith("napari-nanopyx: ")
    assert message in err
    assert err.count("\n") == 1
    assert {path: path.read_bytes() for path in tmp_path.glob("**/*.tif")} == before


@pytest.mark.filterwarnings("default:.*last time point:UserWarning")
def test_warnings_are_one_sentence(source: Path, tmp_path: Path) -> None:
    """A method's warning is said in one line, and the result is written."""
    target = tmp_path / "out.tif"
    code, _, err = run(
        "esrrf", source, target, "--temporal", "TAC2", "--frames-per-timepoint", 5
    )
    assert code == 0
    assert err.startswith("napari-nanopyx: note: ")
    assert "last time point is left out" in err
    assert err.count("\n") == 1
    assert target.exists()


@pytest.mark.parametrize("words", [["--magnification", "2.5"], ["--colour", "red"]])
def test_wrong_words_are_exit_code_2(
    source: Path, tmp_path: Path, words: list[str]
) -> None:
    """Options that do not exist or have the wrong type are refused by their name."""
    code, _, err = run("esrrf", source, tmp_path / "out.tif", *words)
    assert code == 2
    assert words[0] in err


def test_failure_while_writing_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up half-way leaves no file behind."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tifffile.TiffWriter, "write", full)
    code, _, err = run("magnify", source, tmp_path / "out.tif")
    assert code == 2
    assert "No space left" in err
    assert [path.name for path in tmp_path.glob("*out*")] == []


@pytest.mark.skipif(os.name == "nt", reason="no SIGTERM on Windows")
def test_terminated_command_leaves_nothing(tmp_path: Path) -> None:
    """A command that is told to end while it writes removes its temporary file."""
    source, target = tmp_path / "movie.tif", tmp_path / "larger.tif"
    tifffile.imwrite(source, np.zeros((2000, 64, 64), np.uint16))
    started = subprocess.Popen(
        [sys.executable, "-c", "from napari_nanopyx.cli import app; app()", "magnify",
         str(source), str(target), "--factor", "8", "--implementation", "reference"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".larger*")) and time.monotonic() < deadline:
        time.sleep(0.01)
        assert started.poll() is None, "ended before it could be terminated"
    started.send_signal(signal.SIGTERM)
    assert started.wait(timeout=60) == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == [source]


def test_doctor_names_every_implementation() -> None:
    """The report lists what can run and says why the rest cannot."""
    from napari_nanopyx import engine

    code, out, _ = run("doctor")
    assert code == 0
    for task in ("esrrf", "magnify", "srrf"):
        for implementation in engine.implementations(task):
            assert implementation.name in out
            assert implementation.reason in out
            assert implementation.remedy in out


def test_demo_writes_image_and_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo leaves two TIFFs and a picture, says who computed and why, and ends."""
    pytest.importorskip("matplotlib")
    movie, metadata = telomeres()
    small = movie[:8, :40, :50]
    monkeypatch.setattr(demo, "bundled_movie", lambda: (small, metadata))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    folder = tmp_path / "made" / "here"
    for _ in range(2):
        code, out, _ = run("demo", "--folder", folder)
        assert code == 0
    assert "Last choice" in out
    assert "because" in out
    assert "No display" in out
    assert sorted(path.name for path in folder.iterdir()) == [
        "telomeres_comparison.png",
        "telomeres_esrrf.tif",
        "telomeres_mean.tif",
    ]
    image = tifffile.imread(folder / "telomeres_esrrf.tif")
    assert image.shape == (200, 250)
    assert np.isfinite(image).all()
    assert image.std() > 0
    assert (folder / "telomeres_comparison.png").read_bytes()[:4] == b"\x89PNG"


def test_help_loads_nothing_heavy() -> None:
    """Printing the help waits for the methods it explains, not for what they use."""
    script = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from napari_nanopyx.cli import app\n"
        "assert CliRunner().invoke(app, ['esrrf', '--help']).exit_code == 0\n"
        "heavy = {'numba', 'pyopencl', 'qtpy', 'napari', 'matplotlib', 'sklearn'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_version() -> None:
    """The version of the installed package is printed."""
    from importlib.metadata import version

    assert run("--version") == (0, f"napari-nanopyx {version('napari-nanopyx')}\n", "")
