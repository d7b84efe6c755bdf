"""Installs the peer in an environment of its own and runs its child process there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ENVIRONMENT = ROOT / ".venv-peer"
PACKAGES = ("nanopyx==2.1.5", "opencv-python-headless")
TIME_LIMIT_SECONDS = 1500


def environment_python() -> Path:
    """Return the peer's Python, installing the peer first if need be."""
    folder = "Scripts" if sys.platform == "win32" else "bin"
    python = ENVIRONMENT / folder / "python"
    stamp = ENVIRONMENT / ".installed"
    if stamp.exists() and stamp.read_text() == " ".join(PACKAGES):
        return python
    subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", *PACKAGES],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    stamp.write_text(" ".join(PACKAGES))
    return python


def measure(folder: Path, python: Path | None = None) -> dict[str, Any]:
    """Return the peer's times, or the reason why there are none.

    Parameters
    ----------
    folder
        Holds the inputs; the peer's own records go into a folder inside.
    python
        A Python that has the peer already.
    """
    home = folder.resolve() / "peer-home"
    home.mkdir(exist_ok=True)
    nothing: dict[str, Any] = {"esrrf": {}, "magnify": {}, "srrf": {}}
    try:
        command = [str(python or environment_python())]
        command += ["-m", "benchmarks.peer_worker", str(folder.resolve())]
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            cwd=ROOT,
            timeout=TIME_LIMIT_SECONDS,
            env={**os.environ, "HOME": str(home), "NANOPYX_ENABLE_OPENCL": "1"},
        )
    except subprocess.CalledProcessError as problem:
        last = (problem.stderr or b"").decode(errors="replace").strip().splitlines()
        return nothing | {"problems": {"peer": last[-1] if last else str(problem)}}
    except (OSError, subprocess.TimeoutExpired) as problem:
        return nothing | {"problems": {"peer": str(problem)}}
    times: dict[str, Any] = json.loads((folder / "peer.json").read_text())
    return times
