"""The table of contents of the plugin; each widget is imported when it is opened."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "BenchmarkPanel": "engine_panel.benchmark_panel",
    "CorrectDriftStep": "steps.registration",
    "DecorrelationMapStep": "steps.measurements",
    "DecorrelationStep": "steps.measurements",
    "DenoiseStep": "steps.images",
    "DoctorPanel": "doctor_panel",
    "EnginePanel": "engine_panel.panel",
    "ErrorMapStep": "steps.measurements",
    "Esrrf3dStep": "steps.reconstruction",
    "EsrrfStep": "steps.reconstruction",
    "EstimateChannelsStep": "steps.registration",
    "EstimateDriftStep": "steps.registration",
    "FrcMapStep": "steps.measurements",
    "FrcStep": "steps.measurements",
    "MagnifyStep": "steps.images",
    "RegisterChannelsStep": "steps.registration",
    "SimulateStep": "steps.simulation",
    "SrrfStep": "steps.reconstruction",
    "StepWidget": "step",
    "SweepStep": "steps.measurements",
    "TransformStep": "steps.images",
    "WorkflowPanel": "workflow.panel",
    "drifting_beads": "samples",
    "filaments": "samples",
    "misaligned_channels": "samples",
    "ring": "samples",
    "telomeres": "samples",
}

__all__ = [
    "BenchmarkPanel",
    "CorrectDriftStep",
    "DecorrelationMapStep",
    "DecorrelationStep",
    "DenoiseStep",
    "DoctorPanel",
    "EnginePanel",
    "ErrorMapStep",
    "Esrrf3dStep",
    "EsrrfStep",
    "EstimateChannelsStep",
    "EstimateDriftStep",
    "FrcMapStep",
    "FrcStep",
    "MagnifyStep",
    "RegisterChannelsStep",
    "SimulateStep",
    "SrrfStep",
    "StepWidget",
    "SweepStep",
    "TransformStep",
    "WorkflowPanel",
    "drifting_beads",
    "filaments",
    "misaligned_channels",
    "ring",
    "telomeres",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
