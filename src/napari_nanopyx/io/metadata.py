"""What a file says about its image besides the numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

MICROMETRE_WORDS = frozenset({"um", "µm", "μm", "micron", "microns", "micrometer"})
SIGNS = {"nanometer": "nm", "millimeter": "mm", "centimeter": "cm", "meter": "m"}


@dataclass(frozen=True, slots=True)
class ImageMetadata:
    """Axes and calibration of an image; None where the file does not say."""

    axes: str
    """One letter per axis, as in the file: T, C, Z, Y, X, S (colour samples)…"""
    pixel_size: tuple[float, float] | None = None
    """Height and width of a pixel."""
    unit: str = "pixel"
    """Unit of the pixel size; ``"µm"`` for micrometres however the file spells it."""
    frame_interval: float | None = None
    """Seconds from the start of one frame to the start of the next."""
    description: str = ""
    depth: float | None = None
    """Distance of one plane (Z) from the next, in the unit of the pixel size."""

    def magnified(
        self, factor: float | tuple[float, float], axial: float = 1.0
    ) -> ImageMetadata:
        """Return the metadata of the image magnified by `factor` (or row, column).

        Planes come `axial` times as close.
        """
        rows, columns = factor if isinstance(factor, tuple) else (factor, factor)
        size, depth = self.pixel_size, self.depth
        return replace(
            self,
            pixel_size=None if size is None else (size[0] / rows, size[1] / columns),
            depth=None if depth is None else depth / axial,
        )

    def with_frame_interval(self, seconds: float | None) -> ImageMetadata:
        """Return the same metadata with another time between frames."""
        return replace(self, frame_interval=seconds)


def plain_unit(word: str) -> str:
    """Return a unit's usual sign: the many spellings of micrometre become ``"µm"``.

    Examples
    --------
    >>> plain_unit("micron")
    'µm'
    """
    word = word.strip().replace("\\u00B5", "µ")
    if word.lower() in MICROMETRE_WORDS:
        return "µm"
    return SIGNS.get(word.lower(), word) or "pixel"
