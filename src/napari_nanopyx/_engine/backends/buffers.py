"""The memory of an OpenCL device that one session uses."""

from __future__ import annotations

from typing import Any


class Buffers:
    """Buffers by name and slot, kept from launch to launch.

    Parameters
    ----------
    context
        Of the device.
    queues
        Whatever may still use a buffer when it has to make room for a larger one.
    """

    def __init__(self, context: Any, *queues: Any) -> None:
        self._context = context
        self._queues = queues
        self._held: dict[tuple[str, int], Any] = {}

    def __contains__(self, name_and_slot: tuple[str, int]) -> bool:
        return name_and_slot in self._held

    def __getitem__(self, name_and_slot: tuple[str, int]) -> Any:
        return self._held[name_and_slot]

    def at_least(self, name: str, slot: int, size: int) -> Any:
        """Return a buffer of so many bytes, enlarged if it is too small."""
        import pyopencl as cl

        held = self._held.get((name, slot))
        if held is None or held.size < size:
            if held is not None:
                for queue in self._queues:
                    queue.finish()
                held.release()
            held = cl.Buffer(self._context, cl.mem_flags.READ_WRITE, size)
            self._held[name, slot] = held
        return held

    def release(self) -> None:
        """Give the memory back."""
        for buffer in self._held.values():
            buffer.release()
        self._held.clear()
