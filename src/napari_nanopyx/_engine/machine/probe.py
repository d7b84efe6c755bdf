"""Run in a process of its own: prints the OpenCL devices as one line of JSON.

It imports nothing of this package, and may crash or hang with the driver.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from typing import Any

_NICENESS = 10


def main(limit_seconds: float) -> None:
    """Print ``{"devices": [...], "problem": ..., "detail": ...}`` as the last line."""
    faulthandler.dump_traceback_later(limit_seconds, exit=True)
    if hasattr(os, "nice"):
        os.nice(_NICENESS)  # a run may be computing, and timed, meanwhile
    answer = probe()
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


def probe() -> dict[str, Any]:
    """Return what was found, and the first problem met."""
    answer: dict[str, Any] = {"devices": [], "problem": "", "detail": ""}
    try:
        import pyopencl as cl
    except ImportError as error:
        missing = getattr(error, "name", None) == "pyopencl"
        answer["problem"] = "not installed" if missing else "import"
        answer["detail"] = str(error)
        return answer
    try:
        platforms = cl.get_platforms()
    except cl.Error as error:
        answer["problem"], answer["detail"] = "no platform", str(error)
        return answer
    for platform_index, platform in enumerate(platforms):
        try:
            devices = platform.get_devices()
        except cl.Error as error:
            answer["problem"], answer["detail"] = "device", f"{platform.name}: {error}"
            continue
        for device_index, device in enumerate(devices):
            try:
                found = describe(cl, platform, device)
            except cl.Error as error:
                name = str(device.name).strip()
                answer["problem"], answer["detail"] = "device", f"{name}: {error}"
                continue
            found.update(platform_index=platform_index, device_index=device_index)
            answer["devices"].append(found)
    if not answer["devices"] and not answer["problem"]:
        answer["problem"] = "no device"
    return answer


def describe(cl: Any, platform: Any, device: Any) -> dict[str, Any]:
    """Return what a device says of itself, once it has copied a few bytes."""
    context = cl.Context([device])
    queue = cl.CommandQueue(context)
    buffer = cl.Buffer(context, cl.mem_flags.READ_WRITE, 64)
    data = bytearray(64)
    cl.enqueue_copy(queue, buffer, bytes(range(64)))
    cl.enqueue_copy(queue, data, buffer)
    queue.finish()
    if data != bytes(range(64)):
        raise cl.RuntimeError("a buffer came back with other bytes than it was given")
    is_gpu = bool(device.type & cl.device_type.GPU)
    return {
        "name": str(device.name).strip(),
        "is_gpu": is_gpu,
        "platform": str(platform.name).strip(),
        "driver": str(device.driver_version).strip(),
        "units": int(device.max_compute_units),
        "memory_bytes": int(device.global_mem_size),
        "double_precision": bool(device.double_fp_config),
        "float_lanes": max(1, int(device.native_vector_width_float)),
        "constant_bytes": int(device.max_constant_buffer_size),
        "max_allocation_bytes": int(device.max_mem_alloc_size),
    }


if __name__ == "__main__":
    main(float(sys.argv[1]))
