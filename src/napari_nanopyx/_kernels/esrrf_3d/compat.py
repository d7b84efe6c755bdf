"""Computes 3-D eSRRF as nanopyx 2.1.5 does, mistakes included: for tests only."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.esrrf.reference import FWHM_PER_SIGMA
from napari_nanopyx._kernels.magnify import reference as magnify

Volume = NDArray[np.float64]


def volume(
    raw: Volume,
    *,
    magnification: int,
    magnification_z: int,
    radius: float,
    psf_ratio: float,
    voxel_ratio: float,
    sensitivity: float = 1.0,
) -> Volume:
    """Return the eSRRF volume of one volume, weighted by the intensity."""
    radius_z = radius * psf_ratio / voxel_ratio
    column, row, plane = _gradients(raw)
    light, g_x, g_y, g_z = (
        _magnified(each, magnification, magnification_z)
        for each in (raw, column, row, plane)
    )
    value = _convergence(
        (g_x, g_y, g_z), raw.shape, (magnification_z, magnification), (radius, radius_z)
    )
    if sensitivity > 1:
        value **= sensitivity
    value *= light
    margin, margin_z = int(radius * magnification), int(radius_z * magnification_z)
    inside = np.zeros(value.shape, bool)
    inside[tuple(slice(m, -m or None) for m in (margin_z, margin, margin))] = True
    return np.where(inside, value, 0.0)


def _gradients(raw: Volume) -> tuple[Volume, Volume, Volume]:
    """Return differences along columns and rows, and backward ones along planes."""
    padded = np.pad(raw, 1, mode="edge")
    here = slice(1, -1)
    column = (padded[here, here, 2:] - padded[here, here, :-2]) / 2
    row = (padded[here, 2:, here] - padded[here, :-2, here]) / 2
    plane = (padded[here, here, here] - padded[:-2, here, here]) / 2
    return column, row, plane


def _magnified(values: Volume, magnification: int, magnification_z: int) -> Volume:
    planes = values
    if magnification > 1:
        shift = np.zeros((1, 2))
        planes = magnify.frames(values, magnification, magnification, shift, "C")
    return planes.repeat(magnification_z, axis=0)


def _convergence(
    gradients: tuple[Volume, Volume, Volume],
    shape: tuple[int, ...],
    factors: tuple[int, int],
    radii: tuple[float, float],
) -> Volume:
    (m_z, m), (radius, radius_z) = factors, radii
    sigma, sigma_z = radius / FWHM_PER_SIGMA, radius_z / FWHM_PER_SIGMA
    size = gradients[0].shape
    total, weights = np.zeros(size), np.zeros(size)
    in_plane = range(-int(radius), int(radius + 1) + 1)
    along = range(-int(radius_z), int(radius_z + 1) + 1)
    for dz, dy, dx in product(along, in_plane, in_plane):
        distance, lateral = np.sqrt(dx**2 + dy**2 + dz**2), np.hypot(dx, dy)
        if not distance or lateral > 2 * sigma + 1 or dz > 2 * sigma_z + 1:
            continue
        falloff = lateral**2 / (2 * sigma**2) + dz**2 / (2 * sigma_z**2)
        weight = (distance * np.exp(-falloff)) ** 4
        entries, valid = zip(
            *(
                _candidates(length, factor, step)
                for length, factor, step in zip(
                    shape, (m_z, m, m), (dz, dy, dx), strict=True
                )
            ),
            strict=True,
        )
        allowed = valid[0][:, None, None] & valid[1][:, None] & valid[2]
        weights += np.where(allowed, weight, 0.0)
        g_x, g_y, g_z = (each[np.ix_(*entries)] for each in gradients)
        aims = g_x * dx + g_y * dy + g_z * dz < 0
        x, y, z = g_y * dz - g_z * dy, g_z * dx - g_x * dz, g_x * dy - g_y * dx
        with np.errstate(invalid="ignore", divide="ignore"):
            length = np.sqrt(g_x**2 + g_y**2 + g_z**2) * distance
            part = weight * (1 - np.sqrt(x**2 + y**2 + z**2) / length)
        total += np.where(aims & allowed, part, 0.0)
    ratio = np.divide(total, weights, out=np.zeros(size), where=weights > 0)
    return np.maximum(ratio, 0.0)


def _candidates(
    length: int, factor: int, step: int
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return which samples lie this many input ones away, and which of them count."""
    entries = np.arange(length * factor) + step * factor
    place = entries / factor
    valid = (place > 0) & (place <= length - 1)
    return np.clip(entries, 0, length * factor - 1), valid
