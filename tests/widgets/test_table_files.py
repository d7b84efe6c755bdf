"""Drift tables and registrations opened and saved by napari, through npe2 itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import npe2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

import napari_nanopyx as nx
from napari_nanopyx.widgets.table_files import drift_layer

MANIFEST = Path(__file__).parents[2] / "napari.yaml"


@pytest.fixture
def plugins(npe2pm: Any) -> Any:
    """Register this plugin alone."""
    with npe2pm.tmp_plugin(manifest=str(MANIFEST)):
        yield npe2pm


@pytest.fixture
def table(movie: NDArray[Any]) -> nx.DriftTable:
    return nx.estimate_drift(movie, pixel_size=0.1, units="µm")


@pytest.fixture
def registration() -> nx.ChannelRegistration:
    noise = np.random.default_rng(1).normal(size=(64, 64))
    scene = nx.convolve(noise, np.ones((9, 9)))
    image = np.stack([scene, np.roll(scene, (2, -3), (0, 1))])
    return nx.estimate_channel_shifts(image, max_shift=5, blocks_per_axis=1)


def test_a_drift_table_is_a_track_and_comes_back(
    plugins: Any, tmp_path: Path, table: nx.DriftTable
) -> None:
    path = table.save(tmp_path / "cell_drift.csv")
    ((data, options, kind),) = npe2.read([str(path)], stack=False)
    assert kind == "tracks"
    np.testing.assert_array_equal(data[:, 1], np.arange(12))
    middle = ((20 - 1) / 2, (24 - 1) / 2)
    np.testing.assert_allclose(data[:, 2:], middle - table.shifts)
    np.testing.assert_array_equal(options["features"]["similarity"], table.similarity)
    assert options["scale"] == (1.0, 0.1, 0.1)
    again = tmp_path / "again.csv"
    assert npe2.write(str(again), [(data, options, kind)]) == [str(again)]
    assert again.read_text() == path.read_text()


@pytest.mark.parametrize("size", [None, 0.1])
def test_a_table_that_knows_its_time_lies_along_the_movie(
    plugins: Any, tmp_path: Path, movie: NDArray[Any], size: float | None
) -> None:
    table = nx.estimate_drift(movie, pixel_size=size, units="µm", frame_interval=0.5)
    path = table.save(tmp_path / "drift.csv")
    ((data, options, _),) = npe2.read([str(path)], stack=False)
    assert options["scale"] == (0.5, size or 1.0, size or 1.0)
    assert options["units"][0] == "second"
    np.testing.assert_array_equal(data[:, 1], np.arange(12))


def test_a_registration_is_arrows_and_comes_back(
    plugins: Any, tmp_path: Path, registration: nx.ChannelRegistration
) -> None:
    path = registration.save(tmp_path / "beads_registration.tif")
    ((data, options, kind),) = npe2.read([str(path)], stack=False)
    assert kind == "vectors"
    assert data.shape == (256, 2, 3)
    np.testing.assert_allclose(data[:, 1], [(0, -2, 3)] * 256, atol=0.05)
    assert set(data[:, 0, 0]) == {1}
    again = tmp_path / "again.tif"
    assert npe2.write(str(again), [(data, options, kind)]) == [str(again)]
    read = nx.ChannelRegistration.load(again)
    np.testing.assert_array_equal(read.shifts, registration.shifts)
    assert str(read) == str(registration)


def test_a_table_of_older_programs_is_read(plugins: Any, tmp_path: Path) -> None:
    path = tmp_path / "old_drift.csv"
    path.write_text("Drift Table\nXY;X;Y\n0.0;0.0;0.0\n5.0;3.0;4.0\n")
    ((data, options, _),) = npe2.read([str(path)], stack=False)
    np.testing.assert_allclose(data[1, 2:], (-4.0, -3.0))
    assert "scale" not in options


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("drift.csv", b"index,axis-0,axis-1\n0,1,2\n"),
        ("my_drift.csv", b"\x93NUMPY"),
        ("a_registration.tif", b"II*\0"),
    ],
)
def test_other_files_are_left_to_others(
    plugins: Any, tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"No readers|no data|refused"):
        npe2.read([str(path)], stack=False)


def test_an_ordinary_image_is_left_to_others(plugins: Any, tmp_path: Path) -> None:
    path = tmp_path / "after_registration.tif"
    tifffile.imwrite(path, np.zeros((4, 5, 5), np.uint16))
    with pytest.raises(ValueError, match=r"No readers|no data|refused"):
        npe2.read([str(path)], stack=False)


@pytest.mark.parametrize(
    "name", ["points.csv", "drift_corrected/cells.csv", "movie.tif", "registration.csv"]
)
def test_most_files_ask_for_no_choice_of_reader(
    plugins: Any, tmp_path: Path, name: str
) -> None:
    """Names of other kinds of files match no pattern, wherever they lie."""
    assert list(plugins.iter_compatible_readers([str(tmp_path / name)])) == []


def test_a_damaged_table_says_what_is_wrong(
    plugins: Any, tmp_path: Path, table: nx.DriftTable
) -> None:
    path = table.save(tmp_path / "drift.csv")
    path.write_text("\n".join(path.read_text().splitlines()[:-2]))
    with pytest.raises(ValueError, match="announces 12 frames, but holds 10"):
        npe2.read([str(path)], stack=False)


def test_a_layer_that_is_no_table_is_not_saved_as_one(
    plugins: Any, tmp_path: Path
) -> None:
    tracks = (np.zeros((3, 4)), {"name": "cells", "metadata": {}}, "tracks")
    with pytest.raises(ValueError, match="'cells' is no drift table"):
        npe2.write(str(tmp_path / "a.csv"), [tracks])
    vectors = (np.zeros((3, 2, 3)), {"name": "flow", "metadata": {}}, "vectors")
    with pytest.raises(ValueError, match="'flow' is no channel registration"):
        npe2.write(str(tmp_path / "a.tif"), [vectors])
    assert list(tmp_path.iterdir()) == []


def test_the_viewer_opens_and_saves_them(
    viewer: Any,
    tmp_path: Path,
    table: nx.DriftTable,
    registration: nx.ChannelRegistration,
    movie: NDArray[Any],
) -> None:
    viewer.add_image(movie, scale=(0.5, 0.1, 0.1), units=("s", "um", "um"))
    path = table.save(tmp_path / "drift.csv")
    arrows = registration.save(tmp_path / "registration.tif")
    viewer.open(str(path), plugin="napari-nanopyx")
    viewer.open(str(arrows), plugin="napari-nanopyx")
    tracks, vectors = viewer.layers[1:]
    assert tracks.name == "drift"
    assert vectors.name == "registration"
    tracks.save(str(tmp_path / "b.csv"), plugin="napari-nanopyx")
    vectors.save(str(tmp_path / "b.tif"), plugin="napari-nanopyx")
    assert (tmp_path / "b.csv").read_text() == path.read_text()
    read = nx.ChannelRegistration.load(tmp_path / "b.tif")
    np.testing.assert_array_equal(read.shifts, registration.shifts)


def test_a_table_without_frame_shape_is_a_track_about_zero() -> None:
    table = nx.DriftTable(np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]))
    data, _, _ = drift_layer(table, "drift")
    np.testing.assert_array_equal(data, [[0, 0, 0, 0, 0], [0, 1, -1, -2, -3]])


def test_an_opened_table_is_what_the_steps_take(
    viewer: Any,
    open_widget: Any,
    tmp_path: Path,
    table: nx.DriftTable,
    registration: nx.ChannelRegistration,
) -> None:
    """Open the layer before or after the step: its file is filled in, once."""
    path = table.save(tmp_path / "drift.csv")
    arrows = registration.save(tmp_path / "registration.tif")
    viewer.open(str(path), plugin="napari-nanopyx")
    correct = open_widget("Correct drift").form.fields["table"]
    register = open_widget("Register channels").form.fields["registration"]
    assert Path(correct.value) == path
    assert register.value is None
    viewer.open(str(arrows), plugin="napari-nanopyx")
    assert Path(register.value) == arrows
    other = nx.DriftTable(np.zeros((2, 2))).save(tmp_path / "other_drift.csv")
    viewer.open(str(other), plugin="napari-nanopyx")
    assert Path(correct.value) == path
    panel = open_widget("Workflow")
    panel.chain.steps.setCurrentRow(1)
    drift = panel.chain.editor.inputs["drift"]
    assert f"file: {other}" in [drift.itemText(i) for i in range(drift.count())]
