"""Super-resolution microscopy analysis, computed as fast as this machine can."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_nanopyx import engine, simulate, workflow
    from napari_nanopyx.methods.channel_registration import ChannelRegistration
    from napari_nanopyx.methods.channels import estimate_channel_shifts
    from napari_nanopyx.methods.convolve import convolve
    from napari_nanopyx.methods.correct_drift import correct_drift
    from napari_nanopyx.methods.decorrelation import decorrelation
    from napari_nanopyx.methods.decorrelation_map import decorrelation_map
    from napari_nanopyx.methods.decorrelation_result import Decorrelation
    from napari_nanopyx.methods.denoise_nlm import denoise_nlm
    from napari_nanopyx.methods.drift import estimate_drift
    from napari_nanopyx.methods.drift_table import DriftTable
    from napari_nanopyx.methods.error_map import error_map
    from napari_nanopyx.methods.error_map_result import ErrorMap
    from napari_nanopyx.methods.esrrf import esrrf
    from napari_nanopyx.methods.esrrf_3d import esrrf_3d
    from napari_nanopyx.methods.frc import frc
    from napari_nanopyx.methods.frc_map import frc_map
    from napari_nanopyx.methods.frc_result import FRC
    from napari_nanopyx.methods.gradient import gradient
    from napari_nanopyx.methods.magnify import magnify
    from napari_nanopyx.methods.polar import polar
    from napari_nanopyx.methods.register_channels import register_channels
    from napari_nanopyx.methods.resolution_map import ResolutionMap
    from napari_nanopyx.methods.srrf import srrf
    from napari_nanopyx.methods.sweep_esrrf import sweep_esrrf
    from napari_nanopyx.methods.sweep_result import Sweep
    from napari_nanopyx.methods.transform import transform

    __version__: str

__all__ = [
    "FRC",
    "ChannelRegistration",
    "Decorrelation",
    "DriftTable",
    "ErrorMap",
    "ResolutionMap",
    "Sweep",
    "__version__",
    "convolve",
    "correct_drift",
    "decorrelation",
    "decorrelation_map",
    "denoise_nlm",
    "engine",
    "error_map",
    "esrrf",
    "esrrf_3d",
    "estimate_channel_shifts",
    "estimate_drift",
    "frc",
    "frc_map",
    "gradient",
    "magnify",
    "polar",
    "register_channels",
    "simulate",
    "srrf",
    "sweep_esrrf",
    "transform",
    "workflow",
]

_MODULES = {
    "ChannelRegistration": "napari_nanopyx.methods.channel_registration",
    "Decorrelation": "napari_nanopyx.methods.decorrelation_result",
    "DriftTable": "napari_nanopyx.methods.drift_table",
    "ErrorMap": "napari_nanopyx.methods.error_map_result",
    "FRC": "napari_nanopyx.methods.frc_result",
    "ResolutionMap": "napari_nanopyx.methods.resolution_map",
    "Sweep": "napari_nanopyx.methods.sweep_result",
    "convolve": "napari_nanopyx.methods.convolve",
    "correct_drift": "napari_nanopyx.methods.correct_drift",
    "decorrelation": "napari_nanopyx.methods.decorrelation",
    "decorrelation_map": "napari_nanopyx.methods.decorrelation_map",
    "denoise_nlm": "napari_nanopyx.methods.denoise_nlm",
    "error_map": "napari_nanopyx.methods.error_map",
    "esrrf": "napari_nanopyx.methods.esrrf",
    "esrrf_3d": "napari_nanopyx.methods.esrrf_3d",
    "estimate_channel_shifts": "napari_nanopyx.methods.channels",
    "estimate_drift": "napari_nanopyx.methods.drift",
    "frc": "napari_nanopyx.methods.frc",
    "frc_map": "napari_nanopyx.methods.frc_map",
    "gradient": "napari_nanopyx.methods.gradient",
    "magnify": "napari_nanopyx.methods.magnify",
    "polar": "napari_nanopyx.methods.polar",
    "register_channels": "napari_nanopyx.methods.register_channels",
    "srrf": "napari_nanopyx.methods.srrf",
    "sweep_esrrf": "napari_nanopyx.methods.sweep_esrrf",
    "transform": "napari_nanopyx.methods.transform",
}
"""Where each public name is; it is imported when it is first used."""


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value = getattr(import_module(_MODULES[name]), name)
    elif name in ("engine", "simulate", "workflow"):
        value = import_module(f"napari_nanopyx.{name}")
    elif name == "__version__":
        from importlib.metadata import version

        value = version("napari-nanopyx")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
