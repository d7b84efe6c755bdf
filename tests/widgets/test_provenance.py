"""Every result says how it was made."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from napari.layers import Image
from numpy.typing import NDArray

from napari_nanopyx.engine import Run
from napari_nanopyx.widgets.layers import read
from napari_nanopyx.widgets.provenance import describe, fingerprint

RUN = Run(
    id=3,
    task="esrrf",
    parameters={"magnification": 5},
    shape=(12, 20, 24),
    dtype="uint16",
    frames_total=12,
    frames_done=12,
    seconds=0.25,
    state="finished",
    blocks={"serial": 2, "numba": 10},
    implementation="numba",
    reason="fastest so far",
)


def test_the_record_is_plain_and_complete(movie: NDArray[Any]) -> None:
    source = read(Image(movie, name="cells", scale=(0.5, 0.1, 0.1)))
    devices = {3: {"serial": "a processor", "numba": "a processor"}}
    record = describe(
        "napari_nanopyx.esrrf", {"radius": 1.5}, {"image": source}, [RUN], devices, 0.5
    )
    assert json.loads(json.dumps(record)) == record
    assert record["function"] == "napari_nanopyx.esrrf"
    assert record["parameters"] == {"radius": 1.5}
    assert record["inputs"]["image"]["layer"] == "cells"
    assert record["inputs"]["image"]["shape"] == [12, 20, 24]
    assert record["inputs"]["image"]["dtype"] == "uint16"
    assert record["runs"][0]["frames_by_implementation"] == {"serial": 2, "numba": 10}
    assert record["runs"][0]["reason"] == "fastest so far"
    assert record["runs"][0]["devices"] == devices[3]
    assert record["versions"]["napari"]
    assert record["finished"].endswith("+00:00")


@pytest.mark.parametrize("frame", [0, 6, 11])
def test_the_fingerprint_sees_changes(movie: NDArray[Any], frame: int) -> None:
    changed = movie.copy()
    changed[frame, 3, 3] += 1
    assert fingerprint(changed) != fingerprint(movie)
    assert fingerprint(movie.copy()) == fingerprint(movie)
    assert fingerprint(movie.astype(np.float32)) != fingerprint(movie)


def test_the_fingerprint_reads_three_frames(movie: NDArray[Any]) -> None:
    class Counted:
        shape, dtype = movie.shape, movie.dtype

        def __init__(self) -> None:
            self.read: list[int] = []

        def __len__(self) -> int:
            return len(movie)

        def __getitem__(self, frame: int) -> Any:
            self.read.append(frame)
            return movie[frame]

    counted = Counted()
    assert fingerprint(counted) == fingerprint(movie)
    assert counted.read == [0, 6, 11]
