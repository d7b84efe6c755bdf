"""Draws what the settings of the methods do, for docs/methods.md.

``make docs`` runs it. It needs the folder of real movies; without it the pictures are
left as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

import napari_nanopyx as nx
from napari_nanopyx.methods._noise import noise_sigma
from napari_nanopyx.methods.esrrf import Temporal

DOCS = Path(__file__).resolve().parent
DATA = DOCS.parents[1] / "shared" / "data"
M = 5
CELL = (slice(8, 56), slice(14, 62))
ACTIN = (slice(240, 336), slice(60, 156))

Panels = Mapping[str, NDArray[np.float32]]


def main() -> None:
    """Draw all pictures for which there are movies."""
    for name, movie, columns, draw in (
        ("esrrf", "mito_h9c2_608nm_50f.tif", 4, esrrf),
        ("srrf", "mito_h9c2_608nm_50f.tif", 4, srrf),
        ("denoise", "bpae_actin_noise_10_20_50_100ms.tif", 4, denoise),
    ):
        if (DATA / movie).is_file():
            _save(name, dict(draw(tifffile.imread(DATA / movie))), columns)


def esrrf(movie: NDArray[np.uint16]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Reconstruct a cell by radius, downwards, and by sensitivity, to the right."""
    firsts = {
        0.7: _mean(movie),
        1.5: ("VAR, radius 1.5, sensitivity 1", _esrrf(movie, 1.5, 1.0, "VAR")),
        3.0: ("TAC2, radius 1.5, sensitivity 1", _esrrf(movie, 1.5, 1.0, "TAC2")),
    }
    for radius, first in firsts.items():
        yield first
        for sensitivity in (1.0, 2.0, 4.0):
            image = _esrrf(movie, radius, sensitivity, "AVG")
            yield f"radius {radius:g}, sensitivity {sensitivity:g}", image


def srrf(movie: NDArray[np.uint16]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Reconstruct the same cell by ring radius and by reduction."""
    yield _mean(movie)
    for radius in (0.5, 1.0, 2.0):
        image = nx.srrf(movie, M, radius)[0]
        yield f"ring radius {radius:g}, TRA", _cut(image)
    for reduction in ("TRM", "TRPPM", "TRAC2", "TRAC4"):
        image = nx.srrf(movie, M, 0.5, temporal=reduction)[0]
        yield f"ring radius 0.5, {reduction}", _cut(image)


def denoise(frames: NDArray[np.uint16]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Denoise a cell that was exposed for 10 ms."""
    noisy = frames[0]
    noise = noise_sigma(noisy)
    yield "exposed for 10 ms", noisy[ACTIN].astype(np.float32)
    for share in (0.4, 0.8, 1.6):
        image = nx.denoise_nlm(noisy, h=share * noise, sigma=noise)
        yield f"h = {share:g} σ", image[ACTIN]


def _mean(movie: NDArray[np.uint16]) -> tuple[str, NDArray[np.float32]]:
    return "mean", _cut(nx.magnify(movie.mean(axis=0), M, kernel="nearest"))


def _esrrf(
    movie: NDArray[np.uint16], radius: float, sensitivity: float, temporal: Temporal
) -> NDArray[np.float32]:
    return _cut(nx.esrrf(movie, M, radius, sensitivity, temporal=temporal)[0])


def _cut(image: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = (slice(M * at.start, M * at.stop) for at in CELL)
    return image[rows, columns]


def _save(name: str, panels: Panels, columns: int) -> None:
    from matplotlib.figure import Figure

    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(8, 2.15 * rows), dpi=75, layout="constrained")
    for axes, (title, image) in zip(
        figure.subplots(rows, columns, squeeze=False).flat, panels.items(), strict=False
    ):
        low, high = np.percentile(image, (1, 99.7))
        axes.imshow(image, cmap="magma", vmin=max(low, 0.0), vmax=high)
        axes.set_title(title, fontsize=7)
    for axes in figure.axes:
        axes.axis("off")
    figure.savefig(DOCS / "images" / f"settings_{name}.png")


if __name__ == "__main__":
    main()
