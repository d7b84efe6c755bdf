"""Simulated microscope images of which the truth is known.

Positions are (row, column) in pixels and continuous: pixel ``n`` covers
``[n, n + 1)``, its centre is at ``n + 1/2``. Everything random takes `seed`: a whole
number, which gives the same result every time, a `numpy.random.Generator`, which is
drawn from, or None.
"""

from __future__ import annotations

from napari_nanopyx.simulate.blinking import (
    BlinkingMovie,
    blinking,
    blinking_filaments,
    blinking_ring,
)
from napari_nanopyx.simulate.moving import (
    Channels,
    DriftMovie,
    drift_movie,
    misaligned_channels,
)
from napari_nanopyx.simulate.noise import camera_noise
from napari_nanopyx.simulate.particles import ParticleField, particle_field
from napari_nanopyx.simulate.patterns import add_ramp, add_squares, disc
from napari_nanopyx.simulate.simplex import simplex_noise
from napari_nanopyx.simulate.spots import Beads, SpotMovie, beads, random_spots, spots
from napari_nanopyx.simulate.switching import photoswitching

__all__ = [
    "Beads",
    "BlinkingMovie",
    "Channels",
    "DriftMovie",
    "ParticleField",
    "SpotMovie",
    "add_ramp",
    "add_squares",
    "beads",
    "blinking",
    "blinking_filaments",
    "blinking_ring",
    "camera_noise",
    "disc",
    "drift_movie",
    "misaligned_channels",
    "particle_field",
    "photoswitching",
    "random_spots",
    "simplex_noise",
    "spots",
]
