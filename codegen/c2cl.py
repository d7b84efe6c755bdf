"""Turn a kernel's C text into OpenCL C: the same text, plus entry points.

The C text is kept word for word, but for its ``#include`` lines: the OpenCL dialect and
the argument struct stand before it, a header that kernels share where it is included.
Each item that kernel.toml names gets an entry point that fills the struct and calls the
item with the work-item's three indices.
"""

from __future__ import annotations

import re

from codegen import interface as text
from codegen.interface import KERNELS, Argument, Interface

INCLUDE = re.compile(r"^#include .*\n", re.MULTILINE)
SHARED = ("fluctuations.h", "srrf/exact.h")
"""Headers in the words of the dialect."""


def translate(interface: Interface) -> str:
    """Return the OpenCL source of one kernel."""
    source = (KERNELS / interface.task / "kernel.c").read_text()
    parts = [
        (KERNELS / "dialect.cl").read_text(),
        text.records(interface),
        text.struct(interface, opencl=True),
        INCLUDE.sub(_included, source).strip(),
        *(_entry_point(interface, item) for item in interface.items),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def module(interface: Interface) -> str:
    """Return a Python module with the OpenCL source and how to launch it."""
    source = translate(interface).replace("\\", "\\\\")
    arguments = "".join(
        f"    ({a.name!r}, {a.ctype!r}, {a.role!r}),\n" for a in interface.arguments
    )
    names = [a.name for a in interface.arguments if not a.is_array]
    scalars = ", ".join([*names, "LANES", "WIDE"])
    items = "".join(
        f"        {item!r}: ({', '.join(sizes)}),\n"
        for item, sizes in interface.items.items()
    )
    return (
        f'"""Written by codegen from {interface.task}/kernel.c and kernel.toml."""\n\n'
        f"ARGUMENTS = (\n{arguments})\n\n\n"
        f"def items({scalars}):\n"
        f'    """Return the number of work-items of each step."""\n'
        f"    return {{\n{items}    }}\n\n\n"
        f'SOURCE = """\n{source}"""\n'
    )


def _included(line: re.Match[str]) -> str:
    """Return the text of a header that is C and OpenCL C, nothing for another."""
    name = line[0].split()[1].strip('"<>')
    return (KERNELS / name).read_text() if name in SHARED else ""


def _entry_point(interface: Interface, item: str) -> str:
    parameters = "".join(f"    {_parameter(a)},\n" for a in interface.arguments)
    members = "\n".join(f"    a.{a.name} = {a.name};" for a in interface.arguments)
    return (
        f"__kernel void {item}_item(\n{parameters}"
        "    int items_0, int items_1, int items_2)\n{\n"
        "    int i = get_global_id(0), j = get_global_id(1), k = get_global_id(2);\n"
        "    if (i >= items_0 || j >= items_1 || k >= items_2)\n        return;\n"
        f"    {interface.task}_arguments a;\n{members}\n    {item}(a, i, j, k);\n}}"
    )


def _parameter(argument: Argument) -> str:
    if not argument.is_array:
        return f"{argument.ctype} {argument.name}"
    space = "TABLE" if argument.role == "table" else "GLOBAL"
    constant = "" if argument.role in ("out", "work") else "const "
    ctype = "PIXEL" if argument.ctype == "pixel" else argument.ctype
    return f"{space} {constant}{ctype} *{argument.name}"
