"""The house rule, read from the imports: nouns above, verbs beside, outlets below (docs/architecture.md)."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "smoulder"
SOURCE = ROOT / "src" / PACKAGE
MOST_LINES = 600

NOUNS = (
    "errors",
    "terms",
    "findings",
    "tables",
    "loaded",
    "rulebook",
    "protocol",
    "_version",
    "provenance",
    "events",
    "outcome",
    "followed",
    "estimates",
)
VERBS = ("sources", "checks", "engine", "simulation", "enrolment", "analysis", "figures")
OUTLETS = ("reading", "outputs", "studying", "demo", "cli", "__main__", "__init__")

HOMES: dict[str, tuple[str, ...]] = {
    "numba": ("engine",),
    "llvmlite": ("engine",),
    "pydantic": ("rulebook", "protocol"),
    "pydantic_core": ("rulebook", "protocol"),
    "tomllib": ("sources", "rulebook", "protocol"),
    "tomlkit": ("rulebook", "protocol"),
    "fastexcel": ("sources",),
    "xlsxwriter": ("outputs",),
    "jinja2": ("figures", "studying"),
    "vl_convert": ("figures",),
    "altair": ("figures",),
    "survival": ("analysis",),
    "statsmodels": ("analysis",),
    "pyreadstat": ("studying",),
    "cyclopts": ("cli",),
    "rich": ("cli",),
    "pandas": (),
    "pyarrow": (),
}
"""Where a library may be imported; one that is not listed is at home everywhere."""


class Import(NamedTuple):
    line: int
    name: str
    """Dotted, with the imported name at its end: "smoulder.tables.Cohort"."""
    only_for_types: bool


def room(path: Path, package: Path) -> str:
    """Return the first part of a module's place: "engine" for engine/kernel.py, "tables" for tables.py."""
    first = path.relative_to(package).parts[0]
    return first.removesuffix(".py")


def modules(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


def imports(path: Path, package: Path) -> Iterator[Import]:
    """Yield every import of a file, also those inside functions, relative ones and `import_module("name")`."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
        for statement in node.body
        for inner in ast.walk(statement)
    }
    place = (package.name, *path.relative_to(package).parent.parts)
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = list(place[: len(place) - node.level + 1]) if node.level else []
            base = ".".join(above + ([node.module] if node.module else []))
            names = [f"{base}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"import_module", "importlib.import_module", "__import__"}:
            names = [a.value for a in node.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        for name in names:
            yield Import(getattr(node, "lineno", 0), name, id(node) in for_types)


def may_import(source: str, target: str) -> bool:
    """Return whether one room of the house may import another."""
    if source == target or source in OUTLETS:
        return True
    if source in NOUNS:
        return target in NOUNS[: NOUNS.index(source)]
    return target in NOUNS


def broken_rules(package: Path) -> list[str]:
    """Return one sentence for each import that points the wrong way."""
    wrong = []
    for path in modules(package):
        source, shown = room(path, package), path.relative_to(package.parent).as_posix()
        if source not in NOUNS + VERBS + OUTLETS:
            wrong.append(f"{shown}: '{source}' is no room of the house; see docs/architecture.md")
            continue
        for line, name, only_for_types in imports(path, package):
            top, *rest = name.split(".")
            if top == package.name:
                # A name imported from the package itself is either a room, or one of the public names of __init__.
                target = rest[0] if rest and rest[0] in NOUNS + VERBS + OUTLETS else "__init__"
                if not may_import(source, target):
                    wrong.append(f"{shown}:{line}: '{source}' may not import '{target}'")
            elif top in HOMES and source not in HOMES[top] and not only_for_types:
                home = " or ".join(HOMES[top]) or "nowhere"
                wrong.append(f"{shown}:{line}: '{top}' is imported in '{source}'; its home is {home}")
    return wrong


def undeclared(package: Path, declared: set[str]) -> list[str]:
    """Return one sentence for each library that is imported and not among the declared ones."""
    known = declared | set(sys.stdlib_module_names) | {package.name}
    return [
        f"{path.relative_to(package.parent).as_posix()}:{line}: '{name.split('.')[0]}' is no dependency in pyproject.toml"
        for path in modules(package)
        for line, name, only_for_types in imports(path, package)
        if name.split(".")[0] not in known and not only_for_types
    ]


def prints(package: Path) -> list[str]:
    """Return where anything but the command line prints."""
    return [
        f"{path.relative_to(package.parent).as_posix()}:{node.lineno}: only the command line prints"
        for path in modules(package)
        if room(path, package) != "cli"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]


def too_long(package: Path, most: int = MOST_LINES) -> list[str]:
    """Return the files with more lines than can be read in one sitting."""
    counts = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules(package)}
    return [f"{path.relative_to(package.parent).as_posix()}: {n} lines, {most} allowed" for path, n in counts.items() if n > most]


def test_imports_point_one_way() -> None:
    assert broken_rules(SOURCE) == []


def test_every_library_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[<>=\[;! ]", requirement, maxsplit=1)[0] for requirement in project["dependencies"]}
    declared = {{"vl-convert-python": "vl_convert"}.get(name, name.replace("-", "_")) for name in names}
    assert undeclared(SOURCE, declared) == []


def test_only_the_command_line_prints() -> None:
    assert prints(SOURCE) == []


def test_no_public_name_is_also_a_room() -> None:
    # `smoulder.definitions` cannot be both a function and a folder: whichever is imported last would win.
    path = SOURCE / "__init__.py"
    tree = ast.parse(path.read_text(encoding="utf-8") if path.is_file() else "")
    public = {
        name
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        for name in ast.literal_eval(node.value)
    }
    assert public & {room(module, SOURCE) for module in modules(SOURCE)} == set()


def test_no_file_is_too_long() -> None:
    assert too_long(SOURCE) == []


# The rules themselves, on a toy tree: kept, nothing is said; broken, the file is named.

KEPT = {
    "__init__.py": "from toy.reading import read\n",
    "errors.py": "import difflib\n",
    "tables.py": "from toy.errors import DataError\nimport polars as pl\n",
    "events.py": "from .tables import Cohort\n",
    "engine/kernel.py": "import numba\n",
    "engine/detect.py": "from toy.events import Events\nfrom .kernel import a\nfrom . import kernel\nfrom ..tables import B\n",
    "reading.py": "from toy.sources.files import load\nfrom toy.checks import check\n",
    "cli/__init__.py": "import rich\nimport toy\nprint('hello')\n",
    "sources/files.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas\n",
    "checks/__init__.py": "from toy import tables\n",
}


def toy_tree(folder: Path, files: dict[str, str]) -> Path:
    package = folder / "toy"
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return package


def test_a_house_in_order_passes(tmp_path: Path) -> None:
    package = toy_tree(tmp_path, KEPT)
    assert broken_rules(package) == []
    assert prints(package) == []
    assert undeclared(package, {"polars", "numba", "rich"}) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("tables.py", "from toy.events import Events\n", "toy/tables.py:1: 'tables' may not import 'events'"),
        ("tables.py", "from .engine import detect\n", "toy/tables.py:1: 'tables' may not import 'engine'"),
        ("tables.py", "def f():\n    import toy.cli\n", "toy/tables.py:2: 'tables' may not import 'cli'"),
        (
            "figures/patient.py",
            "from toy.engine.detect import detect\n",
            "toy/figures/patient.py:1: 'figures' may not import 'engine'",
        ),
        ("figures/patient.py", "from ..engine import detect\n", "toy/figures/patient.py:1: 'figures' may not import 'engine'"),
        ("figures/patient.py", "from .. import engine\n", "toy/figures/patient.py:1: 'figures' may not import 'engine'"),
        ("figures/patient.py", "from toy import read\n", "toy/figures/patient.py:1: 'figures' may not import '__init__'"),
        (
            "figures/patient.py",
            "import numba.core\n",
            "toy/figures/patient.py:1: 'numba' is imported in 'figures'; its home is engine",
        ),
        (
            "engine/pack.py",
            "from importlib import import_module\nimport_module('pandas')\n",
            "toy/engine/pack.py:2: 'pandas' is imported in 'engine'; its home is nowhere",
        ),
        ("utils.py", "", "toy/utils.py: 'utils' is no room of the house; see docs/architecture.md"),
    ],
)
def test_a_broken_rule_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    assert broken_rules(toy_tree(tmp_path, KEPT | {name: text})) == [said]


def test_the_other_rules_are_named_too(tmp_path: Path) -> None:
    package = toy_tree(tmp_path, KEPT | {"engine/pack.py": "import scipy\n\nprint('here')\n"})
    assert prints(package) == ["toy/engine/pack.py:3: only the command line prints"]
    assert undeclared(package, {"polars", "numba", "rich"}) == ["toy/engine/pack.py:1: 'scipy' is no dependency in pyproject.toml"]
    assert too_long(package, most=3) == ["toy/engine/detect.py: 4 lines, 3 allowed"]
