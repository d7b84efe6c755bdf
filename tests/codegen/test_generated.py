"""What codegen writes from the kernels of this project."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import codegen.__main__
from codegen import c2cl, interface
from codegen.__main__ import KINDS, kinds, main, make

ROOT = Path(__file__).parents[2]


def digests(folder: Path) -> dict[str, str]:
    make(folder)
    found: dict[str, str] = runpy.run_path(str(folder / "digests.py"))["DIGESTS"]
    return found


@pytest.mark.parametrize("task", interface.tasks())
def test_opencl_text_contains_the_c_text_word_for_word(task: str) -> None:
    """The arithmetic is not translated: OpenCL compiles the very same lines."""
    source = (interface.KERNELS / task / "kernel.c").read_text()
    translated = c2cl.translate(interface.read(task))
    for line in source.splitlines():
        if not line.startswith("#include"):
            assert line in translated


@pytest.mark.parametrize("task", interface.tasks())
def test_every_item_gets_an_entry_point(task: str) -> None:
    """kernel.toml's items and the OpenCL kernels are the same list."""
    kernel = interface.read(task)
    translated = c2cl.translate(kernel)
    assert translated.count("__kernel void") == len(kernel.items)
    for item in kernel.items:
        assert f"__kernel void {item}_item(" in translated


@pytest.mark.parametrize("task", interface.tasks())
def test_cython_has_the_serial_loop_and_three_schedules(task: str) -> None:
    """tag2tag turns one loop into four."""
    text = KINDS["cython"][1](interface.read(task))
    for name in ("serial", "threads_static", "threads_dynamic", "threads_guided"):
        assert f"def {name}(" in text
    for schedule in ("static", "dynamic", "guided"):
        assert f"schedule='{schedule}'" in text
    assert "tag-copy" not in text
    assert "TASK" not in text


def test_make_leaves_unchanged_files_alone(tmp_path: Path) -> None:
    """A second run touches nothing, so that nothing is compiled again."""
    make(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    make(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    kernels = [interface.read(task) for task in interface.tasks()]
    assert len(before) == sum(len(kinds(kernel)) for kernel in kernels) + 1


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("lags/kernel.c", {"lags", "srrf"}),
        ("srrf/exact.h", {"srrf"}),
        ("esrrf_3d/mirrors.h", {"esrrf_3d"}),
        ("esrrf_3d/parts.py", {"esrrf_3d"}),
        ("fluctuations.h", {"esrrf", "esrrf_3d"}),
        ("dialect.h", set(interface.tasks())),
    ],
)
def test_the_digest_is_of_all_that_a_task_is_computed_by(
    changed: str,
    expected: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = digests(tmp_path / "before")
    kernels = tmp_path / "kernels"
    shutil.copytree(interface.KERNELS, kernels)
    for module in (interface, c2cl, codegen.__main__):
        monkeypatch.setattr(module, "KERNELS", kernels)
    with (kernels / changed).open("a") as source:
        source.write("\n")
    after = digests(tmp_path / "after")
    assert {task for task in after if after[task] != before[task]} == expected


def test_show_prints_what_make_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m codegen show` shows the file that the build uses."""
    make(tmp_path)
    main(["show", "esrrf", "opencl"])
    assert capsys.readouterr().out == (tmp_path / "esrrf_opencl.py").read_text()


def test_list_from_the_command_line() -> None:
    """The command a newcomer types."""
    result = subprocess.run(
        [sys.executable, "-m", "codegen", "list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "esrrf cython" in result.stdout.splitlines()
