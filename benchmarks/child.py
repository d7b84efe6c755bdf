"""What a child process in the Python of other programs begins and ends with.

It imports nothing of this project, so it runs wherever they are installed; `beside`
starts it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def answer(measured: Callable[..., Any]) -> None:
    """Write what a function finds of the inputs and settings in the folder given."""
    folder = Path(sys.argv[1])
    inputs = {path.stem: np.load(path) for path in folder.glob("*.npy")}
    settings = json.loads((folder / "settings.json").read_text())
    found = measured(inputs, **settings)
    (folder / "found.json").write_text(json.dumps(found))


def run_types(task: Any) -> list[str]:
    """Return NanoPyx's ways to compute a task that need no OpenCL."""
    return [
        each for each in task._run_types if each.startswith(("threaded", "unthreaded"))
    ]


def opencv_threads(cv2: Any) -> dict[str, int]:
    """Return how many threads OpenCV is timed with, by what a table calls that."""
    return {"OpenCV, one thread": 1, "OpenCV, all threads": cv2.getNumberOfCPUs()}
