"""The movie that comes with the package, for demos, tests and a first try."""

from __future__ import annotations

from importlib.resources import as_file, files

from napari_nanopyx.io import FrameStack, ImageMetadata, open_movie

TELOMERES = "telomeres_live_200f.tif"


def telomeres() -> tuple[FrameStack, ImageMetadata]:
    """Open 200 frames of telomeres in a living cell, 133 x 162 pixels of 110 nm.

    Returns
    -------
    tuple
        The movie (T, Y, X) and its metadata.

    References
    ----------
    Dominguez Mantes et al., Spotiflow, doi:10.1101/2024.02.01.578426. The licence of
    the movie (BSD-3-Clause) lies beside it.
    """
    with as_file(files(__name__) / TELOMERES) as path:
        movie = open_movie(path)
    return movie, movie.metadata
