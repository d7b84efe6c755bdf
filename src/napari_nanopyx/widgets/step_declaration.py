"""What a step widget must know of a function that its signature does not say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from napari_nanopyx.widgets.layers import Placement, Source
from napari_nanopyx.widgets.preview.request import Previewed


@dataclass(frozen=True)
class Step:
    """What a step widget must know of a function that its signature does not say."""

    title: str
    """A few words: ``"eSRRF"``."""
    function: Callable[..., Any]
    """Takes one array or more, the parameters, ``progress`` and ``cancel``."""
    images: Mapping[str, Sequence[int]]
    """The parameters that are images, with the numbers of axes they may have."""
    axes: str = "TYX"
    """The axes of the function where it is given most."""
    suffix: Callable[[Mapping[str, Any]], str] = lambda _: ""
    """Parameters → what the result's name says was done: ``"eSRRF AVG ×5"``."""
    place: Callable[[Source, Mapping[str, Any]], Placement] | None = None
    """Input and parameters → where the resulting image lies on the input; None if
    there is no image in the result."""
    image: Callable[[Any], Any] = lambda result: result
    """Result → the image in it."""
    over: Callable[[Mapping[str, Any]], str | None] = lambda _: None
    """Parameters → the image, by parameter, that the result lies over; None for the
    first."""
    derived: Callable[[Source], Mapping[str, Any]] = lambda _: {}
    """Input → parameters that it knows better than a user, such as its pixel size."""
    loaded: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that are read from a file, with the class that can `load` them."""
    automatic: Mapping[str, Any] = field(default_factory=dict)
    """The value of a field, by parameter, that stands for None."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    advanced: Sequence[str] = ()
    hidden: Sequence[str] = ()
    colormap: str | None = None
    """Name of the result's colormap; None for that of the input."""
    preview: Previewed | None = None
    """How a part of the result is computed while a parameter moves; None if never."""
