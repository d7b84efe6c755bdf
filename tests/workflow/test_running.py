"""A workflow gives what its functions give when a script calls them."""

from __future__ import annotations

from threading import Event
from typing import Any

import numpy as np
import pytest
from closeness import assert_close
from numpy.typing import NDArray

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx.engine import Cancelled
from napari_nanopyx.io import ImageMetadata
from napari_nanopyx.workflow import Outcome, Step, Workflow, run, typical

METADATA = ImageMetadata("TYX", (0.1, 0.1), "µm", 0.5)


def by_name(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {outcome.step.name: outcome for outcome in outcomes}


def image_of(outcome: Outcome) -> NDArray[Any]:
    assert outcome.images is not None
    return outcome.images.view[...]


def one(function: str, **parameters: Any) -> Workflow:
    inputs = parameters.pop("inputs", {"image": "movie"})
    return Workflow((Step(function, "only", inputs, {}, parameters),))


def test_the_typical_chain_is_the_calls_of_a_script(movie: NDArray[Any]) -> None:
    with engine.use("serial", task="correlate"):
        made = by_name(run(typical(), movie, metadata=METADATA))
        table = nx.estimate_drift(movie, pixel_size=0.1, units="µm")
    np.testing.assert_array_equal(made["drift"].result.shifts, table.shifts)
    assert made["drift"].result.units == "µm"
    expected = nx.esrrf(movie, drift=table)[0]
    assert_close(image_of(made["reconstruction"]), expected, 2e-5)
    even = nx.esrrf(movie[::2], drift=table[::2])[0]
    odd = nx.esrrf(movie[1::2], drift=table[1::2])[0]
    resolution = nx.frc(even, odd, pixel_size=0.02, units="µm")
    numbers = made["resolution"].numbers
    if np.isfinite(resolution.resolution):
        assert numbers["resolution"] == pytest.approx(resolution.resolution, rel=1e-3)
    assert numbers["unit"] == "µm"
    errors = nx.error_map(movie.mean(axis=0), expected)
    assert made["errors"].numbers["RSP"] == pytest.approx(errors.rsp, rel=1e-3)
    assert_close(image_of(made["errors"]), errors.map, 1e-3)
    assert made["reconstruction"].implementations


def test_results_lie_over_the_movie(movie: NDArray[Any]) -> None:
    workflow = Workflow(
        (
            Step("magnify", "large", {"image": "movie"}, {}, {"factor": 2}),
            Step(
                "esrrf",
                "sr",
                {"image": "large.odd"},
                {},
                {"magnification": 3, "frames_per_timepoint": 2},
            ),
        )
    )
    made = by_name(run(workflow, movie, metadata=METADATA))
    images = made["sr"].images
    assert images is not None
    assert images.view.axes == "TYX"
    assert images.view.shape == (3, 240, 264)
    # Frames 1 and 3 of the movie make the first image: frame 2 is their middle.
    assert images.grid.step["T"] == 4.0
    assert images.grid.offset["T"] == 2.0
    assert images.grid.step["Y"] == pytest.approx(1 / 6)
    assert images.grid.offset["Y"] == pytest.approx((1 / 6 - 1) / 2)
    metadata = images.grid.metadata(METADATA, "TYX")
    assert metadata.pixel_size == pytest.approx((0.1 / 6, 0.1 / 6))
    assert metadata.frame_interval == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        ("denoise_nlm", {"patch_distance": 3}),
        ("denoise_nlm", {"patch_distance": 3, "frame_distance": 2}),
        ("convolve", {"kernel": [[0.0, 1.0, 0.0], [1.0, 4.0, 1.0], [0.0, 1.0, 0.0]]}),
        ("transform", {"shift": [1.5, -2.0], "angle": 0.1}),
        ("magnify", {"factor": [2.0, 1.5], "kernel": "bilinear"}),
    ],
)
def test_frames_in_blocks_are_the_frames_of_one_call(
    function: str,
    parameters: dict[str, Any],
    movie: NDArray[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from napari_nanopyx.workflow import calling

    monkeypatch.setattr(calling, "BLOCK_BYTES", 40 * 44 * 4 * 5)
    (made,) = run(one(function, **parameters), movie)
    given = {n: tuple(v) if isinstance(v, list) else v for n, v in parameters.items()}
    assert_close(image_of(made), getattr(nx, function)(movie, **given), 2e-5)


def test_drift_is_corrected_in_blocks(
    movie: NDArray[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_nanopyx.workflow import calling

    monkeypatch.setattr(calling, "BLOCK_BYTES", 40 * 44 * 4 * 3)
    correct = Step("correct_drift", "still", {"image": "movie", "table": "drift"})
    workflow = Workflow((typical().steps[0], correct))
    made = by_name(run(workflow, movie))
    expected = nx.correct_drift(movie, nx.estimate_drift(movie))
    assert_close(image_of(made["still"]), expected, 2e-5)


def test_channels_are_treated_alike(movie: NDArray[Any]) -> None:
    channels = np.stack([movie, movie[:, ::-1]])
    sr = {"magnification": 2}
    (made,) = run(one("esrrf", **sr), channels, axes="CTYX")
    expected = np.stack([nx.esrrf(each, 2)[0] for each in channels])
    assert made.images is not None
    assert made.images.view.axes == "CYX"
    assert_close(image_of(made), expected, 2e-5)
    second = one("esrrf", inputs={"image": "movie.channel1"}, **sr)
    (made,) = run(second, channels, axes="CTYX")
    assert_close(image_of(made), expected[1], 2e-5)
    with pytest.raises(ValueError, match=r"has 2 channels.*such as 'movie.channel0'"):
        run(one("estimate_drift"), channels, axes="CTYX")
    with pytest.raises(ValueError, match="channel7 is asked for, but there are 2"):
        run(one("esrrf", inputs={"image": "movie.channel7"}), channels)


def test_a_movie_of_channels_is_registered_and_reconstructed(
    movie: NDArray[Any],
) -> None:
    shifted = np.roll(movie, (2, -3), (1, 2))
    channels = np.stack([movie, shifted])
    workflow = Workflow(
        (
            Step(
                "estimate_channel_shifts",
                "channels",
                {"image": "movie.mean"},
                {},
                {"max_shift": 5, "model": "translation"},
            ),
            Step(
                "register_channels",
                "registered",
                {"image": "movie", "registration": "channels"},
            ),
            Step("estimate_drift", "drift", {"image": "registered.channel0"}),
            Step(
                "esrrf",
                "sr",
                {"image": "registered", "drift": "drift"},
                {},
                {"magnification": 2},
            ),
        )
    )
    made = by_name(run(workflow, channels, axes="CTYX"))
    mean = channels.mean(axis=1, dtype=np.float64).astype(np.float32)
    registration = nx.estimate_channel_shifts(mean, max_shift=5, model="translation")
    np.testing.assert_allclose(
        made["channels"].result.shifts, registration.shifts, atol=1e-4
    )
    frame = nx.register_channels(channels[:, 4], registration)
    assert made["registered"].images is not None
    assert made["registered"].images.view.axes == "TCYX"
    assert_close(made["registered"].images.view[4], frame, 1e-4)
    assert made["sr"].images is not None
    assert made["sr"].images.view.shape == (2, 80, 88)


def test_volumes_take_the_axes_they_need(movie: NDArray[Any]) -> None:
    volumes = movie[:12, :16, :18].reshape(3, 4, 16, 18)
    (made,) = run(one("esrrf_3d"), volumes)
    assert made.images is not None
    assert made.images.view.axes == "ZYX"
    assert_close(image_of(made), nx.esrrf_3d(volumes)[0], 2e-5)
    with pytest.raises(ValueError, match="no planes"):
        run(one("esrrf_3d"), movie[0], axes="YX")


def test_many_images_are_not_taken_for_one(movie: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=r"'movie' has 12 frames.*give 'movie.mean'"):
        run(one("decorrelation"), movie)
    (made,) = run(one("decorrelation", inputs={"image": "movie.mean"}), movie)
    mean = movie.mean(axis=0).astype(np.float32)
    assert str(made.result) == str(nx.decorrelation(mean))


def test_progress_rises_to_the_end(movie: NDArray[Any]) -> None:
    seen: list[int] = []
    steps: list[str] = []
    run(
        typical(),
        movie,
        progress=lambda done, total: seen.append(done) or total,
        report=lambda moment: steps.append(moment.step),
    )
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert seen[-1] >= 750
    names = [step.name for step in typical().steps]
    assert list(dict.fromkeys(steps)) == names


def test_cancelling_stops_within_a_step(movie: NDArray[Any]) -> None:
    stop, kept = Event(), []
    with pytest.raises(Cancelled):
        run(
            typical(),
            movie,
            outcomes=kept,
            cancel=stop,
            report=lambda m: stop.set() if m.step == "reconstruction" else None,
        )
    assert [outcome.step.name for outcome in kept] == ["drift"]


def test_colour_and_nameless_axes_are_refused() -> None:
    with pytest.raises(ValueError, match="grey images"):
        run(typical(), np.ones((4, 8, 8, 3)), axes="TYXS")
    with pytest.raises(ValueError, match="nobody knows what Q is"):
        run(one("esrrf"), np.ones((4, 3, 8, 8)), axes="QTYX")
