"""The documents point at files that exist and name things that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from napari_nanopyx import cli

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
LINK = re.compile(r"\]\(([^)#]+?)(?:#[^)]*)?\)")
COMMAND = re.compile(r"^napari-nanopyx ([\w-]+)(.*)$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    """A link inside the repository points at a file of it."""
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


def test_readme_commands_exist() -> None:
    """Each command line of the readme has options that the command knows."""
    commands = COMMAND.findall((ROOT / "README.md").read_text())
    assert len(commands) >= 3
    for name, words in commands:
        shown = CliRunner().invoke(cli.app, [name, "--help"])
        assert shown.exit_code == 0, name
        for option in re.findall(r"--[\w-]+", words):
            assert option in shown.stdout, f"{name} {option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page: Path) -> None:
    """Each `make` command that a page names is in the Makefile."""
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"`make (\w+)|^make (\w+)", page.read_text(), re.MULTILINE)
    assert {first or second for first, second in named} <= set(targets)


def test_every_complaint_is_answered_by_what_exists() -> None:
    """Each row of the complaints names a test or a page, and these are there."""
    rows = [
        line
        for line in (ROOT / "docs/complaints.md").read_text().splitlines()
        if re.match(r"\| \d+ \|", line)
    ]
    assert len(rows) >= 20
    for row in rows:
        proof = row.rstrip("| ").split(" | ")[-1]
        tests = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", proof)
        assert tests or LINK.findall(proof), row
        for path, name in tests:
            assert f"def {name}(" in (ROOT / path).read_text(), f"{path}::{name}"
