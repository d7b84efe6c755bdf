"""Holds what a form would run, and writes the Python lines that repeat it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from napari_nanopyx.widgets.layers import Source


@dataclass(frozen=True)
class Call:
    """A function with all that it is to be called with."""

    function: Callable[..., Any]
    """A public function of the package."""
    sources: Mapping[str, Source]
    """Its images by argument."""
    parameters: Mapping[str, Any]
    """Its other arguments, files by their path."""
    loaded: Mapping[str, Any]
    """Which of them are files, with the class that can `load` them."""

    @property
    def name(self) -> str:
        """The function as a script would name it, within the package."""
        place = "simulate." if ".simulate." in self.function.__module__ else ""
        return place + self.function.__name__

    def __call__(self, progress: Callable[[int, int], None], cancel: Any) -> Any:
        """Read the files, and call the function."""
        arguments = {name: source.data for name, source in self.sources.items()}
        for name, value in self.parameters.items():
            is_file = name in self.loaded and value is not None
            arguments[name] = self.loaded[name].load(value) if is_file else value
        heard = inspect.signature(self.function).parameters
        if "progress" in heard or _takes_anything(heard.values()):
            arguments |= {"progress": progress, "cancel": cancel}
        return self.function(**arguments)


def _takes_anything(parameters: Iterable[inspect.Parameter]) -> bool:
    return any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters)


def as_python(call: Call) -> str:
    """Return a script for napari's console, or for a file if the images are files."""
    lines = ["import napari_nanopyx as nx"]
    if any(_is_file(source) for source in call.sources.values()):
        lines.append("from napari_nanopyx.io import open_movie")
    lines.append("")
    for argument, source in call.sources.items():
        lines.append(f"{argument} = {_expression(source)}")
    arguments = list(call.sources)
    for name, value in call.parameters.items():
        text = repr(value)
        if name in call.loaded and value is not None:
            text = f"nx.{call.loaded[name].__name__}.load({text})"
        arguments.append(f"{name}={text}")
    lines.append(f"result = nx.{call.name}({', '.join(arguments)})")
    return "\n".join(lines) + "\n"


def _is_file(source: Source) -> bool:
    """Tell whether the layer is what the package itself would read from its file."""
    suffixes = (".tif", ".tiff", ".zarr")
    is_readable = source.path is not None and source.path.lower().endswith(suffixes)
    return is_readable and source.ndim == 3 and source.axes.are_all


def _expression(source: Source) -> str:
    if _is_file(source):
        return f"open_movie({source.path!r})"
    level = "[0]" if source.multiscale else ""
    array = f"viewer.layers[{source.name!r}].data{level}"
    axes = source.axes
    if axes.are_all:
        return array
    index = ", ".join(":" if isinstance(at, slice) else str(at) for at in axes.index)
    turned = "" if list(axes.order) == sorted(axes.order) else f".transpose{axes.order}"
    return f"{array}[{index}]{turned}"
