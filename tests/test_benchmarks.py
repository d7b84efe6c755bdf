"""The numbers that the benchmark states besides its times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import convolution, drift, machine, quality, report, turning, volumes
from benchmarks.peak import rgc_flops, samples_per_pixel, summed_samples


def test_samples_of_the_usual_window() -> None:
    """Magnification 5, radius 1.5: the count of the published program, 64.6."""
    assert samples_per_pixel(5, 1.5) == pytest.approx(64.6, abs=0.05)


@pytest.mark.parametrize("magnification", [1, 2, 5])
@pytest.mark.parametrize("radius", [0.7, 1.5, 3.0])
def test_kernel_sums_no_more_than_the_window(magnification: int, radius: float) -> None:
    """Our kernel leaves out samples without weight and adds none.

    At a small radius most samples within 2 sigma + 1 have none.
    """
    window = samples_per_pixel(magnification, radius)
    least = 0.2 if radius < 1 else 0.5
    assert least * window < summed_samples(magnification, radius) <= window


def test_operations_of_one_pixel() -> None:
    """One output pixel with 10 samples takes 80 operations."""
    assert rgc_flops((1, 1, 1), 1, 10) == 80


def test_machine_has_no_name() -> None:
    """The description tells the processor and not whose computer it is."""
    import platform

    facts = machine.describe()
    assert facts["Processor"]
    assert platform.node() not in json.dumps(facts)


def test_report_gives_ratios_to_the_best_peer(tmp_path: Path) -> None:
    """Ratios divide the peer's best time by each time; problems are listed."""
    pytest.importorskip("matplotlib")
    results: dict[str, Any] = {
        "date": "2026-01-01",
        "machine": {"Processor": "abacus"},
        "sizes": {
            "esrrf_shape": [10, 283, 283],
            "magnify_shape": [10, 300, 300],
            "srrf_shape": [4, 300, 300],
            "ring_radius": 0.5,
            "magnification": 5,
            "radius": 1.5,
            "sensitivity": 2.0,
            "movie_frames": 10_000,
        },
        "ours": {
            "1": {
                "esrrf": {"serial": 0.2},
                "magnify": {"serial": 0.04},
                "srrf": {"serial": 0.08},
            },
            "2": {
                "esrrf": {"threads-static": 0.1},
                "magnify": {"numba": 0.02},
                "srrf": {"numba": 0.05},
            },
        },
        "peer": {
            "esrrf": {"threaded": 50.0, "threaded_guided": 40.0},
            "magnify": {"threaded": 1.0, "OpenCV, all threads": 0.05},
            "srrf": {"threaded": 15.0},
        },
        "peak_gflops": {"1": 100.0, "2": None},
        "summed_samples": 30.0,
        "srrf_flops": 4e9,
        "long_movie": {"TIFF": {"problem": "no space"}},
        "problems": {"esrrf opencl": "no device"},
    }
    report.write(tmp_path, results)
    text = (tmp_path / "results.md").read_text()
    assert "| ours: threads-static, 2 threads | 100.00 | 400.00 |" in text
    assert "| ours: numba, 2 threads | 20.00 | 50.00 | 2.50 |" in text
    gigaflops = 8 * 30 * 10 * 283**2 * 25 / 0.2 / 1e9
    assert f"| 1 | 100 | {gigaflops:.0f} | {gigaflops / 100:.0%} |" in text
    assert "| ours: numba, 2 threads | 50.00 | 300.00 |" in text
    assert "| 1 | 100 | 50 | 50% |" in text
    assert "failed: no space" in text
    assert "- esrrf opencl: no device" in text
    assert json.loads((tmp_path / "results.json").read_text()) == results
    assert (tmp_path / "results.png").stat().st_size > 1000


def test_convolution_is_timed_with_every_implementation_that_fits() -> None:
    """The separable one has a time for a kernel of ones only."""
    lines = list(convolution.beside_others(((20, 3, "ones"), (20, 3, "random")), None))
    ones, random = "\n".join(lines).split("## 20 x 20, kernel 3 x 3, random")
    assert "| separable |" in ones
    assert "| separable |" not in random
    for name in ("serial", "fft"):
        assert f"| {name} |" in ones
        assert f"| {name} |" in random


def test_each_measure_of_quality_is_timed_and_has_a_target() -> None:
    """One row a task without others; every task has somebody to be compared with."""
    given = quality.inputs(32, 8, 24, 20, 30)
    assert set(quality.calls(given)) == set(quality.TARGETS)
    rows = [line for line in quality.table(given, None) if line.startswith("| ")]
    assert [row.split("|")[1].strip() for row in rows] == [
        "task",
        "---",
        *quality.TARGETS,
    ]
    assert all(float(row.split("|")[3]) > 0 for row in rows[2:])


def test_drift_is_timed_beside_its_error() -> None:
    """Each row has a time and an error."""
    rows = list(drift.table(4, 48, None))[4:]
    assert len(rows) == 4
    assert all(float(row.split("|")[4]) < 0.1 for row in rows)


def test_map_names_a_winner_for_every_size() -> None:
    """One row an image size, one column a kernel size."""
    *_, first, second = convolution.map_of((9, 20), (3, 5))
    assert first.startswith("| 9 x 9 | ")
    assert second.count(" ms |") == 2


def test_turning_is_timed_with_every_implementation() -> None:
    """The best of ours has the ratio 1."""
    text = "\n".join(turning.table(1, 20, 0.35, "bilinear", None))
    assert "| serial |" in text
    assert "| numba |" in text
    assert " | 1.00 |" in text


def test_volumes_are_timed_with_every_implementation() -> None:
    lines = list(volumes.tables(((2, 3, 8, 9),), None))
    assert lines[0].startswith("## 2 x 3 x 8 x 9, ")
    names = {line.split("|")[1].strip() for line in lines if line.startswith("| ")}
    assert names >= {"serial", "threads-dynamic", "numba"}
