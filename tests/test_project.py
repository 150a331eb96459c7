"""What the project says about itself is true: commands, versions, pages, and no trace of one machine."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]

# In two pieces, so that this file does not contain what it looks for.
UNWANTED = tuple("".join(parts) for parts in (("https://", "pypi"), ("/wo", "rk/"), ("/ro", "ot/")))


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def make_targets() -> dict[str, str]:
    """Return the targets a user may name, each with its help text ("" where there is none)."""
    rules = re.findall(r"^([a-z][a-z-]*):(?!=)(.*)$", text_of("Makefile"), flags=re.MULTILINE)
    return {target: rest.partition("## ")[2].strip() for target, rest in rules}


def readme_commands() -> list[str]:
    """Return the lines of the first code block of the README."""
    block = re.search(r"^```\w*\n(.*?)^```", text_of("README.md"), flags=re.MULTILINE | re.DOTALL)
    assert block, "README.md has no code block"
    return block.group(1).split("\n")[:-1]


def project_files() -> list[Path]:
    """Return the files that git tracks or would track; skip where git cannot say."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git repository")
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def traces(files: list[Path]) -> list[str]:
    """Return every place in text files that names a registry host or a path of one machine."""
    found = []
    for path in files:
        data = path.read_bytes()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.decode("utf-8", errors="replace").splitlines(), start=1):
            found += [f"{path.name}:{number}: {unwanted}" for unwanted in UNWANTED if unwanted in line]
    return found


def nav_pages(entry: Any) -> Iterator[str]:
    """Yield the pages of a mkdocs nav, however deep."""
    if isinstance(entry, str):
        yield entry
    else:
        for part in entry.values() if isinstance(entry, dict) else entry:
            yield from nav_pages(part)


def test_readme_begins_with_two_commands_that_exist() -> None:
    commands = readme_commands()
    assert commands == ["make demo", "make test"]
    assert {command.removeprefix("make ") for command in commands} <= make_targets().keys()


def test_ci_calls_exactly_the_second_command_of_the_readme() -> None:
    steps = re.findall(r"^step (.+)$", text_of(".ci/run"), flags=re.MULTILINE)
    assert steps[0] == readme_commands()[1]
    assert steps == ["make test", "make lint", "make types", "make docs"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert {step.removeprefix("make ") for step in steps} <= make_targets().keys()


def test_every_target_of_make_has_a_help_text() -> None:
    targets = make_targets()
    assert {"demo", "test", "lint", "format", "types", "docs", "bench", "clean", "check", "help"} <= targets.keys()
    assert [target for target, text in targets.items() if not text] == []


def test_make_help_lists_every_target() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split()[1] for line in shown.splitlines() if line.startswith("  make ")} == make_targets().keys()


def test_no_registry_host_and_no_path_of_one_machine() -> None:
    assert traces(project_files()) == []


def test_a_trace_would_be_found(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text(f"fine\nsee {UNWANTED[1]}main\n", encoding="utf-8")
    assert traces([path]) == [f"notes.md:2: {UNWANTED[1]}"]


def test_version_is_told_alike_everywhere() -> None:
    version = re.search(r'__version__ = "(.+)"', text_of("src/smoulder/_version.py"))
    assert version
    assert re.search(rf"^## \[{re.escape(version.group(1))}\]", text_of("CHANGELOG.md"), flags=re.MULTILINE)
    assert yaml.safe_load(text_of("CITATION.cff"))["version"] == version.group(1)


def test_package_says_that_it_is_typed() -> None:
    assert (ROOT / "src" / "smoulder" / "py.typed").is_file()


def test_changelog_has_a_place_for_changed_results() -> None:
    assert "### Results change" in text_of("CHANGELOG.md")


def test_every_page_of_the_documentation_exists() -> None:
    pages = list(nav_pages(yaml.safe_load(text_of("mkdocs.yml"))["nav"]))
    assert len(pages) > 10
    assert [page for page in pages if not (ROOT / "docs" / page).is_file()] == []


def test_licence_is_the_same_everywhere() -> None:
    assert text_of("LICENSE").startswith("MIT License")
    assert yaml.safe_load(text_of("CITATION.cff"))["license"] == "MIT"
    assert tomllib.loads(text_of("pyproject.toml"))["project"]["license"] == "MIT"
