"""Show or write what is generated from the kernel snippets.

``python -m codegen list`` names tasks and kinds, ``show TASK KIND`` prints one
generated text, ``make FOLDER`` writes them all (CMake calls this).
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

from codegen import c2cl, interface, tag2tag
from codegen.interface import KERNELS, Interface


def cython(kernel: Interface) -> str:
    """Return the Cython module with the serial and OpenMP drivers."""
    driver = (KERNELS / "driver.pyx").read_text()
    filled = (
        driver.replace("# codegen: members", interface.cython_members(kernel))
        .replace("# codegen: pack", interface.cython_pack(kernel))
        .replace("TASK", kernel.task)
    )
    return tag2tag.expand(filled)


def numba(kernel: Interface) -> str:
    """Return the Numba module made from the kernel's Python twin."""
    return tag2tag.expand((KERNELS / kernel.task / "twin.py").read_text())


KINDS: dict[str, tuple[str, Callable[[Interface], str]]] = {
    "header": ("{task}_arguments.h", interface.header),
    "cython": ("{task}.pyx", cython),
    "opencl": ("{task}_opencl.py", c2cl.module),
    "numba": ("{task}_numba.py", numba),
}
FOR_CPU_ONLY = ("header", "cython")


def kinds(kernel: Interface) -> list[str]:
    """Return what is generated of a kernel."""
    return list(KINDS if kernel.items else FOR_CPU_ONLY)


def make(folder: Path) -> None:
    """Write every generated file whose text has changed."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {}
    for task in interface.tasks():
        kernel = interface.read(task)
        texts = {
            name.format(task=task): generate(kernel)
            for name, generate in (KINDS[kind] for kind in kinds(kernel))
        }
        for name, text in texts.items():
            _write(folder / name, text)
        read = (path.read_text() for path in interface.sources(task))
        contents[task] = "".join((*texts.values(), *read))
    digests = {
        task: _digest(text + contents.get(interface.read(task).merged_by, ""))
        for task, text in contents.items()
    }
    _write(
        folder / "digests.py",
        f'"""What identifies each kernel\'s code."""\n\nDIGESTS = {digests!r}\n',
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name the tasks and the kinds")
    show = commands.add_parser("show", help="print one generated text")
    show.add_argument("task", choices=interface.tasks())
    show.add_argument("kind", choices=list(KINDS))
    write = commands.add_parser("make", help="write all generated files")
    write.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    if options.command == "list":
        lines = [
            f"{task} {kind}"
            for task in interface.tasks()
            for kind in kinds(interface.read(task))
        ]
        sys.stdout.write("\n".join(lines) + "\n")
    elif options.command == "show":
        sys.stdout.write(KINDS[options.kind][1](interface.read(options.task)))
    else:
        make(options.folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
