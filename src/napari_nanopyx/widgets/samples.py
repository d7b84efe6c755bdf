"""Offers the bundled movie under File ▸ Open Sample."""

from __future__ import annotations

from typing import Any

FRAME_SECONDS = 0.05
PIXEL_MICROMETRES = 0.11
"""As published with the movie; its TIFF tags hold the same, rounded to 9 digits."""


def telomeres() -> list[tuple[Any, dict[str, Any], str]]:
    """Return 200 frames of telomeres in a living cell as an image layer."""
    from napari_nanopyx.data import telomeres as read_telomeres

    movie, _ = read_telomeres()
    options = {
        "name": "telomeres",
        "scale": (FRAME_SECONDS, PIXEL_MICROMETRES, PIXEL_MICROMETRES),
        "units": ("second", "micrometer", "micrometer"),
        "axis_labels": ("T", "Y", "X"),
    }
    return [(movie, options, "image")]
