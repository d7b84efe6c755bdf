r"""Copy tagged blocks of code with replacements: one loop in, its variants out.

A block stands between ``# tag-start: NAME`` and ``# tag-end: NAME``. A line
``# tag-copy: NAME; "old" -> "new"; …`` is replaced by a copy of that block in which
every old text has become the new one (``\n`` stands for a line break). Tags work in
any language whose comments start with ``#``.
"""

from __future__ import annotations

import re

START = re.compile(r"^\s*# tag-start: (\w+)$")
END = re.compile(r"^\s*# tag-end: (\w+)$")
COPY = re.compile(r"^\s*# tag-copy: (\w+)(.*)$")
REPLACEMENT = re.compile(r';\s*"([^"]*)"\s*->\s*"([^"]*)"')


class TagError(ValueError):
    """A tag that is malformed, unknown, unclosed or replaces nothing."""


def expand(text: str) -> str:
    """Return the text with every tag-copy line replaced by its copied block.

    Raises
    ------
    TagError
        If a block is not closed or not known, or a replacement matches nothing.
    """
    blocks = _blocks(text)
    lines: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        copy = COPY.match(line)
        if copy is None:
            lines.append(line)
            continue
        name, instructions = copy.groups()
        if name not in blocks:
            known = ", ".join(sorted(blocks)) or "none"
            raise TagError(f"line {number}: no block {name!r}; blocks here: {known}")
        lines.extend(_replaced(blocks[name], instructions, number))
    return "\n".join(lines) + "\n"


def _blocks(text: str) -> dict[str, list[str]]:
    blocks: dict[str, list[str]] = {}
    current: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if start := START.match(line):
            if current is not None:
                raise TagError(f"line {number}: block {current!r} is still open")
            current = start[1]
            blocks[current] = []
        elif end := END.match(line):
            if end[1] != current:
                raise TagError(
                    f"line {number}: {end[1]!r} ends but {current!r} is open"
                )
            current = None
        elif current is not None:
            blocks[current].append(line)
    if current is not None:
        raise TagError(f"block {current!r} is never closed")
    return blocks


def _replaced(block: list[str], instructions: str, number: int) -> list[str]:
    pairs = REPLACEMENT.findall(instructions)
    if REPLACEMENT.sub("", instructions).strip():
        raise TagError(f'line {number}: write ; "old" -> "new", not {instructions!r}')
    text = "\n".join(block)
    for old, new in pairs:
        if old not in text:
            raise TagError(f"line {number}: {old!r} does not occur in the block")
        text = text.replace(old, new.replace("\\n", "\n"))
    return text.splitlines()
