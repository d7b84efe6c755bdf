"""Dyes that switch on and off on their own, and bleach."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.methods import _checks as check
from napari_nanopyx.simulate import _arguments as given
from napari_nanopyx.simulate._arguments import Seed

Start = Literal["off", "on", "stationary"]

ON, OFF, BLEACHED = 1, 0, -1


def photoswitching(
    count: int,
    frames: int,
    *,
    p_on: float = 0.01,
    p_transient_off: float = 0.4,
    p_permanent_off: float = 0.0,
    start: Start = "off",
    seed: Seed = None,
) -> NDArray[np.int8]:
    """Return the state of each emitter in each frame.

    Parameters
    ----------
    count, frames : int
        How many emitters and frames.
    p_on : float
        Probability that an emitter that is off is on in the next frame.
    p_transient_off : float
        Probability that one that is on, and does not bleach, is off in the next.
    p_permanent_off : float
        Probability that one that is on has bleached in the next, for good.
    start : str
        The first frame: all ``"off"``, all ``"on"``, or ``"stationary"``: each is on
        with the probability with which it is on in the long run, were there no
        bleaching.
    seed : int, Generator or None

    Returns
    -------
    ndarray of int8, shape (count, frames)
        1 is on, 0 is off, -1 is bleached.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.

    Examples
    --------
    >>> from napari_nanopyx import simulate
    >>> simulate.photoswitching(1, 4, p_on=1.0, p_transient_off=1.0)
    array([[0, 1, 0, 1]], dtype=int8)
    """
    emitters = check.whole("count", count, 0)
    length = check.whole("frames", frames, 1)
    on = given.probability("p_on", p_on)
    off = given.probability("p_transient_off", p_transient_off)
    bleach = given.probability("p_permanent_off", p_permanent_off)
    start = check.one_of("start", start, get_args(Start))
    random = given.generator(seed)
    if start == "stationary" and on + off == 0:
        raise ValueError(
            "start is 'stationary', but p_on and p_transient_off are both 0: no "
            "emitter ever switches, so start 'on' or 'off'"
        )
    states = np.empty((emitters, length), np.int8)
    if start == "stationary":
        states[:, 0] = random.random(emitters) < on / (on + off)
    else:
        states[:, 0] = ON if start == "on" else OFF
    for frame in range(1, length):
        before = states[:, frame - 1]
        chance, fate = random.random((2, emitters))
        from_on = np.where(fate < bleach, BLEACHED, np.where(chance < off, OFF, ON))
        from_off = np.where(chance < on, ON, OFF)
        states[:, frame] = np.select(
            [before == ON, before == OFF], [from_on, from_off], BLEACHED
        )
    return states
