"""The movie that comes with the package, for demos, tests and a first try."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_nanopyx.io import ImageMetadata, open_movie


def telomeres_path() -> Path:
    """Return where the bundled movie of telomeres lies."""
    return Path(__file__).parent / "telomeres_live_200f.tif"


def telomeres() -> tuple[NDArray[Any], ImageMetadata]:
    """Read 200 frames of telomeres in a living cell, 133 x 162 pixels of 110 nm.

    Returns
    -------
    tuple
        The movie (T, Y, X), uint16, and its metadata.

    References
    ----------
    Dominguez Mantes et al., Spotiflow, doi:10.1101/2024.02.01.578426. The licence of
    the movie (BSD-3-Clause) lies beside it.

    Examples
    --------
    >>> movie, metadata = telomeres()
    >>> movie.shape, metadata.unit
    ((200, 133, 162), 'µm')
    """
    with open_movie(telomeres_path()) as movie:
        return movie[...], movie.metadata
