"""Writes the Python lines that repeat what a form would run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from napari_nanopyx.widgets.layers import Source


def as_python(
    function: Callable[..., Any],
    sources: Mapping[str, Source],
    parameters: Mapping[str, Any],
) -> str:
    """Return a script for napari's console, or for a file if the images are files.

    Parameters
    ----------
    function
        A public function of the package.
    sources
        Its images by argument.
    parameters
        Its other arguments.
    """
    lines = ["import napari_nanopyx as nx"]
    if any(_is_file(source) for source in sources.values()):
        lines.append("from napari_nanopyx.io import open_movie")
    lines.append("")
    for argument, source in sources.items():
        lines.append(f"{argument} = {_expression(source)}")
    arguments = [*sources, *(f"{name}={value!r}" for name, value in parameters.items())]
    lines.append(f"result = nx.{function.__name__}({', '.join(arguments)})")
    return "\n".join(lines) + "\n"


def _is_file(source: Source) -> bool:
    """Tell whether the layer is what the package itself would read from its file."""
    suffixes = (".tif", ".tiff", ".zarr")
    is_readable = source.path is not None and source.path.lower().endswith(suffixes)
    return is_readable and source.ndim == 3


def _expression(source: Source) -> str:
    if _is_file(source):
        return f"open_movie({source.path!r})"
    return f"viewer.layers[{source.name!r}].data"
