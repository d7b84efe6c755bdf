"""What users read: times, errors, and who computed a result."""

from __future__ import annotations

import pytest

from napari_nanopyx.engine import ImplementationUnavailable, NanoPyxError
from napari_nanopyx.widgets.messages import explain, how_it_was_computed
from napari_nanopyx.widgets.words import ago, milliseconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.0012345, "1.23"), (0.0999, "99.9"), (0.1, "100"), (2.5, "2500")],
)
def test_milliseconds(seconds: float | None, text: str) -> None:
    assert milliseconds(seconds) == text


@pytest.mark.parametrize(
    ("age", "text"),
    [(0, "0 s ago"), (59, "59 s ago"), (120, "2 min ago"), (7200, "2 h ago")],
)
def test_ago(age: float, text: str) -> None:
    assert ago(1000.0, 1000.0 + age) == text
    assert ago(None, 1000.0) == "–"


def test_errors_become_sentences_with_the_remedy() -> None:
    missing = ImplementationUnavailable("numba", "it is not installed", "pip install")
    assert "it is not installed" in (explain("eSRRF", missing) or "")
    assert "pip install" in (explain("eSRRF", missing) or "")
    assert explain("eSRRF", NanoPyxError("no device")) == "eSRRF: no device"
    assert "smaller magnification" in (explain("eSRRF", MemoryError("9 GB")) or "")


def test_a_mistake_in_the_program_is_not_dressed_up() -> None:
    assert explain("eSRRF", ZeroDivisionError("division by zero")) is None


def test_shares_are_told_when_several_implementations_took_part() -> None:
    run = {
        "frames_by_implementation": {"serial": 10, "numba": 90},
        "last_choice": "numba",
        "reason": "fastest so far",
    }
    said = how_it_was_computed({"seconds": 1.234, "runs": [run]})
    assert said == (
        "Done in 1.2 s, computed by numba: fastest so far. Frames: serial 10, numba 90"
    )
    assert how_it_was_computed({"seconds": 2.0, "runs": []}) == "Done in 2 s"
