"""Run in a process of its own: compiles an implementation and computes one frame.

Its driver or compiler may crash or hang here, where it harms nothing.
"""

from __future__ import annotations

import faulthandler
import json
import os
import pickle
import sys
from typing import Any

_NICENESS = 10


def main(limit_seconds: float) -> None:
    """Print ``{"problem": ...}`` as the last line; the problem is empty if all went."""
    faulthandler.dump_traceback_later(limit_seconds, exit=True)
    if hasattr(os, "nice"):
        os.nice(_NICENESS)  # a run may be computing meanwhile
    given = sys.stdin.buffer
    problem = ""
    try:
        sys.path[:] = json.loads(given.readline())
        rehearse(**pickle.load(given))  # noqa: S301 - written by our own parent
    except Exception as error:  # noqa: BLE001 - reported
        problem = f"{type(error).__name__}: {error}"
    sys.stdout.write("\n" + json.dumps({"problem": problem}) + "\n")


def rehearse(
    kind: str, implementation: Any, task_name: str, plan: Any, dtype: str, found: Any
) -> None:
    """Compute the first frame of a plan, as if it were black."""
    import numpy as np

    from napari_nanopyx._engine.backends import backend
    from napari_nanopyx._engine.machine import devices
    from napari_nanopyx._kernels import tasks

    devices.take_over(found)
    session = backend(kind).open(implementation, tasks()[task_name], plan)
    try:
        session.run(np.zeros((1, *plan.shape[1:]), dtype), plan.segments[0][:1])
    finally:
        session.close()


if __name__ == "__main__":
    main(float(sys.argv[1]))
