"""Run times never measured, predicted from those of similar workloads."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log, sqrt
from typing import Any

import numpy as np
import pytest

from napari_nanopyx import engine
from napari_nanopyx._engine.measurements import history
from napari_nanopyx._engine.measurements.evidence import Evidence
from napari_nanopyx._engine.measurements.prediction import Point, predict
from napari_nanopyx._engine.measurements.similarity import distance, features
from napari_nanopyx._engine.types import Arm, Measurement, Timing, Workload

Law = Callable[[Workload], float]

LAWS: dict[str, Law] = {
    "in proportion to the work": lambda at: at.flops / 1e9,
    "with a fixed cost": lambda at: 2e-3 + at.flops / 1e9,
    "a processor that large images fill better": lambda at: (
        at.flops / 1e10 * (1 + (3e8 / at.flops) ** 0.7)
    ),
    "a parameter that the cost overrates": lambda at: (
        at.flops / 1e9 / float(at.parameters["radius"])
    ),
    "a cache that large images leave": lambda at: (
        at.flops / (1e9 if at.shape[0] < 400 else 4e8)
    ),
}
NOISE = 0.05


def workload(side: int = 100, radius: float = 1.5, **parameters: Any) -> Workload:
    settings = {"radius": radius, "magnification": 5, **parameters}
    magnification = float(settings["magnification"])
    work = side * side * magnification**2 * (10 + 20 * radius**2)
    return Workload("toy", "1", (side, side), "uint16", settings, work, work / 10)


def point(at: Workload, seconds: float, uncertainty: float = NOISE) -> Point:
    return Point(features(at), at.flops, seconds, uncertainty)


def experience(law: Law, known: int, seed: int) -> tuple[Workload, list[Point]]:
    """Return a workload and noisy points at others, the most similar one first."""
    rng = np.random.default_rng(seed)

    def draw() -> Workload:
        side = int(exp(rng.uniform(log(64), log(2048))))
        radius = float(rng.choice([1.0, 1.5, 2.0, 3.0, 5.0]))
        return workload(side, radius, magnification=int(rng.integers(2, 8)))

    here, others = draw(), [draw() for _ in range(known)]
    points = [point(at, law(at) * exp(rng.normal(0, NOISE))) for at in others]
    points.sort(key=lambda found: distance(found.features, features(here)))
    return here, points[:12]


def errors(law: Law, known: int) -> tuple[float, float, list[float]]:
    """Return the mean errors of the nearest point and ours, and ours in deviations."""
    nearest, ours, scaled = [], [], []
    for seed in range(80):
        here, points = experience(law, known, seed)
        predicted = predict(features(here), here.flops, tuple(points))
        proportional = points[0].seconds * here.flops / points[0].flops
        nearest.append(abs(log(proportional / law(here))))
        ours.append(abs(log(predicted.seconds / law(here))))
        scaled.append(ours[-1] / predicted.uncertainty)
    return float(np.mean(nearest)), float(np.mean(ours)), scaled


SMOOTH = {name: law for name, law in LAWS.items() if "cache" not in name}


@pytest.mark.parametrize("law", SMOOTH.values(), ids=SMOOTH)
def test_predicts_better_than_the_most_similar_workload_alone(law: Law) -> None:
    nearest, ours, _ = errors(law, known=30)
    assert ours < 0.75 * nearest


@pytest.mark.parametrize("known", [2, 5, 12, 30])
def test_predicts_better_on_the_whole_with_few_workloads_and_many(known: int) -> None:
    found = [errors(law, known) for law in LAWS.values()]
    assert sum(ours for _, ours, _ in found) < 0.95 * sum(one for one, *_ in found)


def test_a_step_is_where_the_most_similar_workload_alone_is_better() -> None:
    """A known weakness: what changes at once is smoothed."""
    nearest, ours, _ = errors(LAWS["a cache that large images leave"], known=12)
    assert nearest < ours < 0.15


@pytest.mark.parametrize("known", [2, 5, 12, 30])
def test_the_uncertainty_is_honest(known: int) -> None:
    """At least nine in ten lie within two deviations, whatever the law."""
    scaled = [s for law in LAWS.values() for s in errors(law, known)[2]]
    assert float(np.mean(np.array(scaled) < 2)) >= 0.9


def test_one_point_is_scaled_by_the_work() -> None:
    here, there = workload(200), workload(100)
    predicted = predict(features(here), here.flops, (point(there, 0.01),))
    assert predicted.seconds == pytest.approx(0.04)


def test_uncertainty_grows_with_the_distance_and_falls_with_points() -> None:
    here = workload(100)

    def uncertainty(*sides: int) -> float:
        points = tuple(point(workload(side), 1e-6 * side**2) for side in sides)
        return predict(features(here), here.flops, points).uncertainty

    assert uncertainty(100) < uncertainty(120) < uncertainty(200) < uncertainty(800)
    assert uncertainty(80, 120) < uncertainty(120)
    assert uncertainty(100) == pytest.approx(NOISE, rel=0.2)


def test_the_same_workload_is_believed() -> None:
    here = workload(100)
    far = point(workload(1000), 7.0)
    same = point(here, 0.01, uncertainty=0.01)
    predicted = predict(features(here), here.flops, (same, far))
    assert predicted.seconds == pytest.approx(0.01, rel=0.02)


def test_distances_of_features() -> None:
    here = features(workload(100))
    assert distance(here, here) == 0
    twice = features(workload(200))
    assert distance(here, twice) == pytest.approx(sqrt(2) * log(2))
    assert distance(here, twice) == distance(twice, here)
    word = features(workload(100, border="zero"))
    assert distance(here, word) == 1
    assert distance(word, features(workload(100, border="extend"))) == 1
    zero = features(workload(100, radius=0.0))
    assert distance(zero, here) == pytest.approx(log(2.5))
    assert distance(here, here._replace(dtype="float32")) == 1
    assert distance(here, here._replace(shape=(3, 100, 100))) == 1


def measured(at: Workload, seconds: float) -> Measurement:
    return Measurement(at, "serial", "cpu", 1, Timing(0.0, 0.0, seconds))


def test_similar_records_follow_what_is_measured() -> None:
    arm, here = Arm("serial", "cpu"), workload(100)
    evidence = Evidence([measured(workload(200), 0.04), measured(workload(120), 1.0)])
    first, second = evidence.alike(here, arm)
    assert (first.workload.shape, second.workload.shape) == ((120, 120), (200, 200))
    evidence.add(measured(workload(120), 2.0))
    assert len(evidence.alike(here, arm)[0].warm) == 2
    evidence.add(measured(workload(101), 2.0))
    assert evidence.alike(here, arm)[0].workload.shape == (101, 101)
    assert evidence.alike(here, Arm("serial", "another cpu")) == ()


def test_repeats_make_an_estimate_surer() -> None:
    def uncertainty(*seconds: float) -> float:
        evidence = Evidence([measured(workload(), s) for s in seconds])
        return evidence.exact(workload())[Arm("serial", "cpu")].point.uncertainty

    assert uncertainty(1.0) == pytest.approx(0.1)
    assert uncertainty(*[1.0] * 20) == pytest.approx(0.01)
    assert uncertainty(*[1.0, 1.5] * 20) < uncertainty(*[1.0, 1.5])
    assert uncertainty(*[1.0, 1.5, 2.0, 2.5] * 2) > uncertainty(*[1.0] * 8)


def test_what_is_expected_comes_with_bounds(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm(0.1), "numba": arm(0.2, kind="numba")}
    toy.run(4, implementation="numba")
    toy.run(4, plan=toy.plan((4, 8, 10)), implementation="serial")
    expected = engine.expected("toy")
    assert expected["serial"].exact
    assert not expected["numba"].exact
    assert expected["numba"].uncertainty > expected["serial"].uncertainty
    for found in expected.values():
        assert found.low < found < found.high
        assert found.high / found.low == pytest.approx(exp(3.29 * found.uncertainty))
    blocks = [m for m in history.current().measurements() if m.outcome == "ok"]
    assert sum(e.measurements for e in expected.values()) == len(blocks)
