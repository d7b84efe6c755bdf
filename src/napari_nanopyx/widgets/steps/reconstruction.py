"""Steps that give a super-resolved image."""

from __future__ import annotations

from napari_nanopyx.widgets.declarations import reconstruction as declared
from napari_nanopyx.widgets.step import DeclaredStep


class EsrrfStep(DeclaredStep):
    """Reconstruct a super-resolved image from a movie by eSRRF."""

    declaration = declared.ESRRF


class SrrfStep(DeclaredStep):
    """Reconstruct a super-resolved image from a movie by SRRF."""

    declaration = declared.SRRF


class Esrrf3dStep(DeclaredStep):
    """Reconstruct a super-resolved volume from a movie of volumes by 3-D eSRRF."""

    declaration = declared.ESRRF_3D
