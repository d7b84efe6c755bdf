"""Child process: times NanoPyx's 3-D eSRRF, each of its ways once."""

from __future__ import annotations

from typing import Any

from benchmarks.cases import best_time
from benchmarks.child import answer, run_types


def measured(inputs: dict[str, Any]) -> dict[str, float]:
    """Return seconds."""
    from nanopyx.core.transform import eSRRF3D_ST

    task = eSRRF3D_ST(verbose=False)
    factors = {"magnification_xy": 2, "magnification_z": 2}
    return {
        f"NanoPyx: {way}": best_time(
            lambda way=way: task.run(inputs["image"], **factors, run_type=way), 1
        )
        for way in run_types(task)
    }


if __name__ == "__main__":
    answer(measured)
