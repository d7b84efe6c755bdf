"""Read a kernel.toml and write what it says as C and Cython text."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

KERNELS = Path(__file__).parents[1] / "src" / "napari_nanopyx" / "_kernels"
INCLUDED = re.compile(r'^#include "(.+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Argument:
    """One thing a kernel is given."""

    name: str
    ctype: str
    role: str
    """``"scalar"``, ``"in"``, ``"out"``, ``"table"`` or ``"work"``."""

    @property
    def is_array(self) -> bool:
        """Whether it is an array rather than a number."""
        return self.role != "scalar"


@dataclass(frozen=True, slots=True)
class Interface:
    """Everything a kernel.toml says."""

    task: str
    arguments: tuple[Argument, ...]
    records: dict[str, dict[str, str]]
    items: dict[str, list[str]]
    """The functions that are an OpenCL work-item each, in the order they run, with the
    number of items along each index; none of a kernel that is for the CPU only."""
    merged_by: str = ""
    """The kernel that merges what blocks of this one leave behind, if one does."""


def tasks() -> list[str]:
    """Return the names of all kernels that have a C snippet."""
    return sorted(path.parent.name for path in KERNELS.glob("*/kernel.toml"))


def read(task: str) -> Interface:
    """Read the interface of one kernel."""
    declared = tomllib.loads((KERNELS / task / "kernel.toml").read_text())
    arguments = []
    for name, text in declared["arguments"].items():
        ctype, _, role = text.partition(" ")
        arguments.append(Argument(name, ctype, role or "scalar"))
    return Interface(
        task,
        tuple(arguments),
        declared.get("records", {}),
        declared.get("items", {}),
        declared.get("merged_by", ""),
    )


def sources(task: str) -> list[Path]:
    """Return the files that a kernel is compiled from and the modules beside them."""
    found = [KERNELS / task / "kernel.c"]
    for path in found:
        names = INCLUDED.findall(path.read_text())
        included = [KERNELS / name for name in names if (KERNELS / name).exists()]
        found += [path for path in included if path not in found]
    return [*found, *sorted((KERNELS / task).glob("*.py"))]


def records(interface: Interface) -> str:
    """Return the C typedefs of the kernel's records."""
    return "\n\n".join(
        "typedef struct {\n"
        + "".join(f"    {ctype} {field};\n" for field, ctype in fields.items())
        + f"}} {name};"
        for name, fields in interface.records.items()
    )


def struct(interface: Interface, *, opencl: bool = False) -> str:
    """Return the C typedef of the struct that holds all arguments."""
    members = "".join(f"    {_member(a, opencl)};\n" for a in interface.arguments)
    return f"typedef struct {{\n{members}}} {interface.task}_arguments;"


def header(interface: Interface) -> str:
    """Return the C header that kernel.c includes."""
    guard = f"{interface.task.upper()}_ARGUMENTS_H"
    parts = [records(interface), struct(interface)]
    body = "\n\n".join(part for part in parts if part)
    return (
        f"/* Written by codegen from {interface.task}/kernel.toml. */\n"
        f"#ifndef {guard}\n#define {guard}\n\n{body}\n\n#endif\n"
    )


def cython_members(interface: Interface) -> str:
    """Return the struct's members as a Cython extern declaration."""
    return "\n".join(f"        {_cython_type(a)}{a.name}" for a in interface.arguments)


def cython_pack(interface: Interface) -> str:
    """Return Cython statements that fill the struct ``a`` from the dict ``values``."""
    lines = []
    for argument in interface.arguments:
        name = argument.name
        if argument.role == "work":
            lines.append(f"    a.{name} = NULL")
        elif not argument.is_array:
            lines.append(f'    a.{name} = values["{name}"]')
        else:
            view, cast = _view(argument)
            lines.append(f'    cdef {view} {name} = values.get("{name}")')
            lines.append(f"    a.{name} = NULL if {name} is None else {cast}&{name}[0]")
    return "\n".join(lines)


def _member(argument: Argument, opencl: bool) -> str:
    space = "TABLE" if argument.role == "table" else "GLOBAL"
    if not argument.is_array:
        return f"{argument.ctype} {argument.name}"
    constant = "" if argument.role in ("out", "work") else "const "
    ctype = argument.ctype
    if ctype == "pixel":
        ctype = "PIXEL" if opencl else "void"
    qualifier = f"{space} " if opencl else ""
    return f"{qualifier}{constant}{ctype} *{argument.name}"


def _cython_type(argument: Argument) -> str:
    if not argument.is_array:
        return f"{argument.ctype} "
    constant = "" if argument.role in ("out", "work") else "const "
    known = argument.ctype in ("int", "float", "double")
    ctype = argument.ctype if known else "void"
    return f"{constant}{ctype} *"


def _view(argument: Argument) -> tuple[str, str]:
    if argument.role == "out":
        return f"{argument.ctype}[::1]", ""
    if argument.ctype in ("int", "float"):
        return f"const {argument.ctype}[::1]", ""
    return "const unsigned char[::1]", "<const void *>"
