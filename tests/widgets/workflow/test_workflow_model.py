"""The steps that the workflow panel shows and changes, without a window."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_nanopyx.widgets.workflow.fields import fields_of, required
from napari_nanopyx.widgets.workflow.model import FILE, WorkflowModel
from napari_nanopyx.workflow import Step, Workflow, WorkflowError, typical
from napari_nanopyx.workflow.catalogue import KINDS


@pytest.fixture
def model() -> WorkflowModel:
    model = WorkflowModel()
    model.workflow = Workflow(())
    return model


def test_it_begins_with_the_usual_chain() -> None:
    model = WorkflowModel()
    assert model.workflow == typical()
    assert model.problems == []


@pytest.mark.parametrize("function", KINDS)
def test_each_step_alone_needs_at_most_a_table(
    model: WorkflowModel, function: str
) -> None:
    model.add(function)
    needed = {"correct_drift": "table", "register_channels": "registration"}
    missing = needed.get(function)
    assert len(model.problems) == (missing is not None)
    assert all(f"inputs.{missing} is missing" in text for text in model.problems)


def test_steps_find_their_inputs(model: WorkflowModel) -> None:
    for function in (
        *("estimate_channel_shifts", "register_channels", "estimate_drift"),
        *("correct_drift", "esrrf", "frc", "error_map", "esrrf"),
    ):
        model.add(function)
    assert model.problems == []
    assert [(step.name, dict(step.inputs)) for step in model.steps] == [
        ("registration", {"image": "movie.mean"}),
        ("registered", {"image": "movie", "registration": "registration"}),
        ("drift", {"image": "registered"}),
        ("still", {"image": "registered", "table": "drift"}),
        ("reconstruction", {"image": "still"}),
        (
            "resolution",
            {"image_a": "reconstruction.even", "image_b": "reconstruction.odd"},
        ),
        (
            "errors",
            {"reference": "still.mean", "super_resolved": "reconstruction"},
        ),
        ("reconstruction-2", {"image": "still"}),
    ]


def test_a_reconstruction_takes_the_drift_of_its_movie(model: WorkflowModel) -> None:
    model.add("estimate_drift")
    model.add("srrf")
    assert model.steps[1].inputs == {"image": "movie", "drift": "drift"}


def test_a_new_name_is_followed(model: WorkflowModel) -> None:
    model.workflow = typical()
    model.change(1, name="sr")
    assert model.steps[2].inputs == {"image_a": "sr.even", "image_b": "sr.odd"}
    assert model.problems == []


def test_what_an_order_breaks_is_said(model: WorkflowModel) -> None:
    model.workflow = typical()
    assert model.move(0, -1) == 0
    assert model.move(0, 1) == 1
    assert any("inputs.drift is 'drift', but before" in p for p in model.problems)
    model.move(1, -1)
    assert model.problems == []
    model.remove(1)
    assert len(model.problems) == 3


def test_inputs_are_offered_that_fit(model: WorkflowModel) -> None:
    model.workflow = typical()
    assert model.choices(1, "drift") == ["drift", ""]
    assert model.choices(1, "image") == ["movie", "movie.mean"]
    assert model.choices(2, "image_a")[0] == "reconstruction.even"
    assert "drift" not in model.choices(2, "image_a")
    assert "errors" not in model.choices(3, "super_resolved")


def test_a_file_takes_the_place_of_a_step(model: WorkflowModel, tmp_path: Path) -> None:
    model.workflow = typical()
    model.connect(1, "drift", f"{FILE}{tmp_path / 'drift.csv'}")
    assert "drift" not in model.steps[1].inputs
    assert model.connection(1, "drift") == f"{FILE}{tmp_path / 'drift.csv'}"
    assert any("no such file" in problem for problem in model.problems)
    model.connect(1, "drift", "")
    assert model.problems == []
    model.connect(1, "drift", "drift")
    assert list(model.steps[1].inputs) == ["image", "drift"]


def test_a_wrong_file_changes_nothing(model: WorkflowModel, tmp_path: Path) -> None:
    path = model_path = tmp_path / "chain.toml"
    model.workflow = typical()
    model.change(1, parameters={"radius": 2.0})
    model.save(model_path)
    other = WorkflowModel()
    other.load(path)
    assert other.steps == model.steps
    path.write_text("format = 1")
    with pytest.raises(WorkflowError):
        other.load(path)
    assert other.steps == model.steps
    model.change(1, parameters={"radius": "x"})
    with pytest.raises(WorkflowError, match="radius is 'x'"):
        model.save(tmp_path / "other.toml")
    assert not (tmp_path / "other.toml").exists()


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_first_values_are_allowed(kind: object) -> None:
    from napari_nanopyx.workflow.hints import fits

    for name, value in required(kind).items():  # type: ignore[arg-type]
        assert fits(value, kind.hints[name])  # type: ignore[attr-defined]
    assert set(fields_of(kind).options) <= set(kind.hints)  # type: ignore[arg-type,attr-defined]


def test_two_steps_do_not_share_a_name(model: WorkflowModel) -> None:
    model.workflow = Workflow((Step("esrrf", "Reconstruction", {"image": "movie"}),))
    model.add("srrf")
    assert model.steps[1].name == "reconstruction-2"
