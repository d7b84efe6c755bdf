"""Pins and the policy hold for what the plugin computes, and for nothing else."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import numpy as np
import pytest

import napari_nanopyx
from napari_nanopyx import engine
from napari_nanopyx.widgets.compute import Job
from napari_nanopyx.widgets.steering import Steering, steering

FRAMES = np.random.default_rng(0).poisson(50, (4, 12, 14)).astype(np.uint16)


@pytest.fixture(autouse=True)
def _unsteered() -> Iterator[None]:
    yield
    steering.pin("magnify", None)
    steering.policy = "default"


def computed_by(task: str) -> str:
    """Return who computes a task on the compute thread."""
    function = {
        "magnify": lambda: napari_nanopyx.magnify(FRAMES, 2),
        "esrrf": lambda: napari_nanopyx.esrrf(FRAMES, 2),
    }[task]

    def work(_progress: object, _cancel: object) -> str:
        with engine.record() as runs:
            function()
        return runs[0].implementation

    job = Job(work)
    job._future.exception(timeout=60)
    return str(job.result)


def test_a_pin_holds_for_its_task_on_the_compute_thread() -> None:
    steering.pin("magnify", "reference")
    assert computed_by("magnify") == "reference"
    assert computed_by("esrrf") != "reference"
    with engine.record() as runs:
        napari_nanopyx.magnify(FRAMES, 2)
    assert runs[0].implementation != "reference"
    steering.pin("magnify", None)
    assert computed_by("magnify") != "reference"


def test_an_unknown_policy_changes_nothing() -> None:
    mine = Steering()
    with pytest.raises(ValueError, match="'best'"):
        mine.policy = "best"
    assert mine.policy == "default"


def test_a_policy_without_its_package_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "napari_nanopyx._engine.policy.policies.find_spec",
        lambda name: None if name == "sklearn" else found(name),
    )
    mine = Steering()
    with pytest.raises(engine.MissingPackage, match="pip install"):
        mine.policy = "paper"
    assert mine.policy == "default"


def test_the_published_policy_chooses_on_the_compute_thread() -> None:
    pytest.importorskip("sklearn")
    steering.policy = "paper"
    reasons = []

    def work(_progress: object, _cancel: object) -> None:
        with engine.record() as runs:
            napari_nanopyx.magnify(FRAMES, 3)
        reasons.append(runs[0].reason)

    Job(work)._future.result(timeout=60)
    assert "drawn by lot" in reasons[0] or "smallest expected" in reasons[0]
