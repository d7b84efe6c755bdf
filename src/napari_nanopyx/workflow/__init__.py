"""Chains of steps as a small text file, run on one movie or on many.

A workflow says which public functions are called, with which parameters, and which
result is the input of which step. Nothing in its file is ever executed.

Examples
--------
>>> from napari_nanopyx import workflow
>>> print(workflow.typical().text)
format = "napari-nanopyx workflow"
version = 1
<BLANKLINE>
[[step]]
name = "drift"
function = "estimate_drift"
inputs.image = "movie"
<BLANKLINE>
[[step]]
name = "reconstruction"
function = "esrrf"
inputs.image = "movie"
inputs.drift = "drift"
<BLANKLINE>
[[step]]
name = "resolution"
function = "frc"
inputs.image_a = "reconstruction.even"
inputs.image_b = "reconstruction.odd"
<BLANKLINE>
[[step]]
name = "errors"
function = "error_map"
inputs.reference = "movie.mean"
inputs.super_resolved = "reconstruction"
<BLANKLINE>
"""

from __future__ import annotations

from napari_nanopyx.workflow.batch import run_files
from napari_nanopyx.workflow.checking import WorkflowError, problems
from napari_nanopyx.workflow.model import Reference, Step, Workflow, typical
from napari_nanopyx.workflow.moment import Moment
from napari_nanopyx.workflow.outcome import Outcome
from napari_nanopyx.workflow.running import run
from napari_nanopyx.workflow.summary import Row, Summary

__all__ = [
    "Moment",
    "Outcome",
    "Reference",
    "Row",
    "Step",
    "Summary",
    "Workflow",
    "WorkflowError",
    "problems",
    "run",
    "run_files",
    "typical",
]
