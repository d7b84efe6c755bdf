"""Child process: times NanoPyx's SRRF and its sweep, once each."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases import best_time
from benchmarks.child import answer


def measured(
    inputs: dict[str, Any], radii: list[float], sensitivities: list[float]
) -> dict[str, float]:
    """Return seconds, after both have been compiled."""
    from nanopyx import run_esrrf_parameter_sweep
    from nanopyx.core.transform.sr_temporal_correlations import (
        calculate_SRRF_temporal_correlations,
    )
    from nanopyx.methods import SRRF

    def srrf(image: Any) -> Any:
        frames = SRRF(
            image,
            magnification=5,
            ringRadius=0.5,
            macro_pixel_correction=False,
            _force_run_type="threaded",
        )
        return calculate_SRRF_temporal_correlations(np.asarray(frames), 1, 0)

    def sweep(image: Any, some: slice = slice(None)) -> Any:
        return run_esrrf_parameter_sweep(
            image,
            magnification=2,
            radii=radii[some],
            sensitivities=sensitivities[some],
        )

    srrf(inputs["srrf"][:2, :32, :32])
    sweep(inputs["sweep"][:4], slice(1))
    return {
        "srrf": best_time(lambda: srrf(inputs["srrf"]), 1),
        "sweep": best_time(lambda: sweep(inputs["sweep"]), 1),
    }


if __name__ == "__main__":
    answer(measured)
