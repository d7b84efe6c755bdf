"""Other processes that keep the processor or an OpenCL device busy when told to.

``python -m benchmarks.load cpu`` is one of them: it says that it is ready, reads ``on``
and ``off`` from its standard input, answers each with the same word, and ends with its
input.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.types import Device

ROOT = Path(__file__).parents[1]
KERNEL_SECONDS = 0.02
QUEUES = 2
GPU_PROCESSES = 6
"""A GPU turns to each process for a moment: so many make a short call wait for long."""

SOURCE = """
__kernel void burn(__global float *result, const int rounds) {
    float a = get_global_id(0), b = a + 1, c = a + 2, d = a + 3;
    for (int n = 0; n < rounds; n++) {
        a = fma(a, 0.999f, 0.1f); b = fma(b, 0.999f, 0.2f);
        c = fma(c, 0.999f, 0.3f); d = fma(d, 0.999f, 0.4f);
    }
    result[get_global_id(0)] = a + b + c + d;
}
"""


class Load:
    """Processes that burn the processor, or one OpenCL device, while switched on.

    Parameters
    ----------
    gpu
        Whether to load an OpenCL device, see `loaded_device`, instead of the processor.
    processes
        How many; by default one for each core, or `GPU_PROCESSES`.
    """

    def __init__(self, gpu: bool, processes: int | None = None) -> None:
        usual = GPU_PROCESSES if gpu else int(devices.cpu().details["cores"])
        self.is_on = False
        count = processes or usual
        if gpu:
            device = loaded_device()
            found = device.details
            what = ["opencl", str(found["platform_index"]), str(found["device_index"])]
            self.summary = f"{count} processes with OpenCL kernels on {device.name}"
        else:
            what = ["cpu"]
            self.summary = f"{count} processes that burn the processor"
        self._command = [sys.executable, "-m", "benchmarks.load", *what]
        self._count = count
        self._children: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        """Wait until all are ready."""
        try:
            self._start(self._command)
            # The others need not find out how long a kernel takes, all at once.
            (rounds,) = self._hear("ready")
            while len(self._children) < self._count:
                self._start([*self._command, rounds])
            self._hear("ready", first=1)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def switch(self, on: bool) -> None:
        """Return once all of them work, or none of them any more."""
        if on == self.is_on:
            return
        word = "on" if on else "off"
        for child in self._children:
            assert child.stdin is not None
            child.stdin.write(f"{word}\n")
            child.stdin.flush()
        self._hear(word)
        self.is_on = on

    def close(self) -> None:
        """End the processes."""
        for child in self._children:
            child.kill()
        for child in self._children:
            child.communicate()
        self._children.clear()

    def _start(self, command: list[str]) -> None:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=ROOT,
            env={**os.environ, "PYOPENCL_NO_CACHE": "1"},
        )
        self._children.append(child)

    def _hear(self, word: str, first: int = 0) -> list[str]:
        """Wait for a word from each process, and return what each said after it."""
        rest = []
        for child in self._children[first:]:
            assert child.stdout is not None
            said, _, more = child.stdout.readline().strip().partition(" ")
            if said != word:
                raise RuntimeError(
                    f"a process that should make load said {said!r} instead of "
                    f"{word!r}; its exit status is {child.poll()}"
                )
            rest.append(more)
        return rest


def loaded_device() -> Device:
    """Return the first GPU or, where there is none, the first OpenCL device."""
    found = sorted(devices.opencl_devices(), key=lambda device: not device.is_gpu)
    if not found:
        reason, remedy = devices.opencl_problem() or ("", "")
        raise SystemExit(f"there is no OpenCL device to load: {reason}. {remedy}")
    return found[0]


class _Burner:
    """Keeps one core busy."""

    rounds = 0

    def step(self) -> None:
        """Compute for some milliseconds."""
        number = 1.0
        for _ in range(100_000):
            number = number * 0.999 + 0.1

    def rest(self) -> None:
        """Leave nothing running."""


class _KernelBurner:
    """Keeps kernels waiting on some queues of a device, and the processor idle."""

    def __init__(self, platform_index: int, device_index: int, rounds: int) -> None:
        import pyopencl as cl

        self._cl = cl
        device = cl.get_platforms()[platform_index].get_devices()[device_index]
        context = cl.Context([device])
        self._items = 2048 * int(device.max_compute_units)
        self._kernel = cl.Kernel(cl.Program(context, SOURCE).build(), "burn")
        self._queues = [cl.CommandQueue(context) for _ in range(QUEUES)]
        flags = cl.mem_flags.READ_WRITE
        self._results = [cl.Buffer(context, flags, 4 * self._items) for _ in range(2)]
        self._running: list[list[Any]] = [[] for _ in self._queues]
        self.rounds = rounds or 1000
        self._launch(0).wait()
        while not rounds and (seconds := self._seconds()) < KERNEL_SECONDS / 2:
            more = min(KERNEL_SECONDS / max(seconds, 1e-6), 10)
            self.rounds = int(self.rounds * more)

    def step(self) -> None:
        """Add kernels where one has ended; mostly sleep."""
        for number, running in enumerate(self._running):
            complete = self._cl.command_execution_status.COMPLETE
            running[:] = [e for e in running if e.command_execution_status != complete]
            while len(running) < 2:
                running.append(self._launch(number))
        time.sleep(KERNEL_SECONDS / 8)

    def rest(self) -> None:
        """Wait for the kernels that run."""
        for queue in self._queues:
            queue.finish()

    def _seconds(self) -> float:
        start = time.perf_counter()
        self._launch(0).wait()
        return time.perf_counter() - start

    def _launch(self, number: int) -> Any:
        import numpy as np

        queue, result = self._queues[number], self._results[number % 2]
        self._kernel.set_args(result, np.int32(self.rounds))
        event = self._cl.enqueue_nd_range_kernel(
            queue, self._kernel, (self._items,), None
        )
        queue.flush()
        return event


def _obey(burner: _Burner | _KernelBurner) -> None:
    """Work and rest as the parent says, until it has gone."""
    told = {"on": threading.Event(), "off": threading.Event(), "": threading.Event()}

    def listen() -> None:
        for line in sys.stdin:
            told[line.strip()].set()
        told[""].set()

    threading.Thread(target=listen, daemon=True).start()
    print("ready", burner.rounds, flush=True)
    while not told[""].is_set():
        if not told["on"].wait(0.1):
            continue
        told["on"].clear()
        burner.step()
        print("on", flush=True)
        while not (told["off"].is_set() or told[""].is_set()):
            burner.step()
        told["off"].clear()
        burner.rest()
        print("off", flush=True)


def main(what: str, *numbers: str) -> None:
    """Be one of the processes."""
    if what == "cpu":
        _obey(_Burner())
        return
    platform_index, device_index, *rounds = map(int, numbers)
    _obey(_KernelBurner(platform_index, device_index, *(rounds or [0])))


if __name__ == "__main__":
    main(*sys.argv[1:])
