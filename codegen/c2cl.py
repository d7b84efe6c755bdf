"""Turn a kernel's C text into OpenCL C: the same text, plus entry points.

The C text is kept word for word, but for its ``#include`` lines, in whose place the
OpenCL dialect and the argument struct stand. Each item that kernel.toml names gets an
entry point that fills the struct and calls the item with the work-item's three indices.
"""

from __future__ import annotations

import re

from codegen import interface as text
from codegen.interface import KERNELS, Argument, Interface

INCLUDE = re.compile(r"^#include .*\n", re.MULTILINE)


def translate(interface: Interface) -> str:
    """Return the OpenCL source of one kernel."""
    source = (KERNELS / interface.task / "kernel.c").read_text()
    parts = [
        (KERNELS / "dialect.cl").read_text(),
        text.records(interface),
        text.struct(interface, opencl=True),
        INCLUDE.sub("", source).strip(),
        *(_entry_point(interface, item) for item in interface.items),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def module(interface: Interface) -> str:
    """Return a Python module that carries the OpenCL source."""
    source = translate(interface).replace("\\", "\\\\")
    return (
        f'"""Written by codegen from {interface.task}/kernel.c."""\n\n'
        f'SOURCE = """\n{source}"""\n'
    )


def _entry_point(interface: Interface, item: str) -> str:
    parameters = ",\n    ".join(_parameter(a) for a in interface.arguments)
    members = "\n".join(f"    a.{a.name} = {a.name};" for a in interface.arguments)
    return (
        f"__kernel void {item}_item(\n    {parameters})\n{{\n"
        f"    {interface.task}_arguments a;\n{members}\n"
        f"    {item}(a, get_global_id(0), get_global_id(1), get_global_id(2));\n}}"
    )


def _parameter(argument: Argument) -> str:
    if not argument.is_array:
        return f"{argument.ctype} {argument.name}"
    space = "TABLE" if argument.role == "table" else "GLOBAL"
    constant = "" if argument.role in ("out", "work") else "const "
    ctype = "PIXEL" if argument.ctype == "pixel" else argument.ctype
    return f"{space} {constant}{ctype} *{argument.name}"

