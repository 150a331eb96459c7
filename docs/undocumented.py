"""What the documentation leaves out. `mkdocs build` runs it first and fails where there is anything."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import smoulder
from smoulder.cli import app
from smoulder.engine.record import LABELS
from smoulder.events import EVENT_SCHEMA
from smoulder.rulebook import grids, keys
from smoulder.rulebook.model import field_names
from smoulder.tables import COLUMNS
from smoulder.terms import MEASURES

DOCS = Path(__file__).parent


def undocumented(docs: Path = DOCS) -> list[str]:
    """Return a sentence for each thing that a user can name and no page tells of."""
    pages = {path.relative_to(docs).as_posix(): path.read_text(encoding="utf-8") for path in docs.rglob("*.md")}
    return [*public_names(), *commands(pages), *definitions(pages), *settings(pages), *words(pages)]


def public_names() -> Iterator[str]:
    """Yield the public names without a docstring, and the functions with a parameter that theirs does not tell of."""
    for name in smoulder.__all__:
        if name == "__version__":
            continue
        thing = getattr(smoulder, name)
        text = inspect.getdoc(thing) or ""
        if len(text) < 20:
            yield f"smoulder.{name} has no docstring"
        if inspect.isfunction(thing):
            for parameter in inspect.signature(thing).parameters:
                if parameter not in text:
                    yield f"the docstring of smoulder.{name} does not tell of '{parameter}'"


def commands(pages: dict[str, str]) -> Iterator[str]:
    """Yield the commands that neither page about the command line shows, and those without help."""
    text = pages.get("command-line.md", "") + pages.get("other-outcomes.md", "")
    for name, command in app().resolved_commands().items():
        if name.startswith("-"):
            continue
        if f"smoulder {name}" not in text:
            yield f"'smoulder {name}' is in no page about the command line"
        if not str(command.help or "").strip():
            yield f"'smoulder {name}' has no help"


def definitions(pages: dict[str, str]) -> Iterator[str]:
    """Yield the definitions without a page, and the grids that no page names."""
    for key in keys():
        if f"definitions/{key}.md" not in pages:
            yield f"the definition {key} has no page; make pages writes it"
    for key in grids():
        if key not in pages.get("definitions/grids.md", ""):
            yield f"the grid {key} is not in definitions/grids.md"


def settings(pages: dict[str, str]) -> Iterator[str]:
    """Yield the settings of a definition that the page about writing one does not name."""
    text = pages.get("definitions/writing-a-definition.md", "")
    for name in field_names():
        if name not in text:
            yield f"the setting '{name}' is not in definitions/writing-a-definition.md"


def words(pages: dict[str, str]) -> Iterator[str]:
    """Yield the columns, labels and measures that no page names."""
    everything = "\n".join(pages.values())
    named: dict[str, Any] = {
        # Tables with dates have onset_date for onset_day, and the pages show those.
        "column of the events": [re.sub("_day$", "_date", name) for name in EVENT_SCHEMA],
        "label": [label for label in LABELS if label],
        "measure": list(MEASURES),
        "column of a table": [column.name for columns in COLUMNS.values() for column in columns],
    }
    for kind, names in named.items():
        for name in names:
            if name not in everything:
                yield f"the {kind} '{name}' is in no page"


def on_pre_build(config: Any) -> None:
    """Stop the build where anything is undocumented (a hook of mkdocs)."""
    from mkdocs.exceptions import PluginError

    found = undocumented(Path(config["docs_dir"]))
    if found:
        raise PluginError("\n".join([f"{len(found)} undocumented:", *(f"- {sentence}" for sentence in found)]))
