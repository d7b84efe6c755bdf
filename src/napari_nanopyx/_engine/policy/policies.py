"""The policies that can be asked for by name."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from math import isfinite

from napari_nanopyx._engine.errors import MissingPackage
from napari_nanopyx._engine.measurements.delays import DEVIATIONS
from napari_nanopyx._engine.policy import agent, paper
from napari_nanopyx._engine.policy.situation import Policy

POLICIES = ("default", "paper")


def policy(name: str, k: float = DEVIATIONS) -> Policy:
    """Return a policy; `k` concerns only "paper".

    Raises
    ------
    ValueError
        If there is no such policy, or `k` is no positive number.
    MissingPackage
        If the policy needs a package that is not installed.
    """
    if name not in POLICIES:
        allowed = ", ".join(repr(known) for known in POLICIES)
        raise ValueError(f"policy is {name!r}, but must be one of {allowed}")
    if not (isfinite(k) and k > 0):
        raise ValueError(f"k is {k!r}, but must be a positive number, such as 4 or 2")
    if name == "default":
        return agent.choose
    if find_spec("sklearn") is None:
        raise MissingPackage(
            "scikit-learn", "the policy 'paper'", "pip install napari-nanopyx[paper]"
        )
    return partial(paper.choose, deviations=k)
