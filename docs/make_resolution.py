"""Writes docs/resolution.md and its pictures: what each reconstruction tells apart.

``make docs`` runs it. The table needs simulated movies only; the pictures need the
folder of real movies, and are left as they are without it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import tifffile
from numpy.typing import NDArray

import napari_nanopyx as nx
from napari_nanopyx._kernels.srrf.merging import Temporal

DOCS = Path(__file__).resolve().parent
DATA = DOCS.parents[1] / "shared" / "data"
MOVIES = {
    "mitochondria": "mito_h9c2_608nm_50f.tif",
    "ring": "psf_ring_60f.tif",
}
M = 5
RADII, SENSITIVITIES = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0), (1, 2, 3, 4, 5)
SEEDS = range(3)

sys.path.append(str(DOCS.parent / "tests"))
from simulation import dip  # noqa: E402

TEXT = """# Resolution

Written by `docs/make_resolution.py`; do not edit.

## Two filaments that the mean shows as one

Emitters along two parallel lines, 200 nm apart, switch on and off at random: 100 frames
of 100 nm pixels with photon noise, through a point-spread function of 280 nm full width
at half maximum. The dip is how far a reconstruction falls between the filaments, beside
their own height: 0 % is one line, 100 % is dark between two. Given are the lowest and
the highest of {count} simulations. A test holds eSRRF TAC2 to 30 %
(`tests/methods/test_truth.py`).

Magnification {m}; SRRF with a ring radius of 0.5, eSRRF with a radius of 1.5 and a
sensitivity of 1; all else by default.

| reconstruction | dip |
| --- | --- |
{rows}

A dip is no measure of quality alone: higher orders resolve more, and lose weak
structures to strong ones.
"""

ORIGIN = """Mitochondria of a live H9c2 cell, 50 frames, 80 nm pixels (sebsacuna/MusiJ,
BSD-2-Clause), and an unresolved ring, 60 frames, probably simulated
(biomicroscopy/DPR-Project, MIT). Values below 0 are drawn as 0."""

SWEEP = """## Which radius and sensitivity

What a sweep (`napari_nanopyx.sweep_esrrf`) finds for the mitochondria: how well each
reconstruction agrees with the movie (RSP), its resolution in output pixels, and the
score that is made of both (QnR), whose best is marked. White is not resolved."""

Image = NDArray[np.float32]


def main() -> None:
    """Write the table, and draw the pictures if there are movies."""
    movies = [nx.simulate.blinking_filaments(seed=seed).movie for seed in SEEDS]
    rows = []
    for name, reconstruct in reconstructions():
        dips = [100 * dip_between(reconstruct(movie)) for movie in movies]
        rows.append(f"| {name} | {min(dips):.0f} to {max(dips):.0f} % |")
    text = TEXT.format(count=len(movies), m=M, rows="\n".join(rows))
    for name in MOVIES:
        draw(name)
    draw_sweep()
    links = [f"![{name}](images/{picture(name).name})" for name in MOVIES]
    if all(picture(name).is_file() for name in MOVIES):
        text += "\n## Movies\n\n" + "\n\n".join([ORIGIN, *links]) + "\n"
    if picture("sweep").is_file():
        link = f"![sweep](images/{picture('sweep').name})"
        text += f"\n{SWEEP}\n\n{link}\n"
    (DOCS / "resolution.md").write_text(text)


def reconstructions() -> Iterator[tuple[str, Callable[[Any], Image]]]:
    """Return each reconstruction and its name."""
    yield "mean", lambda movie: nx.magnify(movie.mean(axis=0), M)
    for temporal in get_args(Temporal):

        def srrf(movie: Any, temporal: Any = temporal) -> Image:
            return nx.srrf(movie, M, temporal=temporal)[0]

        yield f"SRRF {temporal}", srrf
    for way, label in (("catmull_rom", "Catmull-Rom"), ("fourier", "Fourier")):
        for temporal in ("AVG", "VAR", "STD", "TAC2"):

            def esrrf(movie: Any, temporal: Any = temporal, way: Any = way) -> Image:
                return nx.esrrf(movie, M, temporal=temporal, interpolation=way)[0]

            yield f"eSRRF {temporal}, {label}", esrrf


def dip_between(image: Image) -> float:
    """Return the dip across the filaments, away from the ends of the image."""
    rows = slice(4 * M, -4 * M)
    return dip(image[rows].mean(axis=0, dtype=np.float64))


def picture(name: str) -> Path:
    """Return where the picture of a movie is kept."""
    return DOCS / "images" / f"resolution_{name}.png"


def draw(name: str) -> None:
    """Draw the reconstructions of a movie side by side, if the movie is there."""
    path = DATA / MOVIES[name]
    if not path.is_file():
        return
    from matplotlib.figure import Figure

    movie = tifffile.imread(path)
    panels = {
        "mean": nx.magnify(movie.mean(axis=0), M, kernel="nearest"),
        "SRRF TRA": nx.srrf(movie, M)[0],
        "SRRF TRAC2": nx.srrf(movie, M, temporal="TRAC2")[0],
        "eSRRF AVG, radius 1.5": nx.esrrf(movie, M)[0],
        "eSRRF AVG, radius 1.5, sensitivity 3": nx.esrrf(movie, M, 1.5, 3.0)[0],
        "eSRRF AVG, radius 3": nx.esrrf(movie, M, 3.0)[0],
        "eSRRF TAC2, radius 1.5": nx.esrrf(movie, M, temporal="TAC2")[0],
        "eSRRF AVG, Fourier": nx.esrrf(movie, M, interpolation="fourier")[0],
    }
    figure = Figure(figsize=(8, 4.4), dpi=75, layout="constrained")
    for axes, (title, image) in zip(
        figure.subplots(2, 4).flat, panels.items(), strict=True
    ):
        low, high = np.percentile(image, (1, 99.7))
        axes.imshow(image, cmap="magma", vmin=max(low, 0.0), vmax=high)
        axes.set_title(title, fontsize=6)
        axes.axis("off")
    figure.savefig(picture(name))


def draw_sweep() -> None:
    """Draw what a sweep finds for the mitochondria, if that movie is there."""
    path = DATA / MOVIES["mitochondria"]
    if not path.is_file():
        return
    from matplotlib.figure import Figure

    sweep = nx.sweep_esrrf(tifffile.imread(path), RADII, SENSITIVITIES)
    figure = Figure(figsize=(9, 2.8), dpi=75, layout="constrained")
    maps = {"QnR": sweep.qnr, "RSP": sweep.rsp, "resolution (px)": sweep.resolution}
    panels = figure.subplots(1, 3)
    for axes, (title, values) in zip(panels, maps.items(), strict=True):
        colours = "viridis_r" if title.startswith("resolution") else "viridis"
        figure.colorbar(axes.imshow(values, cmap=colours, aspect="auto"), ax=axes)
        axes.set_title(title)
        axes.set_xticks(range(len(RADII)), [f"{each:g}" for each in RADII])
        axes.set_yticks(range(len(SENSITIVITIES)), map(str, SENSITIVITIES))
        axes.set_xlabel("radius (px)")
        axes.set_ylabel("sensitivity")
    if sweep.best is not None:
        row = SENSITIVITIES.index(int(sweep.best.sensitivity))
        panels[0].plot(
            [RADII.index(sweep.best.radius)], [row], "o", mfc="none", mec="r"
        )
    figure.savefig(picture("sweep"))


if __name__ == "__main__":
    main()
