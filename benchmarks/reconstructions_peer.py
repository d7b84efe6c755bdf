"""Child process in the peer's environment: times its SRRF and its sweep.

It imports nothing of this project, so it runs wherever the peer is installed.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def main(folder: Path) -> None:
    """Write the seconds beside the inputs as ``times.json``."""
    from nanopyx import run_esrrf_parameter_sweep
    from nanopyx.core.transform.sr_temporal_correlations import (
        calculate_SRRF_temporal_correlations,
    )
    from nanopyx.methods import SRRF

    pairs = json.loads((folder / "pairs.json").read_text())

    def srrf(image: Any) -> Any:
        frames = SRRF(
            image,
            magnification=5,
            ringRadius=0.5,
            macro_pixel_correction=False,
            _force_run_type="threaded",
        )
        return calculate_SRRF_temporal_correlations(np.asarray(frames), 1, 0)

    def sweep(image: Any, radii: Any, sensitivities: Any) -> Any:
        return run_esrrf_parameter_sweep(
            image, magnification=2, radii=radii, sensitivities=sensitivities
        )

    image, scanned = np.load(folder / "srrf.npy"), np.load(folder / "sweep.npy")
    srrf(image[:2, :32, :32])
    sweep(scanned[:4], pairs["radii"][:1], pairs["sensitivities"][:1])
    times = {}
    start = time.perf_counter()
    srrf(image)
    times["srrf"] = time.perf_counter() - start
    start = time.perf_counter()
    sweep(scanned, pairs["radii"], pairs["sensitivities"])
    times["sweep"] = time.perf_counter() - start
    (folder / "times.json").write_text(json.dumps(times))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
