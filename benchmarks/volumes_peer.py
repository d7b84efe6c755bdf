"""Child process in the peer's environment: times its 3-D eSRRF.

It imports nothing of this project, so it runs wherever the peer is installed.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np


def main(folder: Path) -> None:
    """Write the seconds beside the input as ``times.json``."""
    from nanopyx.core.transform import eSRRF3D_ST

    image = np.load(folder / "image.npy")
    task = eSRRF3D_ST(verbose=False)
    times = {}
    for run_type in task._run_types:
        if not run_type.startswith(("threaded", "unthreaded")):
            continue
        start = time.perf_counter()
        task.run(image, magnification_xy=2, magnification_z=2, run_type=run_type)
        times[f"NanoPyx: {run_type}"] = time.perf_counter() - start
    (folder / "times.json").write_text(json.dumps(times))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
