"""What the commands share: progress, errors in one sentence, and provenance."""

from __future__ import annotations

import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_nanopyx.engine import Run
    from napari_nanopyx.io import FrameStack

Progress = Callable[[int, int], None]
BLOCK_BYTES = 64 * 2**20
WRONG_INPUT = 2
TERMINATED = 128 + signal.SIGTERM

terminated = threading.Event()
"""Stops a run that a request to terminate did not: what the request raises is lost if
it comes while Python finalises an object."""


@contextmanager
def one_sentence_errors() -> Iterator[None]:
    """Turn what the user can mend into one sentence and exit code 2.

    Warnings become one sentence too, and the work goes on. A request to terminate
    becomes an ordinary exit, so that temporary files go.
    """
    from napari_nanopyx.engine import NanoPyxError

    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _say_warning  # type: ignore[assignment]
            yield
    except (NanoPyxError, ValueError, TypeError, OSError, MemoryError) as problem:
        if terminated.is_set():
            raise SystemExit(TERMINATED) from problem
        typer.echo(f"napari-nanopyx: {_sentence(problem)}", err=True)
        raise typer.Exit(WRONG_INPUT) from problem
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(*_: object) -> None:
    terminated.set()
    sys.exit(TERMINATED)


def _sentence(problem: object) -> str:
    return " ".join(str(problem).split()) or type(problem).__name__


def _say_warning(message: Warning | str, *_: object) -> None:
    typer.echo(f"napari-nanopyx: note: {_sentence(message)}", err=True)


@contextmanager
def progress(label: str, frames: int) -> Iterator[Progress]:
    """Give a function (done, total) that draws a bar on stderr, on a terminal only."""
    if not sys.stderr.isatty():
        yield _no_bar
        return
    with typer.progressbar(length=frames, label=label, file=sys.stderr) as bar:

        def update(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield update


def _no_bar(_done: int, _total: int) -> None:
    pass


def read_shifts(path: Path) -> NDArray[Any]:
    """Read the correction of every frame: a drift table, or rows and columns as CSV."""
    import numpy as np

    import napari_nanopyx

    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if lines and (lines[0].startswith("#") or "Drift Table" in lines):
        return np.asarray(napari_nanopyx.DriftTable.load(path).shifts)
    rows = [line.split(",") for line in lines if line.strip()]
    if rows and not _is_number(rows[0][0]):
        rows = rows[1:]
    try:
        shifts = np.array([[float(word) for word in row] for row in rows])
    except ValueError as problem:
        raise ValueError(f"drift file {path} is not a table: {problem}") from problem
    if shifts.ndim != 2 or shifts.shape[1] != 2:
        raise ValueError(
            f"drift file {path} holds an array of shape {shifts.shape}: "
            "give two columns, the row and the column correction of every frame"
        )
    return shifts


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def in_blocks(
    movie: FrameStack,
    compute: Callable[[NDArray[Any], Progress], NDArray[Any]],
    report: Progress,
) -> Iterator[NDArray[Any]]:
    """Compute a movie block by block, so that it is never held as a whole."""
    start, length = 0, 1
    while start < len(movie):
        done = start
        block = compute(
            movie[start : start + length],
            lambda inside, _, done=done: report(done + inside, len(movie)),  # type: ignore[misc]
        )
        yield block
        start += length
        length = max(1, BLOCK_BYTES // block[0].nbytes)


def frames(
    first: NDArray[Any], blocks: Iterable[NDArray[Any]]
) -> Iterator[NDArray[Any]]:
    """Yield single frames of the first block and of those that follow."""
    yield from first
    for block in blocks:
        yield from block


def frames_by_implementation(runs: Iterable[Run]) -> dict[str, int]:
    """Add up how many frames each implementation computed."""
    counts: dict[str, int] = {}
    for run in runs:
        for name, frame_count in run.blocks.items():
            counts[name] = counts.get(name, 0) + frame_count
    return counts


def provenance(
    command: str, source: Path, parameters: Mapping[str, Any], runs: Iterable[Run]
) -> dict[str, Any]:
    """Return what was done to which file, for the output's description."""
    from importlib.metadata import version

    record: dict[str, Any] = {
        "software": f"napari-nanopyx {version('napari-nanopyx')}",
        "command": command,
        "input": source.name,
        "parameters": dict(parameters),
    }
    if counts := frames_by_implementation(runs):
        record["frames computed by"] = counts
    return record


def say_written(target: Path, shape: tuple[int, ...], runs: Iterable[Run]) -> None:
    """Say in one line what was written and who computed it."""
    size = " x ".join(str(length) for length in shape)
    counts = frames_by_implementation(runs)
    computed = ", ".join(f"{name} ({count} frames)" for name, count in counts.items())
    typer.echo(f"{target}: {size}" + (f", computed by {computed}" if computed else ""))
