"""Reads axes and calibration from the ways TIFF writers store them."""

from __future__ import annotations

import math
import re
from html import unescape
from typing import Any

from napari_nanopyx.io.metadata import ImageMetadata, plain_unit

SECONDS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "µs": 1e-6, "us": 1e-6, "min": 60.0}
PIXELS_TAG = re.compile(r"<(?:\w+:)?Pixels\b([^<>]*)>")
ATTRIBUTE = re.compile(r"(\w+)=\"([^\"<>]*)\"")


def read_metadata(file: Any, axes: str) -> ImageMetadata:
    """Return what an open TIFF file says about its first series."""
    if file.is_imagej:
        return _from_imagej(file, axes)
    if file.is_ome:
        return _from_ome(file.ome_metadata or "", axes)
    return ImageMetadata(axes)


def _from_imagej(file: Any, axes: str) -> ImageMetadata:
    values = file.imagej_metadata or {}
    page = file.pages[0]
    unit = plain_unit(str(values.get("unit", "")))
    pixel_size = None
    if unit not in ("pixel", "pixels"):
        pixel_size = _both(
            _inverse_ratio(page, "YResolution"), _inverse_ratio(page, "XResolution")
        )
    scale = SECONDS.get(plain_unit(str(values.get("tunit", "s"))), 1.0)
    interval = _positive(values.get("finterval"))
    return ImageMetadata(
        axes,
        pixel_size,
        unit if pixel_size else "pixel",
        interval * scale if interval else None,
        str(values.get("Info", "")),
        _positive(values.get("spacing")) if pixel_size else None,
    )


def _from_ome(text: str, axes: str) -> ImageMetadata:
    tag = PIXELS_TAG.search(text)
    if tag is None:
        return ImageMetadata(axes)
    # Attributes are picked out by pattern: an XML parser would expand entities.
    values = {name: unescape(value) for name, value in ATTRIBUTE.findall(tag[1])}
    size = _both(
        _positive(values.get("PhysicalSizeY")), _positive(values.get("PhysicalSizeX"))
    )
    scale = SECONDS.get(plain_unit(values.get("TimeIncrementUnit", "s")), 1.0)
    interval = _positive(values.get("TimeIncrement"))
    return ImageMetadata(
        axes,
        size,
        plain_unit(values.get("PhysicalSizeXUnit", "µm")) if size else "pixel",
        interval * scale if interval else None,
        depth=_positive(values.get("PhysicalSizeZ")) if size else None,
    )


def _inverse_ratio(page: Any, name: str) -> float | None:
    tag = page.tags.get(name)
    try:
        per_unit, whole = tag.value
        return _positive(whole / per_unit)
    except (AttributeError, TypeError, ValueError, ZeroDivisionError):
        return None


def _positive(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _both(first: float | None, second: float | None) -> tuple[float, float] | None:
    return None if first is None or second is None else (first, second)
