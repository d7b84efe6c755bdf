"""Images and the planes of their sub-pixel phases."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.moments import cells


def interleave(planes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the image with pixel ``(M * r + a, M * c + b)`` in plane ``a * M + b``."""
    phases, height, width = planes.shape
    m = round(phases**0.5)
    image = np.empty((m * height, m * width))
    for view, plane in zip(cells(image, (m, m)), planes, strict=True):
        view[:] = plane
    return image
