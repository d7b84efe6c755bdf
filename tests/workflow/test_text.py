"""A workflow's file: what is written is read again, what is wrong is said at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_nanopyx as nx
from napari_nanopyx.workflow import (
    Reference,
    Step,
    Workflow,
    WorkflowError,
    problems,
    typical,
)
from napari_nanopyx.workflow.catalogue import KINDS

HEAD = 'format = "napari-nanopyx workflow"\nversion = 1\n'
ESRRF = '[[step]]\nname = "sr"\nfunction = "esrrf"\ninputs.image = "movie"\n'


def load(tmp_path: Path, text: str) -> Workflow:
    path = tmp_path / "chain.toml"
    path.write_text(text, encoding="utf-8")
    return Workflow.load(path)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    steps = (
        Step(
            "convolve",
            "blurred",
            {"image": "movie"},
            {},
            {"kernel": [[1, 2], [3, 4.5]]},
        ),
        Step(
            "magnify", "large", {"image": "blurred"}, {}, {"factor": [2.0, 3.0]}, False
        ),
        Step(
            "esrrf",
            "sr-1",
            {"image": "large.channel1"},
            {},
            {"radius": 1e-1, "border": "zero", "intensity_weighting": False},
        ),
    )
    path = Workflow(steps).save(tmp_path / "chain.toml")
    assert Workflow.load(path).steps == steps
    assert typical().save(path) == path
    assert Workflow.load(path).steps == typical().steps
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "word", ['a "b"', "\\back\nnew\ttab", "µ\x7f\u2028", "[x] = 1 # no", ""]
)
def test_any_text_survives(tmp_path: Path, word: str) -> None:
    step = Step("esrrf", "sr", {"image": "movie"}, {}, {"implementation": word})
    path = Workflow((step,)).save(tmp_path / "chain.toml")
    (read,) = Workflow.load(path).steps
    assert read.parameters["implementation"] == word


def test_defaults_count_for_the_digest() -> None:
    said = Step("esrrf", "sr", {"image": "movie"}, {}, {"magnification": 5})
    silent = Step("esrrf", "sr", {"image": "movie"})
    other = Step("esrrf", "sr", {"image": "movie"}, {}, {"magnification": 4})
    digests = [Workflow((step,)).digest for step in (said, silent, other)]
    assert digests[0] == digests[1] != digests[2]


def test_files_are_found_from_the_workflows_folder(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    nx.DriftTable(np.zeros((3, 2))).save(tmp_path / "tables" / "drift.csv")
    text = HEAD + ESRRF + 'files.drift = "tables/drift.csv"\n'
    workflow = load(tmp_path, text)
    (tmp_path / "elsewhere").mkdir()
    moved = Workflow.load(workflow.save(tmp_path / "elsewhere" / "copy.toml"))
    assert Path(moved.steps[0].files["drift"]).samefile(tmp_path / "tables/drift.csv")
    with pytest.raises(WorkflowError, match=r"files.drift is 'no.csv'.*no such file"):
        load(tmp_path, HEAD + ESRRF + 'files.drift = "no.csv"\n')


WRONG_FILES = {
    "no TOML": ("[[step", "it is no TOML text"),
    "another file": ('title = "x"\n', "its first line must be: format ="),
    "a later version": (HEAD.replace("1", "2"), "version 2 of the format"),
    "nothing to do": (HEAD, "there is no step"),
    "an unknown key": (HEAD + "threads = 3\n" + ESRRF, "'threads' is not known"),
    "an unknown key of a step": (HEAD + ESRRF + 'code = "x"\n', "'code' is not known"),
    "one pair of brackets": (HEAD + "[step]\nname = 'a'\n", "two pairs of brackets"),
    "no function": (HEAD + "[[step]]\nname = 'a'\n", "function is None"),
    "a number as a name": (HEAD + ESRRF.replace('"sr"', "3"), "name is 3, but must"),
    "a list of inputs": (HEAD + ESRRF + "files = [1]\n", "files.ARGUMENT = VALUE"),
    "save is a word": (HEAD + ESRRF + 'save = "no"\n', "save is 'no', but must be"),
}


@pytest.mark.parametrize(("text", "sentence"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_file_that_is_no_workflow(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(WorkflowError, match=sentence.replace("[", r"\[")) as raised:
        load(tmp_path, text)
    assert "chain.toml" in str(raised.value)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "chain.toml"
    path.write_bytes(b"\x80\x04\x95")
    with pytest.raises(WorkflowError, match="no TOML text"):
        Workflow.load(path)
    with pytest.raises(WorkflowError, match="there is no such file"):
        Workflow.load(tmp_path / "none.toml")


def step(function: str = "esrrf", name: str = "sr", **changed: Any) -> Step:
    inputs = changed.pop("inputs", {"image": "movie"})
    return Step(function, name, inputs, changed.pop("files", {}), changed)


DRIFT, SR = step("estimate_drift", "drift"), step()
FRC = {"image_a": "sr.even", "image_b": "sr.odd"}
WRONG_STEPS: dict[str, tuple[list[Step], str]] = {
    "unknown step": ([step("esrf")], "did you mean 'esrrf'"),
    "private function": ([step("_checks")], "there is no step '_checks'"),
    "unknown parameter": ([step(radis=2)], "no parameter 'radis': did you mean 'rad"),
    "never a parameter": ([step(progress=2)], "no parameter 'progress'"),
    "text for a number": ([step(radius="2")], "radius is '2', but must be a number"),
    "a number out of range": ([step(radius=-1.0)], r"a number from 0\.1 to 10"),
    "a number that is none": ([step(radius=float("nan"))], "radius is nan"),
    "half a number": ([step(magnification=2.5)], "must be a whole number from 1 to 10"),
    "true for a number": ([step(magnification=True)], "magnification is True"),
    "an unknown choice": ([step(temporal="MAX")], "must be one of 'AVG', 'VAR'"),
    "no number": ([step("magnify")], "parameters.factor is missing"),
    "input missing": ([step(inputs={})], "inputs.image is missing"),
    "unknown input": (
        [step(inputs={"image": "movie", "drft": "x"})],
        "no input 'drft'",
    ),
    "later step": (
        [step(inputs={"image": "dn"}), step("denoise_nlm", "dn")],
        "only 'm",
    ),
    "itself": ([step(inputs={"image": "sr"})], "there is only 'movie'"),
    "a table for a movie": (
        [DRIFT, step(inputs={"image": "drift"})],
        "is a drift, but",
    ),
    "a movie for a table": (
        [step(inputs={"image": "movie", "drift": "movie"})],
        "is a movie, but must be drift, from estimate_drift",
    ),
    "numbers for an image": (
        [step("decorrelation", "d"), step(inputs={"image": "d"})],
        "which is numbers, but must be a movie",
    ),
    "the same name": ([SR, step(name="SR")], "another step has this name"),
    "a name with a slash": ([step(name="../sr")], "must begin with a letter"),
    "the movie's name": ([step(name="Movie")], "must begin with a letter"),
    "unknown part": ([step(inputs={"image": "movie.first"})], "a part is one of even"),
    "halves of time points": (
        [step(frames_per_timepoint=5), step("frc", "f", inputs=FRC)],
        "with frames_per_timepoint 0",
    ),
    "half a half": ([step(inputs={"image": "movie.even.odd"})], "cannot be halved"),
    "two channels": (
        [step(inputs={"image": "movie.channel0.channel1"})],
        "may choose one channel",
    ),
    "the mean of a table": (
        [DRIFT, step(inputs={"image": "movie", "drift": "drift.mean"})],
        "drift has even and odd only",
    ),
}


@pytest.mark.parametrize(("steps", "sentence"), WRONG_STEPS.values(), ids=WRONG_STEPS)
def test_a_step_that_cannot_be(steps: list[Step], sentence: str) -> None:
    with pytest.raises(WorkflowError, match=sentence):
        nx.workflow.run(Workflow(tuple(steps)), np.ones((4, 8, 8)))


def test_everything_wrong_is_said_at_once() -> None:
    found = problems(Workflow((step(radius="x", sensitivity="y"), step("esrf", "b"))))
    assert len(found) == 3
    assert all(sentence.startswith("step '") for sentence in found)


def test_the_typical_workflow_can_be() -> None:
    assert problems(typical()) == []


def test_references_are_said_as_they_are_read() -> None:
    reference = Reference.parse("sr.even.channel12")
    assert (reference.name, reference.parts) == ("sr", ("even", "channel12"))
    assert str(reference) == "sr.even.channel12"


def test_the_example_of_the_documents_can_be(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "workflow.md").read_text("utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    workflow = load(tmp_path, example)
    assert workflow.text == example
    for name in KINDS:
        assert f"`{name}`" in page
