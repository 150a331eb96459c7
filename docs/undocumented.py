"""What the documentation leaves out. `mkdocs build` runs it first and fails where there is anything."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import smoulder
from smoulder import analysis
from smoulder.cli import app
from smoulder.engine.record import LABELS
from smoulder.events import EVENT_SCHEMA
from smoulder.protocol import analyses, known, study_keys, timing
from smoulder.protocol.aims import AnyAim
from smoulder.protocol.entry import AnyCriterion
from smoulder.protocol.model import field_names as study_field_names
from smoulder.rulebook import grids, keys
from smoulder.rulebook.model import field_names
from smoulder.studying.adam import CENSOR_CODES
from smoulder.studying.adam import LABELS as ADAM_LABELS
from smoulder.studying.report import HEADINGS
from smoulder.tables import COLUMNS
from smoulder.terms import MEASURES

DOCS = Path(__file__).parent


def undocumented(docs: Path = DOCS) -> list[str]:
    """Return a sentence for each thing that a user can name and no page tells of."""
    pages = {path.relative_to(docs).as_posix(): path.read_text(encoding="utf-8") for path in docs.rglob("*.md")}
    of_studies = [*studies(pages), *study_settings(pages), *estimators(pages), *report(pages)]
    return [*public_names(), *commands(pages), *definitions(pages), *settings(pages), *of_studies, *words(pages)]


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
    """Yield the commands and options that neither page about the command line shows, and the commands without help."""
    text = pages.get("command-line.md", "") + pages.get("other-outcomes.md", "")
    for name, command in every_command(app(), "smoulder"):
        if name not in text:
            yield f"'{name}' is in no page about the command line"
        if not str(command.help or "").strip():
            yield f"'{name}' has no help"
        if command.default_command is None:
            continue
        for option in command.assemble_argument_collection():
            # An option may be shown by its short name; the one that switches off is told by the one that switches on.
            names = [one for one in option.names if one.startswith("-") and not one.startswith(("--no-", "--empty-"))]
            if names and not any(re.search(rf"(?<![\w-]){re.escape(one)}(?![\w-])", text) for one in names):
                yield f"the option '{names[0]}' of '{name}' is in no page about the command line"


def every_command(group: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Yield every command with its whole name, those of a group after it."""
    for name, command in group.resolved_commands().items():
        if not name.startswith("-"):
            yield f"{place} {name}", command
            yield from every_command(command, f"{place} {name}")


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


def studies(pages: dict[str, str]) -> Iterator[str]:
    """Yield the shipped studies without a page."""
    for key in study_keys():
        if f"studies/{key}.md" not in pages:
            yield f"the study {key} has no page; make pages writes it"


def study_settings(pages: dict[str, str]) -> Iterator[str]:
    """Yield the settings of a study, and the words that they take, that the page about writing one does not show as code."""
    text = pages.get("studies/writing-a-study.md", "")
    for name in study_field_names():
        if f"`{name}`" not in text:
            yield f"the setting '{name}' of a study is not in studies/writing-a-study.md"
    for what, word in study_words():
        if f'`"{word}"`' not in text:
            yield f"{what} '{word}' of a study is not in studies/writing-a-study.md"


def study_words() -> Iterator[tuple[str, str]]:
    """Yield every word that a setting of a study takes, with what it is a kind of."""
    for what, union in (("the criterion", AnyCriterion), ("the outcome", AnyAim), ("the analysis", analyses.AnyAnalysis)):
        for part in get_args(get_args(union)[0]):
            yield what, get_args(part.model_fields["kind"].annotation)[0]
    for what, part, name in (
        ("the figure", analyses.FigurePart, "kind"),
        ("the time zero", timing.TimeZero, "at"),
        ("the thing known", known.Known, "what"),
        ("the thing that changes", analyses.Changing, "what"),
    ):
        for word in get_args(part.model_fields[name].annotation):
            yield what, word


def estimators(pages: dict[str, str]) -> Iterator[str]:
    """Yield the estimators that the page about statistics does not name."""
    text = pages.get("studies/statistics.md", "")
    for name in analysis.__all__:
        if inspect.isfunction(getattr(analysis, name)) and f"`{name}`" not in text:
            yield f"the estimator {name} is not in studies/statistics.md"


def report(pages: dict[str, str]) -> Iterator[str]:
    """Yield the parts of a report, and the variables and codes of its ADaM data, that the page about it does not name."""
    text = pages.get("studies/report.md", "")
    for heading in HEADINGS.values():
        if heading not in text:
            yield f"the part '{heading}' of a report is not in studies/report.md"
    for name in ADAM_LABELS:
        if f"`{name}`" not in text:
            yield f"the variable {name} of ADTTE is not in studies/report.md"
    for reason, code in CENSOR_CODES.items():
        if not re.search(rf"\| {code} \|.*{re.escape(reason)}", text):
            yield f"CNSR {code} ({reason}) is not in studies/report.md"


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
