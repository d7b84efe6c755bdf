"""The table of contents of the plugin; each widget is imported when it is opened."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "DecorrelationStep": "steps.measurements",
    "DoctorPanel": "doctor_panel",
    "EnginePanel": "engine_panel",
    "ErrorMapStep": "steps.measurements",
    "EsrrfStep": "steps.reconstruction",
    "FrcStep": "steps.measurements",
    "MagnifyStep": "steps.images",
    "SrrfStep": "steps.reconstruction",
    "StepWidget": "step",
    "TransformStep": "steps.images",
    "telomeres": "samples",
}

__all__ = [
    "DecorrelationStep",
    "DoctorPanel",
    "EnginePanel",
    "ErrorMapStep",
    "EsrrfStep",
    "FrcStep",
    "MagnifyStep",
    "SrrfStep",
    "StepWidget",
    "TransformStep",
    "telomeres",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
