"""Gives results the Matplotlib axes that they draw into."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from napari_nanopyx._engine.errors import MissingPackage

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def given_or_new(ax: Axes | None) -> Axes:
    """Return the axes given, or those of a new figure.

    Raises
    ------
    MissingPackage
        If Matplotlib is not installed.
    """
    if ax is not None:
        return ax
    if find_spec("matplotlib") is None:
        raise MissingPackage("Matplotlib", "a plot", "pip install napari-nanopyx[demo]")
    from matplotlib import pyplot

    return pyplot.subplots(layout="constrained")[1]
