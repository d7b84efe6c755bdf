"""Reconstructs a long movie from disk and reports time and peak memory."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
SIDE = 283


def write_movies(folder: Path, frames: int) -> dict[str, Path]:
    """Write the bundled movie, tiled to 283 x 283 and repeated, as TIFF and Zarr."""
    paths = {"TIFF": folder / "long.tif"}
    with tifffile.TiffWriter(paths["TIFF"], bigtiff=True) as writer:
        writer.write(
            (frame for frame in tiled(frames)),
            shape=(frames, SIDE, SIDE),
            dtype="uint16",
            photometric="minisblack",
            metadata={"axes": "TYX"},
        )
    try:
        import zarr
    except ImportError:
        return paths
    paths["Zarr"] = folder / "long.zarr"
    rows = 50
    array = zarr.open_array(
        str(paths["Zarr"]),
        mode="w",
        shape=(frames, SIDE, SIDE),
        chunks=(min(rows, frames), SIDE, SIDE),
        dtype="uint16",
    )
    block: list[NDArray[np.uint16]] = []
    start = 0
    for frame in tiled(frames):
        block.append(frame)
        if len(block) == rows or start + len(block) == frames:
            array[start : start + len(block)] = np.stack(block)
            start += len(block)
            block = []
    return paths


def tiled(frames: int) -> Any:
    """Yield frames of the bundled movie, tiled to the side and repeated."""
    from napari_nanopyx.data import telomeres

    movie, _ = telomeres()
    copies = -(-SIDE // movie.shape[1]), -(-SIDE // movie.shape[2])
    for number in range(frames):
        yield np.tile(movie[number % len(movie)], copies)[:SIDE, :SIDE]


def measure(folder: Path, frames: int) -> dict[str, Any]:
    """Return seconds and peak resident memory for each kind of file."""
    results: dict[str, Any] = {}
    for kind, path in write_movies(folder, frames).items():
        environment = {
            **os.environ,
            "NAPARI_NANOPYX_HOME": str(folder / "home"),
            "PYTHONPATH": os.pathsep.join(
                [str(ROOT), os.environ.get("PYTHONPATH", "")]
            ),
        }
        ran = subprocess.run(
            [sys.executable, "-m", "benchmarks.long_movie", str(path)],
            capture_output=True,
            text=True,
            env=environment,
            cwd=ROOT,
        )
        if ran.returncode != 0:
            results[kind] = {"problem": ran.stderr.strip().splitlines()[-1]}
        else:
            results[kind] = json.loads(ran.stdout)
    return results


def reconstruct(path: Path) -> dict[str, Any]:
    """Run in a child process: reconstruct one file, reading it block by block."""
    start = time.perf_counter()
    import napari_nanopyx as nx
    from napari_nanopyx import engine
    from napari_nanopyx.io import open_movie

    with open_movie(path) as movie, engine.record() as runs:
        image = nx.esrrf(movie, magnification=5, radius=1.5, sensitivity=2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "frames": len(movie),
        "seconds": time.perf_counter() - start,
        "peak_bytes": peak * (1 if sys.platform == "darwin" else 1024),
        "finite": bool(np.isfinite(image).all()),
        "blocks": dict(runs[-1].blocks),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(reconstruct(Path(sys.argv[1]))))
