"""Steps that say how good an image is."""

from __future__ import annotations

from napari_nanopyx.widgets.declarations import measurements as declared
from napari_nanopyx.widgets.step import DeclaredStep


class FrcStep(DeclaredStep):
    """Measure the resolution of two images, or of one, by Fourier ring correlation."""

    declaration = declared.FRC


class FrcMapStep(DeclaredStep):
    """Map the resolution of two images, or of one, by Fourier ring correlation."""

    declaration = declared.FRC_MAP


class DecorrelationStep(DeclaredStep):
    """Measure the resolution of a single image by decorrelation analysis."""

    declaration = declared.DECORRELATION


class DecorrelationMapStep(DeclaredStep):
    """Map the resolution of a single image by decorrelation analysis in tiles."""

    declaration = declared.DECORRELATION_MAP


class ErrorMapStep(DeclaredStep):
    """Compare a super-resolved image with a diffraction-limited one."""

    declaration = declared.ERROR_MAP


class SweepStep(DeclaredStep):
    """Find the eSRRF radius and sensitivity that suit a movie."""

    declaration = declared.SWEEP
